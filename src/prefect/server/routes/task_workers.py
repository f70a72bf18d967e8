"""The route that tells which task workers are connected."""

from __future__ import annotations

from prefect.server.database.store import Store
from prefect.server.models.task_workers import task_workers
from prefect.server.routes._table import route
from prefect.server.schemas.task_workers import TaskWorkerFilter, TaskWorkerResponse


@route("POST", "/task_workers/filter", writes=False)
def read_task_workers(store: Store, task_worker_filter: TaskWorkerFilter | None = None) -> list[TaskWorkerResponse]:
    """Read the task workers that are connected to this server process."""
    keys = None if task_worker_filter is None else task_worker_filter.task_keys
    return [
        TaskWorkerResponse(identifier=each.identifier, task_keys=list(each.task_keys), timestamp=each.timestamp)
        for each in task_workers.connected(keys)
    ]
