"""The routes of task runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import StateCreate, TaskRunCreate, TaskRunUpdate
from prefect.client.schemas.filters import DeploymentFilter, FlowFilter, FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import TaskRun
from prefect.client.schemas.responses import HistoryResponse, OrchestrationResult
from prefect.client.schemas.sorting import TaskRunSort
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Transaction
from prefect.server.models import run_history
from prefect.server.models import task_runs as models
from prefect.server.models.task_run_leases import follow_task_run_state
from prefect.server.models.task_run_transitions import set_task_run_state as propose_state
from prefect.server.orchestration.policies import BACKGROUND_TASK_POLICY, CORE_TASK_POLICY, MINIMAL_TASK_POLICY
from prefect.server.routes._leases import lease_header
from prefect.server.routes._pages import checked_interval, checked_limit
from prefect.server.routes._pages import page as page_of
from prefect.server.routes._table import ABSENT, Caller, NotFound, Reply, Whole, route
from prefect.types import DateTime


@route("POST", "/task_runs/", also=(201,))
def create_task_run(tx: Transaction, task_run: Whole[TaskRunCreate]) -> Reply[TaskRun]:
    """Create a task run, or read the one of the same flow run, task and dynamic key."""
    run, is_new = models.create_task_run(tx, task_run)
    return Reply(201 if is_new else 200, run)


@route("GET", "/task_runs/{id}", writes=False)
def read_task_run(tx: Transaction, id: UUID) -> TaskRun:
    """Read a task run."""
    run = models.read_task_run(tx, id)
    if run is None:
        raise NotFound(f"Task run {str(id)!r} not found")
    return run


@route("PATCH", "/task_runs/{id}", status=204)
def update_task_run(tx: Transaction, id: UUID, task_run: Whole[TaskRunUpdate]) -> None:
    """Change a task run."""
    if not models.update_task_run(tx, id, task_run):
        raise NotFound(f"Task run {str(id)!r} not found")


@route("DELETE", "/task_runs/{id}", status=204)
def delete_task_run(tx: Transaction, id: UUID) -> None:
    """Delete a task run with its states and logs."""
    if not models.delete_task_run(tx, id):
        raise NotFound(f"Task run {str(id)!r} not found")


@route("POST", "/task_runs/{id}/set_state", also=(201,))
def set_task_run_state(
    tx: Transaction, id: UUID, state: StateCreate, caller: Caller, force: bool = False
) -> Reply[OrchestrationResult]:
    """Propose a state for a task run; only a forced one is stored whatever the rules say."""
    if force:
        policy = MINIMAL_TASK_POLICY
    else:
        policy = BACKGROUND_TASK_POLICY if state.state_details.deferred else CORE_TASK_POLICY
    outcome = propose_state(tx, id, state, policy=policy)
    if outcome is None:
        raise NotFound(f"Task run with id {id} not found", bare=True)
    held: dict[str, str] = {}
    if outcome.is_written and outcome.state is not None:
        held = lease_header(follow_task_run_state(tx, id, outcome.state, caller.holder))
    return Reply(201 if outcome.is_written else 200, outcome.result(), headers=held)


@route("POST", "/task_runs/count", writes=False)
def count_task_runs(
    tx: Transaction,
    flows: FlowFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
) -> int:
    """Count task runs."""
    where = RunFilters(flows, flow_runs, task_runs, deployments).task_run_clause(tx.dialect)
    return models.count_task_runs(tx, where)


@route("POST", "/task_runs/filter", writes=False)
def read_task_runs(
    tx: Transaction,
    sort: TaskRunSort = TaskRunSort.ID_DESC,
    offset: Annotated[int, Field(ge=0)] = 0,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    limit: int = ABSENT,
) -> list[TaskRun]:
    """Read the task runs that meet filters."""
    where = RunFilters(flows, flow_runs, task_runs, deployments).task_run_clause(tx.dialect)
    return models.read_task_runs(tx, where, sort, checked_limit(limit), offset)


@route("POST", "/task_runs/paginate", writes=False, answers="TaskRunPaginationResponse")
def paginate_task_runs(
    tx: Transaction,
    sort: TaskRunSort = TaskRunSort.ID_DESC,
    page: Annotated[int, Field(ge=1)] = 1,
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    limit: int = ABSENT,
) -> dict[str, Any]:
    """Read one page of the task runs that meet filters."""
    limit = checked_limit(limit)
    where = RunFilters(flows, flow_runs, task_runs, deployments).task_run_clause(tx.dialect)
    runs = models.read_task_runs(tx, where, sort, limit, (page - 1) * limit)
    return page_of(runs, models.count_task_runs(tx, where), limit, page)


@route("POST", "/task_runs/history", writes=False, name="task_run_history")
def read_task_run_history(
    tx: Transaction,
    history_start: DateTime,
    history_end: DateTime,
    history_interval_seconds: timedelta,
    flows: FlowFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
) -> list[HistoryResponse]:
    """Count task runs by state in each slice of a span of time."""
    where = RunFilters(flows, flow_runs, task_runs, deployments).task_run_clause(tx.dialect)
    interval = checked_interval(history_interval_seconds)
    return run_history.read_run_history(tx, "task_run", where, history_start, history_end, interval)
