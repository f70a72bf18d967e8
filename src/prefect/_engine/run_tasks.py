"""Runs task runs to their end: at once, in a worker thread, or as a generator."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import nullcontext
from contextvars import copy_context
from types import CoroutineType
from typing import Any
from uuid import UUID

from prefect import _current
from prefect._engine.effects import drive_async_generator, drive_generator, run_to_end, run_to_end_async
from prefect._engine.inputs import check_upstreams, resolve
from prefect._engine.task_run import TaskExecution
from prefect._plans import run_plan, run_plan_async
from prefect.client.schemas.objects import TaskRun
from prefect.context import hydrated_context
from prefect.futures import PrefectFuture


def run_task_sync(
    task: Any,
    task_run_id: UUID | None = None,
    task_run: TaskRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    dependencies: Mapping[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Any:
    """Run a task in this thread.

    Args:
        task: The task.
        task_run_id: The id that the run gets; a new one by default.
        task_run: A run that exists already.
        parameters: The bound arguments.
        wait_for: Futures and states that must complete first.
        return_type: "result" for the result or its exception, "state" for the final state.
        dependencies: Inputs that were collected before, by parameter name.
        context: Contexts from `serialize_context`, when this is another process.
    """
    with hydrated_context(context) if context else nullcontext():
        execution = TaskExecution(
            task, parameters or {}, wait_for, run_id=task_run_id, task_run=task_run, dependencies=dependencies
        )
        run_plan(execution.plan())
        return execution.outcome(return_type)


async def run_task_async(
    task: Any,
    task_run_id: UUID | None = None,
    task_run: TaskRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    dependencies: Mapping[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Any:
    """Run an async task in this event loop. Arguments as for `run_task_sync`."""
    with hydrated_context(context) if context else nullcontext():
        execution = TaskExecution(
            task, parameters or {}, wait_for, run_id=task_run_id, task_run=task_run, dependencies=dependencies
        )
        await run_plan_async(execution.plan())
        return execution.outcome(return_type)


def run_generator_task_sync(
    task: Any,
    task_run_id: UUID | None = None,
    task_run: TaskRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    dependencies: Mapping[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Generator[Any, Any, Any]:
    """Run a generator task: the run starts at the first `next()` and completes when it is exhausted or closed."""
    _refuse_state(return_type)
    with hydrated_context(context) if context else nullcontext():
        execution = TaskExecution(
            task, parameters or {}, wait_for, run_id=task_run_id, task_run=task_run, dependencies=dependencies
        )
        yield from drive_generator(execution.plan())
        return execution.outcome("result")


async def run_generator_task_async(
    task: Any,
    task_run_id: UUID | None = None,
    task_run: TaskRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    dependencies: Mapping[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> AsyncGenerator[Any, Any]:
    """Run an async generator task. Arguments as for `run_task_sync`."""
    _refuse_state(return_type)
    with hydrated_context(context) if context else nullcontext():
        execution = TaskExecution(
            task, parameters or {}, wait_for, run_id=task_run_id, task_run=task_run, dependencies=dependencies
        )
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


def run_task(
    task: Any,
    task_run_id: UUID | None = None,
    task_run: TaskRun | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: str = "result",
    dependencies: Mapping[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Any:
    """Run a task the way its function wants: at once, as a coroutine, or as a generator."""
    if task.isasync:
        run = run_generator_task_async if task.isgenerator else run_task_async
    else:
        run = run_generator_task_sync if task.isgenerator else run_task_sync
    started = run(task, task_run_id, task_run, parameters, wait_for, return_type, dependencies, context)
    return explain_if_dropped(started, "task", task.name) if task.isasync else started


def explain_if_dropped(started: Any, kind: str, name: str) -> Any:
    """Give a coroutine the name that Python shows when it is dropped without having been awaited."""
    if type(started) is CoroutineType:
        caller = _current.task_run_context.get() or _current.flow_run_context.get()
        owner = getattr(caller, "task", None) or getattr(caller, "flow", None)
        if owner is not None and not owner.isasync:
            way = f"{name}.submit()" if kind == "task" else f"asyncio.run({name}())"
            started.__qualname__ = (
                f"{name} (an async {kind} called from sync code: use {way}, or make the caller async)"
            )
    return started


# -- submitted tasks -------------------------------------------------------------------------------------------------

_thread = threading.local()


class _OwnLoop:
    """An event loop that is closed when its thread ends: nothing else holds this."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


def _thread_loop() -> asyncio.AbstractEventLoop:
    """The event loop in which this worker thread runs async tasks, one after another."""
    own = getattr(_thread, "own", None)
    if own is None:
        own = _thread.own = _OwnLoop()
    return own.loop


class TaskCall:
    """A submitted task run, to be called in a worker thread; gives its execution back."""

    __slots__ = ("_context", "_execution")

    def __init__(
        self,
        task: Any,
        parameters: dict[str, Any],
        wait_for: Iterable[Any] | None,
        dependencies: Mapping[str, Any] | None,
    ) -> None:
        self._execution = TaskExecution(task, parameters, wait_for, dependencies=dependencies)
        self._context = copy_context()

    @property
    def run_id(self) -> UUID:
        return self._execution.record.id

    @property
    def task(self) -> Any:
        return self._execution.task

    @property
    def inputs(self) -> dict[str, Any]:
        """The upstream runs, by parameter."""
        scan = self._execution.scan
        return dict(scan.inputs) if scan is not None else {}

    def resolved_parameters(self) -> dict[str, Any]:
        """The arguments with finished futures and states replaced by their values.

        Raises:
            NotReady: An upstream did not complete.
        """
        execution = self._execution
        if execution.scan is None or not execution.scan.resolvable:
            return execution.parameters
        resolved = self._context.run(resolve, execution.parameters)
        self._context.run(check_upstreams, execution.wait_for)
        return resolved

    def fail(self, error: Exception) -> TaskExecution:
        """Record that the run cannot start."""
        self._context.run(self._execution.fail, error)
        return self._execution

    def crash(self, error: BaseException) -> TaskExecution:
        """Record that what ran the run has died."""
        self._context.run(self._execution.crash, error)
        return self._execution

    def unfinished_upstreams(self) -> list[PrefectFuture[Any]]:
        scan = self._execution.scan
        if scan is None or not scan.futures:
            return []
        return [future for future in scan.futures if not _is_done(future)]

    def record_cancelled(self) -> None:
        self._context.run(
            self._execution.cancel_unstarted, "The flow ended before this submitted task run could start."
        )

    def __call__(self) -> TaskExecution:
        return self._context.run(self._run)

    def _run(self) -> TaskExecution:
        execution = self._execution
        task = execution.task
        if task.isasync:
            _thread_loop().run_until_complete(run_to_end_async(execution))
        else:
            run_to_end(execution)
        return execution


def _is_done(future: PrefectFuture[Any]) -> bool:
    wrapped = getattr(future, "wrapped_future", None)
    done = getattr(wrapped, "done", None)
    return bool(done()) if done is not None else future.state.is_final()
