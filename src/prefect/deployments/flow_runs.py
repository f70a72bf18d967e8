"""Starts runs of deployments from code, and waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect._asking import ask
from prefect._compat.dispatch import async_dispatch
from prefect._engine.subflows import tracking_call_for
from prefect._engine.tracing import current_labels
from prefect._flow_run_waiting import wait_plan
from prefect._plans import Effect, Pair, Plan, run_plan, run_plan_async
from prefect.client._calls._call import Call
from prefect.client._calls.deployments import (
    create_flow_run_from_deployment,
    read_deployment,
    read_deployment_by_name,
)
from prefect.client._calls.flows import read_flow
from prefect.client._calls.task_runs import delete_task_run
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.context import FlowRunContext, TaskRunContext
from prefect.deployments._options import arguments_of
from prefect.deployments._parameters import as_stored
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled
from prefect.types._datetime import now
from prefect.utilities.asyncutils import run_coro_as_sync
from prefect.utilities.slugify import slugify

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

__all__ = ["arun_deployment", "run_deployment"]

_POLL_SECONDS = 5.0


async def arun_deployment(
    name: str | UUID,
    client: PrefectClient | None = None,
    parameters: dict[str, Any] | None = None,
    scheduled_time: datetime | None = None,
    flow_run_name: str | None = None,
    timeout: float | None = None,
    poll_interval: float | None = 5,
    tags: Iterable[str] | None = None,
    idempotency_key: str | None = None,
    work_queue_name: str | None = None,
    as_subflow: bool | None = True,
    job_variables: dict[str, Any] | None = None,
) -> FlowRun:
    """`run_deployment` for async code."""
    return await run_plan_async(_run_plan(**locals()))


@async_dispatch(arun_deployment, forwards=True)
def run_deployment(*args: Any, **kwargs: Any) -> FlowRun:
    """Create a run of a deployment, and wait until it has ended. Whoever serves the deployment runs it.

    Inside a flow or a task the run becomes a child of that run: it appears in its graph, with what its parameters
    depend on.

    Args:
        name: `flow-name/deployment-name`, or the deployment's id.
        client: Sends the requests; by default the active API is asked.
        parameters: Arguments that differ from those of the deployment. Futures are not resolved: give their results.
        scheduled_time: When the run is to start; now by default.
        flow_run_name: The name of the run; made up by default.
        timeout: Seconds to wait for its end. 0: return at once. None: wait for as long as it takes.
        poll_interval: Seconds between two looks at the run. Where the API tells of its events, it is also looked at when
            one comes.
        tags: Tags of the run besides those of the deployment.
        idempotency_key: A run that was created with this key before is returned instead of a new one.
        work_queue_name: A work queue other than that of the deployment.
        as_subflow: Whether the run becomes a child of the run that asks for it.
        job_variables: Job variables that differ from those of the deployment.

    Returns:
        The run as it was last: final, unless the time was over before. That it failed is no error here; look at its state.

    Raises:
        ValueError: The timeout is negative, or a parameter has no form in JSON.
        ObjectNotFound: There is no such deployment.
        PrefectHTTPStatusError: The API refuses the run, for example because a parameter does not fit.
    """
    return run_plan(_run_plan(**arguments_of(arun_deployment, args, kwargs)))


def _run_plan(
    name: str | UUID,
    client: Any,
    parameters: dict[str, Any] | None,
    scheduled_time: datetime | None,
    flow_run_name: str | None,
    timeout: float | None,
    poll_interval: float | None,
    tags: Iterable[str] | None,
    idempotency_key: str | None,
    work_queue_name: str | None,
    as_subflow: bool | None,
    job_variables: dict[str, Any] | None,
) -> Plan[FlowRun]:
    if timeout is not None and timeout < 0:
        raise ValueError(
            f"`timeout` cannot be negative, got {timeout!r}. Give 0 to return at once, None to wait for ever."
        )
    ask_api = _asker(client)
    stored = as_stored(parameters or {})
    deployment = yield from _find_plan(name, ask_api)
    tracking = (yield from _tracking_plan(deployment, parameters or {}, ask_api)) if as_subflow else None
    creation = create_flow_run_from_deployment(
        deployment.id,
        parameters=stored,
        state=Scheduled(scheduled_time=scheduled_time or now()),
        name=flow_run_name,
        tags=tags,
        idempotency_key=idempotency_key,
        parent_task_run_id=tracking.id if tracking is not None else None,
        work_queue_name=work_queue_name,
        job_variables=job_variables,
        labels=current_labels() or None,
    )
    try:
        run: FlowRun = yield ask_api(creation)
    except Exception:
        if tracking is not None:
            yield from _forget_plan(tracking, ask_api)
        raise
    if timeout == 0:
        return run
    return (yield from wait_plan(run.id, timeout, _POLL_SECONDS if poll_interval is None else poll_interval))


# -- the deployment ----------------------------------------------------------------------------------------------------

_Ask = Callable[[Call[Any]], Effect]


def _find_plan(name: str | UUID, ask_api: _Ask) -> Plan[DeploymentResponse]:
    try:
        call = read_deployment(name if isinstance(name, UUID) else UUID(name))
    except ValueError:
        call = read_deployment_by_name(str(name))
    try:
        return (yield ask_api(call))
    except ObjectNotFound as error:
        error.help_message = (
            f"There is no deployment {str(name)!r}. `prefect deployment ls` lists those that there are; the name is"
            " 'flow-name/deployment-name'."
        )
        raise


# -- the run that asks -------------------------------------------------------------------------------------------------


def _tracking_plan(deployment: DeploymentResponse, parameters: dict[str, Any], ask_api: _Ask) -> Plan[TaskRun | None]:
    """Create the task run that stands for the new run in the run that asks for it, if one does."""
    parent, parent_task = FlowRunContext.get(), TaskRunContext.get()
    if parent is not None and parent.flow_run is None:
        parent = None
    if parent is None and parent_task is None:
        return None
    flow = yield ask_api(read_flow(deployment.flow_id))
    call, _ = tracking_call_for(
        f"{__name__}.run_deployment.{slugify(f'{flow.name}/{deployment.name}')}",
        deployment.name,
        parameters,
        parent,
        parent_task,
        task_version=deployment.version,
    )
    return (yield ask_api(call))


def _forget_plan(tracking: TaskRun, ask_api: _Ask) -> Plan[None]:
    """Take back a tracking task run whose flow run was refused; it would stay pending for ever."""
    state = tracking.state
    if state is not None and state.state_details.child_flow_run_id is not None:
        # It stands for the run that an earlier attempt asked for.
        return
    try:
        yield ask_api(delete_task_run(tracking.id))
    except ObjectNotFound:
        return


# -- the client --------------------------------------------------------------------------------------------------------


def _asker(client: Any) -> _Ask:
    """How calls are sent: through a client of the user's, or to the active API."""
    return ask if client is None else lambda call: Pair(_send_through, _asend_through, client, call)


def _send_through(client: Any, call: Call[Any]) -> Any:
    sent = client.send(call)
    return run_coro_as_sync(sent) if hasattr(sent, "__await__") else sent


async def _asend_through(client: Any, call: Call[Any]) -> Any:
    sent = client.send(call)
    return await sent if hasattr(sent, "__await__") else sent
