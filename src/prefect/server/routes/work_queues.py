"""The routes of work queues by their ids; and by name, of those that agents served."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import WorkPoolCreate, WorkQueueCreate, WorkQueueUpdate
from prefect.client.schemas.filters import WorkQueueFilter
from prefect.client.schemas.objects import (
    DEFAULT_AGENT_WORK_POOL_NAME,
    FlowRun,
    WorkQueue,
    WorkQueueStatusDetail,
)
from prefect.client.schemas.responses import WorkQueueConcurrencyStatus
from prefect.server.database.store import Store, Transaction
from prefect.server.models import work_queues as models
from prefect.server.models._work_rows import queue_responses
from prefect.server.models.work_pool_runs import note_poll, read_due_runs_of_queue
from prefect.server.models.work_pool_slots import read_queue_slots
from prefect.server.models.work_pools import insert_pool, require_pool
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Caller, Whole, route
from prefect.types import DateTime


@route("POST", "/work_queues/", status=201, answers="WorkQueueResponse")
def create_work_queue(tx: Transaction, work_queue: Whole[WorkQueueCreate]) -> WorkQueue:
    """Create a work queue in the pool of the agents, which is made when it is missing."""
    insert_pool(tx, WorkPoolCreate(name=DEFAULT_AGENT_WORK_POOL_NAME))
    return models.create_work_queue(tx, require_pool(tx, DEFAULT_AGENT_WORK_POOL_NAME, lock=True), work_queue)


@route("GET", "/work_queues/{id}", writes=False, answers="WorkQueueResponse")
def read_work_queue(tx: Transaction, id: UUID) -> WorkQueue:
    """Read a work queue."""
    return queue_responses(tx, [models.require_queue(tx, id)])[0]


@route("GET", "/work_queues/name/{name}", writes=False, answers="WorkQueueResponse")
def read_work_queue_by_name(tx: Transaction, name: str) -> WorkQueue:
    """Read a work queue by its name alone: that of the agents' pool, or else the oldest of the other pools."""
    return queue_responses(tx, [models.require_queue_of_any_pool(tx, name)])[0]


@route("POST", "/work_queues/filter", writes=False, answers="list[WorkQueueResponse]")
def read_work_queues(
    tx: Transaction,
    work_queues: WorkQueueFilter | None = None,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[WorkQueue]:
    """Read the work queues of all pools that meet a filter, by name."""
    return models.read_work_queues(tx, work_queues, checked_limit(limit), offset)


@route("PATCH", "/work_queues/{id}", status=204)
def update_work_queue(tx: Transaction, id: UUID, work_queue: Whole[WorkQueueUpdate]) -> None:
    """Change a work queue."""
    models.update_work_queue(tx, id, work_queue)


@route("DELETE", "/work_queues/{id}", status=204)
def delete_work_queue(tx: Transaction, id: UUID) -> None:
    """Delete a work queue."""
    models.delete_work_queue(tx, id)


@route("GET", "/work_queues/{id}/status", writes=False)
def read_work_queue_status(tx: Transaction, id: UUID) -> WorkQueueStatusDetail:
    """Read whether the runs of a work queue are taken in time."""
    return models.read_queue_health(tx, id)


@route("POST", "/work_queues/{id}/concurrency_status", writes=False)
def read_work_queue_concurrency_status(
    tx: Transaction, id: UUID, page: Annotated[int, Field(ge=1)] = 1, limit: int = ABSENT
) -> WorkQueueConcurrencyStatus:
    """Read which runs hold the slots of a work queue, one page at a time."""
    return read_queue_slots(tx, id, page=page, limit=checked_limit(limit))


@route("POST", "/work_queues/{id}/get_runs", answers="list[FlowRunResponse]")
def read_work_queue_runs(
    store: Store, id: UUID, caller: Caller, scheduled_before: DateTime = ABSENT, limit: int = ABSENT
) -> list[FlowRun]:
    """Read the runs of a work queue that may start; unless the user interface asks, the queue is ready from now on."""
    most = checked_limit(limit)
    runs, queues = store.read(lambda tx: read_due_runs_of_queue(tx, id, before=scheduled_before, limit=most))
    if not caller.is_ui:
        note_poll(store, queues)
    return runs
