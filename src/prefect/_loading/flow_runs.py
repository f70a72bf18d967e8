"""Loads the flow of a run that was created elsewhere: from its deployment, or from where the environment says."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

from prefect._asking import ask
from prefect._loading.entrypoints import load_flow_from_entrypoint, load_function_and_convert_to_flow
from prefect._loading.fetching import fetching_plan
from prefect._loading.workspace import Workspace
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.client._calls.deployments import read_deployment
from prefect.client._calls.flow_runs import read_flow_run
from prefect.client._send import send
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import MissingFlowError
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger


def load_flow_run(flow_run_id: UUID) -> FlowRun:
    """Read a flow run from the API.

    Raises:
        ObjectNotFound: There is no such run.
    """
    return send(read_flow_run(flow_run_id))


def load_flow(flow_run: FlowRun) -> Flow[..., Any]:
    """Load the flow of a run: from `PREFECT__FLOW_ENTRYPOINT` if that is set, else as its deployment says.

    A function that is no flow becomes one that logs its prints.

    Raises:
        ValueError: The run has no deployment, or the deployment has no entrypoint.
        MissingFlowError: There is no such object.
        ScriptError: The file raises while it is loaded.
    """
    entrypoint = os.environ.get("PREFECT__FLOW_ENTRYPOINT")
    if entrypoint:
        return _load(entrypoint, use_placeholder_flow=False)
    return _load(bring_code(flow_run, Workspace.of_this_process()), use_placeholder_flow=False)


def bring_code(flow_run: FlowRun, workspace: Workspace | None) -> str:
    """Bring the code of a run's deployment to this process; gives the entrypoint as it is found then.

    Args:
        flow_run: The run.
        workspace: The folder of the run, if it has one.

    Raises:
        ValueError: The run has no deployment, or the deployment has no entrypoint.
        Exception: The code cannot be brought.
    """
    base_path = os.environ.get("PREFECT__STORAGE_BASE_PATH")
    return run_plan(_entrypoint_plan(flow_run, ask, False, base_path, workspace))


def load_flow_and_flow_run(flow_run_id: UUID) -> tuple[FlowRun, Flow[..., Any]]:
    """Read a flow run and load its flow. Raises as `load_flow_run` and `load_flow` do."""
    flow_run = load_flow_run(flow_run_id)
    return flow_run, load_flow(flow_run)


async def load_flow_from_flow_run(
    client: Any,
    flow_run: FlowRun,
    ignore_storage: bool = False,
    storage_base_path: str | None = None,
    use_placeholder_flow: bool = True,
) -> Flow[..., Any]:
    """Load the flow of a run of a deployment.

    Args:
        client: Reads the deployment.
        ignore_storage: Take the code from the working directory, wherever the deployment says that it is.
        storage_base_path: What `$STORAGE_BASE_PATH` in the deployment's path stands for.
        use_placeholder_flow: Recover what the source says of a flow whose file does not load.

    Raises:
        ValueError: The run has no deployment, or the deployment has no entrypoint.
        MissingFlowError: There is no such object.
    """

    def read_through(call: Any) -> Pair:
        return Pair(send, lambda _: client.read_deployment(flow_run.deployment_id), call)

    plan = _entrypoint_plan(flow_run, read_through, ignore_storage, storage_base_path)
    return _load(await run_plan_async(plan), use_placeholder_flow)


def _entrypoint_plan(
    flow_run: FlowRun, ask: Any, ignore_storage: bool, base_path: str | None, workspace: Workspace | None = None
) -> Plan[str]:
    if flow_run.deployment_id is None:
        raise ValueError(
            f"Flow run {str(flow_run.id)!r} does not belong to a deployment, so where its flow is cannot be told. Set "
            "PREFECT__FLOW_ENTRYPOINT to the flow's entrypoint, such as 'etl.py:etl'."
        )
    deployment = yield ask(read_deployment(flow_run.deployment_id))
    entrypoint = deployment.entrypoint
    if not entrypoint:
        raise ValueError(f"Deployment {str(deployment.id)!r} has no entrypoint, so its flow cannot be loaded.")
    if workspace is not None:
        entrypoint = yield from workspace.bring_code_plan(flow_run, deployment)
    elif not ignore_storage:
        entrypoint = yield from fetching_plan(deployment, flow_run, base_path)
    flow_run_logger(flow_run).debug("Importing flow code from %r", entrypoint)
    return entrypoint


def _load(entrypoint: str, use_placeholder_flow: bool) -> Flow[..., Any]:
    try:
        return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=use_placeholder_flow)
    except MissingFlowError as error:
        try:
            return load_function_and_convert_to_flow(entrypoint)
        except (RuntimeError, TypeError):
            raise error from None
