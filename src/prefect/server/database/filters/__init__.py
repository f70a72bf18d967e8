"""Compiles the filters of the API to `WHERE` clauses with bound parameters."""
