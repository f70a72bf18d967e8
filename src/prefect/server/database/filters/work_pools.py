"""The filters of work pools, their queues and their workers."""

from __future__ import annotations

from prefect.client.schemas.filters import WorkerFilter, WorkPoolFilter, WorkQueueFilter
from prefect.client.schemas.objects import WorkerStatus
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    FALSE,
    Clause,
    all_of,
    any_of,
    grouped,
    in_time,
    is_in,
    negated,
)


def work_pool_clause(wanted: WorkPoolFilter) -> Clause:
    """The condition on a row of `work_pool` that it meets a filter."""
    return grouped(
        wanted.operator,
        [
            all_of(is_in(f"work_pool.{column}", part.any_))
            for column, part in (("id", wanted.id), ("name", wanted.name), ("type", wanted.type))
            if part is not None
        ],
    )


def work_queue_clause(dialect: Dialect, wanted: WorkQueueFilter) -> Clause:
    """The condition on a row of `work_queue` that it meets a filter."""
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("work_queue.id", id.any_)))
    if (name := wanted.name) is not None:
        starts = None if name.startswith_ is None else _starts_with(dialect, name.startswith_)
        criteria.append(all_of(is_in("work_queue.name", name.any_), starts))
    return grouped(wanted.operator, criteria)


def _starts_with(dialect: Dialect, prefixes: list[str]) -> Clause:
    if not prefixes:
        return FALSE
    return any_of(*(Clause(dialect.like("work_queue.name", "?"), (f"{prefix}%",)) for prefix in prefixes))


def worker_clause(wanted: WorkerFilter, online: Clause) -> Clause:
    """The condition on a row of `worker` that it meets a filter.

    Args:
        wanted: The filter.
        online: The condition that a worker is online.
    """
    criteria: list[Clause] = []
    if (heartbeat := wanted.last_heartbeat_time) is not None:
        criteria.append(all_of(in_time("worker.last_heartbeat_time", heartbeat.after_, heartbeat.before_)))
    if (status := wanted.status) is not None:
        included = None if status.any_ is None else _has_status(status.any_, online)
        excluded = negated(_has_status(status.not_any_, online)) if status.not_any_ else None
        criteria.append(all_of(included, excluded))
    return grouped(wanted.operator, criteria)


def _has_status(statuses: list[WorkerStatus], online: Clause) -> Clause:
    if not statuses:
        return FALSE
    return any_of(*(online if status == WorkerStatus.ONLINE else negated(online) for status in statuses))
