"""Task workers: take background runs of their tasks, and run them in this process.

A worker finds runs by asking the API again and again; a claim is a transition to PENDING that only one worker is granted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from typing_extensions import Self

from prefect._compat.dispatch import async_dispatch
from prefect._engine import heartbeats
from prefect._engine.background import parameter_store
from prefect._engine.run_tasks import run_generator_task_async, run_generator_task_sync, run_task_async, run_task_sync
from prefect._recorder import get_recorder
from prefect._state_values import format_exception
from prefect._task_runs import claim, delete, fail, scheduled_runs
from prefect.cache_policies import DEFAULT, NO_CACHE
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings
from prefect.tasks import Task
from prefect.utilities._asked_to_end import asked_to_end
from prefect.utilities.services import start_client_metrics_server

if TYPE_CHECKING:
    from prefect._task_worker_status import StatusServer
    from prefect.client.schemas.objects import TaskRun
    from prefect.results import ResultStore

logger = get_logger("task_worker")

_EMBEDDED_POLL = timedelta(milliseconds=100)
_SERVER_POLL = timedelta(milliseconds=500)
_GRACE = timedelta(seconds=30)
"""How long a stopping worker waits for the runs that it has begun."""


class StopTaskWorker(Exception):
    """Raised by code that runs inside a task worker to stop it."""


def should_try_to_read_parameters(task: Task[..., Any], task_run: TaskRun) -> bool:
    """Whether arguments of a background run were stored."""
    return task_run.state is not None and task_run.state.state_details.task_parameters_id is not None


async def store_parameters(result_store: ResultStore, identifier: UUID, parameters: dict[str, Any]) -> None:
    """Store the arguments of a background run, for the worker that will run it."""
    await result_store.awrite(parameters, key=f"parameters/{identifier}")


async def read_parameters(result_store: ResultStore, identifier: UUID) -> dict[str, Any]:
    """Read what `store_parameters` stored."""
    return (await result_store.aread(f"parameters/{identifier}")).result


class TaskWorker:
    """Runs background runs of some tasks.

    Args:
        tasks: The tasks. A run belongs to a task by its `task_key`.
        limit: The most runs at a time; None for no limit.

    Raises:
        ValueError: There is no task, or the limit is below 1.
        TypeError: Something is not a task.
    """

    def __init__(self, *tasks: Task[..., Any], limit: int | None = 10) -> None:
        for task in tasks:
            if not isinstance(task, Task):
                raise TypeError(f"A task worker serves tasks, not {task!r}. Decorate the function with '@task'.")
        if not tasks:
            raise ValueError("A task worker needs at least one task to serve.")
        if limit is not None and limit < 1:
            raise ValueError(f"The limit of a task worker must be at least 1, not {limit!r}; None means no limit.")
        self.tasks: list[Task[..., Any]] = [_as_served(task) for task in tasks]
        self.task_keys: set[str] = {task.task_key for task in self.tasks}
        self.stopping = False
        self.in_flight_task_runs: dict[str, dict[UUID, datetime]] = {key: {} for key in self.task_keys}
        self.finished_task_runs: dict[str, int] = dict.fromkeys(self.task_keys, 0)
        self._by_key = {task.task_key: task for task in self.tasks}
        self._limit = limit
        self._started_at: datetime | None = None
        self._client_id = f"{socket.gethostname()}-{os.getpid()}"
        self._running: set[asyncio.Task[None]] = set()
        self._wake: Callable[[], None] = _nothing

    @property
    def client_id(self) -> str:
        """Names this worker: host and process."""
        return self._client_id

    @property
    def started_at(self) -> datetime | None:
        """Since when the worker runs; None before it does."""
        return self._started_at

    @property
    def started(self) -> bool:
        """Whether the worker runs."""
        return self._started_at is not None

    @property
    def limit(self) -> int | None:
        """The most runs at a time."""
        return self._limit

    @property
    def current_tasks(self) -> int | None:
        """How many runs are under way; None without a limit."""
        return None if self._limit is None else len(self._running)

    @property
    def available_tasks(self) -> int | None:
        """How many more runs could begin now; None without a limit."""
        return None if self._limit is None else self._limit - len(self._running)

    # -- life ----------------------------------------------------------------------------------------------------

    async def astart(self, timeout: float | None = None) -> None:
        """Serve until the worker is stopped, by `stop`, SIGTERM or Ctrl-C. Runs that have begun may end first.

        Args:
            timeout: Seconds after which the worker stops by itself.
        """
        ensure_logging_setup()
        start_client_metrics_server()
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._wake = wake
        if timeout is not None:
            loop.call_later(timeout, self._stop)
        self._started_at = datetime.now(timezone.utc)
        logger.info("Starting task worker for %s", ", ".join(sorted(task.name for task in self.tasks)))
        with asked_to_end(self._end_on, [signal.SIGTERM]), heartbeats.runs_here():
            heartbeats.keep_alive()  # without a server, the runs of workers that died are looked after here
            try:
                await self._poll(woken)
            except asyncio.CancelledError:
                self._stop()
                raise
            finally:
                await self._drain()
                self._started_at, self._wake = None, _nothing

    @async_dispatch(astart)
    def start(self, timeout: float | None = None) -> None:
        """Serve until the worker is stopped, by `stop`, SIGTERM or Ctrl-C. Runs that have begun may end first.

        Args:
            timeout: Seconds after which the worker stops by itself.
        """
        asyncio.run(self.astart(timeout))

    async def astop(self) -> None:
        """Stop taking runs. May be called from anywhere, also before the worker started."""
        self._stop()

    @async_dispatch(astop)
    def stop(self) -> None:
        """Stop taking runs. May be called from anywhere, also before the worker started."""
        self._stop()

    def _stop(self) -> None:
        self.stopping = True
        self._wake()

    def handle_sigterm(self, signum: int, frame: object) -> None:
        """Stop on SIGTERM."""
        logger.info("SIGTERM received, stopping the task worker.")
        self._stop()

    def _end_on(self, number: int) -> None:
        self.handle_sigterm(number, None)

    async def __aenter__(self) -> Self:
        self._started_at = datetime.now(timezone.utc)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._drain()
        self._started_at = None

    # -- finding runs --------------------------------------------------------------------------------------------

    async def _poll(self, woken: asyncio.Event) -> None:
        pause = (_SERVER_POLL if get_current_settings().api.url else _EMBEDDED_POLL).total_seconds()
        while not self.stopping:
            try:
                found = await self._take_runs()
            except Exception as error:  # noqa: BLE001 - an API that is away for a while must not end the worker
                logger.warning("Task runs could not be read, will try again: %s", format_exception(error))
                found = False
            if not found:
                await _wait(woken, pause)
            woken.clear()

    async def _take_runs(self) -> bool:
        """Begin the runs that there is room for. Returns whether there may be more to begin at once."""
        room = self.available_tasks
        if room == 0:
            return False
        claimed = 0
        async for task_run in scheduled_runs(self.task_keys):
            if self.stopping or claimed == room:
                break
            granted = await claim(task_run)
            if granted is not None:
                claimed += 1
                self._begin(granted)
        return claimed > 0

    def _begin(self, task_run: TaskRun) -> None:
        running = asyncio.create_task(self._execute(task_run))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        running.add_done_callback(lambda _: self._wake())

    async def _drain(self) -> None:
        if self._running:
            logger.info("Waiting for %s task run(s) to end", len(self._running))
            _, left = await asyncio.wait(self._running, timeout=_GRACE.total_seconds())
            for running in left:
                running.cancel()
        await asyncio.to_thread(get_recorder().flush, _GRACE.total_seconds())

    # -- running them --------------------------------------------------------------------------------------------

    async def execute_task_run(self, task_run: TaskRun) -> None:
        """Run one given run, whatever the limit. A run that cannot be run is deleted, or fails; nothing is raised.

        Runs that are not claimed yet are claimed first; one that another worker has is left alone.
        """
        with heartbeats.runs_here():
            if task_run.state is not None and task_run.state.is_scheduled():
                granted = await claim(task_run)
                if granted is None:
                    return
                task_run = granted
            await self._execute(task_run)

    async def _execute(self, task_run: TaskRun) -> None:
        heartbeats.keep_alive()
        key = task_run.task_key
        under_way = self.in_flight_task_runs.setdefault(key, {})
        under_way[task_run.id] = datetime.now(timezone.utc)
        try:
            await self._execute_claimed(task_run)
        except StopTaskWorker:
            self._stop()
        except Exception as error:
            logger.error("Task run %r could not be run: %s", str(task_run.id), format_exception(error), exc_info=error)
        finally:
            under_way.pop(task_run.id, None)
            self.finished_task_runs[key] = self.finished_task_runs.get(key, 0) + 1

    async def _execute_claimed(self, task_run: TaskRun) -> None:
        task = self._by_key.get(task_run.task_key)
        if task is None:
            known = ", ".join(sorted(self.task_keys))
            await _refuse(task_run, f"this worker serves no task of the key {task_run.task_key!r}, only {known}")
            return
        stored: dict[str, Any] = {}
        if should_try_to_read_parameters(task, task_run):
            assert task_run.state is not None
            identifier = task_run.state.state_details.task_parameters_id
            assert identifier is not None
            try:
                stored = await read_parameters(parameter_store(), identifier)
            except Exception as error:  # noqa: BLE001 - whatever was stored may raise when it is read
                await _refuse(task_run, f"its parameters could not be read: {format_exception(error)}", error)
                return
        logger.info("Submitting task %r for execution", task.name)
        await _run(task, task_run, stored)


async def _run(task: Task[..., Any], task_run: TaskRun, stored: dict[str, Any]) -> None:
    options: dict[str, Any] = {
        "task_run": task_run,
        "parameters": stored.get("parameters") or {},
        "wait_for": stored.get("wait_for") or [],
        "context": stored.get("context"),
    }
    try:
        if task.isasync and task.isgenerator:
            async for _ in run_generator_task_async(task, **options):
                pass
        elif task.isasync:
            await run_task_async(task, return_type="state", **options)
        else:
            run = _exhaust if task.isgenerator else partial(run_task_sync, return_type="state")
            await _in_thread(partial(run, task, **options))
    except Exception as error:  # noqa: BLE001 - the run has recorded its own failure
        logger.debug("Task run %r ended with %s", str(task_run.id), format_exception(error))


def _exhaust(task: Task[..., Any], **options: Any) -> None:
    for _ in run_generator_task_sync(task, **options):
        pass


async def _in_thread(call: Callable[[], Any]) -> Any:
    """Run a call in a thread of its own: the loop's pool has fewer threads than a worker may have runs."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(error: BaseException | None, value: Any) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)

    def run() -> None:
        outcome: tuple[BaseException | None, Any] = (None, None)
        try:
            outcome = (None, call())
        except Exception as error:  # noqa: BLE001 - it is raised in the loop
            outcome = (error, None)
        except BaseException as error:  # noqa: BLE001 - a task that ends the process must not end the worker
            logger.error("A task run ended with %s", format_exception(error))
        loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=copy_context().run, args=(run,), name="prefect-task", daemon=True).start()
    return await done


