"""The few places where the SQL of the two databases differs."""

from __future__ import annotations

import re
from typing import Protocol


class Dialect(Protocol):
    """Fragments of SQL that depend on the database. Arguments are column names or placeholders, never values."""

    name: str

    def json_array_has(self, column: str, placeholder: str) -> str:
        """True when the JSON array in `column` contains the text bound at `placeholder`."""
        ...

    def json_text(self, column: str, placeholder: str) -> str:
        """The text at the key bound at `placeholder` of the JSON object in `column`."""
        ...

    def json_length(self, column: str) -> str:
        """The number of elements of the JSON array in `column`."""
        ...

    def like(self, column: str, placeholder: str) -> str:
        """Case-insensitive LIKE."""
        ...

    def seconds_between(self, later: str, earlier: str) -> str:
        """Seconds from one instant to another, as a float."""
        ...

    def microseconds(self, column: str) -> str:
        """An instant in a column as whole microseconds since 1970: exact, unlike seconds as a float."""
        ...

    def microseconds_between(self, later: str, earlier: str) -> str:
        """Whole microseconds from one instant in a column to a later one in another: exact."""
        ...

    def is_in_select(self, column: str, select: str) -> str:
        """True when `column` has one of the values of a query that looks at no other row; an index is used for it."""
        ...

    def for_update(self, *, of: str = "", skip_locked: bool = False) -> str:
        """The clause that locks the rows read, where rows can be locked; those that others hold can be left out.

        Args:
            of: The one table of a join whose rows are locked.
            skip_locked: Leave out what others hold, instead of waiting for it.
        """
        ...

    def try_lock(self, placeholder: str) -> str:
        """A query whose `taken` says whether the lock of a number could be had at once; held until the transaction ends.

        Where writing transactions take turns anyway, it always can.
        """
        ...

    def feed_position(self, table: str, instant: str) -> str:
        """A query whose `position` says how far a table's rows can be seen now; `instant` is when they were stored."""
        ...

    def stored_since(self, instant: str) -> str:
        """True of rows that could not be seen yet at `:position`."""
        ...

    def stored_order(self, instant: str) -> str:
        """What orders rows as they were stored."""
        ...

    def translate(self, ddl: str) -> str:
        """A migration, written in PostgreSQL's types, in this database's words."""
        ...


_BLOCK = re.compile(r"^-- only: (\w+)\n(.*?)^-- end\n", re.MULTILINE | re.DOTALL)


def _keep_only(ddl: str, dialect: str) -> str:
    return _BLOCK.sub(lambda block: block[2] if block[1] == dialect else "", ddl)


