"""Runs flow runs that were created elsewhere: in this process, or in one of their own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Iterable
from multiprocessing.context import SpawnProcess
from typing import Any
from uuid import UUID

import cloudpickle

from prefect._engine import supervision
from prefect._engine.run_flows import run_flow
from prefect._loading.flow_runs import load_flow, load_flow_run
from prefect._loading.shipping import unpack_flow
from prefect._state_values import format_exception
from prefect.client._calls.flow_runs import set_flow_run_state
from prefect.client._send import send
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import serialize_context
from prefect.engine import handle_engine_signals
from prefect.flows import Flow
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import flow_run_logger


def run_flow_run(flow_run_id: UUID) -> bool:
    """Load the flow of a run and run it here. An async flow runs in a loop of this thread, so that signals reach it.

    A run whose flow cannot be loaded is crashed, so that it does not stay pending for ever.

    Returns:
        Whether all went well; if not, the logs and the state of the run say what went wrong.

    Raises:
        ObjectNotFound: There is no such run.
        Exception: What went wrong could not be recorded.
    """
    return _load_and_run(flow_run_id, lambda flow_run: (load_flow(flow_run), None))


def run_shipped_flow_run(flow_run_id: UUID, packed: bytes) -> bool:
    """Run a run here whose flow another process has packed. As `run_flow_run` otherwise."""
    return _load_and_run(flow_run_id, lambda _: unpack_flow(packed))


def _load_and_run(flow_run_id: UUID, load: Callable[[FlowRun], tuple[Flow[..., Any], dict[str, Any] | None]]) -> bool:
    ensure_logging_setup()
    flow_run = load_flow_run(flow_run_id)
    try:
        flow, context = load(flow_run)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises when it is loaded
        reason = f"The flow could not be loaded: {format_exception(error)}"
        flow_run_logger(flow_run).error("%s", reason, exc_info=error)
        send(
            set_flow_run_state(flow_run_id, State(type=StateType.CRASHED, name="Crashed", message=reason), force=False)
        )
        supervision.tell_end(flow_run_id)
        return False
    if flow.isgenerator:
        _run(flow, flow_run, context=context)
        return True
    state = _run(flow, flow_run, context=context, return_type="state")
    return not (state.is_failed() or state.is_crashed())


def _run(flow: Flow[..., Any], flow_run: FlowRun | None, **options: Any) -> Any:
    started = run_flow(flow, flow_run=flow_run, **options)
    if flow.isgenerator:
        return asyncio.run(_exhaust(started)) if flow.isasync else list(started)
    return asyncio.run(started) if flow.isasync else started


async def _exhaust(values: Any) -> list[Any]:
    return [value async for value in values]


def run_flow_in_subprocess(
    flow: Flow[..., Any],
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    context: dict[str, Any] | None = None,
    env: dict[str, str | None] | None = None,
) -> SpawnProcess:
    """Start a process that runs a flow, and return without waiting for it.

    Args:
        flow: The flow; it must be picklable by cloudpickle.
        flow_run: A run that exists already; a new one by default.
        parameters: The bound arguments; those of `flow_run` by default.
        wait_for: Futures and states that must complete first.
        context: Contexts from `serialize_context`; the present ones by default.
        env: Environment variables of the process; None unsets one.

    Returns:
        The process. Its exit code is 0 if the run ended as it should, else 1.

    Raises:
        Exception: Something cannot be pickled.
    """
    payload = cloudpickle.dumps(
        (flow, flow_run, parameters, wait_for, serialize_context() if context is None else context)
    )
    process = multiprocessing.get_context("spawn").Process(target=_run_in_child, args=(payload, env or {}))
    process.start()
    return process


def _run_in_child(payload: bytes, env: dict[str, str | None]) -> None:
    for name, value in env.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    flow, flow_run, parameters, wait_for, context = cloudpickle.loads(payload)
    flow_run_id = flow_run.id if flow_run is not None else None
    if flow_run_id is not None:
        os.environ["PREFECT__FLOW_RUN_ID"] = str(flow_run_id)
    with handle_engine_signals(flow_run_id):
        _run(flow, flow_run, parameters=parameters, wait_for=wait_for, context=context)
