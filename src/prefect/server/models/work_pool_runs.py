"""The runs of work pools and queues that are due, as far as there are slots for them, for workers to start.

Asking claims nothing: two workers may be told of the same run. The one whose proposal of PENDING is accepted has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import DeploymentStatus, FlowRun, WorkQueueStatus
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.clauses import Clause, all_of, is_between, is_in
from prefect.server.database.store import Store, Transaction
from prefect.server.models._rows import decode_id, placeholders
from prefect.server.models._work_rows import (
    Record,
    count_active_by_pool,
    count_active_by_queue,
    read_pool_record,
    read_pool_records,
    read_queue_records,
)
from prefect.server.models.deployments import mark_deployments_ready
from prefect.server.models.errors import NotFound
from prefect.server.models.flow_runs import read_flow_runs
from prefect.server.models.work_queues import mark_polled, require_queue

_MARK_AGAIN_AFTER = timedelta(seconds=5)
"""A queue or deployment that was marked as polled this short ago is not written again: many workers ask often."""


def read_due_runs_of_pool(
    tx: Transaction,
    pool_name: str,
    queue_names: Sequence[str] | None,
    *,
    before: datetime | None,
    after: datetime | None,
    limit: int,
) -> tuple[list[WorkerFlowRunResponse], list[Record]]:
    """The runs of a pool that may start: by the priority of their queues, then the earliest first.

    Args:
        queue_names: Only runs in these queues; all queues when there is none.
        before: Only runs that are due until this instant.
        after: Only runs that are due from this instant on.
        limit: At most so many; fewer come when slots are taken.

    Returns:
        The runs, and the queues that were asked.

    Raises:
        NotFound: There is no such pool, or no such queue in it.
    """
    pool = read_pool_record(tx, pool_name)
    if pool is None:
        raise NotFound(f"Work pool {pool_name!r} not found.")
    chosen = list(dict.fromkeys(queue_names)) if queue_names else None  # workers send an empty list for all
    where = all_of(Clause("work_queue.work_pool_id = ?", (pool["id"],)), is_in("work_queue.name", chosen))
    queues = read_queue_records(tx, f"WHERE {where.sql} ORDER BY work_queue.priority, work_queue.id", where.params)
    missing = set(chosen or ()) - {queue["name"] for queue in queues}
    if missing:
        raise NotFound(f"Work pool queue '{pool_name}/{min(missing)}' not found.")
    runs = _due_runs(tx, pool, queues, before=before, after=after, limit=limit)
    found = [
        WorkerFlowRunResponse(work_pool_id=pool["id"], work_queue_id=run.work_queue_id, flow_run=run)
        for run in runs
        if run.work_queue_id is not None
    ]
    return found, queues


def read_due_runs_of_queue(
    tx: Transaction, queue_id: UUID, *, before: datetime | None, limit: int
) -> tuple[list[FlowRun], list[Record]]:
    """The runs of one queue that may start, the earliest first; and the queue.

    Raises:
        NotFound: There is no such queue.
    """
    queue = require_queue(tx, queue_id)
    pool = read_pool_records(tx, "WHERE work_pool.id = ?", (queue["work_pool_id"],))[0]
    return _due_runs(tx, pool, [queue], before=before, after=None, limit=limit), [queue]


def _due_runs(
    tx: Transaction, pool: Record, queues: list[Record], *, before: datetime | None, after: datetime | None, limit: int
) -> list[FlowRun]:
    if pool["is_paused"]:
        return []
    if pool["concurrency_limit"] is not None:
        active = count_active_by_pool(tx, [pool["id"]]).get(pool["id"], 0)
        limit = min(limit, pool["concurrency_limit"] - active)
    taken = count_active_by_queue(tx, [queue["id"] for queue in queues if queue["concurrency_limit"] is not None])
    ids: list[UUID] = []
    for queue in queues:
        free = limit - len(ids)
        if queue["concurrency_limit"] is not None:
            free = min(free, queue["concurrency_limit"] - taken.get(queue["id"], 0))
        if free > 0 and not queue["is_paused"]:
            ids += _due_ids(tx, queue["id"], before, after, free)
    if not ids:
        return []
    where = Clause(f"flow_run.id IN ({placeholders(len(ids))})", tuple(ids))
    runs = {run.id: run for run in read_flow_runs(tx, where, FlowRunSort.ID_DESC, len(ids))}
    return [runs[id] for id in ids if id in runs]


def _due_ids(
    tx: Transaction, queue_id: UUID, before: datetime | None, after: datetime | None, limit: int
) -> list[UUID]:
    # A run that waits to try again in its own process is nobody else's to start.
    retry_type = tx.dialect.json_text("flow_run.empirical_policy", "?")
    due = is_between("flow_run.next_scheduled_start_time", after, before) or Clause(
        "flow_run.next_scheduled_start_time IS NOT NULL"
    )
    rows = tx.fetch_all(
        "SELECT flow_run.id FROM flow_run WHERE flow_run.work_queue_id = ? AND flow_run.state_type = 'SCHEDULED' "
        f"AND {due.sql} AND COALESCE({retry_type}, '') <> 'in_process' "
        "ORDER BY flow_run.next_scheduled_start_time, flow_run.id LIMIT ?",
        (queue_id, *due.params, "retry_type", limit),
    )
    return [id for row in rows if (id := decode_id(row["id"])) is not None]


def note_poll(store: Store, queues: Sequence[Record]) -> None:
    """Note that somebody has asked for the runs of queues: these and their deployments are ready from now on."""
    queue_ids, deployment_ids = store.read(lambda tx: _unmarked(tx, queues))
    if queue_ids or deployment_ids:
        store.write(lambda tx: _mark(tx, queue_ids, deployment_ids))


def _unmarked(tx: Transaction, queues: Sequence[Record]) -> tuple[list[UUID], list[UUID]]:
    since = tx.now - _MARK_AGAIN_AFTER
    queue_ids = [
        queue["id"]
        for queue in queues
        if queue["status"] == WorkQueueStatus.NOT_READY or queue["last_polled"] is None or queue["last_polled"] < since
    ]
    if not queues:
        return [], []
    rows: list[Any] = tx.fetch_all(
        f"SELECT id FROM deployment WHERE work_queue_id IN ({placeholders(len(queues))}) "
        "AND (status <> ? OR last_polled IS NULL OR last_polled < ?)",
        (*(queue["id"] for queue in queues), DeploymentStatus.READY, since),
    )
    return queue_ids, [id for row in rows if (id := decode_id(row["id"])) is not None]


def _mark(tx: Transaction, queue_ids: Sequence[UUID], deployment_ids: Sequence[UUID]) -> None:
    # Deployments first: whoever gives a deployment a new queue has locked the deployment before.
    mark_deployments_ready(tx, deployment_ids)
    mark_polled(tx, queue_ids)