class SQLiteDialect:
    """SQLite 3.35 or later."""

    name = "sqlite"
    _types = {"UUID": "TEXT", "JSONB": "TEXT", "TIMESTAMPTZ": "TEXT", "BOOLEAN": "INTEGER", "DOUBLE PRECISION": "REAL"}
    _type_words = re.compile(r"\b(UUID|JSONB|TIMESTAMPTZ|BOOLEAN|DOUBLE PRECISION)\b")

    def json_array_has(self, column: str, placeholder: str) -> str:
        return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE json_each.value = {placeholder})"

    def json_text(self, column: str, placeholder: str) -> str:
        # The operator ->> would read better, but the SQLite of some supported systems is older than it.
        return f"json_extract({column}, '$.\"' || {placeholder} || '\"')"

    def json_length(self, column: str) -> str:
        return f"json_array_length({column})"

    def like(self, column: str, placeholder: str) -> str:
        return f"{column} LIKE {placeholder}"

    def seconds_between(self, later: str, earlier: str) -> str:
        return f"((julianday({later}) - julianday({earlier})) * 86400.0)"

    def microseconds(self, column: str) -> str:
        seconds = f"CAST(strftime('%s', substr({column}, 1, 19)) AS INTEGER)"  # of the whole text they would be rounded
        return f"({seconds} * 1000000 + CAST(substr({column}, 21, 6) AS INTEGER))"

    def microseconds_between(self, later: str, earlier: str) -> str:
        # Most lie in one minute, and reading the seconds of a text costs a third of reading its whole time.
        minutes = f"substr({later}, 1, 16) = substr({earlier}, 1, 16)"
        seconds = f"substr({later}, 18, 9) - substr({earlier}, 18, 9)"
        apart = f"{self.microseconds(later)} - {self.microseconds(earlier)}"
        return f"CASE WHEN {minutes} THEN CAST(({seconds}) * 1000000 + 0.5 AS INTEGER) ELSE {apart} END"

    def is_in_select(self, column: str, select: str) -> str:
        return f"{column} IN ({select})"

    def for_update(self, *, of: str = "", skip_locked: bool = False) -> str:
        return ""

    def try_lock(self, placeholder: str) -> str:
        return f"SELECT 1 AS taken, {placeholder} AS lock"

    # Writing transactions take turns, and their instant is taken when it is their turn.

    def feed_position(self, table: str, instant: str) -> str:
        return f"SELECT MAX({instant}) AS position FROM {table}"

    def stored_since(self, instant: str) -> str:
        return f"{instant} > :position"

    def stored_order(self, instant: str) -> str:
        return instant

    def translate(self, ddl: str) -> str:
        ddl = _keep_only(ddl, self.name).replace("/* without rowid */", "WITHOUT ROWID")
        return self._type_words.sub(lambda word: self._types[word[1]], ddl)


class PostgresDialect:
    """PostgreSQL 14.9 or later."""

    name = "postgresql"

    def json_array_has(self, column: str, placeholder: str) -> str:
        return f"({column} @> jsonb_build_array(CAST({placeholder} AS text)))"

    def json_text(self, column: str, placeholder: str) -> str:
        return f"({column} ->> CAST({placeholder} AS text))"

    def json_length(self, column: str) -> str:
        return f"jsonb_array_length({column})"

    def like(self, column: str, placeholder: str) -> str:
        return f"{column} ILIKE {placeholder}"

    def seconds_between(self, later: str, earlier: str) -> str:
        return f"EXTRACT(EPOCH FROM (CAST({later} AS timestamptz) - CAST({earlier} AS timestamptz)))"

    def microseconds(self, column: str) -> str:
        # As a float, which is exact enough until the year 2106; EXTRACT makes a decimal, which is slow to calculate with.
        return f"CAST(date_part('epoch', {column}) * 1000000 AS bigint)"

    def microseconds_between(self, later: str, earlier: str) -> str:
        return f"CAST(date_part('epoch', {later} - {earlier}) * 1000000 AS bigint)"

    def is_in_select(self, column: str, select: str) -> str:
        # An IN of a query beside an OR would look at every row.
        return f"{column} = ANY (ARRAY({select}))"

    def for_update(self, *, of: str = "", skip_locked: bool = False) -> str:
        return f" FOR UPDATE{f' OF {of}' if of else ''}{' SKIP LOCKED' if skip_locked else ''}"

    def try_lock(self, placeholder: str) -> str:
        return f"SELECT pg_try_advisory_xact_lock(CAST({placeholder} AS bigint)) AS taken"

    # A transaction with a smaller number may be committed later: what was visible is a set, not a number.

    def feed_position(self, table: str, instant: str) -> str:
        return "SELECT CAST(pg_current_snapshot() AS text) AS position"

    def stored_since(self, instant: str) -> str:
        snapshot = "CAST(:position AS pg_snapshot)"
        return f"stored >= pg_snapshot_xmin({snapshot}) AND NOT pg_visible_in_snapshot(stored, {snapshot})"

    def stored_order(self, instant: str) -> str:
        return "stored"

    def translate(self, ddl: str) -> str:
        return _keep_only(ddl, self.name)
