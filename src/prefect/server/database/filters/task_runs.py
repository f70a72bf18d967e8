"""The filter of task runs."""

from __future__ import annotations

from prefect.client.schemas.filters import TaskRunFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    contains_text,
    grouped,
    has_tags,
    in_time,
    is_in,
    is_null,
)
from prefect.server.database.filters.columns import TASK_RUN_STARTED


def task_run_clause(dialect: Dialect, wanted: TaskRunFilter) -> Clause:
    """The condition on a row of `task_run` that it meets a filter."""
    return grouped(wanted.operator, [*_identity(dialect, wanted), *_times(wanted)])


def _identity(dialect: Dialect, wanted: TaskRunFilter) -> list[Clause]:
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("task_run.id", id.any_)))
    if (name := wanted.name) is not None:
        like = contains_text(dialect, "task_run.name", name.like_)
        criteria.append(all_of(is_in("task_run.name", name.any_), like))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "task_run.tags", every=tags.all_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    if (state := wanted.state) is not None:
        parts = []
        if state.type is not None:
            parts.append(all_of(is_in("task_run.state_type", state.type.any_)))
        if state.name is not None:
            parts.append(all_of(is_in("task_run.state_name", state.name.any_)))
        criteria.append(grouped(state.operator, parts))
    if (owner := wanted.flow_run_id) is not None:
        column = "task_run.flow_run_id"
        # Ids of flow runs say already that there is one; only a wish for none can add something to them.
        null = is_null(column, owner.is_null_ or (False if owner.any_ is None and owner.is_null_ is False else None))
        criteria.append(grouped(owner.operator, [is_in(column, owner.any_), null]))
    if (subflow_runs := wanted.subflow_runs) is not None and subflow_runs.exists_ is not None:
        has = "EXISTS (SELECT 1 FROM flow_run AS child WHERE child.parent_task_run_id = task_run.id)"
        criteria.append(Clause(has if subflow_runs.exists_ else f"NOT {has}"))
    return criteria


def _times(wanted: TaskRunFilter) -> list[Clause]:
    criteria: list[Clause] = []
    if (start := wanted.start_time) is not None:
        missing = is_null("task_run.start_time", start.is_null_)
        criteria.append(all_of(in_time(TASK_RUN_STARTED, start.after_, start.before_), missing))
    if (end := wanted.end_time) is not None:
        column = "task_run.end_time"
        criteria.append(all_of(in_time(column, end.after_, end.before_), is_null(column, end.is_null_)))
    if (expected := wanted.expected_start_time) is not None:
        criteria.append(all_of(in_time("task_run.expected_start_time", expected.after_, expected.before_)))
    return criteria
