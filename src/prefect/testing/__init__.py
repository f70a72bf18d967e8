"""Helps to test flows and tasks."""
