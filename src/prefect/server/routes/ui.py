"""The routes that only the user interface asks."""

from __future__ import annotations

from typing import Annotated, Any
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
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Transaction
from prefect.server.models import ui_queries as models
from prefect.server.models.parameter_checks import checked_values
from prefect.server.models.task_runs import read_task_run
from prefect.server.routes._table import ABSENT, Invalid, NotFound, route
from prefect.server.schemas.responses import SchemaValuesValidationResponse
from prefect.server.schemas.states import CountByState
from prefect.server.schemas.ui import SimpleFlowRun, SimpleNextFlowRun, UITaskRun

Ids = Annotated[list[UUID], Field(max_length=200)]

_FLOWS, _FLOW_RUNS, _TASK_RUNS = ("Flows", "UI"), ("Flow Runs", "UI"), ("Task Runs", "UI")


@route("POST", "/ui/flows/count-deployments", writes=False, tags=_FLOWS)
def count_deployments_by_flow(tx: Transaction, flow_ids: Ids) -> dict[UUID, int]:
    """Count the deployments of flows."""
    return models.count_deployments_of(tx, flow_ids)


@route("POST", "/ui/flows/next-runs", writes=False, tags=_FLOWS)
def next_runs_by_flow(tx: Transaction, flow_ids: Ids) -> dict[UUID, SimpleNextFlowRun | None]:
    """Read the run of each flow that is to start next."""
    return models.read_next_runs(tx, flow_ids)


@route("POST", "/ui/flow_runs/history", writes=False, tags=_FLOW_RUNS)
def read_flow_run_history(
    tx: Transaction,
    sort: FlowRunSort = FlowRunSort.EXPECTED_START_TIME_DESC,
    limit: Annotated[int, Field(ge=0, le=1000)] = 1000,
    offset: Annotated[int, Field(ge=0)] = 0,
    flows: FlowFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
    work_pools: WorkPoolFilter = ABSENT,
) -> list[SimpleFlowRun]:
    """Read the flow runs that meet filters, as a chart shows them."""
    where = RunFilters(flows, flow_runs, task_runs, deployments, work_pools).flow_run_clause(tx.dialect)
    return models.read_simple_flow_runs(tx, where, sort, limit, offset)


@route("POST", "/ui/flow_runs/count-task-runs", writes=False, tags=_FLOW_RUNS)
def count_task_runs_by_flow_run(tx: Transaction, flow_run_ids: Ids) -> dict[UUID, int]:
    """Count the task runs of flow runs."""
    return models.count_task_runs_of(tx, flow_run_ids)


@route("POST", "/ui/task_runs/dashboard/counts", writes=False, tags=_TASK_RUNS, answers="list[TaskRunCount]")
def read_dashboard_task_run_counts(
    tx: Transaction,
    task_runs: TaskRunFilter,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_queues: WorkQueueFilter | None = None,
) -> list[dict[str, int]]:
    """Count how task runs ended, in 20 slices of the time from `task_runs.start_time.after_` on."""
    started = task_runs.start_time
    if started is None or started.after_ is None:
        raise Invalid("task_runs.start_time.after_ is required")
    where = RunFilters(flows, flow_runs, task_runs, deployments, work_pools, work_queues).task_run_clause(tx.dialect)
    return models.count_outcomes(tx, where, started.after_, started.before_ or tx.now)


@route("POST", "/ui/task_runs/count", writes=False, tags=_TASK_RUNS)
def read_task_run_counts_by_state(
    tx: Transaction,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
) -> CountByState:
    """Count task runs by the type of their state."""
    where = RunFilters(flows, flow_runs, task_runs, deployments).task_run_clause(tx.dialect)
    return models.count_task_runs_by_state(tx, where)


@route("GET", "/ui/task_runs/{id}", writes=False, tags=_TASK_RUNS)
def read_task_run_with_flow_run_name(tx: Transaction, id: UUID) -> UITaskRun:
    """Read a task run with the name of its flow run."""
    run = read_task_run(tx, id)
    if run is None:
        raise NotFound(f"Task run {str(id)!r} not found")
    return UITaskRun.model_construct(
        run.model_fields_set | {"flow_run_name"},
        **{name: getattr(run, name) for name in type(run).model_fields},
        flow_run_name=models.read_flow_run_name(tx, run.flow_run_id),
    )


@route("POST", "/ui/schemas/validate", writes=False, tags=("UI", "Schemas"))
def validate_obj(tx: Transaction, schema: dict[str, Any], values: dict[str, Any]) -> SchemaValuesValidationResponse:
    """Check values against a JSON schema; templates among them are checked only for their form."""
    return SchemaValuesValidationResponse.model_validate(checked_values(tx, values, schema))
