"""Work pools: created with their default queue, changed, paused, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter
from prefect.client.schemas.objects import WorkPool, WorkPoolStatus, WorkPoolStorageConfiguration
from prefect.server.database.filters.clauses import TRUE, Clause
from prefect.server.database.filters.work_pools import work_pool_clause
from prefect.server.database.notifications import WORK_POOLS
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models._work_rows import (
    POOL_COLUMNS,
    POOL_JSON,
    Record,
    pool_responses,
    read_pool_record,
    read_pool_records,
    read_queue_records,
    record_pool_event,
    record_pool_status,
    record_pool_update,
    record_queue_event,
)
from prefect.server.models.errors import Conflict, Forbidden, Invalid, NotFound
from prefect.server.models.work_queues import insert_queue
from prefect.server.models.workers import has_online_worker

_RESERVED_PREFIX = "prefect"
_MAY_CHANGE_OF_RESERVED = {"is_paused", "concurrency_limit"}
_NEVER_NULL = ("is_paused", "base_job_template", "storage_configuration")


def create_work_pool(tx: Transaction, wanted: WorkPoolCreate) -> WorkPool:
    """Store a new work pool, and its default queue.

    Raises:
        Forbidden: Its name is reserved.
        Conflict: There is one of this name.
        Invalid: Its job template is wrong.
        NotFound: Its job template names a block that does not exist.
    """
    if is_reserved(wanted.name):
        raise Forbidden(
            f"The name {wanted.name!r} is reserved: no work pool's name may start with {_RESERVED_PREFIX!r}. "
            "Choose another one."
        )
    if wanted.base_job_template:
        # Checking takes a library that many servers never need.
        from prefect.server.models.job_templates import require_valid_template  # noqa: PLC0415

        require_valid_template(tx, wanted.base_job_template)
    record = insert_pool(tx, wanted)
    if record is None:
        raise Conflict(
            f"A work pool with this name already exists: {wanted.name!r}. Choose another name, or update that pool."
        )
    return pool_responses(tx, [record])[0]


def insert_pool(tx: Transaction, wanted: WorkPoolCreate) -> Record | None:
    """Store a new work pool with its default queue; None when there is one of this name."""
    status = WorkPoolStatus.PAUSED if wanted.is_paused else WorkPoolStatus.NOT_READY
    record: Record = {
        "id": uuid4(),
        "created": tx.now,
        "updated": tx.now,
        "name": wanted.name,
        "description": wanted.description,
        "type": wanted.type,
        "base_job_template": wanted.base_job_template,
        "is_paused": wanted.is_paused,
        "concurrency_limit": wanted.concurrency_limit,
        "status": status.value,
        "default_queue_id": uuid4(),
        "storage_configuration": wanted.storage_configuration.model_dump(mode="json"),
    }
    stored = tx.execute(
        f"INSERT INTO work_pool ({', '.join(POOL_COLUMNS)}) VALUES ({', '.join('?' * len(POOL_COLUMNS))}) "
        "ON CONFLICT (name) DO NOTHING",
        [_encoded(name, record[name]) for name in POOL_COLUMNS],
    )
    if not stored:
        return None
    insert_queue(
        tx, record, "default", id=record["default_queue_id"], description="The work pool's default queue.", priority=1
    )
    record_pool_event(tx, "created", record)
    record_pool_status(tx, record)
    return record


def read_work_pool(tx: Transaction, name: str) -> WorkPool:
    """The work pool of a name.

    Raises:
        NotFound: There is none.
    """
    return pool_responses(tx, [require_pool(tx, name)])[0]


def require_pool(tx: Transaction, name: str, *, lock: bool = False) -> Record:
    """The columns of the work pool of a name; see `read_pool_record`.

    Raises:
        NotFound: There is none.
    """
    record = read_pool_record(tx, name, lock=lock)
    if record is None:
        raise NotFound(f"Work pool {name!r} not found.")
    return record


def read_work_pools(tx: Transaction, wanted: WorkPoolFilter | None, limit: int, offset: int = 0) -> list[WorkPool]:
    """The work pools that meet a filter, by name."""
    where = _clause(wanted)
    rest = f"WHERE {where.sql} ORDER BY work_pool.name, work_pool.id LIMIT ? OFFSET ?"
    return pool_responses(tx, read_pool_records(tx, rest, (*where.params, limit, offset)))


def count_work_pools(tx: Transaction, wanted: WorkPoolFilter | None) -> int:
    """How many work pools meet a filter."""
    where = _clause(wanted)
    return count_rows(tx, f"work_pool WHERE {where.sql}", where.params)


def _clause(wanted: WorkPoolFilter | None) -> Clause:
    return TRUE if wanted is None else work_pool_clause(wanted)


def update_work_pool(tx: Transaction, name: str, changes: WorkPoolUpdate) -> None:
    """Change what a request mentions of a work pool.

    Raises:
        NotFound: There is none, or its job template names a block that does not exist.
        Forbidden: The name is reserved, and more would change than whether it is paused and its limit.
        Invalid: A value that must not be null is, or the job template is wrong.
    """
    given = changes.model_fields_set
    if is_reserved(name) and given - _MAY_CHANGE_OF_RESERVED:
        raise Forbidden(f"Of the reserved work pool {name!r} only {sorted(_MAY_CHANGE_OF_RESERVED)} may change.")
    before = require_pool(tx, name, lock=True)
    values = _values(changes)
    if values.get("base_job_template"):
        from prefect.server.models.job_templates import require_valid_template  # noqa: PLC0415 - as above

        require_valid_template(tx, values["base_job_template"])
    if "is_paused" in values and values["is_paused"] != before["is_paused"]:
        values["status"] = _status(tx, before["id"], is_paused=values["is_paused"]).value
    update_row(tx, "work_pool", before["id"], {column: _encoded(column, value) for column, value in values.items()})
    after = {**before, **values}
    if after["status"] != before["status"]:
        record_pool_status(tx, after)
    record_pool_update(tx, before, after)
    tx.tell(WORK_POOLS)


def _values(changes: WorkPoolUpdate) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in changes.model_fields_set:
        value = getattr(changes, column)
        if value is None and column in _NEVER_NULL:
            raise Invalid(f"`{column}` must not be null. Leave it out to keep it, or send its new value.")
        if isinstance(value, WorkPoolStorageConfiguration):
            value = value.model_dump(mode="json")
        values[column] = value
    return values


def _status(tx: Transaction, pool_id: UUID, *, is_paused: bool) -> WorkPoolStatus:
    if is_paused:
        return WorkPoolStatus.PAUSED
    return WorkPoolStatus.READY if has_online_worker(tx, pool_id) else WorkPoolStatus.NOT_READY


def delete_work_pool(tx: Transaction, name: str) -> None:
    """Delete a work pool with its queues and workers. Its runs and deployments stay, without a queue.

    Raises:
        NotFound: There is none.
        Forbidden: Its name is reserved.
    """
    if is_reserved(name):
        raise Forbidden(f"The reserved work pool {name!r} cannot be deleted.")
    record = require_pool(tx, name, lock=True)
    for queue in read_queue_records(tx, "WHERE work_queue.work_pool_id = ? ORDER BY work_queue.id", (record["id"],)):
        record_queue_event(tx, "deleted", queue)
    delete_row(tx, "work_pool", record["id"])
    record_pool_event(tx, "deleted", record)
    tx.tell(WORK_POOLS)


def is_reserved(name: str) -> bool:
    """Whether a name is kept for pools of the server itself."""
    return name.lower().startswith(_RESERVED_PREFIX)


def _encoded(column: str, value: Any) -> Any:
    return dumps(value) if column in POOL_JSON else value
