"""The filter of flow runs."""

from __future__ import annotations

from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterCreatedBy, FlowRunFilterState
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    any_of,
    contains_text,
    exists,
    grouped,
    has_tags,
    in_time,
    is_in,
    is_not_in,
    is_null,
    negated,
)
from prefect.server.database.filters.columns import FLOW_RUN_STARTED


def flow_run_clause(dialect: Dialect, wanted: FlowRunFilter) -> Clause:
    """The condition on a row of `flow_run` that it meets a filter."""
    return grouped(wanted.operator, [*_identity(dialect, wanted), *_relations(wanted), *_times(wanted)])


def _identity(dialect: Dialect, wanted: FlowRunFilter) -> list[Clause]:
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("flow_run.id", id.any_), is_not_in("flow_run.id", id.not_any_)))
    if (name := wanted.name) is not None:
        like = contains_text(dialect, "flow_run.name", name.like_)
        criteria.append(all_of(is_in("flow_run.name", name.any_), like))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "flow_run.tags", every=tags.all_, some=tags.any_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    if wanted.state is not None:
        criteria.append(_state(wanted.state))
    if (version := wanted.flow_version) is not None:
        criteria.append(all_of(is_in("flow_run.flow_version", version.any_)))
    if (key := wanted.idempotency_key) is not None:
        column = "flow_run.idempotency_key"
        criteria.append(all_of(is_in(column, key.any_), is_not_in(column, key.not_any_)))
    if wanted.created_by is not None:
        criteria.append(_created_by(dialect, wanted.created_by))
    return criteria


def _state(wanted: FlowRunFilterState) -> Clause:
    criteria: list[Clause] = []
    for column, part in (("flow_run.state_type", wanted.type), ("flow_run.state_name", wanted.name)):
        if part is not None:
            criteria.append(all_of(is_in(column, part.any_), is_not_in(column, part.not_any_)))
    return grouped(wanted.operator, criteria)


def _created_by(dialect: Dialect, wanted: FlowRunFilterCreatedBy) -> Clause:
    criteria = [is_null("flow_run.created_by", wanted.is_null_)]
    for key, values in (("id", wanted.id_), ("type", wanted.type_)):
        texts = None if values is None else [str(value) for value in values]
        clause = is_in(dialect.json_text("flow_run.created_by", "?"), texts)
        if clause is not None and texts:
            clause = Clause(clause.sql, (key, *clause.params))
        criteria.append(clause)
    return grouped(wanted.operator, criteria)


def _relations(wanted: FlowRunFilter) -> list[Clause]:
    criteria: list[Clause] = []
    for column, part in (
        ("flow_run.deployment_id", wanted.deployment_id),
        ("flow_run.parent_task_run_id", wanted.parent_task_run_id),
    ):
        if part is not None:
            criteria.append(grouped(part.operator, [is_in(column, part.any_), is_null(column, part.is_null_)]))
    if (queue := wanted.work_queue_name) is not None:
        criteria.append(grouped(queue.operator, [_queue_named(queue.any_), _has_queue(queue.is_null_)]))
    if (parents := wanted.parent_flow_run_id) is not None:
        inside = all_of(is_in("parent.flow_run_id", parents.any_))
        children = f"flow_run.parent_task_run_id IN (SELECT parent.id FROM task_run AS parent WHERE {inside.sql})"
        criteria.append(all_of(None if parents.any_ is None else Clause(children, inside.params)))
    return criteria


_QUEUE = "SELECT 1 FROM work_queue WHERE work_queue.id = flow_run.work_queue_id"
_LOOSE_NAME = "flow_run.work_queue_id IS NULL AND flow_run.work_queue_name"
"""A run that nobody's queue holds may still carry the name of one."""


def _queue_named(names: list[str] | None) -> Clause | None:
    inside, loose = is_in("work_queue.name", names), is_in(_LOOSE_NAME, names)
    if inside is None or loose is None:
        return None
    return any_of(exists(_QUEUE, inside), loose) if names else inside


def _has_queue(is_missing: bool | None) -> Clause | None:
    if is_missing is None:
        return None
    has_one = any_of(Clause(f"EXISTS ({_QUEUE})"), Clause(f"{_LOOSE_NAME} IS NOT NULL"))
    return negated(has_one) if is_missing else has_one


def _times(wanted: FlowRunFilter) -> list[Clause]:
    criteria: list[Clause] = []
    if (start := wanted.start_time) is not None:
        # Being null is asked of the real start; a run that has none may still be compared by its expected one.
        missing = is_null("flow_run.start_time", start.is_null_)
        criteria.append(all_of(in_time(FLOW_RUN_STARTED, start.after_, start.before_), missing))
    if (end := wanted.end_time) is not None:
        column = "flow_run.end_time"
        criteria.append(all_of(in_time(column, end.after_, end.before_), is_null(column, end.is_null_)))
    for column, part in (
        ("flow_run.expected_start_time", wanted.expected_start_time),
        ("flow_run.next_scheduled_start_time", wanted.next_scheduled_start_time),
    ):
        if part is not None:
            criteria.append(all_of(in_time(column, part.after_, part.before_)))
    return criteria
