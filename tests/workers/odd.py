"""A type of workers that runs nothing, but as a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.workers.conftest import Pool, wait_until

from prefect.states import Completed
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult


class Result(BaseWorkerResult):
    pass


class Configuration(BaseJobConfiguration):
    image: str = "none"


class Variables(BaseVariables):
    image: str = "none"


class Odd(BaseWorker[Configuration, Variables, Result]):
    """Runs in no infrastructure at all, but as a test tells it to."""

    type = "odd"
    job_configuration = Configuration
    job_configuration_variables = Variables
    _description = "Runs nothing."

    async def run(self, flow_run: Any, configuration: Configuration, task_status: Any = None) -> Result:
        return await self.how(self, flow_run, configuration, task_status)

    how: Callable[..., Awaitable[Result]]


async def complete(worker: Odd, flow_run: Any, configuration: Any, task_status: Any) -> Result:
    task_status.started("thing-1")
    await worker.client.set_flow_run_state(flow_run.id, Completed(), force=True)
    return Result(identifier="thing-1", status_code=0)


def make_worker(pool: Pool, how: Any = complete, **options: Any) -> Odd:
    worker = Odd(pool.name, **{"name": "the worker", **options})
    worker.how = how
    return worker


async def run_once(pool: Pool, how: Any = complete, **options: Any) -> None:
    await make_worker(pool, how, **options).start(run_once=True, printer=lambda *_: None)


async def until(condition: Callable[[], Any], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


async def serve(pool: Pool, how: Any = complete, **options: Any) -> tuple[Odd, asyncio.Task[None]]:
    """A worker that serves a pool in the background of a test."""
    worker = make_worker(pool, how, **options)
    started = asyncio.Event()
    serving = asyncio.create_task(worker.start(printer=lambda *_: started.set()))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({serving, waiting}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert started.is_set(), serving
    return worker, serving


async def end(worker: Odd, serving: asyncio.Task[None]) -> None:
    """Let a worker end in order."""
    worker._stop()
    await asyncio.wait_for(serving, 60)
