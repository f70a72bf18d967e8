"""Runs the background services of a server: rounds on time, one at a time each, for as long as the server lives.

Any number of servers may share a database. A round is one transaction that begins by taking the lock of its service
until it ends, and is left out where another server holds that lock: nothing is done twice at the same time, and there is
no leader to lose. What was done in one round is not found by the next, wherever that runs. On SQLite writing transactions
take turns anyway, and need no lock. A change wakes the services of the server that stored it, so that servers need not
tell each other.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count

from prefect.logging import get_logger
from prefect.server.database.errors import DatabaseUnavailable
from prefect.server.database.store import Store, Transaction
from prefect.server.services.table import Service, ServiceEntry, enabled_services
from prefect.settings import get_current_settings

logger = get_logger("server.services")

_THREADS = 2
"""Rounds at a time: one service that waits for its database does not keep all others from theirs."""
_JITTER = 0.1
_LONGEST_BACK_OFF_SECONDS = 60.0
_WAKE_PAUSE_SECONDS = 0.25
"""A service is not woken more often than this."""
_FIRST_WITHIN_SECONDS = 1.0


@dataclass(slots=True)
class _Running:
    """One service, as the runner knows it."""

    entry: ServiceEntry
    interval: float
    settles: float
    due: float = 0.0
    ticket: int = -1
    """Tells the newest place in the queue from those that it has replaced."""
    is_in_round: bool = False
    is_wanted: bool = False
    failures: int = 0
    last_try: float = 0.0
    last_round: float | None = None
    known_failures: set[str] = field(default_factory=set)


class ServiceRunner:
    """Runs services in threads of its own until it is stopped. A service that fails is tried again, later and later."""

    def __init__(
        self,
        store: Store,
        only: set[str] | None = None,
        observe: Callable[[str, float, bool], None] | None = None,
    ) -> None:
        """Choose the services.

        Args:
            store: The database that they look after.
            only: The names of those to run of the ones that the settings switch on; all of them by default.
            observe: Is told of every round: the name of the service, seconds, whether it failed.

        Raises:
            ValueError: `only` names a service that does not exist.
        """
        settings = get_current_settings()
        self._store = store
        self._observe = observe
        self._services = {
            entry.name: _Running(
                entry,
                max(entry.interval_seconds(settings.server.services), 0.05),
                entry.settles_seconds(settings.server.services),
            )
            for entry in enabled_services(settings, only)
        }
        self._woken_by: dict[str, list[str]] = {}
        for entry in (each.entry for each in self._services.values()):
            for segment in entry.is_woken_by:
                self._woken_by.setdefault(segment, []).append(entry.name)
        self._queue: list[tuple[float, int, str]] = []
        self._tickets = count()
        self._changed = threading.Condition()
        self._stopping = False
        self._threads: list[threading.Thread] = []

    @property
    def names(self) -> list[str]:
        """The names of the services that run here."""
        return list(self._services)

    def start(self) -> None:
        """Begin to make rounds; returns at once."""
        now = time.monotonic()
        with self._changed:
            for each in self._services.values():
                first = max(random.uniform(0, min(each.interval, _FIRST_WITHIN_SECONDS)), each.settles)
                self._schedule(each, now + first)
        for number in range(min(_THREADS, len(self._services))):
            thread = threading.Thread(target=self._work, name=f"prefect-service-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_seconds: float = 10.0) -> bool:
        """Begin no more rounds, and wait for those under way; returns whether they ended in time.

        A round that does not is one transaction: it is done or it is not, whatever becomes of this process.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self, name: str) -> None:
        """Let a service make its next round now, because something has changed; from any thread, without waiting."""
        each = self._services.get(name)
        if each is None:
            return
        with self._changed:
            if each.is_in_round:
                each.is_wanted = True
            elif each.failures == 0 and each.settles == 0:
                due = max(time.monotonic(), each.last_try + _WAKE_PAUSE_SECONDS)
                if due < each.due:
                    self._schedule(each, due)

    def wake_for(self, segment: str) -> None:
        """Wake the services that a changing request below this first segment of a path concerns."""
        for name in self._woken_by.get(segment, ()):
            self.wake(name)

    # -- the queue ---------------------------------------------------------------------------------------------------

    def _schedule(self, each: _Running, due: float) -> None:
        each.due, each.ticket = due, next(self._tickets)
        heapq.heappush(self._queue, (due, each.ticket, each.entry.name))
        self._changed.notify()

    def _take(self) -> _Running | None:
        """Wait for a service that is due; None when the runner stops."""
        with self._changed:
            while not self._stopping:
                if not self._queue:
                    self._changed.wait()
                    continue
                due, ticket, name = self._queue[0]
                each = self._services[name]
                wait = due - time.monotonic()
                if ticket != each.ticket:
                    heapq.heappop(self._queue)
                elif wait > 0:
                    self._changed.wait(wait)
                else:
                    heapq.heappop(self._queue)
                    each.is_in_round, each.is_wanted = True, False
                    return each
        return None

    def _work(self) -> None:
        while (each := self._take()) is not None:
            begun, failed = time.monotonic(), False
            try:
                pause = self._go_round(each)
            except BaseException as error:  # noqa: BLE001 - no service may end the server, nor the other services
                failed, pause = True, self._failed(each, error)
            if self._observe is not None:
                self._observe(each.entry.name, time.monotonic() - begun, failed)
            with self._changed:
                each.is_in_round = False
                each.last_try = now = time.monotonic()
                if each.is_wanted and each.failures == 0:
                    pause = min(pause, _WAKE_PAUSE_SECONDS)
                self._schedule(each, now + pause)

    # -- rounds ------------------------------------------------------------------------------------------------------

    def _go_round(self, each: _Running) -> float:
        """Make one round; returns the seconds until the next one."""
        entry, began = each.entry, time.monotonic()
        if self._must_settle(each, began):
            each.last_round = None
            return each.settles
        service = entry.load()
        done = self._store.write(lambda tx: _one_round(tx, entry.name, service))
        if each.failures:
            logger.info("The service %s works again.", entry.name)
            each.failures = 0
            each.known_failures.clear()
        each.last_round = time.monotonic()
        if done is None:  # another server is at it, and may not have seen what has changed just now
            return min(each.interval, _WAKE_PAUSE_SECONDS if each.is_wanted else each.interval)
        if entry.full_round is not None and done >= entry.full_round:
            return 0.0
        return each.interval * random.uniform(1 - _JITTER, 1 + _JITTER)

    def _must_settle(self, each: _Running, now: float) -> bool:
        """Whether this process, or its database, was away for so long that those it has not heard of may be well."""
        if each.last_round is None or not each.settles:
            return False
        return now - each.last_round > each.settles / 2 + 2 * each.interval

    def _failed(self, each: _Running, error: BaseException) -> float:
        each.failures += 1
        pause = min(each.interval * 2 ** min(each.failures, 10), max(_LONGEST_BACK_OFF_SECONDS, each.interval))
        described = f"{type(error).__name__}: {error}"
        if described not in each.known_failures:
            each.known_failures.add(described)
            logger.error(
                "The service %s failed and is tried again; the same failure is not reported again until it works: %s",
                each.entry.name,
                error,
                exc_info=None if isinstance(error, DatabaseUnavailable) else error,
            )
        return pause * random.uniform(1 - _JITTER, 1 + _JITTER)


def _one_round(tx: Transaction, name: str, service: Service) -> int | None:
    """One round of a service, or None where another server makes one at this moment."""
    taken = tx.fetch_one(tx.dialect.try_lock("?"), (lock_key(name),))
    if taken is None or not taken["taken"]:
        return None
    return service.run_once(tx, datetime.now(timezone.utc))


def lock_key(name: str) -> int:
    """The number that locks a service, the same in every process."""
    return _LOCKS + zlib.crc32(name.encode())


_LOCKS = 0x50524631 << 31
"""Keeps the numbers away from those that other programs on the same PostgreSQL are likely to choose."""
