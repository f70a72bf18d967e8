"""Work pools and their queues as rows, as answers of the API, and as events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import WorkPool, WorkPoolStatus, WorkQueue, WorkQueueStatus
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_json, decode_time, placeholders
from prefect.server.models.events import record_event

POOL_COLUMNS = (
    "id",
    "created",
    "updated",
    "name",
    "description",
    "type",
    "base_job_template",
    "is_paused",
    "concurrency_limit",
    "status",
    "default_queue_id",
    "storage_configuration",
)
QUEUE_COLUMNS = (
    "id",
    "created",
    "updated",
    "work_pool_id",
    "name",
    "description",
    "is_paused",
    "concurrency_limit",
    "priority",
    "filter",
    "last_polled",
    "status",
)
POOL_JSON = ("base_job_template", "storage_configuration")
_SELECT_POOL = f"SELECT {', '.join(f'work_pool.{name}' for name in POOL_COLUMNS)} FROM work_pool"
_SELECT_QUEUE = (
    f"SELECT {', '.join(f'work_queue.{name}' for name in QUEUE_COLUMNS)}, work_pool.name AS pool_name, "
    "work_pool.type AS pool_type FROM work_queue JOIN work_pool ON work_pool.id = work_queue.work_pool_id"
)

AGENT_TYPE = "prefect-agent"
"""The type of pools that agents served. Such a pool is never shown with a status: nothing tells of agents."""

HOLDS_SLOT = ("PENDING", "RUNNING")
"""The types of the states in which a run holds a slot of its pool and of its queue."""

Record = dict[str, Any]
"""The columns of a pool or a queue, with JSON read and ids as UUIDs. A queue's has `pool_name` and `pool_type` too."""


def read_pool_records(tx: Transaction, rest: str, params: Sequence[Any]) -> list[Record]:
    """The columns of the work pools that a condition selects.

    Args:
        rest: What follows the table's name.
        params: The values of its parameters.
    """
    return [_pool_record(row) for row in tx.fetch_all(f"{_SELECT_POOL} {rest}", params)]


def read_pool_record(tx: Transaction, name: str, *, lock: bool = False) -> Record | None:
    """The columns of the work pool of a name.

    Args:
        lock: Keep it from changing until the transaction ends. Whoever changes a pool or the order of its queues does
            this first; the rows of queues are locked after it, in the order of their ids.
    """
    found = read_pool_records(tx, f"WHERE work_pool.name = ?{tx.dialect.for_update() if lock else ''}", (name,))
    return found[0] if found else None


def _pool_record(row: Any) -> Record:
    record = decode_json(row, POOL_JSON)
    record.update((name, decode_id(record[name])) for name in ("id", "default_queue_id"))
    record["is_paused"] = bool(record["is_paused"])
    return record


def read_queue_records(tx: Transaction, rest: str, params: Sequence[Any]) -> list[Record]:
    """The columns of the work queues that a condition selects.

    Args:
        rest: What follows the tables' names, `work_queue` and `work_pool`.
        params: The values of its parameters.
    """
    records: list[Record] = []
    for row in tx.fetch_all(f"{_SELECT_QUEUE} {rest}", params):
        record = decode_json(row, ("filter",))
        record.update((name, decode_id(record[name])) for name in ("id", "work_pool_id"))
        record["is_paused"] = bool(record["is_paused"])
        record["last_polled"] = decode_time(record["last_polled"])
        records.append(record)
    return records


# -- answers ---------------------------------------------------------------------------------------------------------


def count_active_by_queue(
    tx: Transaction, queue_ids: Collection[UUID], types: Sequence[str] = HOLDS_SLOT
) -> dict[UUID, int]:
    """How many runs hold a slot of each of these queues; those of which none does are missing."""
    if not queue_ids:
        return {}
    rows = tx.fetch_all(
        "SELECT flow_run.work_queue_id AS id, COUNT(*) AS active FROM flow_run "
        f"WHERE flow_run.work_queue_id IN ({placeholders(len(queue_ids))}) "
        f"AND flow_run.state_type IN ({placeholders(len(types))}) GROUP BY flow_run.work_queue_id",
        (*queue_ids, *types),
    )
    return {id: row["active"] for row in rows if (id := decode_id(row["id"])) is not None}