async def _refuse(task_run: TaskRun, reason: str, error: Exception | None = None) -> None:
    """Deal with a run that can never run."""
    if get_current_settings().tasks.scheduling.delete_failed_submissions:
        logger.error("Deleting task run %r, because %s", str(task_run.id), reason, exc_info=error)
        await delete(task_run)
    else:
        logger.error("Task run %r fails, because %s", str(task_run.id), reason, exc_info=error)
        await fail(task_run, f"The task worker could not run it, because {reason}")


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(woken.wait(), seconds)
    except asyncio.TimeoutError:
        return


def _as_served(task: Task[..., Any]) -> Task[..., Any]:
    """The task as workers run it: its result is stored, for whoever holds the future is in another process."""
    caches = task.cache_policy is not None and task.cache_policy != NO_CACHE
    return task.with_options(persist_result=True, cache_policy=task.cache_policy if caches else DEFAULT)


def _nothing() -> None:
    return None


# -- serving -----------------------------------------------------------------------------------------------------------


def create_status_server(task_worker: TaskWorker) -> StatusServer:
    """A small web server that tells at `/status` what the worker is doing."""
    from prefect._task_worker_status import StatusServer  # noqa: PLC0415 - few workers have one

    return StatusServer(task_worker)


async def aserve(
    *tasks: Task[..., Any], limit: int | None = 10, status_server_port: int | None = None, timeout: float | None = None
) -> None:
    """Run background runs of some tasks in this process, until SIGTERM or Ctrl-C.

    Args:
        tasks: The tasks.
        limit: The most runs at a time; None for no limit.
        status_server_port: Tell at `http://localhost:<port>/status` what the worker is doing.
        timeout: Seconds after which to stop.

    Raises:
        ValueError: There is no task, or the limit is below 1.
    """
    worker = TaskWorker(*tasks, limit=limit)
    server = None if status_server_port is None else create_status_server(worker)
    if server is not None:
        await server.start(status_server_port)  # type: ignore[arg-type]
    try:
        await worker.astart(timeout=timeout)
    except (asyncio.CancelledError, KeyboardInterrupt):
        logger.info("Task worker interrupted, stopped.")
        raise
    finally:
        if server is not None:
            await server.stop()


@async_dispatch(aserve)
def serve(
    *tasks: Task[..., Any], limit: int | None = 10, status_server_port: int | None = None, timeout: float | None = None
) -> None:
    """Run background runs of some tasks in this process, until SIGTERM or Ctrl-C.

    Args:
        tasks: The tasks.
        limit: The most runs at a time; None for no limit.
        status_server_port: Tell at `http://localhost:<port>/status` what the worker is doing.
        timeout: Seconds after which to stop.

    Raises:
        ValueError: There is no task, or the limit is below 1.
    """
    try:
        asyncio.run(aserve(*tasks, limit=limit, status_server_port=status_server_port, timeout=timeout))
    except KeyboardInterrupt:
        return


__all__ = ["StopTaskWorker", "TaskWorker", "aserve", "serve"]
