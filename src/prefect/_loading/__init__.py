"""Finds flows by their entrypoints, and loads them as far as they load."""
