"""The life of a worker: it asks for runs and tells that it is alive, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc

from prefect._state_values import format_exception
from prefect.runner._due import DueRuns
from prefect.settings import get_current_settings
from prefect.utilities.math import clamped_poisson_interval
from prefect.utilities.services import start_client_metrics_server
from prefect.workers import _events
from prefect.workers._cancellation import CancellationObserver
from prefect.workers._channel import WorkerChannel
from prefect.workers._task_groups import task_group

if TYPE_CHECKING:
    from prefect.workers.base import BaseWorker

_JITTER = 0.3
_CHANNEL_SECONDS = 5.0


class WorkPoolMissing(RuntimeError):
    """There is no work pool to take runs from, and nobody waits for it."""


async def serve(
    worker: BaseWorker[Any, Any, Any], *, run_once: bool, with_healthcheck: bool, printer: Callable[..., None]
) -> None:
    """Serve a work pool: until the worker is told to stop, or only once.

    Args:
        worker: The worker.
        run_once: Take the runs that are due now, wait for their ends, and return.
        with_healthcheck: Answer at `/health` whether the worker still asks for runs.
        printer: Told that the worker has started, and that it has stopped.

    Raises:
        WorkPoolMissing: There is no work pool to look at once.
    """
    start_client_metrics_server()
    async with worker:
        if run_once and worker._work_pool is None:
            raise WorkPoolMissing(
                f"Work pool {worker._work_pool_name!r} not found, and worker {worker.name!r} may not make it. Make it with "
                "`prefect work-pool create`."
            )
        started = None
        try:
            async with task_group() as loops:
                channel = await _open_channel(worker, loops)
                loops.start_soon(_tell, worker, channel)
                started = _events.emit_started(worker)
                printer(f"Worker {worker.name!r} started!")
                if get_current_settings().worker.enable_cancellation and not worker._hears_of_cancellations:
                    loops.start_soon(CancellationObserver(worker).observe)
                if with_healthcheck:
                    loops.start_soon(_answer_checks, worker)
                if run_once:
                    await worker.get_and_submit_flow_runs()
                else:
                    await _take_runs(worker)
                await worker._runs_ended()
                loops.cancel_scope.cancel()
        finally:
            if started is not None:
                _events.emit_stopped(worker, started)
    printer(f"Worker {worker.name!r} stopped!")


async def _open_channel(worker: BaseWorker[Any, Any, Any], loops: anyio.abc.TaskGroup) -> WorkerChannel:
    channel = WorkerChannel(worker)
    loops.start_soon(channel.keep_open)
    # Runs are told by which worker they were started; a server that is slow to say so does not hold them up.
    with anyio.move_on_after(_CHANNEL_SECONDS):
        await channel.was_tried.wait()
    return channel


async def _take_runs(worker: BaseWorker[Any, Any, Any]) -> None:
    due = DueRuns(worker._look, get_current_settings().worker.query_seconds)
    worker._wake = due.wake
    try:
        await due.ask_until(worker._stopping)
    finally:
        worker._wake = _nothing


def _nothing() -> None:
    return None


async def _tell(worker: BaseWorker[Any, Any, Any], channel: WorkerChannel) -> None:
    """Tell that the worker is alive, while that does not go over the channel."""
    while True:
        await anyio.sleep(clamped_poisson_interval(worker.heartbeat_interval_seconds, _JITTER))
        if channel.is_open:
            continue
        try:
            await worker.sync_with_backend()
        except Exception as error:  # noqa: BLE001 - an API that is away, or refuses, is told again
            worker._logger.warning("The API could not be told that the worker is alive: %s", format_exception(error))


async def _answer_checks(worker: BaseWorker[Any, Any, Any]) -> None:
    from prefect.workers.server import build_healthcheck_server  # noqa: PLC0415 - few workers have a web server

    server = build_healthcheck_server(worker, get_current_settings().worker.query_seconds)
    thread = threading.Thread(target=server.run, name="healthcheck-server", daemon=True)
    # In a thread of its own, so that what is asked is whether the loop of the worker goes on.
    thread.start()
    try:
        await anyio.sleep_forever()
    finally:
        server.should_exit = True
        thread.join()
