"""Work queues: created in the order of their priorities, changed, paused, deleted, and marked when workers ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter, ValidationError

from prefect.client.schemas.actions import WorkQueueCreate, WorkQueueUpdate
from prefect.client.schemas.filters import WorkQueueFilter
from prefect.client.schemas.objects import (
    DEFAULT_AGENT_WORK_POOL_NAME,
    WorkQueue,
    WorkQueueHealthPolicy,
    WorkQueueStatus,
    WorkQueueStatusDetail,
)
from prefect.server.database.filters.clauses import TRUE, all_of, is_in
from prefect.server.database.filters.work_pools import work_queue_clause
from prefect.server.database.notifications import DUE_RUNS
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, placeholders
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models._work_rows import (
    QUEUE_COLUMNS,
    Record,
    queue_responses,
    read_pool_records,
    read_queue_records,
    record_queue_event,
    record_queue_status,
    record_queue_update,
)
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.settings import get_current_settings
from prefect.types import Name

_NEVER_NULL = ("name", "priority")
_NAME = TypeAdapter(Name)
MOST_PRIORITY = 2**31 - 1
"""The largest number that the column of priorities holds."""


# -- making ----------------------------------------------------------------------------------------------------------


def create_work_queue(tx: Transaction, pool: Record, wanted: WorkQueueCreate) -> WorkQueue:
    """Store a new work queue in a pool whose row is locked.

    Raises:
        Conflict: The pool has one of this name.
        Invalid: The priority is larger than can be stored.
    """
    record = insert_queue(
        tx,
        pool,
        wanted.name,
        description=wanted.description or "",
        priority=wanted.priority,
        is_paused=wanted.is_paused,
        concurrency_limit=wanted.concurrency_limit,
        filter=_filter(wanted),
    )
    if record is None:
        raise Conflict(_taken(wanted.name, pool["name"]))
    return queue_responses(tx, [record])[0]


def insert_queue(
    tx: Transaction, pool: Record, name: str, *, priority: int | None = None, **values: Any
) -> Record | None:
    """Store a new work queue in a pool whose row is locked; None when the pool has one of this name.

    Args:
        priority: Queues that have it, and those next to them, make room. The smallest free one when left out.
        values: Other columns.
    """
    if read_queue_by_name(tx, pool["name"], name) is not None:
        return None
    status = WorkQueueStatus.PAUSED if values.get("is_paused") else WorkQueueStatus.NOT_READY
    record: Record = {
        "id": uuid4(),
        "created": tx.now,
        "updated": tx.now,
        "work_pool_id": pool["id"],
        "name": name,
        "description": "",
        "is_paused": False,
        "concurrency_limit": None,
        "priority": _make_room(tx, pool["id"], priority),
        "filter": None,
        "last_polled": None,
        "status": status.value,
        **values,
        "pool_name": pool["name"],
        "pool_type": pool["type"],
    }
    tx.execute(
        f"INSERT INTO work_queue ({', '.join(QUEUE_COLUMNS)}) VALUES ({', '.join('?' * len(QUEUE_COLUMNS))})",
        [_encoded(column, record[column]) for column in QUEUE_COLUMNS],
    )
    record_queue_event(tx, "created", record)
    return record


def _make_room(tx: Transaction, pool_id: UUID, wanted: int | None, moving: UUID | None = None) -> int:
    """The priority that a queue gets; the others of its pool move on as far as they must.

    Args:
        wanted: The priority; the smallest free one when None.
        moving: The queue that it is for, when there is one already: its present priority becomes free.
    """
    if wanted is not None and wanted > MOST_PRIORITY:
        raise Invalid(f"`priority` must be at most {MOST_PRIORITY}, got {wanted}.")
    rows = tx.fetch_all("SELECT id, priority FROM work_queue WHERE work_pool_id = ? ORDER BY priority", (pool_id,))
    others = {row["priority"]: row["id"] for row in rows if str(row["id"]) != str(moving)}
    if wanted is None:
        return next(number for number in range(1, len(others) + 2) if number not in others)
    taken, last = [], wanted
    while last in others:
        taken.append(last)
        last += 1
    if last > MOST_PRIORITY:
        raise Invalid(f"There is no room for another queue with the priority {wanted}. Choose a smaller one.")
    for priority in reversed(taken):
        tx.execute(
            "UPDATE work_queue SET priority = ?, updated = ? WHERE id = ?", (priority + 1, tx.now, others[priority])
        )
    return wanted


# -- reading ---------------------------------------------------------------------------------------------------------


def read_queue_by_name(tx: Transaction, pool_name: str, name: str) -> Record | None:
    """The columns of the queue of a name in a pool."""
    found = read_queue_records(tx, "WHERE work_pool.name = ? AND work_queue.name = ?", (pool_name, name))
    return found[0] if found else None


def require_queue_by_name(tx: Transaction, pool_name: str, name: str) -> Record:
    """The columns of the queue of a name in a pool.

    Raises:
        NotFound: There is none.
    """
    record = read_queue_by_name(tx, pool_name, name)
    if record is None:
        raise NotFound(f"Work pool queue '{pool_name}/{name}' not found.")
    return record


def require_queue_of_any_pool(tx: Transaction, name: str) -> Record:
    """The columns of the queue of a name, in the pool of the agents if there is one, or else the oldest of all pools.

    Raises:
        NotFound: There is none.
    """
    found = read_queue_records(
        tx,
        "WHERE work_queue.name = ? ORDER BY CASE WHEN work_pool.name = ? THEN 0 ELSE 1 END, work_queue.created LIMIT 1",
        (name, DEFAULT_AGENT_WORK_POOL_NAME),
    )
    if not found:
        raise NotFound(f"Work queue {name!r} not found.")
    return found[0]


def require_queue(tx: Transaction, id: UUID) -> Record:
    """The columns of the queue of an id.

    Raises:
        NotFound: There is none.
    """
    found = read_queue_records(tx, "WHERE work_queue.id = ?", (id,))
    if not found:
        raise NotFound(f"Work queue {str(id)!r} not found.")
    return found[0]


def read_work_queues(
    tx: Transaction, wanted: WorkQueueFilter | None, limit: int, offset: int = 0, *, pool_id: UUID | None = None
) -> list[WorkQueue]:
    """The work queues that meet a filter: those of one pool by priority, those of all by name."""
    where = all_of(
        is_in("work_queue.work_pool_id", None if pool_id is None else [pool_id]),
        TRUE if wanted is None else work_queue_clause(tx.dialect, wanted),
    )
    order = "work_queue.name" if pool_id is None else "work_queue.priority"
    rest = f"WHERE {where.sql} ORDER BY {order}, work_queue.id LIMIT ? OFFSET ?"
    return queue_responses(tx, read_queue_records(tx, rest, (*where.params, limit, offset)))


def read_queue_health(tx: Transaction, id: UUID) -> WorkQueueStatusDetail:
    """Whether the runs of a queue are taken in time.

    Raises:
        NotFound: There is no such queue.
    """
    record = require_queue(tx, id)
    late = count_rows(
        tx,
        "flow_run WHERE flow_run.work_queue_id = ? AND flow_run.state_type = 'SCHEDULED' "
        "AND flow_run.state_name = 'Late'",
        (id,),
    )
    policy = WorkQueueHealthPolicy()
    return WorkQueueStatusDetail(
        healthy=policy.evaluate_health_status(late, record["last_polled"]),
        late_runs_count=late,
        last_polled=record["last_polled"],
        health_check_policy=policy,
    )


# -- changing --------------------------------------------------------------------------------------------------------


def update_work_queue(tx: Transaction, id: UUID, changes: WorkQueueUpdate) -> None:
    """Change what a request mentions of a work queue.

    Raises:
        NotFound: There is none.
        Conflict: The pool has another one of the new name.
        Invalid: A value that must not be null is, or a name or priority is impossible.
    """
    before = require_queue(tx, id)
    _lock_pool(tx, before["work_pool_id"])
    before = require_queue(tx, id)  # as it is now that nobody else changes it
    values = _values(changes)
    if "name" in values and values["name"] != before["name"]:
        if read_queue_by_name(tx, before["pool_name"], values["name"]) is not None:
            raise Conflict(_taken(values["name"], before["pool_name"]))
    if "priority" in values:
        values["priority"] = _make_room(tx, before["work_pool_id"], values["priority"], moving=id)
    if "is_paused" in values and values["is_paused"] != before["is_paused"]:
        last_polled = values.get("last_polled", before["last_polled"])
        values["status"] = _status(tx, last_polled, is_paused=values["is_paused"]).value
    update_row(tx, "work_queue", id, {column: _encoded(column, value) for column, value in values.items()})
    after = {**before, **values}
    if after["status"] != before["status"]:
        record_queue_status(tx, after)
    record_queue_update(tx, before, after)
    tx.tell(DUE_RUNS)


def _values(changes: WorkQueueUpdate) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in changes.model_fields_set:
        value = _filter(changes) if column == "filter" else getattr(changes, column)
        if value is None and column in _NEVER_NULL:
            raise Invalid(f"`{column}` must not be null. Leave it out to keep it, or send its new value.")
        if column == "name":
            try:
                _NAME.validate_python(value)
            except ValidationError as error:
                raise Invalid(f"{value!r} cannot be the name of a work queue: {error.errors()[0]['msg']}.") from error
        values[column] = value or "" if column == "description" else value
    return values


def _status(tx: Transaction, last_polled: Any, *, is_paused: bool) -> WorkQueueStatus:
    if is_paused:
        return WorkQueueStatus.PAUSED
    patience = get_current_settings().server.services.foreman.work_queue_last_polled_timeout_seconds
    is_polled = last_polled is not None and last_polled > tx.now - timedelta(seconds=patience)
    return WorkQueueStatus.READY if is_polled else WorkQueueStatus.NOT_READY


def delete_work_queue(tx: Transaction, id: UUID) -> None:
    """Delete a work queue. Its runs and deployments stay, without a queue.

    Raises:
        NotFound: There is none.
        Conflict: It is the default queue of its pool.
    """
    record = require_queue(tx, id)
    pool = _lock_pool(tx, record["work_pool_id"])
    if pool["default_queue_id"] == id:
        raise Conflict(
            f"The queue {record['name']!r} is the default one of the work pool {pool['name']!r} and cannot be deleted. "
            "Delete the pool to be rid of both."
        )
    if not delete_row(tx, "work_queue", id):
        raise NotFound(f"Work queue {str(id)!r} not found.")
    record_queue_event(tx, "deleted", record)


def _lock_pool(tx: Transaction, pool_id: UUID) -> Record:
    found = read_pool_records(tx, f"WHERE work_pool.id = ?{tx.dialect.for_update()}", (pool_id,))
    if not found:
        raise NotFound(f"Work pool {str(pool_id)!r} not found.")
    return found[0]


def mark_polled(tx: Transaction, queue_ids: Sequence[UUID]) -> None:
    """Note that somebody has asked for the runs of queues just now; those that nobody had asked for are ready."""
    if not queue_ids:
        return
    ids = sorted(queue_ids, key=str)
    inside = f"work_queue.id IN ({placeholders(len(ids))})"
    locked = tx.fetch_all(f"SELECT id FROM work_queue WHERE {inside} ORDER BY id{tx.dialect.for_update()}", ids)
    if not locked:
        return
    idle = read_queue_records(tx, f"WHERE {inside} AND work_queue.status = ?", (*ids, WorkQueueStatus.NOT_READY))
    tx.execute(
        f"UPDATE work_queue SET last_polled = ?, status = CASE WHEN status = ? THEN ? ELSE status END WHERE {inside}",
        (tx.now, WorkQueueStatus.NOT_READY, WorkQueueStatus.READY, *ids),
    )
    for record in idle:
        record_queue_status(tx, {**record, "status": WorkQueueStatus.READY})


def _filter(wanted: WorkQueueCreate | WorkQueueUpdate) -> Any:
    # Read as a whole: the field by itself warns that it is deprecated.
    return wanted.model_dump(mode="json", include={"filter"})["filter"]


def _taken(name: str, pool_name: str) -> str:
    return f"A work queue with the name {name!r} already exists in work pool {pool_name!r}. Choose another name."


def _encoded(column: str, value: Any) -> Any:
    return dumps(value) if column == "filter" and value is not None else value
