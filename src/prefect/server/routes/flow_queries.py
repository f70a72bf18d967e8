"""The routes that look for flows: lists, counts, and deleting what a filter finds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from prefect.client.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
)
from prefect.client.schemas.objects import Flow
from prefect.client.schemas.sorting import FlowSort
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Transaction
from prefect.server.models import flows as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._pages import page as page_of
from prefect.server.routes._table import ABSENT, route


@route("POST", "/flows/bulk_delete", answers="FlowBulkDeleteResponse")
def bulk_delete_flows(
    tx: Transaction,
    flows: FlowFilter | None = None,
    limit: Annotated[int, Field(ge=1, le=50)] = 50,
) -> dict[str, Any]:
    """Delete the flows that meet a filter, with all their runs."""
    where = RunFilters(flows=flows).flow_clause(tx.dialect)
    ids = [flow.id for flow in models.read_flows(tx, where, FlowSort.NAME_ASC, limit)]
    return {"deleted": [id for id in ids if models.delete_flow(tx, id)]}


@route("POST", "/flows/count", writes=False)
def count_flows(
    tx: Transaction,
    flows: FlowFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
    work_pools: WorkPoolFilter = ABSENT,
) -> int:
    """Count flows."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools)
    return models.count_flows(tx, wanted.flow_clause(tx.dialect))


@route("POST", "/flows/filter", writes=False)
def read_flows(
    tx: Transaction,
    offset: Annotated[int, Field(ge=0)] = 0,
    flows: FlowFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
    work_pools: WorkPoolFilter = ABSENT,
    sort: FlowSort = FlowSort.NAME_ASC,
    limit: int = ABSENT,
) -> list[Flow]:
    """Read the flows that meet filters."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools)
    return models.read_flows(tx, wanted.flow_clause(tx.dialect), sort, checked_limit(limit), offset)


@route("POST", "/flows/paginate", writes=False, answers="FlowPaginationResponse")
def paginate_flows(
    tx: Transaction,
    page: Annotated[int, Field(ge=1)] = 1,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    sort: FlowSort = FlowSort.NAME_ASC,
    limit: int = ABSENT,
) -> dict[str, Any]:
    """Read one page of the flows that meet filters."""
    limit = checked_limit(limit)
    where = RunFilters(flows, flow_runs, task_runs, deployments, work_pools).flow_clause(tx.dialect)
    flows_on_page = models.read_flows(tx, where, sort, limit, (page - 1) * limit)
    return page_of(flows_on_page, models.count_flows(tx, where), limit, page)
