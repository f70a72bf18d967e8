"""The core: what the API does, and what keeps it going."""
