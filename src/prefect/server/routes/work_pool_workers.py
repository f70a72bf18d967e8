"""The routes of the workers of a work pool."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prefect.client.schemas.filters import WorkerFilter
from prefect.client.schemas.objects import Worker
from prefect.server.database.store import Transaction
from prefect.server.models import workers as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, route

_WORKERS = "/work_pools/{work_pool_name}/workers"


@route("POST", _WORKERS + "/heartbeat", status=204)
def worker_heartbeat(
    tx: Transaction, work_pool_name: str, name: str, heartbeat_interval_seconds: int | None = None
) -> None:
    """Note that a worker is alive; one that is not known yet joins the pool."""
    models.record_heartbeat(tx, work_pool_name, name, heartbeat_interval_seconds)


@route("POST", _WORKERS + "/filter", writes=False, answers="list[WorkerResponse]")
def read_workers(
    tx: Transaction,
    work_pool_name: str,
    workers: WorkerFilter | None = None,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[Worker]:
    """Read the workers of a pool that meet a filter, those heard of last in front."""
    return models.read_workers(tx, work_pool_name, workers, checked_limit(limit), offset)


@route("DELETE", _WORKERS + "/{name}", status=204)
def delete_worker(tx: Transaction, work_pool_name: str, name: str) -> None:
    """Forget a worker."""
    models.delete_worker(tx, work_pool_name, name)
