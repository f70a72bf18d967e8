"""Locks on result keys, so that a key is computed once at a time."""
