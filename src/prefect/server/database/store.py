"""The storage interface: a store runs units of work, each in one transaction."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from prefect.server.database.dialect import Dialect
from prefect.server.database.errors import DatabaseUnavailable
from prefect.server.database.notifications import Notifications
from prefect.server.database.url import DatabaseURL, parse_database_url
from prefect.server.database.values import Params

T = TypeVar("T")


class Row(Protocol):
    """One row of a result: `row["column"]`, `row[0]`, `dict(row)`."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def keys(self) -> Iterable[str]: ...


class Transaction(Protocol):
    """One transaction. Statements use `?` or `:name`; values are always bound."""

    @property
    def dialect(self) -> Dialect:
        """What differs between databases."""
        ...

    @property
    def now(self) -> datetime:
        """The transaction's instant, aware UTC."""
        ...

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run a statement; return how many rows it changed."""
        ...

    def execute_all(self, statements: Sequence[tuple[str, Params]]) -> None:
        """Run several INSERT, UPDATE or DELETE statements with `?` placeholders, none of which sees what another does."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Any]) -> None:
        """Run a statement once a row. Rows are tuples of plain values (see `values.encode`)."""
        ...

    def insert_many(self, table: str, columns: str, rows: list[tuple[Any, ...]], conflict: str = "") -> None:
        """Insert many rows at once; `conflict` is the ON CONFLICT clause.

        Rows are tuples of texts, numbers, None, UUIDs and instants from `values.plain_time`.
        """
        ...

    def tell(self, topic: str) -> None:
        """Wake who waits for a topic (see `notifications`), in any process, once this is committed."""
        ...

    def fetch_one(self, sql: str, params: Params = ()) -> Any | None:
        """Run a query; return its first row or None."""
        ...

    def fetch_all(self, sql: str, params: Params = ()) -> list[Any]:
        """Run a query; return all rows."""
        ...


Unit = Callable[[Transaction], T]


class Store(Protocol):
    """A database that runs units of work."""

    url: DatabaseURL

    @property
    def good_writers(self) -> int:
        """With how many threads that write a server does best."""
        ...

    @property
    def notifications(self) -> Notifications:
        """Wakes those who wait for what transactions tell of."""
        ...

    @property
    def dialect(self) -> Dialect:
        """What differs between databases."""
        ...

    def write(self, unit: Unit[T]) -> T:
        """Run a unit that may write, atomically. Its changes are durable when this returns."""
        ...

    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, on a consistent snapshot."""
        ...

    def load(self) -> dict[str, int]:
        """How much is under way and how much waits, by what is counted."""
        ...

    def close(self) -> None:
        """Finish what was queued and let go of all connections."""
        ...

    def before_fork(self) -> None:
        """Come to rest, so that a copy of this process inherits nothing that is under way."""
        ...

    def after_fork(self) -> None:
        """Go on, in the process that forked."""
        ...


_stores: dict[str, Store] = {}
_lock = threading.Lock()


def open_store(url: str, *, durable: bool = False) -> Store:
    """The store of this process for a connection URL, opened and migrated on first use.

    Args:
        url: A SQLite or PostgreSQL connection URL.
        durable: SQLite only: survive a power failure too (`synchronous=FULL`), not just the end of the process.

    Raises:
        StorageError: The database cannot be opened, is damaged, newer than this release, or another program's.
    """
    with _lock:
        store = _stores.get(url)
        if store is None:
            if _is_ending and threading.current_thread() is not threading.main_thread():
                raise DatabaseUnavailable("This process is ending.")
            store = _stores[url] = _open(parse_database_url(url), durable)
        return store


def _open(url: DatabaseURL, durable: bool) -> Store:
    if url.dialect == "sqlite":
        from prefect.server.database.sqlite import SQLiteStore  # noqa: PLC0415 - each driver loads only when used

        return SQLiteStore(url, durable=durable)
    from prefect.server.database.postgres import PostgresStore  # noqa: PLC0415 - psycopg costs 0.2 s

    return PostgresStore(url)


def close_stores() -> None:
    """Close every store of this process."""
    with _lock:
        stores = list(_stores.values())
        _stores.clear()
    for store in stores:
        store.close()


def forget_store(url: str) -> None:
    """Close and drop the store of one URL, so that its file can be removed."""
    with _lock:
        store = _stores.pop(url, None)
    if store is not None:
        store.close()


def _before_fork() -> None:
    _lock.acquire()
    for store in _stores.values():
        store.before_fork()


def _after_fork_in_parent() -> None:
    for store in _stores.values():
        store.after_fork()
    _lock.release()


def _after_fork_in_child() -> None:
    # A connection or thread of the parent is of no use in a child, and closing the connection here could
    # disturb the parent's; the child opens its own on first use.
    global _lock
    _lock = threading.Lock()
    _inherited.extend(_stores.values())
    _stores.clear()


def _close_at_exit() -> None:
    global _is_ending
    _is_ending = True
    close_stores()


# A thread that is inside SQLite when the interpreter goes down takes the process with it.
_is_ending = False
atexit.register(_close_at_exit)

_inherited: list[Store] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
