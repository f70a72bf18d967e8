"""Loads the flow of a run that was created elsewhere: from its deployment, or from where the environment says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import _upcalls
from prefect._asking import ask
from prefect._loading.entrypoints import load_flow_from_entrypoint, load_function_and_convert_to_flow
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.client._calls.deployments import read_deployment
from prefect.client._calls.flow_runs import read_flow_run
from prefect.client._send import send
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import MissingFlowError
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger

_BASE_PATH_MARK = "$STORAGE_BASE_PATH"


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
    base_path = os.environ.get("PREFECT__STORAGE_BASE_PATH")
    return run_plan(_loading_plan(flow_run, ask, False, base_path, use_placeholder_flow=False))


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

    plan = _loading_plan(flow_run, read_through, ignore_storage, storage_base_path, use_placeholder_flow)
    return await run_plan_async(plan)


def _loading_plan(
    flow_run: FlowRun, ask: Any, ignore_storage: bool, storage_base_path: str | None, use_placeholder_flow: bool
) -> Plan[Flow[..., Any]]:
    if flow_run.deployment_id is None:
        raise ValueError(
            f"Flow run {str(flow_run.id)!r} does not belong to a deployment, so where its flow is cannot be told. Set "
            "PREFECT__FLOW_ENTRYPOINT to the flow's entrypoint, such as 'etl.py:etl'."
        )
    deployment = yield ask(read_deployment(flow_run.deployment_id))
    entrypoint = deployment.entrypoint
    if not entrypoint:
        raise ValueError(f"Deployment {str(deployment.id)!r} has no entrypoint, so its flow cannot be loaded.")
    logger = flow_run_logger(flow_run)
    if deployment.pull_steps and not ignore_storage:
        logger.debug("Running %s deployment pull step(s)", len(deployment.pull_steps))
        yield from _pull(deployment.pull_steps)
    elif not ignore_storage:
        entrypoint = yield from _place_in_storage(deployment, entrypoint, storage_base_path)
    logger.debug("Importing flow code from %r", entrypoint)
    return _load(entrypoint, use_placeholder_flow)


def _pull(steps: list[dict[str, Any]]) -> Plan[None]:
    run_steps = _upcalls.resolve("run_pull_steps")
    output = yield Pair(_run_coroutine, _call, run_steps, steps)
    if output.get("directory"):
        # The code's own relative paths mean the directory that it was pulled into.
        os.chdir(output["directory"])


def _place_in_storage(deployment: Any, entrypoint: str, base_path: str | None) -> Plan[str]:
    """The entrypoint as it is found from here, after fetching a storage block's files."""
    path = deployment.path
    if path and base_path:
        path = path.replace(_BASE_PATH_MARK, base_path)
    if deployment.storage_document_id is not None:
        from prefect.blocks.core import Block  # noqa: PLC0415 - few deployments use a storage block

        block: Any = yield Pair(_load_block, _aload_block, Block, deployment.storage_document_id)
        yield Pair(_run_coroutine, _call, block.get_directory, path, ".")
        return entrypoint
    if path and ".py:" in entrypoint and not Path(entrypoint.rpartition(":")[0]).is_absolute():
        return str(Path(path).expanduser() / entrypoint)
    return entrypoint


def _load(entrypoint: str, use_placeholder_flow: bool) -> Flow[..., Any]:
    try:
        return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=use_placeholder_flow)
    except MissingFlowError as error:
        try:
            return load_function_and_convert_to_flow(entrypoint)
        except (RuntimeError, TypeError):
            raise error from None


def _load_block(block: Any, document_id: UUID) -> Any:
    return block.load_from_ref({"block_document_id": document_id}, _sync=True)


async def _aload_block(block: Any, document_id: UUID) -> Any:
    return await block.aload_from_ref({"block_document_id": document_id})


async def _call(fn: Any, *args: Any) -> Any:
    found = fn(*args)
    return await found if hasattr(found, "__await__") else found


def _run_coroutine(fn: Any, *args: Any) -> Any:
    from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - few deployments need it

    return run_coro_as_sync(_call(fn, *args))
