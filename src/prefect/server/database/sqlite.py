"""SQLite: one unit writes at a time, grouped where several wait, and a few reading connections."""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime, timezone
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import orjson

from prefect.server.database.checkpoints import Checkpoints
from prefect.server.database.dialect import SQLiteDialect
from prefect.server.database.errors import (
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnavailable,
    RequestTooLarge,
    StorageError,
)
from prefect.server.database.migrations import all_migrations, split_statements
from prefect.server.database.notifications import PolledNotifications
from prefect.server.database.url import DatabaseURL
from prefect.server.database.values import Params, encode_params

T = TypeVar("T")

_APPLICATION_ID = 0x50524631
"""Stamped into the file's header, so that a foreign SQLite file is recognised."""
_LOCK_PATIENCE_SECONDS = 600.0
_CLOSING_PATIENCE_SECONDS = 30.0
_BATCH_LIMIT = 500
_MOST_LOGGED_PAGES = 20_000
_MAX_IDLE_READERS = 8
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"


class SQLiteTransaction:
    """A transaction on one SQLite connection."""

    __slots__ = ("_connection", "dialect", "now", "topics")

    def __init__(self, connection: sqlite3.Connection, dialect: SQLiteDialect) -> None:
        self.topics: set[str] = set()
        self._connection = connection
        self.dialect = dialect
        self.now = datetime.now(timezone.utc)

    def execute(self, sql: str, params: Params = ()) -> int:
        return self._connection.execute(sql, encode_params(params) if params else ()).rowcount

    def execute_all(self, statements: Sequence[tuple[str, Params]]) -> None:
        for sql, params in statements:
            self._connection.execute(sql, encode_params(params))

    def execute_many(self, sql: str, rows: Iterable[Any]) -> None:
        self._connection.executemany(sql, rows)

    def insert_many(self, table: str, columns: str, rows: list[tuple[Any, ...]], conflict: str = "") -> None:
        # One statement for all, its rows in one JSON text: SQLite then works without Python's lock, so that the code
        # that runs flows goes on beside it. A statement a row would hand the lock to and fro thousands of times a second.
        width = columns.count(",") + 1
        try:
            text = orjson.dumps(rows, option=orjson.OPT_UTC_Z)
        except TypeError:  # a number of more than 64 bits, or half a surrogate pair: SQLite says what is wrong with it
            values = f"VALUES ({', '.join('?' * width)})"
            encoded = [encode_params(row) for row in rows]
            self._connection.executemany(f"INSERT INTO {table} ({columns}) {values} {conflict}", encoded)
        else:
            self._connection.execute(_insert_statement(table, columns, width, conflict), (text.decode(),))

    def tell(self, topic: str) -> None:
        self.topics.add(topic)

    def fetch_one(self, sql: str, params: Params = ()) -> Any | None:
        return self._connection.execute(sql, encode_params(params) if params else ()).fetchone()

    def fetch_all(self, sql: str, params: Params = ()) -> list[Any]:
        return self._connection.execute(sql, encode_params(params) if params else ()).fetchall()


@lru_cache(maxsize=64)
def _insert_statement(table: str, columns: str, width: int, conflict: str) -> str:
    row = ", ".join(f"json_extract(value, '$[{position}]')" for position in range(width))
    # Without a WHERE, SQLite takes the ON of the conflict clause for a join's.
    return f"INSERT INTO {table} ({columns}) SELECT {row} FROM json_each(?) WHERE true {conflict}"


class _Job:
    """A unit on its way through the writer thread, and then its outcome."""

    __slots__ = ("done", "error", "result", "unit")

    def __init__(self, unit: Callable[[SQLiteTransaction], Any] | None) -> None:
        self.unit = unit
        self.result: Any = None
        self.error: BaseException | None = None
        # A bare lock is the cheapest way to wait for one answer.
        self.done = threading.Lock()
        self.done.acquire()


