"""Names this process to APIs as the holder of its runs: when it is not heard of any more, they have lost their process."""

from __future__ import annotations

import os
import platform
import re
import threading
import time
from collections.abc import Callable

from prefect.types._ids import uuid7

HOLDER_HEADER = "X-Prefect-Run-Holder"
"""Names the holder in a request about a run that it runs."""
LEASE_HEADER = "X-Prefect-Run-Lease"
"""Says in the answer for how many seconds the API believes that; an API that knows no holders does not send it."""
TELLINGS_PER_LEASE = 3
"""How often a holder tells that it is alive while one lease lasts: two of three tellings may be lost."""

_UNFIT = re.compile(r"[^!-~]")
_known: tuple[int, str] | None = None


def this_holder() -> str:
    """The name of this process: machine, process id, and what no other process ever has."""
    global _known
    pid = os.getpid()
    if _known is None or _known[0] != pid:  # a forked process runs runs of its own
        machine = _UNFIT.sub("?", platform.node())[:100]
        _known = (pid, f"{machine}:{pid}:{uuid7()}")
    return _known[1]


# -- what servers have said of their leases ----------------------------------------------------------------------------


class _Lease:
    """How long the leases of one API last, and when it has heard of this process."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.told = time.monotonic()


_leases: dict[str, _Lease] = {}
"""By the address of the API."""
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _leases.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def note_lease(address: str, header: str | None) -> None:
    """Remember from an answer for how long an API believes that this process runs its runs."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        return
    if not 0 < seconds < float("inf"):  # the answer of an API that knows no holders, too
        return
    with _lock:
        lease = _leases.get(address)
        if lease is None:
            _leases[address] = _Lease(seconds)
        else:
            lease.seconds = seconds
    if lease is None:
        for tell in _listeners:
            tell()


_listeners: list[Callable[[], None]] = []


def call_on_new_lease(tell: Callable[[], None]) -> None:
    """Call a function whenever an API wants to hear of this process that did not before."""
    _listeners.append(tell)


def due_telling(address: str) -> float | None:
    """Seconds until an API wants to hear of this process; None when it does not. What is due counts as told now."""
    with _lock:
        lease = _leases.get(address)
        if lease is None:
            return None
        now, span = time.monotonic(), lease.seconds / TELLINGS_PER_LEASE
        remaining = lease.told + span - now
        if remaining <= 0:
            lease.told = now
        return remaining


def telling_span(address: str) -> float | None:
    """Seconds from one telling to the next."""
    with _lock:
        lease = _leases.get(address)
        return None if lease is None else lease.seconds / TELLINGS_PER_LEASE


def forget_lease(address: str) -> None:
    """An API does not want to hear of this process any more."""
    with _lock:
        _leases.pop(address, None)
