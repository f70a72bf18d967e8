"""Decides how long to wait for a lock, for any kind of lock and for sync and async code alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

Waiting = Generator[float | None, None, bool]
"""Yields how many seconds to wait for a change at most, None for ever; returns whether the wait succeeded."""


def waiting(busy_for: Callable[[], float | None], timeout: float | None) -> Waiting:
    """Wait until something is no longer busy.

    Args:
        busy_for: Tries to get what is waited for. Returns None if it did, else in how many seconds to try again even
            if nothing changes; infinity for never.
        timeout: How many seconds to wait at most; None for ever.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while (retry_in := busy_for()) is not None:
        remaining = float("inf") if deadline is None else deadline - time.monotonic()
        if remaining <= 0:
            return False
        seconds = min(remaining, retry_in)
        yield None if seconds == float("inf") else seconds
    return True
