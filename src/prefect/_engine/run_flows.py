"""Runs flow runs to their end: at once, in an event loop, or as a generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import nullcontext
from typing import Any

from prefect._engine.effects import drive_async_generator, drive_generator
from prefect._engine.flow_run import FlowExecution
from prefect._engine.run_tasks import explain_if_dropped
from prefect._plans import run_plan, run_plan_async
from prefect.client.schemas.objects import FlowRun
from prefect.context import hydrated_context


def run_flow_sync(
    flow: Any,
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    context: dict[str, Any] | None = None,
) -> Any:
    """Run a flow in this thread.

    Args:
        flow: The flow.
        flow_run: A run that exists already; a new one by default.
        parameters: The bound arguments; those of `flow_run` by default.
        wait_for: Futures and states that must complete first.
        return_type: "result" for the result or its exception, "state" for the final state.
        context: Contexts from `serialize_context`, when this is another process.
    """
    with hydrated_context(context) if context else nullcontext():
        execution = FlowExecution(flow, parameters, flow_run, wait_for)
        run_plan(execution.plan())
        return execution.outcome(return_type)


async def run_flow_async(
    flow: Any,
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    context: dict[str, Any] | None = None,
) -> Any:
    """Run an async flow in this event loop. Arguments as for `run_flow_sync`."""
    with hydrated_context(context) if context else nullcontext():
        execution = FlowExecution(flow, parameters, flow_run, wait_for)
        await run_plan_async(execution.plan())
        return execution.outcome(return_type)


def run_generator_flow_sync(
    flow: Any,
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    context: dict[str, Any] | None = None,
) -> Generator[Any, Any, Any]:
    """Run a generator flow: the run starts at the first `next()` and completes when it is exhausted or closed."""
    _refuse_state(return_type)
    with hydrated_context(context) if context else nullcontext():
        execution = FlowExecution(flow, parameters, flow_run, wait_for)
        yield from drive_generator(execution.plan())
        return execution.outcome("result")


async def run_generator_flow_async(
    flow: Any,
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    context: dict[str, Any] | None = None,
) -> AsyncGenerator[Any, Any]:
    """Run an async generator flow. Arguments as for `run_flow_sync`."""
    _refuse_state(return_type)
    with hydrated_context(context) if context else nullcontext():
        execution = FlowExecution(flow, parameters, flow_run, wait_for)
        generator = drive_async_generator(execution.plan())
        try:
            async for value in generator:
                yield value
        finally:
            await generator.aclose()
        execution.outcome("result")


def _refuse_state(return_type: str) -> None:
    if return_type != "result":
        raise ValueError("A generator has no final state to return while it is consumed: use return_state=False.")


def run_flow(
    flow: Any,
    flow_run: FlowRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    error_logger: Any = None,
    context: dict[str, Any] | None = None,
) -> Any:
    """Run a flow the way its function wants: at once, as a coroutine, or as a generator."""
    if flow.isasync:
        run: Any = run_generator_flow_async if flow.isgenerator else run_flow_async
    else:
        run = run_generator_flow_sync if flow.isgenerator else run_flow_sync
    try:
        started = run(flow, flow_run, parameters, wait_for, return_type, context)
        return explain_if_dropped(started, "flow", flow.name) if flow.isasync else started
    except Exception:
        if error_logger is not None:
            error_logger.error("Engine execution exited with unexpected exception", exc_info=True)
        raise
