"""The slots of work pools and their queues: a run is submitted only while both have one for it.

Nothing is taken or given back: the runs in the states that hold a slot are counted. Whoever lets another run in holds the
row of the pool meanwhile, so that two never find the same slot.
"""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.responses import SetStateStatus
from prefect.server.database.store import Transaction
from prefect.server.models._work_rows import count_active_by_pool, count_active_by_queue, read_queue_records
from prefect.server.orchestration.decisions import Decision


def require_slot(tx: Transaction, queue_id: UUID, decision: Decision) -> Decision:
    """The decision to submit a run, or that it stays where it is while its queue or pool has no slot for it."""
    found = read_queue_records(tx, "WHERE work_queue.id = ?", (queue_id,))
    if not found:
        return decision
    pool_id = found[0]["work_pool_id"]
    limits = "SELECT name, concurrency_limit FROM work_pool WHERE id = ?"
    pool = tx.fetch_one(limits, (pool_id,))
    if pool is None or (pool["concurrency_limit"] is None and found[0]["concurrency_limit"] is None):
        return decision
    pool = tx.fetch_one(limits + tx.dialect.for_update(), (pool_id,))
    found = read_queue_records(tx, "WHERE work_queue.id = ?", (queue_id,))
    if pool is None or not found:
        return decision  # deleted meanwhile
    limit, queue = pool["concurrency_limit"], found[0]
    if limit is not None and count_active_by_pool(tx, [pool_id]).get(pool_id, 0) >= limit:
        return _no_slot(f"work pool {pool['name']!r}", limit)
    limit = queue["concurrency_limit"]
    if limit is not None and count_active_by_queue(tx, [queue_id]).get(queue_id, 0) >= limit:
        return _no_slot(f"work queue {queue['name']!r} of the work pool {pool['name']!r}", limit)
    return decision


def _no_slot(where: str, limit: int) -> Decision:
    return Decision(SetStateStatus.REJECT, None, f"All slots of the {where} are taken: its limit is {limit}.")
