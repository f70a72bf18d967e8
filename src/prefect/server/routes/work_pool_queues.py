"""The routes of the queues of a work pool, by their names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prefect.client.schemas.actions import WorkQueueCreate, WorkQueueUpdate
from prefect.client.schemas.filters import WorkQueueFilter
from prefect.client.schemas.objects import WorkQueue
from prefect.server.database.store import Transaction
from prefect.server.models import work_queues as models
from prefect.server.models._work_rows import queue_responses
from prefect.server.models.work_pools import require_pool
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route

_QUEUES = "/work_pools/{work_pool_name}/queues"


@route("POST", _QUEUES, status=201, answers="WorkQueueResponse")
def create_work_queue(tx: Transaction, work_pool_name: str, work_queue: Whole[WorkQueueCreate]) -> WorkQueue:
    """Create a work queue in a pool."""
    return models.create_work_queue(tx, require_pool(tx, work_pool_name, lock=True), work_queue)


@route("GET", _QUEUES + "/{name}", writes=False, answers="WorkQueueResponse")
def read_work_queue(tx: Transaction, work_pool_name: str, name: str) -> WorkQueue:
    """Read a work queue of a pool."""
    return queue_responses(tx, [models.require_queue_by_name(tx, work_pool_name, name)])[0]


@route("POST", _QUEUES + "/filter", writes=False, answers="list[WorkQueueResponse]")
def read_work_queues(
    tx: Transaction,
    work_pool_name: str,
    work_queues: WorkQueueFilter = ABSENT,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[WorkQueue]:
    """Read the work queues of a pool that meet a filter, by priority."""
    pool_id = require_pool(tx, work_pool_name)["id"]
    return models.read_work_queues(tx, work_queues, checked_limit(limit), offset, pool_id=pool_id)


@route("PATCH", _QUEUES + "/{name}", status=204)
def update_work_queue(tx: Transaction, work_pool_name: str, name: str, work_queue: Whole[WorkQueueUpdate]) -> None:
    """Change a work queue of a pool."""
    models.update_work_queue(tx, models.require_queue_by_name(tx, work_pool_name, name)["id"], work_queue)


@route("DELETE", _QUEUES + "/{name}", status=204)
def delete_work_queue(tx: Transaction, work_pool_name: str, name: str) -> None:
    """Delete a work queue of a pool."""
    models.delete_work_queue(tx, models.require_queue_by_name(tx, work_pool_name, name)["id"])
