"""The routes of work pools: made, read, changed, deleted, and asked for runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter
from prefect.client.schemas.objects import WorkPool
from prefect.client.schemas.responses import WorkerFlowRunResponse, WorkPoolConcurrencyStatus
from prefect.server.database.store import Store, Transaction
from prefect.server.models import work_pools as models
from prefect.server.models.work_pool_runs import note_poll, read_due_runs_of_pool
from prefect.server.models.work_pool_slots import read_pool_slots
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Caller, Whole, route
from prefect.types import DateTime


@route("POST", "/work_pools/", status=201, answers="WorkPoolResponse")
def create_work_pool(tx: Transaction, work_pool: Whole[WorkPoolCreate]) -> WorkPool:
    """Create a work pool, and its default queue."""
    return models.create_work_pool(tx, work_pool)


@route("GET", "/work_pools/{name}", writes=False, answers="WorkPoolResponse")
def read_work_pool(tx: Transaction, name: str) -> WorkPool:
    """Read a work pool."""
    return models.read_work_pool(tx, name)


@route("POST", "/work_pools/filter", writes=False, answers="list[WorkPoolResponse]")
def read_work_pools(
    tx: Transaction,
    work_pools: WorkPoolFilter | None = None,
    offset: Annotated[int, Field(ge=0)] = 0,
    limit: int = ABSENT,
) -> list[WorkPool]:
    """Read the work pools that meet a filter, by name."""
    return models.read_work_pools(tx, work_pools, checked_limit(limit), offset)


@route("POST", "/work_pools/count", writes=False)
def count_work_pools(tx: Transaction, work_pools: WorkPoolFilter | None = None) -> int:
    """Count the work pools that meet a filter."""
    return models.count_work_pools(tx, work_pools)


@route("PATCH", "/work_pools/{name}", status=204)
def update_work_pool(tx: Transaction, name: str, work_pool: Whole[WorkPoolUpdate]) -> None:
    """Change a work pool."""
    models.update_work_pool(tx, name, work_pool)


@route("DELETE", "/work_pools/{name}", status=204)
def delete_work_pool(tx: Transaction, name: str) -> None:
    """Delete a work pool with its queues and workers."""
    models.delete_work_pool(tx, name)


@route("POST", "/work_pools/{name}/get_scheduled_flow_runs")
def get_scheduled_flow_runs(
    store: Store,
    name: str,
    work_queue_names: list[str] = ABSENT,
    scheduled_before: DateTime = ABSENT,
    scheduled_after: DateTime = ABSENT,
    limit: int = ABSENT,
    *,
    caller: Caller,
) -> list[WorkerFlowRunResponse]:
    """Read the runs of a work pool that may start, for a worker to take.

    With the header `Prefer: wait=N`, the answer comes as soon as there are some, after N seconds at the latest.
    """
    most = checked_limit(limit)
    before = None if scheduled_before is None else scheduled_before + caller.waited
    runs, queues = store.read(
        lambda tx: read_due_runs_of_pool(tx, name, work_queue_names, before=before, after=scheduled_after, limit=most)
    )
    note_poll(store, queues)
    return runs


@route("POST", "/work_pools/{name}/concurrency_status", writes=False)
def read_work_pool_concurrency_status(
    tx: Transaction,
    name: str,
    page: Annotated[int, Field(ge=1)] = 1,
    limit: int = ABSENT,
    flow_run_limit: Annotated[int, Field(ge=0, le=200)] = 10,
) -> WorkPoolConcurrencyStatus:
    """Read who holds the slots of a work pool, one page of its queues at a time."""
    return read_pool_slots(tx, name, page=page, limit=checked_limit(limit), flow_run_limit=flow_run_limit)
