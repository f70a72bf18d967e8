"""The filter of flows."""

from __future__ import annotations

from prefect.client.schemas.filters import FlowFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    contains_text,
    grouped,
    has_tags,
    is_in,
    is_not_in,
    negated,
)


def flow_clause(dialect: Dialect, wanted: FlowFilter) -> Clause:
    """The condition on a row of `flow` that it meets a filter."""
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("flow.id", id.any_), is_not_in("flow.id", id.not_any_)))
    if (name := wanted.name) is not None:
        criteria.append(all_of(is_in("flow.name", name.any_), contains_text(dialect, "flow.name", name.like_)))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "flow.tags", every=tags.all_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    if (deployment := wanted.deployment) is not None and deployment.is_null_ is not None:
        has_one = Clause("EXISTS (SELECT 1 FROM deployment WHERE deployment.flow_id = flow.id)")
        criteria.append(negated(has_one) if deployment.is_null_ else has_one)
    return grouped(wanted.operator, criteria)
