"""Requests about flow runs, their states and their input."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client._calls._call import NOT_FOUND, Call, Steps, given, many, nothing, one
from prefect.client._calls.flows import create_flow
from prefect.client.schemas.actions import FlowRunCreate, FlowRunUpdate
from prefect.client.schemas.objects import FlowRun, FlowRunInput, State, StateType
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAcceptDetails


def create_run_of_flow(flow_id: UUID, *, state: State | None = None, **fields: Any) -> Call[FlowRun]:
    """Create a flow run of a flow, given by its id."""
    # Said in so many words, because a server may tell a run without job variables from one with none.
    fields = {"job_variables": {}, **given(**fields)}
    body = FlowRunCreate(flow_id=flow_id, state=state.to_state_create() if state is not None else None, **fields)
    return Call("POST", "/flow_runs/", body=body, parse=one(FlowRun))


def create_flow_run(
    flow: Any,
    name: str | None = None,
    parameters: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    tags: Any = None,
    parent_task_run_id: UUID | None = None,
    state: State | None = None,
    work_pool_name: str | None = None,
    work_queue_name: str | None = None,
    job_variables: dict[str, Any] | None = None,
) -> Steps[FlowRun]:
    """Create a run of a flow that is an object here; the flow itself is created if it is new."""
    flow_id = yield create_flow(flow)
    run = yield create_run_of_flow(
        flow_id,
        state=state or State(type=StateType.PENDING),
        flow_version=flow.version,
        name=name,
        parameters=flow.serialize_parameters(parameters or {}),
        context=context,
        tags=list(tags or ()),
        parent_task_run_id=parent_task_run_id,
        work_pool_name=work_pool_name,
        work_queue_name=work_queue_name,
        job_variables=job_variables,
        idempotency_key=str(uuid4()),  # a request whose answer is lost is repeated, and must not make a second run
        empirical_policy={"retries": flow.retries or 0, "retry_delay": flow.retry_delay_seconds or 0},
    )
    return run


def read_flow_run(flow_run_id: UUID) -> Call[FlowRun]:
    """Read a flow run."""
    return Call("GET", "/flow_runs/{id}", {"id": flow_run_id}, parse=one(FlowRun), errors=NOT_FOUND)


def _filters(
    flow_filter: Any,
    flow_run_filter: Any,
    task_run_filter: Any,
    deployment_filter: Any,
    work_pool_filter: Any,
    work_queue_filter: Any,
) -> dict[str, Any]:
    return given(
        flows=flow_filter,
        flow_runs=flow_run_filter,
        task_runs=task_run_filter,
        deployments=deployment_filter,
        work_pools=work_pool_filter,
        work_pool_queues=work_queue_filter,
    )


def read_flow_runs(
    *,
    flow_filter: Any = None,
    flow_run_filter: Any = None,
    task_run_filter: Any = None,
    deployment_filter: Any = None,
    work_pool_filter: Any = None,
    work_queue_filter: Any = None,
    sort: Any = None,
    limit: int | None = None,
    offset: int = 0,
) -> Call[list[FlowRun]]:
    """Read the flow runs that match all filters."""
    body = _filters(
        flow_filter, flow_run_filter, task_run_filter, deployment_filter, work_pool_filter, work_queue_filter
    ) | given(sort=sort, limit=limit, offset=offset)
    return Call("POST", "/flow_runs/filter", body=body, parse=many(FlowRun))


def count_flow_runs(
    *,
    flow_filter: Any = None,
    flow_run_filter: Any = None,
    task_run_filter: Any = None,
    deployment_filter: Any = None,
    work_pool_filter: Any = None,
    work_queue_filter: Any = None,
) -> Call[int]:
    """Count the flow runs that match all filters."""
    body = _filters(
        flow_filter, flow_run_filter, task_run_filter, deployment_filter, work_pool_filter, work_queue_filter
    )
    return Call("POST", "/flow_runs/count", body=body)


def update_flow_run(
    flow_run_id: UUID,
    flow_version: str | None = None,
    parameters: dict[str, Any] | None = None,
    name: str | None = None,
    tags: Any = None,
    empirical_policy: Any = None,
    infrastructure_pid: str | None = None,
    job_variables: dict[str, Any] | None = None,
) -> Call[None]:
    """Change a flow run; what is None stays."""
    update = FlowRunUpdate(
        **given(
            flow_version=flow_version,
            parameters=parameters,
            name=name,
            tags=tags,
            empirical_policy=empirical_policy,
            infrastructure_pid=infrastructure_pid,
            job_variables=job_variables,
        )
    )
    return Call("PATCH", "/flow_runs/{id}", {"id": flow_run_id}, body=update, parse=nothing)


def set_flow_run_name(flow_run_id: UUID, name: str) -> Call[None]:
    """Rename a flow run."""
    return update_flow_run(flow_run_id, name=name)


def update_flow_run_labels(flow_run_id: UUID, labels: Any) -> Call[None]:
    """Add labels to a flow run."""
    return Call("PATCH", "/flow_runs/{id}/labels", {"id": flow_run_id}, body=labels, parse=nothing)


def delete_flow_run(flow_run_id: UUID) -> Call[None]:
    """Delete a flow run with its task runs, states, input and logs."""
    return Call("DELETE", "/flow_runs/{id}", {"id": flow_run_id}, parse=nothing, errors=NOT_FOUND)


def set_flow_run_state(flow_run_id: UUID, state: State, force: bool = False) -> Call[OrchestrationResult[Any]]:
    """Propose a state for a flow run; `force` passes by most rules."""
    flow_run_id = UUID(str(flow_run_id))
    create = state.to_state_create()
    create.state_details.flow_run_id = flow_run_id
    # A proposal that is sent twice, because its answer was lost, is recognised by this.
    transition_id = create.state_details.transition_id = uuid4()
    body = {"state": create, "force": force}
    read = one(OrchestrationResult)
    return Call(
        "POST",
        "/flow_runs/{id}/set_state",
        {"id": flow_run_id},
        body=body,
        parse=lambda answer: _first_answer(read(answer), state.type, transition_id),
        errors=NOT_FOUND,
    )


def _first_answer(
    result: OrchestrationResult[Any], proposed: StateType, transition_id: UUID
) -> OrchestrationResult[Any]:
    """What the API has answered the first time, if it now refuses a proposal because it has accepted it already."""
    state = result.state
    if result.status is not SetStateStatus.REJECT or state is None or state.type is not proposed:
        return result
    if state.state_details.transition_id != transition_id:
        return result
    return OrchestrationResult(state=state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())


def release_flow_run_lease(flow_run_id: UUID) -> Call[None]:
    """Give back the lease that this process has on a run: what it has started goes on with it. Not all servers have leases."""
    return Call("POST", "/flow_run_leases/release", body={"flow_run_id": flow_run_id}, absent=None).as_holder()


def resume_flow_run(flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Call[OrchestrationResult[Any]]:
    """Resume a paused flow run."""
    body = given(run_input=run_input)
    return Call("POST", "/flow_runs/{id}/resume", {"id": flow_run_id}, body=body, parse=one(OrchestrationResult))


def read_flow_run_states(flow_run_id: UUID) -> Call[list[State]]:
    """Read the states of a flow run, oldest first."""
    return Call("GET", "/flow_run_states/", query={"flow_run_id": flow_run_id}, parse=many(State))


def read_flow_run_state(flow_run_state_id: UUID) -> Call[State]:
    """Read one state of a flow run."""
    return Call("GET", "/flow_run_states/{id}", {"id": flow_run_state_id}, parse=one(State), errors=NOT_FOUND)


def create_flow_run_input(flow_run_id: UUID, key: str, value: str, sender: str | None = None) -> Call[None]:
    """Store an input of a flow run."""
    body = given(key=key, value=value, sender=sender)
    return Call("POST", "/flow_runs/{id}/input", {"id": flow_run_id}, body=body, parse=nothing)


def filter_flow_run_input(
    flow_run_id: UUID, key_prefix: str, limit: int, exclude_keys: Any
) -> Call[list[FlowRunInput]]:
    """Read the inputs of a flow run whose key has a prefix, oldest first."""
    body = {"prefix": key_prefix, "limit": limit, "exclude_keys": sorted(exclude_keys)}
    return Call("POST", "/flow_runs/{id}/input/filter", {"id": flow_run_id}, body=body, parse=many(FlowRunInput))


def read_flow_run_input(flow_run_id: UUID, key: str) -> Call[str]:
    """Read the text of one input."""
    return Call("GET", "/flow_runs/{id}/input/{key}", {"id": flow_run_id, "key": key}, parse=_text)


def delete_flow_run_input(flow_run_id: UUID, key: str) -> Call[None]:
    """Delete one input."""
    return Call("DELETE", "/flow_runs/{id}/input/{key}", {"id": flow_run_id, "key": key}, parse=nothing)


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else body
