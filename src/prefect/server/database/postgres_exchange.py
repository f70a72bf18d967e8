"""Statements that travel together on one PostgreSQL connection. See docs/adr/0012-own-pipeline.md.

The driver brings libpq, the types and the waiting; what it keeps for each statement beside that cost more than all else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import generators, waiting
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from prefect.server.database.values import Params

_PREPARE_AFTER = 5
"""A statement that has been sent so often on a connection is prepared: parsed once."""
_MOST_PREPARED = 200
_MOST_COUNTED = 2000
_LOOK_SECONDS = 0.1
"""So often who waits for an answer looks whether it has been interrupted."""

_TOKEN = re.compile(r"'(?:[^']|'')*'|::|:([a-z_][a-z0-9_]*)|(\?)", re.IGNORECASE)
_FAILED = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED})


class Statement(NamedTuple):
    """A statement as libpq takes it."""

    sql: bytes
    names: tuple[str, ...] | None
    """Which value each placeholder is, where they have names."""


@lru_cache(maxsize=4096)
def translate(sql: str) -> Statement:
    """A statement with `?` or `:name` placeholders, with numbers for them."""
    names: list[str] = []
    count = 0

    def replace(token: re.Match[str]) -> str:
        nonlocal count
        if token[1]:
            if token[1] not in names:
                names.append(token[1])
            return f"${names.index(token[1]) + 1}"
        if token[2]:
            count += 1
            return f"${count}"
        return token[0]

    numbered = _TOKEN.sub(replace, sql).encode()
    return Statement(numbered, tuple(names) if names else None)


class _Prepared:
    """A statement that the connection knows by name."""

    __slots__ = ("columns", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.columns: list[str] | None = None
        """The names of what it gives, once it has been seen."""


class Exchange:
    """What is sent on one connection, and what comes back, in libpq's pipeline mode: from `begin` to `commit` or `rollback`.

    Statements go out with the next one whose answer is asked for, or with COMMIT. What one of them has failed with is
    raised there.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pg = connection.pgconn
        self._types = Transformer(connection)
        self._unread = 0
        """How many statements wait for their answers to be read."""
        self._is_ending = False
        """Whether the end of a pipeline has been sent and not been answered yet."""
        self._prepared: dict[tuple[bytes, tuple[int, ...]], _Prepared] = {}
        self._unsure: list[tuple[bytes, tuple[int, ...]]] = []
        """What is being prepared: not known to be there until it has been answered."""
        self._seen: dict[tuple[bytes, tuple[int, ...]], int] = {}
        self._last: _Prepared | None = None
        self._names = 0
        self.is_heard = False
        """Whether the database has done anything since `begin`."""

    def begin(self, sql: bytes) -> None:
        """Start a transaction; nothing is sent yet."""
        self.is_heard = False
        self._pg.enter_pipeline_mode()
        self._pg.send_query_params(sql, None)
        self._unread = 1

    def send(self, sql: str, values: Params) -> None:
        """Add a statement, in the notation of `translate`."""
        statement = translate(sql)
        if statement.names is not None:
            assert isinstance(values, Mapping)
            values = [values[name] for name in statement.names]
        if not values:
            self._send(statement.sql, None, (), None)
            return
        types = self._types
        buffers = types.dump_sequence(values, [PyFormat.AUTO] * len(values))  # type: ignore[arg-type]
        self._send(statement.sql, buffers, types.types or (), types.formats)

    def _send(self, sql: bytes, buffers: Any, oids: tuple[int, ...], formats: Any) -> None:
        prepared = self._last = self._find(sql, oids)
        if prepared is None:
            self._pg.send_query_params(sql, buffers, oids or None, formats)
        else:
            self._pg.send_query_prepared(prepared.name, buffers, formats)
        self._unread += 1

    def _find(self, sql: bytes, oids: tuple[int, ...]) -> _Prepared | None:
        key = (sql, oids)
        prepared = self._prepared.get(key)
        if prepared is not None:
            return prepared
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if count <= _PREPARE_AFTER or len(self._prepared) >= _MOST_PREPARED:
            if len(self._seen) > _MOST_COUNTED:
                self._seen.clear()
            return None
        del self._seen[key]
        self._names += 1
        prepared = self._prepared[key] = _Prepared(b"s%d" % self._names)
        self._unsure.append(key)
        self._pg.send_prepare(prepared.name, sql, oids or None)
        self._unread += 1
        return prepared

    def result(self) -> PGresult:
        """Send what waits, and read the answer to the last statement.

        Raises:
            psycopg.Error: It failed, or one that was sent with it.
        """
        self._pg.send_flush_request()
        return self._read()

    def rows(self) -> list[dict[str, Any]]:
        """As `result`; the rows that it holds."""
        result = self.result()
        prepared = self._last
        columns = prepared.columns if prepared else None
        if columns is None:
            columns = [(result.fname(index) or b"").decode() for index in range(result.nfields)]
            if prepared:
                prepared.columns = columns
        self._types.set_pgresult(result)
        return self._types.load_rows(0, result.ntuples, lambda values: dict(zip(columns, values, strict=True)))

    def _read(self) -> PGresult:
        pg = self._pg
        waiting.wait(generators.send(pg), pg.socket, _LOOK_SECONDS)
        answer: PGresult | None = None
        while self._unread:
            (answer,) = waiting.wait(generators.fetch_many(pg), pg.socket, _LOOK_SECONDS)
            self._unread -= 1
            if answer.status in _FAILED:
                raise error_from_result(answer, self._types.encoding)
            self.is_heard = True
        assert answer is not None
        self._unsure.clear()
        return answer

    def commit(self) -> None:
        """End the transaction, and wait until it is durable.

        Raises:
            psycopg.Error: A statement failed of which nobody had asked; or the commit.
        """
        self._pg.send_query_params(b"COMMIT", None)
        self._unread += 1
        self._end()
        self._read()
        self._skip()
        self._pg.exit_pipeline_mode()

    def rollback(self) -> None:
        """End the transaction as if it had not been, whatever state it is in.

        Raises:
            psycopg.Error: The connection is lost.
        """
        # What follows a failed statement is not looked at before the end of a pipeline.
        if not self._is_ending:
            self._end()
        self._skip()
        for key in self._unsure:
            self._prepared.pop(key, None)
        self._unsure.clear()
        self._pg.send_query_params(b"ROLLBACK", None)
        self._end()
        self._skip()
        self._pg.exit_pipeline_mode()

    def _end(self) -> None:
        self._is_ending = True
        self._pg.pipeline_sync()

    def _skip(self) -> None:
        pg = self._pg
        waiting.wait(generators.send(pg), pg.socket, _LOOK_SECONDS)
        while True:
            results = waiting.wait(generators.fetch_many(pg), pg.socket, _LOOK_SECONDS)
            if results and results[-1].status == ExecStatus.PIPELINE_SYNC:
                break
        self._unread, self._is_ending = 0, False
