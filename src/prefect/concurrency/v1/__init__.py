"""Slots of the limits on tags, held by a task run: the older form, kept for programs that use it."""
