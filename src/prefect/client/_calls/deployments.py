"""Requests about deployments, their schedules and their runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_jsonable_python

from prefect.client._calls._call import NOT_FOUND, Call, given, id_of, many, nothing, one
from prefect.client.schemas.actions import (
    DeploymentBranch,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
)
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse

_SCHEDULE = "/deployments/{id}/schedules/{schedule_id}"


def create_deployment(
    flow_id: UUID,
    name: str,
    version: str | None = None,
    version_info: Any = None,
    schedules: list[DeploymentScheduleCreate] | None = None,
    concurrency_limit: int | None = None,
    concurrency_options: Any = None,
    parameters: dict[str, Any] | None = None,
    description: str | None = None,
    work_queue_name: str | None = None,
    work_pool_name: str | None = None,
    tags: list[str] | None = None,
    storage_document_id: UUID | None = None,
    path: str | None = None,
    entrypoint: str | None = None,
    infrastructure_document_id: UUID | None = None,
    parameter_openapi_schema: dict[str, Any] | None = None,
    paused: bool | None = None,
    pull_steps: list[dict[str, Any]] | None = None,
    enforce_parameter_schema: bool | None = None,
    job_variables: dict[str, Any] | None = None,
    branch: str | None = None,
    base: UUID | None = None,
    root: UUID | None = None,
) -> Call[UUID]:
    """Create a deployment, or replace the one of the same flow and name; gives its id."""
    new = DeploymentCreate(
        flow_id=flow_id,
        name=name,
        version=version,
        schedules=schedules or [],
        concurrency_limit=concurrency_limit,
        concurrency_options=concurrency_options,
        parameters=_json(parameters) or {},
        description=description,
        work_queue_name=work_queue_name,
        tags=list(tags or ()),
        storage_document_id=storage_document_id,
        path=path,
        entrypoint=entrypoint,
        infrastructure_document_id=infrastructure_document_id,
        job_variables=_json(job_variables) or {},
        # What follows keeps its former value in a deployment that is replaced, or needs a newer server.
        **given(
            version_info=version_info,
            work_pool_name=work_pool_name,
            parameter_openapi_schema=parameter_openapi_schema,
            paused=paused,
            pull_steps=pull_steps,
            enforce_parameter_schema=enforce_parameter_schema,
            branch=branch,
            base=base,
            root=root,
        ),
    )
    return Call("POST", "/deployments/", body=new, parse=id_of)


def create_deployment_branch(
    deployment_id: UUID, branch: str, options: Any = None, overrides: Any = None
) -> Call[UUID]:
    """Create a branch of a deployment, for APIs that know branches; gives its id."""
    body = DeploymentBranch(branch=branch, **given(options=options, overrides=overrides))
    return Call("POST", "/deployments/{id}/branch", {"id": deployment_id}, body=body, parse=id_of)


def read_deployment(deployment_id: UUID | str) -> Call[DeploymentResponse]:
    """Read a deployment."""
    return Call(
        "GET", "/deployments/{id}", {"id": _id_from(deployment_id)}, parse=one(DeploymentResponse), errors=NOT_FOUND
    )


def read_deployment_by_name(name: str) -> Call[DeploymentResponse]:
    """Read the deployment of a name, given as `flow-name/deployment-name`."""
    flow_name, slash, deployment_name = name.partition("/")
    if not slash:
        raise ValueError(f"Invalid deployment name format: {name}. Expected format: <FLOW_NAME>/<DEPLOYMENT_NAME>")
    path = {"flow_name": flow_name, "deployment_name": deployment_name}
    return Call(
        "GET", "/deployments/name/{flow_name}/{deployment_name}", path, parse=one(DeploymentResponse), errors=NOT_FOUND
    )


def read_deployments(
    *,
    flow_filter: Any = None,
    flow_run_filter: Any = None,
    task_run_filter: Any = None,
    deployment_filter: Any = None,
    work_pool_filter: Any = None,
    work_queue_filter: Any = None,
    limit: int | None = None,
    sort: Any = None,
    offset: int = 0,
) -> Call[list[DeploymentResponse]]:
    """Read the deployments that meet all filters."""
    body = given(
        flows=flow_filter,
        flow_runs=flow_run_filter,
        task_runs=task_run_filter,
        deployments=deployment_filter,
        work_pools=work_pool_filter,
        work_pool_queues=work_queue_filter,
        limit=limit,
        sort=sort,
        offset=offset,
    )
    return Call("POST", "/deployments/filter", body=body, parse=many(DeploymentResponse))


def update_deployment(deployment_id: UUID, deployment: DeploymentUpdate) -> Call[None]:
    """Change a deployment; what is not given stays as it is."""
    return Call("PATCH", "/deployments/{id}", {"id": deployment_id}, body=deployment, parse=nothing)


def set_deployment_paused_state(deployment_id: UUID, paused: bool) -> Call[None]:
    """Let the schedules of a deployment rest, or work again."""
    return update_deployment(deployment_id, DeploymentUpdate(paused=paused))


def pause_deployment(deployment_id: UUID | str) -> Call[None]:
    """Let the schedules of a deployment rest."""
    return set_deployment_paused_state(_id_from(deployment_id), True)


def resume_deployment(deployment_id: UUID | str) -> Call[None]:
    """Let the schedules of a deployment work again."""
    return set_deployment_paused_state(_id_from(deployment_id), False)


def delete_deployment(deployment_id: UUID) -> Call[None]:
    """Delete a deployment with its schedules."""
    return Call("DELETE", "/deployments/{id}", {"id": deployment_id}, parse=nothing, errors=NOT_FOUND)


def create_deployment_schedules(
    deployment_id: UUID,
    schedules: list[Any],
    max_scheduled_runs: int | None = None,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Call[list[DeploymentSchedule]]:
    """Add schedules to a deployment: requests, or pairs of a schedule and whether it is active."""
    options = given(max_scheduled_runs=max_scheduled_runs, parameters=_json(parameters), slug=slug)
    body = [
        each
        if isinstance(each, DeploymentScheduleCreate)
        else DeploymentScheduleCreate(schedule=each[0], active=each[1], **options)
        for each in schedules
    ]
    path = {"id": deployment_id}
    return Call("POST", "/deployments/{id}/schedules", path, body=body, parse=many(DeploymentSchedule))


def read_deployment_schedules(deployment_id: UUID) -> Call[list[DeploymentSchedule]]:
    """Read the schedules of a deployment."""
    return Call(
        "GET", "/deployments/{id}/schedules", {"id": deployment_id}, parse=many(DeploymentSchedule), errors=NOT_FOUND
    )


def update_deployment_schedule(
    deployment_id: UUID,
    schedule_id: UUID,
    active: bool | None = None,
    schedule: Any = None,
    max_scheduled_runs: int | None = None,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Call[None]:
    """Change a schedule of a deployment; what is None stays as it is."""
    changes = given(
        active=active,
        schedule=schedule,
        max_scheduled_runs=max_scheduled_runs,
        parameters=_json(parameters),
        slug=slug,
    )
    path = {"id": deployment_id, "schedule_id": schedule_id}
    return Call("PATCH", _SCHEDULE, path, body=DeploymentScheduleUpdate(**changes), parse=nothing, errors=NOT_FOUND)


def delete_deployment_schedule(deployment_id: UUID, schedule_id: UUID) -> Call[None]:
    """Delete a schedule of a deployment."""
    return Call("DELETE", _SCHEDULE, {"id": deployment_id, "schedule_id": schedule_id}, parse=nothing, errors=NOT_FOUND)


def get_scheduled_flow_runs_for_deployments(
    deployment_ids: list[UUID], scheduled_before: Any = None, limit: int | None = None
) -> Call[list[FlowRun]]:
    """Read the scheduled runs of deployments, for a runner to take."""
    body = given(deployment_ids=list(deployment_ids), scheduled_before=scheduled_before, limit=limit)
    return Call("POST", "/deployments/get_scheduled_flow_runs", body=body, parse=many(FlowRun))


def create_flow_run_from_deployment(
    deployment_id: UUID,
    *,
    parameters: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    state: State | None = None,
    name: str | None = None,
    tags: Any = None,
    idempotency_key: str | None = None,
    parent_task_run_id: UUID | None = None,
    work_queue_name: str | None = None,
    job_variables: dict[str, Any] | None = None,
    labels: Any = None,
) -> Call[FlowRun]:
    """Create a run of a deployment, scheduled for now unless a state is given."""
    body = DeploymentFlowRunCreate(
        parameters=_json(parameters) or {},
        context=_json(context) or {},
        state=(state or State(type=StateType.SCHEDULED)).to_state_create(),
        tags=list(tags or ()),
        **given(
            name=name,
            # A request whose answer is lost is repeated, and must not make a second run.
            idempotency_key=idempotency_key or str(uuid4()),
            parent_task_run_id=parent_task_run_id,
            work_queue_name=work_queue_name,
            job_variables=_json(job_variables),
            labels=labels,
        ),
    )
    return Call("POST", "/deployments/{id}/create_flow_run", {"id": deployment_id}, body=body, parse=one(FlowRun))


def _id_from(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise ValueError(f"Invalid deployment ID: {value}. Expected a UUID.") from None


def _json(values: dict[str, Any] | None) -> dict[str, Any] | None:
    # Models among the values keep the fields that they have by default: bodies are sent without unset fields.
    return None if values is None else to_jsonable_python(values, fallback=str)
