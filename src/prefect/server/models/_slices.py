"""Tells in SQL which slice of a span of time an instant falls into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause


def slice_number(dialect: Dialect, column: str, borders: Sequence[datetime]) -> Clause:
    """How many of the borders, in rising order, an instant in a column has reached, as an expression: 0 before the first.

    The borders are looked through by halves. That is exact, and a few comparisons a row cost far less than calculating
    with instants, which are text on SQLite.
    """
    if not borders or dialect.name == "sqlite":
        return _among(column, borders, 0)
    array = f"{{{','.join(border.isoformat() for border in borders)}}}"
    return Clause(f"width_bucket({column}, CAST(? AS timestamptz[]))", (array,))


def _among(column: str, borders: Sequence[datetime], number: int) -> Clause:
    if not borders:
        return Clause(str(number))
    middle = len(borders) // 2
    before = _among(column, borders[:middle], number)
    behind = _among(column, borders[middle + 1 :], number + middle + 1)
    sql = f"CASE WHEN {column} < ? THEN {before.sql} ELSE {behind.sql} END"
    return Clause(sql, (borders[middle], *before.params, *behind.params))