class SQLiteStore:
    """A SQLite database of this process.

    One thread writes at a time, through one connection. A unit that comes while nobody writes runs at once, in the thread
    that brings it. What comes meanwhile is queued for the writer thread, which takes all there is, runs each unit in a
    savepoint, commits once and answers all. Other processes on the same file are waited for: `BEGIN IMMEDIATE` is tried again until it succeeds.
    """

    good_writers = 48  # most of them wait for the same commit

    def __init__(self, url: DatabaseURL, *, durable: bool = False) -> None:
        self.url = url
        self.dialect = SQLiteDialect()
        self.notifications = PolledNotifications(self._changes_of_others)
        self._durable = durable
        self._where = str(url.path) if url.path else ":memory:"
        self._readers: list[sqlite3.Connection] = []
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._closed = False
        self._writing = threading.RLock()
        """Held while the writing connection is at work; it knows its owner."""
        self._writing_thread: int | None = None
        # Entered through the bare lock, as an interrupt may come inside the condition's own `__enter__`, and it stays locked.
        self._gate_lock = threading.Lock()
        self._gate = threading.Condition(self._gate_lock)
        self._reads = 0
        self._forking = False
        if sqlite3.sqlite_version_info < (3, 35):
            raise DatabaseUnavailable(
                f"This Python's SQLite is {sqlite3.sqlite_version}; 3.35 or later is needed. Use a newer Python build."
            )
        self._checkpoints = Checkpoints(lambda: self._inside(self._checkpoint))
        self._connection: sqlite3.Connection | None = self._open_writer()
        self._writer = threading.Thread(target=self._write_loop, name="prefect-database-writer", daemon=True)
        self._writer.start()

    # -- units ---------------------------------------------------------------------------------------------------

    def write(self, unit: Callable[[SQLiteTransaction], T]) -> T:
        if threading.get_ident() == self._writing_thread:
            raise RuntimeError("A unit of work may not start another one; pass its transaction on instead.")
        if self._closed:
            raise self._is_closed()
        job = _Job(unit)
        if not self._write_here(job):
            self._jobs.put(job)
            job.done.acquire()
        if job.error is not None:
            raise job.error
        return job.result

    def _write_here(self, job: _Job) -> bool:
        """Run a job in this thread if nobody writes: two threads that wake one another cost more than many units do.

        False if somebody writes, here or in another process; nothing has happened then.
        """
        try:
            if not self._writing.acquire(blocking=False):
                return False
            return not self._closed and self._run_batch([job], is_last_try=False)
        finally:
            # An interrupt may come right after the lock was taken, before anything here could be told of it.
            if self._writing._is_owned():  # type: ignore[attr-defined]
                self._writing.release()

    def read(self, unit: Callable[[SQLiteTransaction], T]) -> T:
        if self.url.path is None:  # an in-memory database lives in its one connection
            return self.write(unit)
        return self._inside(lambda: self._read(unit))

    def _inside(self, fn: Callable[[], T]) -> T:
        """Call what goes into SQLite beside the writing, in which neither a fork nor the end of the process may fall."""
        is_counted = False
        try:
            with self._gate_lock:
                while self._forking:
                    self._gate.wait()
                if self._closed:
                    raise self._is_closed()
                self._reads += 1
                is_counted = True
            return fn()
        finally:
            if is_counted:
                with self._gate_lock:
                    self._reads -= 1
                    self._gate.notify_all()

    def _is_closed(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"The database {self._where!r} was closed by this process.")

    def _read(self, unit: Callable[[SQLiteTransaction], T]) -> T:
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect(readonly=True)
        try:
            connection.execute("BEGIN")
            try:
                return unit(SQLiteTransaction(connection, self.dialect))
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        finally:
            if len(self._readers) < _MAX_IDLE_READERS and not self._closed:
                self._readers.append(connection)
            else:
                connection.close()

    def load(self) -> dict[str, int]:
        return {"writes_waiting": self._jobs.qsize(), "reads_running": self._reads}

    def close(self) -> None:
        with self._gate_lock:
            if self._closed:
                return
            self._closed = True
            self._checkpoints.stop()
            self._gate.wait_for(lambda: self._reads == 0, _CLOSING_PATIENCE_SECONDS)
        self.notifications.close()
        stop = _Job(None)
        self._jobs.put(stop)
        stop.done.acquire()
        self._writer.join()
        while self._readers:
            self._readers.pop().close()

    def _changes_of_others(self) -> object:
        """A number that other connections' commits change; those of the writer do not, and all here are the writer's."""
        with self._writing:
            if self._connection is None or self._closed:
                return None
            try:
                return self._connection.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error:
                return object()  # unknown: look

    # -- forks ---------------------------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Let nobody be inside SQLite, and have no connection, until `after_fork`.

        A forked process that inherits a connection inherits SQLite's belief in locks that it does not hold: it would wait
        for them for ever, or overlook those of others.
        """
        with self._gate_lock:
            self._forking = True
            while self._reads:
                self._gate.wait()
        self._writing.acquire()
        if self.url.path is None:
            return  # the database would go with its connection
        while self._readers:
            self._readers.pop().close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def after_fork(self) -> None:
        """Go on, in the process that forked."""
        self._writing.release()
        with self._gate_lock:
            self._forking = False
            self._gate.notify_all()

    # -- the writer thread ---------------------------------------------------------------------------------------

    def _write_loop(self) -> None:
        stop: _Job | None = None
        while stop is None:
            batch = [self._jobs.get()]
            try:
                while len(batch) < _BATCH_LIMIT:
                    batch.append(self._jobs.get_nowait())
            except Empty:
                pass
            units = [job for job in batch if job.unit is not None]
            stop = next((job for job in batch if job.unit is None), None)
            if units:
                self._begin_batch(units)
            for job in units:
                job.done.release()
        with self._writing:
            if self._connection is not None:
                self._connection.close()
        stop.done.release()

    def _begin_batch(self, jobs: list[_Job]) -> None:
        """Run jobs as soon as no other process writes. A fork may come while that is waited for."""
        deadline, pause = time.monotonic() + _LOCK_PATIENCE_SECONDS, 0.0005
        while True:
            with self._writing:
                if self._run_batch(jobs, is_last_try=time.monotonic() > deadline):
                    return
            # Random and short: several processes on one file then take fair turns.
            time.sleep(random.uniform(0.2, 1.0) * pause)
            pause = min(pause * 1.5, 0.02)

    def _run_batch(self, jobs: list[_Job], *, is_last_try: bool) -> bool:
        """Run jobs in one transaction; False if another process holds the lock."""
        connection = self._connection
        self._writing_thread = threading.get_ident()
        try:
            if connection is None:
                connection = self._connection = self._open_writer()
            if connection.in_transaction:  # an interrupt ended the roll-back of the unit before
                connection.execute("ROLLBACK")
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or is_last_try:
                    raise
                return False
            transaction = SQLiteTransaction(connection, self.dialect)
            if len(jobs) == 1:
                jobs[0].result = jobs[0].unit(transaction)  # type: ignore[misc]
            else:
                for job in jobs:
                    self._run_job(connection, transaction, job)
            connection.execute("COMMIT")
            self._checkpoints.note(connection.total_changes)
            if transaction.topics:
                self.notifications.tell(transaction.topics)
        except BaseException as error:  # noqa: BLE001 - the waiting threads must hear of everything, and the loop goes on
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
            explained = error
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                explained = self._explain(error)
            for job in jobs:
                job.result, job.error = None, job.error or explained
        finally:
            self._writing_thread = None
        return True

    def _run_job(self, connection: sqlite3.Connection, transaction: SQLiteTransaction, job: _Job) -> None:
        assert job.unit is not None
        connection.execute("SAVEPOINT unit")
        try:
            job.result = job.unit(transaction)
        except BaseException as error:
            if not connection.in_transaction:
                raise  # SQLite has rolled everything back by itself (disk full, I/O error)
            connection.execute("ROLLBACK TO unit")
            job.error = error
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                job.error = self._explain(error)
        connection.execute("RELEASE unit")

    def _checkpoint(self) -> None:
        """Move what the log holds into the database's file: most of it while others write, the rest while nobody does.

        Without the second part a busy database's log would never be at its end, and so never begin anew.
        """
        if self.url.path is None:
            return
        connection = self._connect()
        try:
            connection.execute(_CHECKPOINT)
            with self._writing:
                connection.execute(_CHECKPOINT)
        finally:
            connection.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        pause = 0.0005
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            # Random and short: several processes on one file then take fair turns.
            time.sleep(random.uniform(0.2, 1.0) * pause)
            pause = min(pause * 1.5, 0.02)

    # -- opening -------------------------------------------------------------------------------------------------

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            self._prepare(connection)
        except sqlite3.Error as error:
            connection.close()
            raise self._explain(error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, *, readonly: bool = False) -> sqlite3.Connection:
        path = self.url.path
        try:
            if path is not None and not readonly:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(
                self._where, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=0
            )
        except (sqlite3.Error, OSError) as error:
            raise DatabaseUnavailable(
                f"Cannot open the database {self._where!r}: {error}. Check that the folder exists, is writable and has "
                "room, or set PREFECT_HOME or PREFECT_SERVER_DATABASE_CONNECTION_URL."
            ) from error
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            if readonly:
                connection.execute("PRAGMA busy_timeout=60000")
                connection.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            connection.close()
            raise self._explain(error) from error
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        known = len(all_migrations())
        version = self._check_header(connection, known)
        if self.url.path is not None:
            self._insist(connection, "PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
        connection.execute("PRAGMA cache_size=-16000")
        # Only where the checkpoints beside the writing do not keep up.
        connection.execute(f"PRAGMA wal_autocheckpoint={_MOST_LOGGED_PAGES}")
        if version < known:
            self._migrate(connection, known)

    def _check_header(self, connection: sqlite3.Connection, known: int) -> int:
        version = self._insist(connection, "PRAGMA user_version").fetchone()[0]
        return _check_version(connection, version, self._where, known)

    def _migrate(self, connection: sqlite3.Connection, known: int) -> None:
        for migration in all_migrations():
            self._begin(connection)
            try:
                # Another process may have been faster while this one waited for the lock.
                if self._check_header(connection, known) < migration.version:
                    for statement in split_statements(self.dialect.translate(migration.sql())):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version={migration.version}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _insist(self, connection: sqlite3.Connection, sql: str) -> sqlite3.Cursor:
        """Run a statement that another process's lock can delay."""
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while True:
            try:
                return connection.execute(sql)
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.0005, 0.005))

    def _explain(self, error: sqlite3.Error) -> StorageError:
        return _explain(self._where, error)


