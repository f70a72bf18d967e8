"""What a worker and the API tell each other now and then: that it is alive, and how its work pool is set up."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

from prefect import _upcalls
from prefect.client._calls.work_pools import get_scheduled_flow_runs_for_work_pool
from prefect.client.base import ServerType
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import Integration, WorkerMetadata, WorkPool
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

if TYPE_CHECKING:
    from prefect.client.schemas.responses import WorkerFlowRunResponse
    from prefect.workers.base import BaseWorker


async def read_pool(worker: BaseWorker[Any, Any, Any]) -> WorkPool:
    """Read the work pool of a worker; it is made if it is not there and may be, and given a template if it has none.

    Raises:
        ObjectNotFound: There is no such pool, and the worker does not make one.
    """
    client, name = worker.client, worker._work_pool_name
    try:
        pool = await client.read_work_pool(name)
    except ObjectNotFound:
        if not worker._create_pool_if_not_found:
            raise
        wanted = WorkPoolCreate(name=name, type=worker.type, base_job_template=_template(worker))
        try:
            pool = await client.create_work_pool(wanted)
            worker._logger.info("Work pool %r created.", name)
        except ObjectAlreadyExists:  # by another worker meanwhile
            pool = await client.read_work_pool(name)
    if not pool.base_job_template:
        template = _template(worker)
        await client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
        pool.base_job_template = template
    return pool


def _template(worker: BaseWorker[Any, Any, Any]) -> dict[str, Any]:
    return worker._base_job_template or worker.get_default_base_job_template()


async def send_heartbeat(worker: BaseWorker[Any, Any, Any], metadata: WorkerMetadata | None) -> None:
    """Tell that a worker is alive."""
    worker_id = await worker.client.send_worker_heartbeat(
        worker._work_pool_name,
        worker.name,
        heartbeat_interval_seconds=worker.heartbeat_interval_seconds,
        get_worker_id=worker.backend_id is None and metadata is not None,
        worker_metadata=metadata,
    )
    if worker_id is not None:
        worker._take_backend_id(worker_id)


def installed_integrations() -> WorkerMetadata:
    """The integration packages that are installed where the worker runs, with their versions."""
    collections = set(_upcalls.resolve("load_prefect_collections")())
    found = {
        name: package.version
        for package in distributions()
        if (name := package.metadata["Name"]) and re.sub(r"[-.]", "_", name) in collections
    }
    return WorkerMetadata(integrations=[Integration(name=name, version=found[name]) for name in sorted(found)])


async def sync(worker: BaseWorker[Any, Any, Any]) -> None:
    """Read the work pool, and tell that the worker is alive. A pool that is not there may come later."""
    try:
        pool = await read_pool(worker)
    except ObjectNotFound:
        worker._logger.warning("Work pool %r not found!", worker._work_pool_name)
        return
    if worker._work_pool is None and pool.type != worker.type:
        worker._logger.warning(
            "Worker type mismatch: worker %r is of type %r, its work pool %r is for workers of type %r.",
            worker.name,
            worker.type,
            pool.name,
            pool.type,
        )
    worker._work_pool = pool
    is_first = worker.backend_id is None and worker.client.server_type is ServerType.CLOUD
    await send_heartbeat(worker, installed_integrations() if is_first else None)


async def read_due_runs(worker: BaseWorker[Any, Any, Any], wait_seconds: float) -> list[WorkerFlowRunResponse]:
    """Read the runs that are due, or will be soon, in the queues of the worker that are there.

    Args:
        worker: The worker.
        wait_seconds: For how long the API may wait for one, where it can.
    """
    queues = sorted(worker._work_queues)
    try:
        return await _read_due_runs(worker, queues, wait_seconds)
    except ObjectNotFound as error:
        if len(queues) < 2:
            _tell_what_is_missing(worker, error)
            return []
    found: list[WorkerFlowRunResponse] = []
    for queue in queues:  # one that is missing must not keep the worker from the others
        try:
            found += await _read_due_runs(worker, [queue], 0)
        except ObjectNotFound as error:
            _tell_what_is_missing(worker, error)
    return found


async def _read_due_runs(
    worker: BaseWorker[Any, Any, Any], queues: list[str], wait_seconds: float
) -> list[WorkerFlowRunResponse]:
    before = datetime.now(timezone.utc) + timedelta(seconds=worker._prefetch_seconds)
    call = get_scheduled_flow_runs_for_work_pool(worker._work_pool_name, queues, before)
    return await worker.client.send(call.waiting(wait_seconds))


def _tell_what_is_missing(worker: BaseWorker[Any, Any, Any], error: ObjectNotFound) -> None:
    response = getattr(error.http_exc, "response", None)
    reason = str(error) if response is None else response.json().get("detail", str(error))
    if reason not in worker._told_missing:
        worker._told_missing.add(reason)
        worker._logger.warning("%s This worker takes runs from it once it is there.", reason)
