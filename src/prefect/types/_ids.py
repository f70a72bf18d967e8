"""Makes the ids of everything that the client creates: time-ordered UUIDs (version 7, RFC 9562)."""

from __future__ import annotations

import os
from random import Random
from threading import Lock
from time import time_ns
from uuid import UUID, SafeUUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62

_new = object.__new__
_set = object.__setattr__
_unknown = SafeUUID.unknown

_lock = Lock()
# Asking the system for random bytes lets go of Python's lock, and beside a busy thread it takes milliseconds to get it
# back. Ids have to differ, not to be secret: a generator that the system seeds once is enough.
_random = Random(os.urandom(32))
_last_tick = 0
"""The tick of the newest id, in units of 1/4096 ms since the epoch: each id takes a later one than the id before."""


def uuid7() -> UUID:
    """Make a UUID that sorts by the time of its creation.

    Ids of one process are strictly increasing, also between threads; ids of several processes differ by 62 random
    bits, which a forked child does not share with its parent.
    """
    global _last_tick
    random = _random.getrandbits(62)
    tick = (time_ns() << 12) // 1_000_000
    with _lock:
        if tick <= _last_tick:
            tick = _last_tick + 1
        _last_tick = tick
    # `UUID(int=…)` checks and copies what is known here, and takes three times as long.
    uuid = _new(UUID)
    _set(uuid, "int", (tick >> 12) << 80 | _VERSION | (tick & 0xFFF) << 64 | _VARIANT | random)
    _set(uuid, "is_safe", _unknown)
    return uuid


def _start_afresh() -> None:
    # Another thread may hold the lock at the moment of a fork, and a child must not repeat its parent's random bits.
    global _lock, _random
    _lock = Lock()
    _random = Random(os.urandom(32))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
