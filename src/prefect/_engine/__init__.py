"""The engine: runs flows and tasks from plans that decide, through drivers that wait. Knows specs, not decorators."""
