"""The filter of deployments."""

from __future__ import annotations

from prefect.client.schemas.filters import DeploymentFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    any_of,
    contains_text,
    exists,
    grouped,
    has_tags,
    is_in,
    is_not_in,
    is_true,
)


def deployment_clause(dialect: Dialect, wanted: DeploymentFilter) -> Clause:
    """The condition on a row of `deployment` that it meets a filter."""
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("deployment.id", id.any_), is_not_in("deployment.id", id.not_any_)))
    if (name := wanted.name) is not None:
        like = contains_text(dialect, "deployment.name", name.like_)
        criteria.append(all_of(is_in("deployment.name", name.any_), like))
    if (either := wanted.flow_or_deployment_name) is not None and either.like_:
        criteria.append(_either_name(dialect, either.like_))
    if (paused := wanted.paused) is not None:
        criteria.append(all_of(is_true("deployment.paused", paused.eq_)))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "deployment.tags", every=tags.all_, some=tags.any_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    if (queue := wanted.work_queue_name) is not None and queue.any_ is not None:
        named = all_of(is_in("work_queue.name", queue.any_))
        criteria.append(exists("SELECT 1 FROM work_queue WHERE work_queue.id = deployment.work_queue_id", named))
    return grouped(wanted.operator, criteria)


def _either_name(dialect: Dialect, text: str) -> Clause:
    own = contains_text(dialect, "deployment.name", text)
    of_flow = contains_text(dialect, "flow.name", text)
    assert of_flow is not None
    return any_of(own, exists("SELECT 1 FROM flow WHERE flow.id = deployment.flow_id", of_flow))
