"""The filter of variables."""

from __future__ import annotations

from prefect.client.schemas.filters import VariableFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import TRUE, Clause, all_of, contains_text, grouped, has_tags, is_in


def variable_clause(dialect: Dialect, wanted: VariableFilter | None) -> Clause:
    """The condition on rows of `variable`."""
    if wanted is None:
        return TRUE
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("variable.id", id.any_)))
    if (name := wanted.name) is not None:
        like = contains_text(dialect, "variable.name", name.like_)
        criteria.append(all_of(is_in("variable.name", name.any_), like))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "variable.tags", every=tags.all_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    return grouped(wanted.operator, criteria)
