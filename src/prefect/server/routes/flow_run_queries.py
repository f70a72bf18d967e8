"""The routes that look at flow runs: lists, counts, histories, graphs and logs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from io import StringIO
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.client.schemas.objects import FlowRun, Log
from prefect.client.schemas.responses import HistoryResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Store, Transaction
from prefect.server.models import flow_run_graph, run_history
from prefect.server.models import flow_runs as models
from prefect.server.models.logs import read_flow_run_logs_after
from prefect.server.routes._pages import checked_interval, checked_limit
from prefect.server.routes._pages import page as page_of
from prefect.server.routes._table import ABSENT, NotFound, Reply, route
from prefect.settings import get_current_settings
from prefect.types import DateTime


@route("POST", "/flow_runs/count", writes=False)
def count_flow_runs(
    tx: Transaction,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
) -> int:
    """Count flow runs."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    return models.count_flow_runs(tx, wanted.flow_run_clause(tx.dialect))


@route("POST", "/flow_runs/filter", writes=False, answers="list[FlowRunResponse]")
def read_flow_runs(
    tx: Transaction,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
    offset: Annotated[int, Field(ge=0)] = 0,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
    limit: int = ABSENT,
) -> list[FlowRun]:
    """Read the flow runs that meet filters."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    return models.read_flow_runs(tx, wanted.flow_run_clause(tx.dialect), sort, checked_limit(limit), offset)


@route("POST", "/flow_runs/paginate", writes=False, answers="FlowRunPaginationResponse")
def paginate_flow_runs(
    tx: Transaction,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
    page: Annotated[int, Field(ge=1)] = 1,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
    limit: int = ABSENT,
) -> dict[str, Any]:
    """Read one page of the flow runs that meet filters."""
    limit = checked_limit(limit)
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    where = wanted.flow_run_clause(tx.dialect)
    runs = models.read_flow_runs(tx, where, sort, limit, (page - 1) * limit)
    return page_of(runs, models.count_flow_runs(tx, where), limit, page)


@route("POST", "/flow_runs/history", writes=False, name="flow_run_history")
def read_flow_run_history(
    tx: Transaction,
    history_start: DateTime,
    history_end: DateTime,
    history_interval_seconds: timedelta,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_queues: WorkQueueFilter | None = None,
) -> list[HistoryResponse]:
    """Count flow runs by state in each slice of a span of time."""
    where = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_queues).flow_run_clause(tx.dialect)
    interval = checked_interval(history_interval_seconds)
    return run_history.read_run_history(tx, "flow_run", where, history_start, history_end, interval)


@route("POST", "/flow_runs/lateness", writes=False)
def average_flow_run_lateness(
    tx: Transaction,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_pool_queues: WorkQueueFilter | None = None,
) -> float | None:
    """By how many seconds flow runs are late on average."""
    wanted = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues)
    return run_history.average_lateness_seconds(tx, wanted.flow_run_clause(tx.dialect))


_GRAPH_TAGS = ("Flow Runs", "Flow Run Graph")
_ALWAYS = datetime(1, 1, 1, tzinfo=timezone.utc)


@route("GET", "/flow_runs/{id}/graph", writes=False, tags=_GRAPH_TAGS, answers="list[DependencyResult]")
def read_flow_run_graph_v1(tx: Transaction, id: UUID) -> list[dict[str, Any]]:
    """Read the task runs of a flow run with the runs that they depend on."""
    dependencies = flow_run_graph.read_dependencies(tx, id)
    if dependencies is None:
        raise NotFound(f"Flow run with id {id} not found", bare=True)
    return dependencies


@route("GET", "/flow_runs/{id}/graph-v2", writes=False, query=("since",), tags=_GRAPH_TAGS, answers="Graph")
def read_flow_run_graph_v2(tx: Transaction, id: UUID, since: DateTime = _ALWAYS) -> dict[str, Any]:
    """Read the graph of a flow run."""
    bounds = get_current_settings().server.flow_run_graph
    graph = flow_run_graph.read_flow_run_graph(
        tx, id, since, max_nodes=bounds.max_nodes, max_artifacts=bounds.max_artifacts
    )
    if graph is None:
        raise NotFound(f"Flow run with id {id} not found", bare=True)
    return graph


# -- logs as a file --------------------------------------------------------------------------------------------------

_LOGS_AT_ONCE = 200


@route("GET", "/flow_runs/{id}/logs/download", media_type="text/csv")
def download_logs(store: Store, id: UUID) -> Reply[Iterator[str]]:
    """Download the logs of a flow run as CSV; the body comes in pieces, each read when it is asked for."""
    run = store.read(lambda tx: models.read_flow_run(tx, id))
    if run is None:
        raise NotFound(f"Flow run {str(id)!r} not found")
    name = quote(f"{run.name}-logs.csv")
    disposition = f"attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''{name}"
    return Reply(200, _csv(store, id), "text/csv", {"Content-Disposition": disposition})


def _csv(store: Store, flow_run_id: UUID) -> Iterator[str]:
    yield _csv_lines([("timestamp", "level", "flow_run_id", "task_run_id", "message")])
    last: Log | None = None
    while True:
        logs = store.read(lambda tx, last=last: read_flow_run_logs_after(tx, flow_run_id, last, _LOGS_AT_ONCE))
        if logs:
            yield _csv_lines(
                [(log.timestamp, log.level, log.flow_run_id, log.task_run_id, log.message) for log in logs]
            )
        if len(logs) < _LOGS_AT_ONCE:
            return
        last = logs[-1]


def _csv_lines(rows: list[tuple[Any, ...]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
