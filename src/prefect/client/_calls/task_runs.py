"""Requests about task runs and their states."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import NOT_FOUND, Call, given, many, nothing, one
from prefect.client.schemas.actions import TaskRunCreate, TaskRunUpdate
from prefect.client.schemas.objects import State, TaskRun
from prefect.client.schemas.responses import OrchestrationResult


def create_task_run_from(task_run: TaskRunCreate) -> Call[TaskRun]:
    """Create a task run, or read the one with the same flow run, task key and dynamic key."""
    return Call("POST", "/task_runs/", body=task_run, parse=one(TaskRun))


def create_task_run(
    task: Any,
    flow_run_id: UUID | None,
    dynamic_key: str,
    id: UUID | None = None,
    name: str | None = None,
    extra_tags: Any = None,
    state: State | None = None,
    task_inputs: Any = None,
) -> Call[TaskRun]:
    """Create a run of a task."""
    return create_task_run_from(
        TaskRunCreate(
            id=id,
            name=name or f"{task.name}-{dynamic_key}",
            flow_run_id=flow_run_id,
            task_key=task.task_key,
            task_version=task.version,
            dynamic_key=str(dynamic_key),
            tags=sorted({*task.tags, *(extra_tags or ())}),
            empirical_policy=task._run_policy,
            task_inputs=task_inputs or {},
            state=state.to_state_create() if state is not None else None,
        )
    )


def read_task_run(task_run_id: UUID) -> Call[TaskRun]:
    """Read a task run."""
    return Call("GET", "/task_runs/{id}", {"id": task_run_id}, parse=one(TaskRun), errors=NOT_FOUND)


def read_task_runs(
    *,
    flow_filter: Any = None,
    flow_run_filter: Any = None,
    task_run_filter: Any = None,
    deployment_filter: Any = None,
    sort: Any = None,
    limit: int | None = None,
    offset: int = 0,
) -> Call[list[TaskRun]]:
    """Read the task runs that match all filters."""
    body = given(
        flows=flow_filter,
        flow_runs=flow_run_filter,
        task_runs=task_run_filter,
        deployments=deployment_filter,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    return Call("POST", "/task_runs/filter", body=body, parse=many(TaskRun))


def delete_task_run(task_run_id: UUID) -> Call[None]:
    """Delete a task run."""
    return Call("DELETE", "/task_runs/{id}", {"id": task_run_id}, parse=nothing, errors=NOT_FOUND)


def set_task_run_name(task_run_id: UUID, name: str) -> Call[None]:
    """Rename a task run."""
    return Call("PATCH", "/task_runs/{id}", {"id": task_run_id}, body=TaskRunUpdate(name=name), parse=nothing)


def set_task_run_state(task_run_id: UUID, state: State, force: bool = False) -> Call[OrchestrationResult[Any]]:
    """Propose a state for a task run; `force` passes by most rules."""
    task_run_id = UUID(str(task_run_id))
    create = state.to_state_create()
    create.state_details.task_run_id = task_run_id
    body = {"state": create, "force": force}
    return Call("POST", "/task_runs/{id}/set_state", {"id": task_run_id}, body=body, parse=one(OrchestrationResult))


def read_task_run_states(task_run_id: UUID) -> Call[list[State]]:
    """Read the states of a task run, oldest first."""
    return Call("GET", "/task_run_states/", query={"task_run_id": task_run_id}, parse=many(State))
