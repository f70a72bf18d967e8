"""The routes that look for deployments: lists, counts, and deleting what a filter finds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from prefect.client.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Transaction
from prefect.server.models import deployments as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._pages import page as page_of
from prefect.server.routes._table import ABSENT, route


@route("POST", "/deployments/filter", writes=False)
def read_deployments(
    tx: Transaction,
    offset: Annotated[int, Field(ge=0)] = 0,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
    sort: DeploymentSort = DeploymentSort.NAME_ASC,
    limit: int = ABSENT,
) -> list[DeploymentResponse]:
    """Read the deployments that meet filters."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    return models.read_deployments(tx, wanted.deployment_clause(tx.dialect), sort, checked_limit(limit), offset)


@route("POST", "/deployments/paginate", writes=False, answers="DeploymentPaginationResponse")
def paginate_deployments(
    tx: Transaction,
    page: Annotated[int, Field(ge=1)] = 1,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
    sort: DeploymentSort = DeploymentSort.NAME_ASC,
    limit: int = ABSENT,
) -> dict[str, Any]:
    """Read one page of the deployments that meet filters."""
    limit = checked_limit(limit)
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    where = wanted.deployment_clause(tx.dialect)
    found = models.read_deployments(tx, where, sort, limit, (page - 1) * limit)
    return page_of(found, models.count_deployments(tx, where), limit, page)


@route("POST", "/deployments/count", writes=False)
def count_deployments(
    tx: Transaction,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
) -> int:
    """Count deployments."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    return models.count_deployments(tx, wanted.deployment_clause(tx.dialect))


@route("POST", "/deployments/bulk_delete", answers="DeploymentBulkDeleteResponse")
def bulk_delete_deployments(
    tx: Transaction,
    deployments: DeploymentFilter | None = None,
    limit: Annotated[int, Field(ge=1, le=50)] = 50,
) -> dict[str, Any]:
    """Delete the deployments that meet a filter."""
    where = RunFilters(deployments=deployments).deployment_clause(tx.dialect)
    ids = models.read_deployment_ids(tx, where, limit)
    return {"deleted": [id for id in ids if models.delete_deployment(tx, id)]}
