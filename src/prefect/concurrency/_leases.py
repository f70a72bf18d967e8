"""Keeps leases alive: one thread of this process renews them all, each in time."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from uuid import UUID

from prefect.concurrency._api import LeaseGone, renew_lease
from prefect.logging import get_logger

_RENEW_AFTER = 0.75
"""The part of a lease's time after which it is renewed."""
_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0
"""Between two attempts to renew a lease."""

logger = get_logger("concurrency")


class _Lease:
    __slots__ = ("attempt", "context", "id", "on_lost", "seconds")

    def __init__(self, id: UUID, seconds: float, on_lost: Callable[[Exception], None], context: Context) -> None:
        self.id, self.seconds, self.on_lost, self.context = id, seconds, on_lost, context
        self.attempt = 0


class LeaseKeeper:
    """Renews leases until they are let go."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._leases: dict[UUID, _Lease] = {}
        self._due: list[tuple[float, int, UUID]] = []
        """A heap of (moment of the next renewal, tie breaker, lease id); leases that were let go stay until their turn."""
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def keep(self, lease_id: UUID, seconds: float, on_lost: Callable[[Exception], None]) -> None:
        """Renew a lease from now on, under the present settings.

        Args:
            lease_id: The lease.
            seconds: How long it lasts; it is renewed when three quarters of that have passed.
            on_lost: Called once, from the keeper's thread, when three attempts have failed.
        """
        with self._changed:
            self._leases[lease_id] = _Lease(lease_id, seconds, on_lost, copy_context())
            self._schedule(lease_id, seconds * _RENEW_AFTER)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefect-leases", daemon=True)
                self._thread.start()
            self._changed.notify()

    def let_go(self, lease_id: UUID) -> None:
        """Renew a lease no longer."""
        with self._changed:
            self._leases.pop(lease_id, None)

    def _schedule(self, lease_id: UUID, seconds: float) -> None:
        if len(self._due) > 1000 and len(self._due) > 4 * len(self._leases):
            # Slots of many short task runs: most of the entries are of leases that were let go long ago.
            self._due = [entry for entry in self._due if entry[2] in self._leases]
            heapq.heapify(self._due)
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), lease_id))

    def _run(self) -> None:
        while True:
            lease = self._next_due()
            if lease is None:
                return
            try:
                lease.context.run(renew_lease, lease.id, lease.seconds)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the other leases must be renewed
                self._failed(lease, error)
            else:
                lease.attempt = 0
                self._again(lease, lease.seconds * _RENEW_AFTER)

    def _next_due(self) -> _Lease | None:
        """Wait for the next lease to renew; None ends the thread, when there is none to keep."""
        with self._changed:
            while self._due:
                moment, _, lease_id = self._due[0]
                if lease_id not in self._leases:
                    heapq.heappop(self._due)
                    continue
                wait = moment - time.monotonic()
                if wait <= 0:
                    heapq.heappop(self._due)
                    return self._leases[lease_id]
                self._changed.wait(wait)
            self._thread = None
            return None

    def _again(self, lease: _Lease, seconds: float) -> None:
        with self._changed:
            if lease.id in self._leases:
                self._schedule(lease.id, seconds)

    def _failed(self, lease: _Lease, error: Exception) -> None:
        lease.attempt += 1
        if lease.attempt < _ATTEMPTS and not isinstance(error, LeaseGone):
            self._again(lease, _PAUSE_SECONDS)
            return
        with self._changed:
            known = self._leases.pop(lease.id, None)
        if known is not None:  # it was not let go in the meantime
            lease.on_lost(error)


keeper = LeaseKeeper()
"""The one of this process."""


def _after_fork() -> None:
    global keeper
    keeper = LeaseKeeper()  # the leases of the parent are the parent's to renew


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def warn_lost(names: object, error: Exception) -> None:
    """Say that slots may be taken by others while this code goes on."""
    logger.warning(
        "The lease on slots of %r could not be renewed (%s): this code goes on, and others may take its slots",
        names,
        error,
    )
