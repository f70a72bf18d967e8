"""The composer: clauses of SQL that carry their parameters, and the ways to join them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from prefect.server.database.dialect import Dialect


class Clause(NamedTuple):
    """A condition in SQL, with the values of its `?` in order."""

    sql: str
    params: tuple[Any, ...] = ()


TRUE = Clause("1 = 1")
FALSE = Clause("1 = 0")


def all_of(*clauses: Clause | None) -> Clause:
    """Every one of the given clauses; nothing given is true."""
    given = [clause for clause in clauses if clause is not None and clause is not TRUE]
    return _joined(" AND ", given) if given else TRUE


def any_of(*clauses: Clause | None) -> Clause:
    """At least one of the given clauses; nothing given is true, and so is anything beside a true one."""
    given = [clause for clause in clauses if clause is not None]
    if not given or TRUE in given:
        return TRUE
    return _joined(" OR ", given)


def grouped(operator: Any, clauses: Iterable[Clause | None]) -> Clause:
    """The clauses, joined as a filter's `operator` says: `and_` or `or_`."""
    return any_of(*clauses) if operator is not None and operator.value == "or_" else all_of(*clauses)


def negated(clause: Clause) -> Clause:
    """The opposite. A condition on a null is neither true nor false, and stays so."""
    return Clause(f"NOT ({clause.sql})", clause.params)


def _joined(word: str, clauses: Sequence[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    sql = word.join(f"({clause.sql})" for clause in clauses)
    return Clause(sql, tuple(value for clause in clauses for value in clause.params))


def exists(select: str, condition: Clause) -> Clause:
    """Whether a row of `select` (written up to and including its WHERE condition) meets another condition too."""
    return Clause(f"EXISTS ({select} AND ({condition.sql}))", condition.params)


# -- conditions on one column; each is None when the filter leaves it out ---------------------------------------------


def is_in(column: str, values: Sequence[Any] | None) -> Clause | None:
    """The column has one of the values; no value at all matches nothing."""
    if values is None:
        return None
    if not values:
        return FALSE
    return Clause(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def is_not_in(column: str, values: Sequence[Any] | None) -> Clause | None:
    """The column has none of the values; no value at all excludes nothing."""
    if not values:
        return None
    return Clause(f"{column} NOT IN ({', '.join('?' * len(values))})", tuple(values))


def is_null(column: str, wanted: bool | None) -> Clause | None:
    """The column is null, or is not."""
    if wanted is None:
        return None
    return Clause(f"{column} IS NULL" if wanted else f"{column} IS NOT NULL")


def is_true(column: str, wanted: bool | None) -> Clause | None:
    """The boolean column is true, or false."""
    return None if wanted is None else Clause(f"{column} = ?", (wanted,))


def is_between(column: str, low: Any, high: Any) -> Clause | None:
    """The column lies between two bounds, both included; either may be left out."""
    clauses = []
    if low is not None:
        clauses.append(Clause(f"{column} >= ?", (low,)))
    if high is not None:
        clauses.append(Clause(f"{column} <= ?", (high,)))
    return all_of(*clauses) if clauses else None


def contains_text(dialect: Dialect, column: str, text: str | None) -> Clause | None:
    """The column contains the text, in any case. `%` and `_` in it are wildcards."""
    return Clause(dialect.like(column, "?"), (f"%{text}%",)) if text else None


def has_tags(
    dialect: Dialect,
    column: str,
    *,
    every: Sequence[str] | None = None,
    some: Sequence[str] | None = None,
    empty: bool | None = None,
) -> list[Clause | None]:
    """Conditions on a list of tags: it has every one of these, or some of those, or it is empty."""
    has = dialect.json_array_has(column, "?")
    length = dialect.json_length(column)
    return [
        all_of(*(Clause(has, (tag,)) for tag in every)) if every else None,
        None if some is None else (any_of(*(Clause(has, (tag,)) for tag in some)) if some else FALSE),
        None if empty is None else Clause(f"{length} = 0" if empty else f"{length} > 0"),
    ]


def in_time(column: str, after: datetime | None, before: datetime | None) -> Clause | None:
    """The instant lies between two others, both included."""
    return is_between(column, after, before)
