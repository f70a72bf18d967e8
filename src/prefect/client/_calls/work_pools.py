"""Requests about work pools, and about the workers that serve them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client._calls._call import EXISTS, NOT_FOUND, Call, Steps, given, many, nothing, one
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkerFilter, WorkPoolFilter
from prefect.client.schemas.objects import Worker, WorkerMetadata, WorkPool
from prefect.client.schemas.responses import WorkerFlowRunResponse, WorkPoolConcurrencyStatus
from prefect.exceptions import ObjectAlreadyExists

_POOL = "/work_pools/{name}"
_WORKERS = "/work_pools/{work_pool_name}/workers"


def create_work_pool(work_pool: WorkPoolCreate, overwrite: bool = False) -> Steps[WorkPool]:
    """Create a work pool; with `overwrite`, change the one of that name when there is one."""
    try:
        return (yield Call("POST", "/work_pools/", body=work_pool, parse=one(WorkPool), errors=EXISTS))
    except ObjectAlreadyExists:
        if not overwrite:
            raise
    changes = work_pool.model_dump(exclude_unset=True, exclude={"name", "type"})
    yield update_work_pool(work_pool.name, WorkPoolUpdate.model_validate(changes))
    return (yield read_work_pool(work_pool.name))


def read_work_pool(work_pool_name: str) -> Call[WorkPool]:
    """Read a work pool."""
    return Call("GET", _POOL, {"name": work_pool_name}, parse=one(WorkPool), errors=NOT_FOUND)


def read_work_pools(
    limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
) -> Call[list[WorkPool]]:
    """Read the work pools that meet a filter, by name."""
    body = given(limit=limit, offset=offset, work_pools=work_pool_filter)
    return Call("POST", "/work_pools/filter", body=body, parse=many(WorkPool))


def update_work_pool(work_pool_name: str, work_pool: WorkPoolUpdate) -> Call[None]:
    """Change what a request mentions of a work pool."""
    return Call("PATCH", _POOL, {"name": work_pool_name}, body=work_pool, parse=nothing, errors=NOT_FOUND)


def delete_work_pool(work_pool_name: str) -> Call[None]:
    """Delete a work pool with its queues and workers."""
    return Call("DELETE", _POOL, {"name": work_pool_name}, parse=nothing, errors=NOT_FOUND)


def read_work_pool_concurrency_status(
    work_pool_name: str, page: int = 1, limit: int | None = None, flow_run_limit: int = 10
) -> Call[WorkPoolConcurrencyStatus]:
    """Read who holds the slots of a work pool, one page of its queues at a time."""
    return Call(
        "POST",
        f"{_POOL}/concurrency_status",
        {"name": work_pool_name},
        body=given(page=page, limit=limit, flow_run_limit=flow_run_limit),
        parse=one(WorkPoolConcurrencyStatus),
        errors=NOT_FOUND,
    )


def get_scheduled_flow_runs_for_work_pool(
    work_pool_name: str, work_queue_names: list[str] | None = None, scheduled_before: datetime | None = None
) -> Call[list[WorkerFlowRunResponse]]:
    """Read the runs of a work pool that are due, those that start first in front."""
    return Call(
        "POST",
        f"{_POOL}/get_scheduled_flow_runs",
        {"name": work_pool_name},
        body=given(work_queue_names=work_queue_names, scheduled_before=scheduled_before),
        parse=many(WorkerFlowRunResponse),
        errors=NOT_FOUND,
    )


def send_worker_heartbeat(
    work_pool_name: str,
    worker_name: str,
    heartbeat_interval_seconds: float | None = None,
    get_worker_id: bool = False,
    worker_metadata: WorkerMetadata | None = None,
) -> Call[UUID | None]:
    """Tell that a worker is alive; gives its id where the API tells it."""
    body: dict[str, Any] = {"name": worker_name}
    if heartbeat_interval_seconds is not None:
        body["heartbeat_interval_seconds"] = int(heartbeat_interval_seconds)  # the API counts in whole seconds
    if get_worker_id:
        body["return_id"] = True
    if worker_metadata is not None:
        body["metadata"] = worker_metadata.model_dump(mode="json")
    return Call(
        "POST",
        f"{_WORKERS}/heartbeat",
        {"work_pool_name": work_pool_name},
        body=body,
        parse=_worker_id,
        errors=NOT_FOUND,
    )


def read_workers_for_work_pool(
    work_pool_name: str, worker_filter: WorkerFilter | None = None, offset: int | None = None, limit: int | None = None
) -> Call[list[Worker]]:
    """Read the workers of a work pool, those heard of last in front."""
    body = given(workers=worker_filter, offset=offset, limit=limit)
    path = {"work_pool_name": work_pool_name}
    return Call("POST", f"{_WORKERS}/filter", path, body=body, parse=many(Worker), errors=NOT_FOUND)


def _worker_id(body: Any) -> UUID | None:
    # The self-hosted API answers with nothing, the cloud product with the id in quotes.
    return UUID(str(body)) if body else None
