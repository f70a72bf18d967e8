"""Where runs wait for workers: work queues and the pools that these belong to."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import DEFAULT_AGENT_WORK_POOL_NAME
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, loads, placeholders
from prefect.server.models.errors import Invalid
from prefect.types.names import BANNED_CHARACTERS, WITHOUT_BANNED_CHARACTERS


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A work queue, and the pool that it belongs to."""

    queue_name: str
    pool_id: UUID
    pool_name: str
    pool_type: str


def read_queue_places(tx: Transaction, queue_ids: Collection[UUID]) -> dict[UUID, QueuePlace]:
    """The names of work queues and of their pools, by the queue's id; deleted ones are missing."""
    if not queue_ids:
        return {}
    rows = tx.fetch_all(
        "SELECT work_queue.id, work_queue.name AS queue_name, work_pool.id AS pool_id, work_pool.name AS pool_name, "
        "work_pool.type AS pool_type FROM work_queue JOIN work_pool ON work_pool.id = work_queue.work_pool_id "
        f"WHERE work_queue.id IN ({placeholders(len(queue_ids))})",
        list(queue_ids),
    )
    places: dict[UUID, QueuePlace] = {}
    for row in rows:
        id, pool_id = decode_id(row["id"]), decode_id(row["pool_id"])
        assert id is not None
        assert pool_id is not None
        places[id] = QueuePlace(row["queue_name"], pool_id, row["pool_name"], row["pool_type"])
    return places


def resolve_queue(tx: Transaction, pool_name: str | None, queue_name: str | None) -> UUID | None:
    """The queue in which runs wait: the named one, which is made when there is none, else the default one of the pool.

    A queue without a pool is one of the agents' pool, which is made with it; without either there is none.

    Raises:
        NotFound: There is no such pool.
        Invalid: No queue can have that name.
    """
    queue_name = queue_name or None  # clients of upstream send an empty text for none
    if pool_name is None and queue_name is None:
        return None
    if queue_name is not None and not re.match(WITHOUT_BANNED_CHARACTERS, queue_name):
        raise Invalid(f"Invalid work queue name {queue_name!r}: it may not hold any of {' '.join(BANNED_CHARACTERS)}")
    # Only deployments with a pool need these modules, and every run of a flow loads this one.
    from prefect.server.models.work_pools import insert_pool, require_pool  # noqa: PLC0415
    from prefect.server.models.work_queues import insert_queue, read_queue_by_name  # noqa: PLC0415

    if pool_name is None:
        pool_name = DEFAULT_AGENT_WORK_POOL_NAME
        insert_pool(tx, WorkPoolCreate(name=pool_name))
    if queue_name is None:
        return require_pool(tx, pool_name)["default_queue_id"]
    found = read_queue_by_name(tx, pool_name, queue_name)
    if found is None:
        pool = require_pool(tx, pool_name, lock=True)
        # Another request may have made it before the pool was locked.
        found = insert_queue(tx, pool, queue_name) or read_queue_by_name(tx, pool_name, queue_name)
        assert found is not None
    return found["id"]


def queue_of_run(tx: Transaction, pool_name: str, queue_name: str | None) -> dict[str, Any]:
    """Where a run without a deployment waits, as fields of a `RunOrigin`; in the default queue when none is named.

    Raises:
        NotFound: There is no such pool, or no such queue in it.
    """
    from prefect.server.models.work_pools import require_pool  # noqa: PLC0415 - as above
    from prefect.server.models.work_queues import require_queue, require_queue_by_name  # noqa: PLC0415

    pool = require_pool(tx, pool_name)
    if queue_name is None:
        queue = require_queue(tx, pool["default_queue_id"])
    else:
        queue = require_queue_by_name(tx, pool_name, queue_name)
    return {
        "work_queue_id": queue["id"],
        "work_queue_name": queue["name"],
        "work_pool_id": pool["id"],
        "work_pool_name": pool["name"],
    }


def read_variables_schema(tx: Transaction, queue_id: UUID | None) -> dict[str, Any] | None:
    """What the pool of a queue allows as job variables, as a JSON schema; None when it does not say.

    A variable that has a default is not required.
    """
    if queue_id is None:
        return None
    row = tx.fetch_one(
        "SELECT work_pool.base_job_template AS template FROM work_pool "
        "JOIN work_queue ON work_queue.work_pool_id = work_pool.id WHERE work_queue.id = ?",
        (queue_id,),
    )
    schema: Any = None if row is None else loads(row["template"]).get("variables")
    if not isinstance(schema, dict) or not schema:
        return None
    with_default = {
        name
        for name, variable in (schema.get("properties") or {}).items()
        if isinstance(variable, dict) and variable.get("default") is not None
    }
    return {**schema, "required": [name for name in schema.get("required") or () if name not in with_default]}
