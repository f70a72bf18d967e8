"""Wake-ups between the processes on one PostgreSQL: LISTEN and NOTIFY. See docs/adr/0009-wake-ups.md."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import psycopg

from prefect.logging import get_logger
from prefect.server.database.errors import StorageError
from prefect.server.database.notifications import Notifications

logger = get_logger("server.database")

_CHANNEL = "prefect_wake_ups"
_ALL = "*"
_LONGEST_PAYLOAD = 7000
"""Characters; PostgreSQL takes less than 8000 bytes."""
_LISTENERS_LOCK = 0x50524632
"""Key of the advisory lock that all listeners share: who can have it for himself knows that nobody listens."""
_PAUSE_SECONDS = 0.05
"""A process notifies at most once in this time: transactions that notify are committed one at a time by PostgreSQL."""
_LOOK_SECONDS = 5.0
"""So often everybody is woken anyway: a process may have been killed between its commit and its notification."""
_STOP_SECONDS = 0.5
_SHORTEST_BACK_OFF_SECONDS, _LONGEST_BACK_OFF_SECONDS = 0.1, 5.0

_NOTIFY = "SELECT pg_notify(%s, %s) WHERE NOT pg_try_advisory_xact_lock(%s)"

Execute = Callable[[str, tuple[Any, ...]], None]


class PostgresNotifications(Notifications):
    """One connection that listens, while somebody here waits for something; one thread that notifies."""

    def __init__(self, conninfo: str, execute: Execute) -> None:
        """Say where to listen.

        Args:
            conninfo: The database.
            execute: Runs a statement, in psycopg's notation, on a connection of the store's.
        """
        super().__init__()
        self._conninfo, self._execute = conninfo, execute
        self._sender = uuid4().hex[:12]
        self._untold: set[str] = set()
        self._is_news = threading.Event()
        self._teller: threading.Thread | None = None

    def tell(self, topics: Iterable[str]) -> None:
        super().tell(topics)
        with self._lock:
            self._untold.update(topics)
            if self._teller is None and not self._closed.is_set():
                self._teller = threading.Thread(target=self._tell_others, name="prefect-notifier", daemon=True)
                self._teller.start()
        self._is_news.set()

    def close(self) -> None:
        super().close()
        self._is_news.set()
        if self._teller is not None:
            self._teller.join(_LOOK_SECONDS)

    def _tell_others(self) -> None:
        while True:
            self._is_news.wait()
            self._is_news.clear()
            with self._lock:
                topics, self._untold = self._untold, set()
            if topics:
                self._notify(topics)
            if self._closed.wait(_PAUSE_SECONDS) and not self._untold:
                return

    def _notify(self, topics: set[str]) -> None:
        payload = " ".join((self._sender, *sorted(topics)))
        if len(payload) > _LONGEST_PAYLOAD:
            payload = f"{self._sender} {_ALL}"
        try:
            self._execute(_NOTIFY, (_CHANNEL, payload, _LISTENERS_LOCK))
        except StorageError as error:
            # Who listens looks again in a few seconds, and whenever the connection has come back.
            logger.debug("Other servers could not be notified: %s", error)

    def _watch(self) -> None:
        back_off, is_down = _SHORTEST_BACK_OFF_SECONDS, False
        while not self._is_unwanted():
            try:
                with psycopg.connect(
                    self._conninfo,
                    autocommit=True,
                    application_name="prefect-listener",
                    # Without these a connection that was cut, and not closed, would be waited on for hours.
                    keepalives_idle=15,
                    keepalives_interval=5,
                    keepalives_count=3,
                ) as connection:
                    connection.execute("SELECT pg_advisory_lock_shared(%s)", (_LISTENERS_LOCK,))
                    connection.execute(f"LISTEN {_CHANNEL}")
                    if is_down:
                        logger.info("Listening to other servers on PostgreSQL again.")
                    back_off, is_down = _SHORTEST_BACK_OFF_SECONDS, False
                    self._wake()  # for what was committed while nobody listened
                    self._listen(connection)
                    return
            except psycopg.Error as error:
                if not is_down:
                    is_down = True
                    logger.warning("Cannot listen to other servers on PostgreSQL, and try again: %s", error)
                self._closed.wait(back_off * random.uniform(0.5, 1.0))
                back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)
                self._wake()  # the pool may reach the database already

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        quiet_seconds = 0.0
        while not self._is_unwanted():
            for notification in connection.notifies(timeout=_STOP_SECONDS):
                sender, *topics = notification.payload.split()
                if sender != self._sender:  # this process has woken its own already
                    self._wake(None if topics == [_ALL] else topics)
            quiet_seconds += _STOP_SECONDS
            if quiet_seconds >= _LOOK_SECONDS:
                quiet_seconds = 0.0
                self._wake()
