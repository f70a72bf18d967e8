"""Runs a finished flow run again."""

from typing import Any
from uuid import UUID

from prefect.cli import _output, _times
from prefect.cli._api import read_pages
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, ParameterTypeError, ScriptError, SignatureMismatchError
from prefect.flow_engine import run_flow
from prefect.flows import Flow
from prefect.states import Scheduled
from prefect.utilities.importtools import import_object


def retry_flow_run(client: SyncPrefectClient, id_or_name: str, entrypoint: str | None) -> None:
    """Schedule a run of a deployment again, or execute any other run here.

    Ends the command if there is no such run, if it has not ended, or if it does not complete here.
    """
    run = _find(client, id_or_name)
    if run.state is None or not run.state.is_final():
        kind = run.state.type.value if run.state else "without a state"
        _output.fail(
            f"Flow run '{run.id}' cannot be retried: it is {kind}. Only runs that have ended can:"
            " COMPLETED, FAILED, CANCELLED or CRASHED ones."
        )
    if run.deployment_id is not None:
        _schedule(client, run)
        _output.success(f"Flow run '{run.id}' is scheduled again. A worker is going to pick it up.")
        return
    if entrypoint is None:
        _output.fail(
            f"Flow run '{run.id}' has no deployment that says where its flow is. Say it, for example:"
            f"\n\n    prefect flow-run retry {run.id} --entrypoint ./flows/my_flow.py:my_flow"
        )
    flow = _load(entrypoint)
    _check_parameters(flow, run)
    _schedule(client, run)
    _execute(flow, client.read_flow_run(run.id))


def _find(client: SyncPrefectClient, id_or_name: str) -> FlowRun:
    try:
        return client.read_flow_run(UUID(id_or_name))
    except (ValueError, ObjectNotFound):
        pass
    chosen = FlowRunFilter.model_validate({"name": {"any_": [id_or_name]}})
    found = list(read_pages(client.read_flow_runs, flow_run_filter=chosen))
    if not found:
        _output.fail(f"Flow run {id_or_name!r} not found.")
    if len(found) > 1:
        listed = [
            f"  {run.id}  {run.state.name if run.state else '-'}, {_times.relative(run.created) if run.created else ''}"
            for run in found
        ]
        _output.fail(
            "\n".join([f"{len(found)} flow runs have the name {id_or_name!r}:", "", *listed, "", "Give the id of one."])
        )
    return found[0]


def _load(entrypoint: str) -> Flow[Any, Any]:
    try:
        flow = import_object(entrypoint)
    except (ScriptError, ImportError, AttributeError, ValueError) as error:
        reason = getattr(error, "user_exc", error)
        _output.fail(f"Cannot load a flow from {entrypoint!r}: {type(reason).__name__}: {reason}")
    if not isinstance(flow, Flow):
        _output.fail(f"{entrypoint!r} is no flow: it is a {type(flow).__name__}.")
    return flow


def _check_parameters(flow: Flow[Any, Any], run: FlowRun) -> None:
    try:
        flow.validate_parameters(run.parameters)
    except (SignatureMismatchError, ParameterTypeError, TypeError) as error:
        _output.fail(f"The parameters of flow run '{run.id}' do not fit flow {flow.name!r} any more: {error}")


def _schedule(client: SyncPrefectClient, run: FlowRun) -> None:
    state: State = Scheduled(message="Retried from the command line.")
    result = client.set_flow_run_state(run.id, state, force=True)
    if result.status is not SetStateStatus.ACCEPT:
        reason = getattr(result.details, "reason", None) or f"the API answered {result.status.value}"
        _output.fail(f"Flow run '{run.id}' cannot be retried: {reason}")


def _execute(flow: Flow[Any, Any], run: FlowRun) -> None:
    _output.echo(f"Executing flow run {run.name!r} ({run.id}) here.")
    state: Any = run_flow(flow, flow_run=run, parameters=run.parameters, return_type="state")
    if flow.isasync:
        # Imported here because few flows need a loop.
        import asyncio  # noqa: PLC0415

        state = asyncio.run(state)
    if state.type is not StateType.COMPLETED:
        _output.fail(f"Flow run '{run.id}' ended in state {state.name!r}: {state.message or 'no message'}")
    _output.success(f"Flow run '{run.id}' completed.")
