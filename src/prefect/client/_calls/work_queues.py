"""Requests about work queues."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client._calls._call import EXISTS, NOT_FOUND, Call, given, many, nothing, one
from prefect.client.schemas.actions import WorkQueueCreate, WorkQueueUpdate
from prefect.client.schemas.filters import WorkQueueFilter, WorkQueueFilterName
from prefect.client.schemas.objects import FlowRun, WorkQueue, WorkQueueStatusDetail
from prefect.client.schemas.responses import WorkQueueConcurrencyStatus

_QUEUE = "/work_queues/{id}"
_QUEUES_OF_POOL = "/work_pools/{work_pool_name}/queues"


def create_work_queue(
    name: str,
    description: str | None = None,
    is_paused: bool | None = None,
    concurrency_limit: int | None = None,
    priority: int | None = None,
    work_pool_name: str | None = None,
) -> Call[WorkQueue]:
    """Create a work queue in a pool; in that of the agents when none is named."""
    wanted = given(description=description, is_paused=is_paused, concurrency_limit=concurrency_limit, priority=priority)
    body = WorkQueueCreate(name=name, **wanted)
    if work_pool_name is None:
        return Call("POST", "/work_queues/", body=body, parse=one(WorkQueue), errors=EXISTS)
    path, errors = {"work_pool_name": work_pool_name}, {**EXISTS, **NOT_FOUND}
    return Call("POST", _QUEUES_OF_POOL, path, body=body, parse=one(WorkQueue), errors=errors)


def read_work_queue_by_name(name: str, work_pool_name: str | None = None) -> Call[WorkQueue]:
    """Read the work queue of that name in a pool; in that of the agents when none is named."""
    if work_pool_name is None:
        return Call("GET", "/work_queues/name/{name}", {"name": name}, parse=one(WorkQueue), errors=NOT_FOUND)
    path = {"work_pool_name": work_pool_name, "name": name}
    return Call("GET", f"{_QUEUES_OF_POOL}/{{name}}", path, parse=one(WorkQueue), errors=NOT_FOUND)


def read_work_queue(id: UUID) -> Call[WorkQueue]:
    """Read a work queue."""
    return Call("GET", _QUEUE, {"id": id}, parse=one(WorkQueue), errors=NOT_FOUND)


def read_work_queues(
    work_pool_name: str | None = None,
    work_queue_filter: WorkQueueFilter | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Call[list[WorkQueue]]:
    """Read the work queues that meet a filter, of one pool or of all."""
    body = given(limit=limit, offset=offset, work_queues=work_queue_filter)
    if work_pool_name is None:
        return Call("POST", "/work_queues/filter", body=body, parse=many(WorkQueue))
    path = {"work_pool_name": work_pool_name}
    return Call("POST", f"{_QUEUES_OF_POOL}/filter", path, body=body, parse=many(WorkQueue), errors=NOT_FOUND)


def match_work_queues(prefixes: list[str], work_pool_name: str | None = None) -> Call[list[WorkQueue]]:
    """Read the work queues whose names start with one of the prefixes."""
    wanted = WorkQueueFilter(name=WorkQueueFilterName(startswith_=prefixes))
    return read_work_queues(work_pool_name=work_pool_name, work_queue_filter=wanted)


def update_work_queue(id: UUID, **kwargs: Any) -> Call[None]:
    """Change what is named of a work queue.

    Args:
        id: The queue.
        kwargs: The fields of a `WorkQueueUpdate`.

    Raises:
        ValueError: No field is named.
    """
    if not kwargs:
        raise ValueError("No fields provided to update the work queue: name one, such as `is_paused=True`.")
    body = WorkQueueUpdate.model_validate(kwargs)
    return Call("PATCH", _QUEUE, {"id": id}, body=body, parse=nothing, errors=NOT_FOUND)


def delete_work_queue_by_id(id: UUID) -> Call[None]:
    """Delete a work queue."""
    return Call("DELETE", _QUEUE, {"id": id}, parse=nothing, errors=NOT_FOUND)


def read_work_queue_status(id: UUID) -> Call[WorkQueueStatusDetail]:
    """Read whether the runs of a work queue are taken in time."""
    return Call("GET", f"{_QUEUE}/status", {"id": id}, parse=one(WorkQueueStatusDetail), errors=NOT_FOUND)


def read_work_queue_concurrency_status(
    id: UUID, page: int = 1, limit: int | None = None
) -> Call[WorkQueueConcurrencyStatus]:
    """Read which runs hold the slots of a work queue, one page at a time."""
    body = given(page=page, limit=limit)
    parse = one(WorkQueueConcurrencyStatus)
    return Call("POST", f"{_QUEUE}/concurrency_status", {"id": id}, body=body, parse=parse, errors=NOT_FOUND)


def get_runs_in_work_queue(id: UUID, limit: int = 10, scheduled_before: datetime | None = None) -> Call[list[FlowRun]]:
    """Read the runs of a work queue that are due."""
    body = given(limit=limit, scheduled_before=scheduled_before)
    return Call("POST", f"{_QUEUE}/get_runs", {"id": id}, body=body, parse=many(FlowRun), errors=NOT_FOUND)
