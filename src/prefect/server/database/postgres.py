"""PostgreSQL: a pool of connections; each unit of work is one transaction on one of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from prefect.server.database.dialect import PostgresDialect
from prefect.server.database.errors import (
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnavailable,
    RequestTooLarge,
    StorageError,
    ValueRefused,
)
from prefect.server.database.migrations import all_migrations, split_statements
from prefect.server.database.postgres_exchange import Exchange
from prefect.server.database.postgres_notifications import PostgresNotifications
from prefect.server.database.url import DatabaseURL
from prefect.server.database.values import Params, encode_params

T = TypeVar("T")

_MAX_CONNECTIONS = 15
_CONNECT_PATIENCE_SECONDS = 10.0
_LOOK_PATIENCE_SECONDS = 5
_MIGRATION_LOCK = 0x50524631
"""Key of the advisory lock that one starter at a time holds while it migrates."""
_CONFLICT_ATTEMPTS = 5


@lru_cache(maxsize=1024)
def _joined(statements: tuple[str, ...]) -> str:
    """Statements that change rows as one: PostgreSQL runs what stands in WITH to its end."""
    *first, last = statements
    return f"WITH {', '.join(f's{number} AS ({sql})' for number, sql in enumerate(first))} {last}" if first else last


class PostgresTransaction:
    """A transaction on one PostgreSQL connection.

    Statements are sent together, up to the next one whose answer is asked for: each exchange that is waited for costs more
    than most statements. What fails says so there, or when the transaction is committed.
    """

    __slots__ = ("_exchange", "dialect", "now", "topics")

    def __init__(self, exchange: Exchange, dialect: PostgresDialect) -> None:
        self.topics: set[str] = set()
        self._exchange = exchange
        self.dialect = dialect
        self.now = datetime.now(timezone.utc)

    def execute(self, sql: str, params: Params = ()) -> int:
        self._exchange.send(sql, encode_params(params))
        return self._exchange.result().command_tuples or 0

    def execute_all(self, statements: Sequence[tuple[str, Params]]) -> None:
        # As one statement, which is cheaper to send, and to answer, than each by itself.
        joined = _joined(tuple(sql for sql, _ in statements))
        self._exchange.send(joined, encode_params([value for _, params in statements for value in params]))

    def execute_many(self, sql: str, rows: Iterable[Any]) -> None:
        for row in rows:
            self._exchange.send(sql, row)

    def insert_many(self, table: str, columns: str, rows: list[tuple[Any, ...]], conflict: str = "") -> None:
        if rows:
            values = ", ".join("?" * (columns.count(",") + 1))
            self.execute_many(f"INSERT INTO {table} ({columns}) VALUES ({values}) {conflict}", rows)

    def tell(self, topic: str) -> None:
        self.topics.add(topic)

    def fetch_one(self, sql: str, params: Params = ()) -> Any | None:
        rows = self.fetch_all(sql, params)
        return rows[0] if rows else None

    def fetch_all(self, sql: str, params: Params = ()) -> list[Any]:
        self._exchange.send(sql, encode_params(params))
        return self._exchange.rows()


class _Connection(psycopg.Connection[Any]):
    """A connection of the pool, with what it keeps from one transaction to the next."""

    exchange: Exchange


def _configure(connection: _Connection) -> None:
    connection.row_factory = dict_row
    # JSON comes back as text on both databases; the models parse it once.
    connection.adapters.register_loader("jsonb", TextLoader)
    connection.adapters.register_loader("json", TextLoader)
    # In another zone, the first and the last instants that there are could not be read.
    connection.execute("SET TIME ZONE 'UTC'")
    connection.exchange = Exchange(connection)


class _Stale(Exception):
    """A connection of the pool is no longer one."""


class PostgresStore:
    """A PostgreSQL database, shared with other processes and servers."""

    good_writers = 8  # each has work of its own, and more of them only take the interpreter from one another

    def __init__(self, url: DatabaseURL) -> None:
        self.url = url
        self.dialect = PostgresDialect()
        self._pool = ConnectionPool(
            url.conninfo or "",
            connection_class=_Connection,
            min_size=1,
            max_size=_MAX_CONNECTIONS,
            open=True,
            configure=_configure,
            timeout=_CONNECT_PATIENCE_SECONDS,
            kwargs={"autocommit": True, "application_name": "prefect"},
        )
        self.notifications = PostgresNotifications(url.conninfo or "", self._execute)
        try:
            self._migrate()
        except BaseException as error:
            self._pool.close()
            if isinstance(error.__cause__, PoolTimeout):
                with _looking(url):  # the pool does not say why there was no connection
                    pass
            raise

    def write(self, unit: Callable[[PostgresTransaction], T]) -> T:
        return self._run(unit, b"BEGIN")

    def read(self, unit: Callable[[PostgresTransaction], T]) -> T:
        return self._run(unit, b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def load(self) -> dict[str, int]:
        stats = self._pool.get_stats()
        return {
            "connections": stats.get("pool_size", 0),
            "connections_idle": stats.get("pool_available", 0),
            "requests_waiting": stats.get("requests_waiting", 0),
        }

    def close(self) -> None:
        self.notifications.close()
        self._pool.close()

    def before_fork(self) -> None:
        """Nothing: the copy drops the inherited sockets unread, and opens its own."""

    def after_fork(self) -> None:
        """Nothing: this process goes on with its connections."""

    def _run(self, unit: Callable[[PostgresTransaction], T], begin: bytes) -> T:
        attempt = 0
        while True:
            try:
                with self._connection() as connection:
                    result, topics = self._run_on(connection, unit, begin)
                if topics:
                    self.notifications.tell(topics)
                return result
            except _Stale as stale:
                attempt += 1
                if attempt > _MAX_CONNECTIONS:
                    raise DatabaseUnavailable(_trouble(self.url, stale.__cause__)) from stale.__cause__
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                # Two units took rows in another order; one of them has to begin anew.
                attempt += 1
                if attempt >= _CONFLICT_ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**attempt))

    def _run_on(
        self, connection: _Connection, unit: Callable[[PostgresTransaction], T], begin: bytes
    ) -> tuple[T, set[str]]:
        exchange = connection.exchange
        is_over = False
        try:
            exchange.begin(begin)
            transaction = PostgresTransaction(exchange, self.dialect)
            result = unit(transaction)
            is_over = True
            exchange.commit()
            return result, transaction.topics
        except BaseException as error:
            with suppress(psycopg.OperationalError):  # lost: nothing is left to be taken back
                exchange.rollback()
            if (
                isinstance(error, psycopg.OperationalError)
                and connection.closed
                and not is_over
                and not exchange.is_heard
            ):
                # It was closed at the other end while it lay in the pool, as when the server restarts.
                # Asking each before it is used would cost a whole exchange every time.
                raise _Stale from error
            raise

    def _execute(self, sql: str, params: tuple[Any, ...]) -> None:
        with self._connection() as connection:
            connection.execute(sql, params)  # type: ignore[arg-type]

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        try:
            connection = self._pool.getconn()
            try:
                yield connection
            finally:
                self._pool.putconn(connection)
        except (psycopg.IntegrityError, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            raise
        except (psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex) as error:
            raise RequestTooLarge(error.diag.message_primary or error) from error
        except (PoolTimeout, psycopg.OperationalError) as error:
            if "number of parameters must be" in str(error):  # the driver's own refusal; it has no class
                raise RequestTooLarge(error) from error
            raise DatabaseUnavailable(_trouble(self.url, error)) from error
        except psycopg.DataError as error:
            raise ValueRefused(f"The database cannot hold a value: {error.diag.message_primary or error}") from error
        except psycopg.Error as error:
            raise StorageError(f"The database {self.url.label!r} refused a statement: {error}") from error

    def _migrate(self) -> None:
        known = len(all_migrations())
        with self._connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
            try:
                version = self._schema_version(connection, known)
                for migration in all_migrations()[version:]:
                    with connection.transaction():
                        for statement in split_statements(self.dialect.translate(migration.sql())):
                            connection.execute(statement)  # type: ignore[arg-type]
                        connection.execute("UPDATE prefect_schema SET version = %s", (migration.version,))
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))

    def _schema_version(self, connection: psycopg.Connection[Any], known: int) -> int:
        version = _read_version(connection, self.url.label, known)
        if version is not None:
            return version
        with connection.transaction():
            connection.execute("CREATE TABLE prefect_schema (version INTEGER NOT NULL)")
            connection.execute("INSERT INTO prefect_schema (version) VALUES (0)")
        return 0


def read_version(url: DatabaseURL) -> int:
    """The schema version of a database as it is, without changing it; 0 where there is none.

    Raises:
        StorageError: The database cannot be reached, is newer than this release, or another program's.
    """
    with _looking(url) as connection:
        return _read_version(connection, url.label, len(all_migrations())) or 0


def read_clock(url: DatabaseURL) -> datetime:
    """What time it is for the server.

    Raises:
        StorageError: It cannot be reached.
    """
    with _looking(url) as connection:
        row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
        assert row is not None
        return row["now"]


@contextmanager
def _looking(url: DatabaseURL) -> Iterator[psycopg.Connection[Any]]:
    """A connection beside the pool, for one look."""
    connect: Any = psycopg.Connection[Any].connect  # its types know one factory of rows only
    try:
        with connect(url.conninfo or "", connect_timeout=_LOOK_PATIENCE_SECONDS, row_factory=dict_row) as connection:
            yield connection
    except psycopg.Error as error:
        raise DatabaseUnavailable(_trouble(url, error)) from error


def _read_version(connection: psycopg.Connection[Any], where: str, known: int) -> int | None:
    ours = connection.execute("SELECT to_regclass('prefect_schema') IS NOT NULL AS found").fetchone()
    assert ours is not None
    if not ours["found"]:
        stranger = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
            "AND table_name IN ('flow_run', 'alembic_version') LIMIT 1"
        ).fetchone()
        if stranger is not None:
            raise DatabaseForeign(where, stranger["table_name"])
        return None
    row = connection.execute("SELECT version FROM prefect_schema").fetchone()
    assert row is not None
    if row["version"] > known:
        raise DatabaseNewer(where, row["version"], known)
    return row["version"]


def _trouble(url: DatabaseURL, error: BaseException | None) -> str:
    return (
        f"Cannot use the database {url.label!r}: {str(error).strip()}. Check that PostgreSQL runs there and that "
        "PREFECT_SERVER_DATABASE_CONNECTION_URL is right. Nothing was half-written."
    )
