"""Remembers what was given already."""

from __future__ import annotations

import time
from collections import OrderedDict
from uuid import UUID

SEEN_SIZE = 500_000
SEEN_SECONDS = 120.0


class Seen:
    """Remembers ids for a while, so that what comes twice is given once."""

    def __init__(self, seconds: float = SEEN_SECONDS, size: int = SEEN_SIZE) -> None:
        self._seconds, self._size = seconds, size
        self._until: OrderedDict[UUID, float] = OrderedDict()

    def add(self, id: UUID) -> bool:
        """Remember an id; whether it is new."""
        now = time.monotonic()
        while self._until and (len(self._until) >= self._size or next(iter(self._until.values())) < now):
            self._until.popitem(last=False)
        if id in self._until:
            return False
        self._until[id] = now + self._seconds
        return True
