"""Keeps the audit trail: requests note what they did, and a thread stores it, many entries at a time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

from prefect.logging import get_logger
from prefect.server.api._auth import Identity
from prefect.server.database.store import Store, Transaction
from prefect.server.models.api_keys import note_uses
from prefect.server.models.audit import record_audit_entries
from prefect.server.schemas.access import AuditEntry

logger = get_logger("server.api")

_PAUSE_SECONDS = 1.0
_USE_EVERY = timedelta(minutes=1)
"""The last use of a key is stored this often."""
_MOST_WAITING = 20_000
_MOST_STRANGERS = 100
"""Refused requests of nobody known that are recorded of each batch: they must not be able to fill the database."""
_LONGEST_PATH = 500


class AuditTrail:
    """The audit trail of one server process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changing = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: list[AuditEntry] = []
        self._strangers = 0
        self._left_out = 0
        self._uses: dict[UUID, datetime] = {}
        self._stored_uses: dict[UUID, datetime] = {}
        self._is_failing = False
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="prefect-audit", daemon=True)

    def start(self) -> None:
        """Begin to store what is noted."""
        self._thread.start()

    def stop(self) -> None:
        """Store what is left, and end."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()

    def note(
        self, identity: Identity | None, method: str, route: str | None, path: str, status: int, client: str | None
    ) -> None:
        """Note a request; does not wait.

        Args:
            identity: Who made it; None for nobody known.
            method: The HTTP method.
            route: The path with names in the place of values; None where there is no such route.
            path: The path as it was asked for.
            status: What was answered.
            client: The address from which it came.
        """
        entry = AuditEntry.model_construct(
            id=uuid4(),
            occurred=datetime.now(timezone.utc),
            actor=None if identity is None else identity.name,
            api_key_id=None if identity is None else identity.key_id,
            method=method,
            route=route,
            path=_storable(path),
            status=status,
            client=client,
        )
        with self._changing:
            self._strangers += identity is None
            if len(self._waiting) >= _MOST_WAITING or (identity is None and self._strangers > _MOST_STRANGERS):
                self._left_out += 1
            else:
                self._waiting.append(entry)
        self._wanted.set()

    def note_use(self, identity: Identity) -> None:
        """Note that a key was used; does not wait."""
        if identity.key_id is None:
            return
        now, stored = datetime.now(timezone.utc), self._stored_uses.get(identity.key_id)
        if stored is None or now - stored >= _USE_EVERY:
            with self._changing:
                self._stored_uses[identity.key_id] = self._uses[identity.key_id] = now
            self._wanted.set()

    def flush(self) -> None:
        """Store what was noted before; waits for the database.

        Raises:
            Exception: The database cannot be written; everything is kept for the next time.
        """
        with self._flushing:
            with self._changing:
                entries, uses, left_out = self._waiting, self._uses, self._left_out
                self._waiting, self._uses, self._left_out, self._strangers = [], {}, 0, 0
            if left_out:
                logger.warning("%d requests are missing from the audit trail: there were too many at once", left_out)
            if not entries and not uses:
                return

            def store(tx: Transaction) -> None:
                if entries:
                    record_audit_entries(tx, entries)
                note_uses(tx, uses)

            try:
                self._store.write(store)
            except BaseException:
                with self._changing:
                    self._waiting = entries + self._waiting
                    self._uses = uses | self._uses
                raise

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._stopping.wait(_PAUSE_SECONDS)
            self._wanted.clear()
            self._try_to_flush()
        self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - whatever keeps the database from storing it, it is tried again
            if not self._is_failing:
                logger.error("The audit trail cannot be stored, and is tried again: %s", error)
            self._is_failing = True
            self._wanted.set()
        else:
            self._is_failing = False


def _storable(path: str) -> str:
    """A path as it can be stored; strangers may ask for anything."""
    return path[:_LONGEST_PATH].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def address_of(scope: Any) -> str | None:
    """The address from which a request came."""
    client = scope.get("client")
    return None if client is None else str(client[0])
