"""Bridges differences between the supported versions of Python. There are none left that need a name here."""