def _explain(where: str, error: sqlite3.Error) -> StorageError:
    text = str(error)
    if "too many SQL variables" in text or "Expression tree is too large" in text or "parser stack" in text:
        return RequestTooLarge(text)
    if "malformed" in text or "not a database" in text:
        return DatabaseDamaged(where, text)
    if "full" in text:
        cure = "Free some room on that disk and run again."
    elif "readonly" in text or "read-only" in text or "unable to open" in text:
        cure = "Make the file and its folder writable, or set PREFECT_HOME to a folder that is."
    elif "disk I/O" in text:
        cure = "Look whether the disk or a quota is full, a limit on the size of files is reached, or the disk fails."
    elif _is_busy(error):
        cure = f"Another process has held its write lock for {_LOCK_PATIENCE_SECONDS:.0f} s; end that process."
    else:
        return StorageError(f"The database {where!r} refused a statement: {text}")
    return DatabaseUnavailable(f"Cannot use the database {where!r}: {text}. {cure} Nothing was half-written.")


def read_version(url: DatabaseURL) -> int:
    """The schema version of a database as it is, without changing it; 0 where there is none.

    Raises:
        StorageError: The database cannot be read, is damaged, newer than this release, or another program's.
    """
    if url.path is None or not url.path.exists():
        return 0
    where = str(url.path)
    try:
        with closing(sqlite3.connect(f"{url.path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            return _check_version(connection, version, where, len(all_migrations()))
    except sqlite3.Error as error:
        raise _explain(where, error) from error


def _check_version(connection: sqlite3.Connection, version: int, where: str, known: int) -> int:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        stranger = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1").fetchone()
        if stranger is not None:
            raise DatabaseForeign(where, stranger[0])
        return 0
    if version > known:
        raise DatabaseNewer(where, version, known)
    return version


def _is_busy(error: sqlite3.Error) -> bool:
    if sys.version_info >= (3, 11):
        return (error.sqlite_errorcode or 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return "locked" in str(error) or "busy" in str(error)
