"""The version of this distribution. It stands here, and in the project file, which a test compares."""

__version__ = "3.8.8+independent.1"
