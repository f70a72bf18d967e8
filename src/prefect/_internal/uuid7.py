"""The import path that integration packages use for time-ordered ids."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from uuid import UUID

from prefect.types import _ids

__all__ = ["uuid7"]

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def _time_ms() -> int:
    return time.time_ns() // 1_000_000


def uuid7(ms: int | None = None, time_func: Callable[[], int] = _time_ms) -> UUID:
    """Return a UUID of version 7, which sorts by its time.

    Args:
        ms: The time, in milliseconds since 1970; now unless given.
        time_func: Returns the time if none is given.
    """
    if ms is None and time_func is _time_ms:
        return _ids.uuid7()
    milliseconds = time_func() if ms is None else ms
    return UUID(int=milliseconds << 80 | _VERSION | secrets.randbits(12) << 64 | _VARIANT | secrets.randbits(62))
