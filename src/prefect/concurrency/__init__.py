"""Limits on how much happens at once: slots that code takes and gives back, in `sync` and `asyncio` forms."""
