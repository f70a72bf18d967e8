"""Who holds the slots of work pools and their queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prefect.client.schemas.responses import (
    FlowRunSlotSummary,
    WorkPoolConcurrencyStatus,
    WorkQueueConcurrencyStatus,
    WorkQueueConcurrencyStatusDetail,
)
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time, placeholders
from prefect.server.models._statements import count_rows
from prefect.server.models._work_rows import (
    HOLDS_SLOT,
    count_active_by_pool,
    count_active_by_queue,
    read_queue_records,
)
from prefect.server.models.work_pools import require_pool
from prefect.server.models.work_queues import require_queue

_SHOWN_OF_QUEUE = (*HOLDS_SLOT, "CANCELLING")
"""A queue by itself is shown with the runs that are being cancelled too: their processes are still there."""

_COLUMNS = (
    "flow_run.id, flow_run.name, flow_run.state_type, flow_run.state_name, flow_run.state_timestamp, "
    "flow_run.start_time, flow_run.work_queue_id"
)


def read_pool_slots(
    tx: Transaction, pool_name: str, *, page: int, limit: int, flow_run_limit: int
) -> WorkPoolConcurrencyStatus:
    """The slots of a pool, with one page of its queues by priority.

    Args:
        page: The number of the page, from 1 on.
        limit: Queues on a page.
        flow_run_limit: Runs of each queue to name; all are counted.

    Raises:
        NotFound: There is no such pool.
    """
    pool = require_pool(tx, pool_name)
    count = count_rows(tx, "work_queue WHERE work_queue.work_pool_id = ?", (pool["id"],))
    queues = read_queue_records(
        tx,
        "WHERE work_queue.work_pool_id = ? ORDER BY work_queue.priority, work_queue.id LIMIT ? OFFSET ?",
        (pool["id"], limit, (page - 1) * limit),
    )
    ids = [queue["id"] for queue in queues]
    active = count_active_by_queue(tx, ids)
    holders = _holders_by_queue(tx, [id for id in ids if id in active], flow_run_limit)
    return WorkPoolConcurrencyStatus(
        active_slots=count_active_by_pool(tx, [pool["id"]]).get(pool["id"], 0),
        concurrency_limit=pool["concurrency_limit"],
        queues=[
            WorkQueueConcurrencyStatusDetail(
                queue_id=queue["id"],
                queue_name=queue["name"],
                active_slots=active.get(queue["id"], 0),
                concurrency_limit=queue["concurrency_limit"],
                flow_run_count=active.get(queue["id"], 0),
                flow_runs=holders.get(queue["id"], []),
            )
            for queue in queues
        ],
        count=count,
        limit=limit,
        pages=_pages(count, limit),
        page=page,
    )


def read_queue_slots(tx: Transaction, queue_id: UUID, *, page: int, limit: int) -> WorkQueueConcurrencyStatus:
    """The slots of a queue, with one page of the runs that hold them, those longest in their state in front.

    Raises:
        NotFound: There is no such queue.
    """
    queue = require_queue(tx, queue_id)
    count = count_active_by_queue(tx, [queue_id], _SHOWN_OF_QUEUE).get(queue_id, 0)
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM flow_run WHERE flow_run.work_queue_id = ? "
        f"AND flow_run.state_type IN ({placeholders(len(_SHOWN_OF_QUEUE))}) "
        "ORDER BY flow_run.state_timestamp, flow_run.id LIMIT ? OFFSET ?",
        (queue_id, *_SHOWN_OF_QUEUE, limit, (page - 1) * limit),
    )
    return WorkQueueConcurrencyStatus(
        active_slots=count,
        concurrency_limit=queue["concurrency_limit"],
        flow_runs=[_summary(tx, row) for row in rows],
        count=count,
        limit=limit,
        pages=_pages(count, limit),
        page=page,
    )


def _holders_by_queue(tx: Transaction, queue_ids: Sequence[UUID], limit: int) -> dict[UUID, list[FlowRunSlotSummary]]:
    if not queue_ids or not limit:
        return {}
    rows = tx.fetch_all(
        f"SELECT * FROM (SELECT {_COLUMNS}, ROW_NUMBER() OVER "
        "(PARTITION BY flow_run.work_queue_id ORDER BY flow_run.state_timestamp, flow_run.id) AS place "
        f"FROM flow_run WHERE flow_run.work_queue_id IN ({placeholders(len(queue_ids))}) "
        f"AND flow_run.state_type IN ({placeholders(len(HOLDS_SLOT))})) AS holder "
        "WHERE holder.place <= ? ORDER BY holder.place",
        (*queue_ids, *HOLDS_SLOT, limit),
    )
    holders: dict[UUID, list[FlowRunSlotSummary]] = {}
    for row in rows:
        queue_id = decode_id(row["work_queue_id"])
        assert queue_id is not None
        holders.setdefault(queue_id, []).append(_summary(tx, row))
    return holders


def _summary(tx: Transaction, row: Any) -> FlowRunSlotSummary:
    since = decode_time(row["state_timestamp"])
    return FlowRunSlotSummary(
        id=row["id"],
        name=row["name"],
        state_type=row["state_type"],
        state_name=row["state_name"],
        state_timestamp=since,
        start_time=decode_time(row["start_time"]),
        time_in_current_state=None if since is None else tx.now - since,
    )


def _pages(count: int, limit: int) -> int:
    return -(-count // limit) if limit else 0