def count_active_by_pool(tx: Transaction, pool_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many runs hold a slot of each of these pools; those of which none does are missing."""
    if not pool_ids:
        return {}
    rows = tx.fetch_all(
        "SELECT work_queue.work_pool_id AS id, COUNT(*) AS active FROM work_queue "
        "JOIN flow_run ON flow_run.work_queue_id = work_queue.id "
        f"WHERE work_queue.work_pool_id IN ({placeholders(len(pool_ids))}) "
        f"AND flow_run.state_type IN ({placeholders(len(HOLDS_SLOT))}) GROUP BY work_queue.work_pool_id",
        (*pool_ids, *HOLDS_SLOT),
    )
    return {id: row["active"] for row in rows if (id := decode_id(row["id"])) is not None}


def pool_responses(tx: Transaction, records: Sequence[Record]) -> list[WorkPool]:
    """Work pools as the API answers them: with the number of slots that are taken where there is a limit."""
    limited = [record["id"] for record in records if record["concurrency_limit"] is not None]
    active = count_active_by_pool(tx, limited)
    pools: list[WorkPool] = []
    for record in records:
        slots = active.get(record["id"], 0) if record["concurrency_limit"] is not None else None
        status = None if record["type"] == AGENT_TYPE else record["status"]
        pools.append(WorkPool.model_validate({**record, "status": status, "active_slots": slots}))
    return pools


def queue_responses(tx: Transaction, records: Sequence[Record]) -> list[WorkQueue]:
    """Work queues as the API answers them: with the number of slots that are taken where there is a limit."""
    active = count_active_by_queue(tx, [each["id"] for each in records if each["concurrency_limit"] is not None])
    queues: list[WorkQueue] = []
    for record in records:
        slots = active.get(record["id"], 0) if record["concurrency_limit"] is not None else None
        fields = {name: record[name] for name in QUEUE_COLUMNS}
        queues.append(
            WorkQueue.model_validate({**fields, "work_pool_name": record["pool_name"], "active_slots": slots})
        )
    return queues


# -- events ----------------------------------------------------------------------------------------------------------

_FOLLOWS_STATUS_WITHIN = timedelta(minutes=10)
_TOLD_OF_POOLS = ("base_job_template", "concurrency_limit", "description", "storage_configuration")
_TOLD_OF_QUEUES = ("concurrency_limit", "description", "name", "priority")


def _pool_resource(record: Record) -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.work-pool.{record['id']}",
        "prefect.resource.name": record["name"],
        "prefect.work-pool.type": record["type"],
    }


def record_pool_event(tx: Transaction, what: str, record: Record, payload: Mapping[str, Any] | None = None) -> None:
    """Store the event `prefect.work-pool.<what>`, for `created`, `updated` and `deleted`."""
    related: list[dict[str, str]] = []
    if what != "updated":
        queue = f"prefect.work-queue.{record['default_queue_id']}"
        related.append({"prefect.resource.id": queue, "prefect.resource.role": "default-queue"})
        block_id = record["storage_configuration"].get("default_result_storage_block_id")
        if block_id is not None:
            block = f"prefect.block-document.{block_id}"
            related.append({"prefect.resource.id": block, "prefect.resource.role": "result-storage"})
    resource = {**_pool_resource(record), "prefect.resource.role": "work-pool"}
    record_event(tx, f"prefect.work-pool.{what}", resource, related=related, payload=payload)


def record_pool_update(tx: Transaction, before: Record, after: Record) -> None:
    """Store the event that tells what has changed about a pool; none when nothing has that matters."""
    payload = _changes(before, after, _TOLD_OF_POOLS)
    if payload:
        record_pool_event(tx, "updated", after, payload)


def record_pool_status(tx: Transaction, record: Record) -> None:
    """Store the event that a pool has entered the status that it has; it follows the last one of its kind."""
    resource = _pool_resource(record)
    names = [f"prefect.work-pool.{status.in_kebab_case()}" for status in WorkPoolStatus]
    last = tx.fetch_one(
        f"SELECT id FROM event WHERE resource_id = ? AND occurred >= ? AND event IN ({placeholders(len(names))}) "
        "ORDER BY occurred DESC, id DESC LIMIT 1",
        (resource["prefect.resource.id"], tx.now - _FOLLOWS_STATUS_WITHIN, *names),
    )
    name = f"prefect.work-pool.{WorkPoolStatus(record['status']).in_kebab_case()}"
    record_event(tx, name, resource, follows=None if last is None else decode_id(last["id"]))


def record_queue_event(tx: Transaction, what: str, record: Record, payload: Mapping[str, Any] | None = None) -> None:
    """Store the event `prefect.work-queue.<what>`."""
    resource = {
        "prefect.resource.id": f"prefect.work-queue.{record['id']}",
        "prefect.resource.name": record["name"],
        "prefect.resource.role": "work-queue",
    }
    pool = {
        "prefect.resource.id": f"prefect.work-pool.{record['work_pool_id']}",
        "prefect.resource.role": "work-pool",
        "prefect.resource.name": record["pool_name"],
        "prefect.work-pool.type": record["pool_type"],
    }
    record_event(tx, f"prefect.work-queue.{what}", resource, related=[pool], payload=payload)


def record_queue_update(tx: Transaction, before: Record, after: Record) -> None:
    """Store the event that tells what has changed about a queue; none when nothing has that matters."""
    payload = _changes(before, after, _TOLD_OF_QUEUES)
    if payload:
        record_queue_event(tx, "updated", after, payload)


def record_queue_status(tx: Transaction, record: Record) -> None:
    """Store the event that a queue has entered the status that it has."""
    record_queue_event(tx, WorkQueueStatus(record["status"]).in_kebab_case(), record)


def _changes(before: Record, after: Record, names: Sequence[str]) -> dict[str, Any]:
    updates = {name: {"from": before[name], "to": after[name]} for name in names if before[name] != after[name]}
    return {"updated_fields": list(updates), "updates": updates} if updates else {}
