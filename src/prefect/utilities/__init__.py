"""Small helpers, one topic per module; none of them knows of runs."""
