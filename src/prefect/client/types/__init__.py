"""Types of what clients accept."""
