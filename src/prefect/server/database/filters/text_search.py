"""Text searches of logs and events as conditions in SQL."""

from __future__ import annotations

from prefect.client.schemas._text_query import parse_text_query
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause, all_of, any_of, negated


def text_clause(dialect: Dialect, expression: str, query: str) -> Clause:
    """The condition that the text of an SQL expression meets a search."""
    wanted = parse_text_query(query)
    return all_of(
        any_of(*(_contains(dialect, expression, term) for term in wanted.any_of)) if wanted.any_of else None,
        *(_contains(dialect, expression, term) for term in wanted.required),
        *(negated(_contains(dialect, expression, term)) for term in wanted.excluded),
    )


def _contains(dialect: Dialect, expression: str, term: str) -> Clause:
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Clause(f"{dialect.like(expression, '?')} ESCAPE '\\'", (f"%{escaped}%",))
