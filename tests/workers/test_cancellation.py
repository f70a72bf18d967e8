"""Runs that are cancelled before they have begun, whose infrastructure nobody else would end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.workers.conftest import Pool
from tests.workers.odd import Odd, Result, complete, end, run_once, serve, until

from prefect.exceptions import InfrastructureNotAvailable, InfrastructureNotFound
from prefect.settings import temporary_settings


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    with temporary_settings({"worker.enable_cancellation": True, "worker.cancellation_poll_seconds": 1.0}):
        yield


class Cluster:
    """Infrastructure that comes up and never begins its run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refuses_with: Exception | None = None) -> None:
        self.killed: list[str] = []
        self.gone = asyncio.Event()
        self._refuses_with = refuses_with
        monkeypatch.setattr(Odd, "kill_infrastructure", self._kill)

    async def _kill(self, infrastructure_pid: str, configuration: Any, grace_seconds: int = 30) -> None:
        self.killed.append(infrastructure_pid)
        if self._refuses_with is not None:
            raise self._refuses_with
        self.gone.set()

    async def run(self, worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        task_status.started("thing-7")
        await self.gone.wait()
        return Result(identifier="thing-7", status_code=137)


def state(pool: Pool, run_id: str) -> str:
    return pool.read(run_id)["state_type"]


async def test_the_infrastructure_of_a_run_that_has_not_begun_is_ended(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    cluster = Cluster(monkeypatch)
    pool.create("odd")
    run_id = pool.run()
    worker, serving = await serve(pool, cluster.run)
    await until(lambda: pool.read(run_id)["infrastructure_pid"], "its infrastructure")

    pool.propose(run_id, "CANCELLING")
    await until(lambda: state(pool, run_id) == "CANCELLED", "it is cancelled")
    await end(worker, serving)

    assert cluster.killed == ["thing-7"]
    assert state(pool, run_id) == "CANCELLED", "what came of its infrastructure changes nothing"


async def test_what_was_to_be_cancelled_before_the_worker_came_is_cancelled(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
):
    cluster = Cluster(monkeypatch)
    pool.create("odd")
    run_id = pool.run()
    pool.propose(run_id, "PENDING")
    pool.ask("PATCH", f"/flow_runs/{run_id}", {"infrastructure_pid": "thing-8"})
    pool.propose(run_id, "CANCELLING")

    worker, serving = await serve(pool)
    await until(lambda: state(pool, run_id) == "CANCELLED", "it is cancelled")
    await end(worker, serving)
    assert cluster.killed == ["thing-8"]


async def test_infrastructure_that_is_gone_already_needs_no_end(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    cluster = Cluster(monkeypatch, InfrastructureNotFound("no such thing"))
    pool.create("odd")
    run_id = pool.run()
    worker, serving = await serve(pool, cluster.run)
    await until(lambda: pool.read(run_id)["infrastructure_pid"], "its infrastructure")
    pool.propose(run_id, "CANCELLING")
    await until(lambda: state(pool, run_id) == "CANCELLED", "it is cancelled")
    cluster.gone.set()
    await end(worker, serving)


@pytest.mark.parametrize(
    "error", [InfrastructureNotAvailable("on another host"), NotImplementedError("not by this type")]
)
async def test_infrastructure_that_cannot_be_ended_from_here_is_told_of(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    cluster = Cluster(monkeypatch, error)
    pool.create("odd")
    run_id = pool.run()
    worker, serving = await serve(pool, cluster.run)
    await until(lambda: pool.read(run_id)["infrastructure_pid"], "its infrastructure")
    pool.propose(run_id, "CANCELLING")
    await until(lambda: any(f"was not ended: {error}" in message for message in pool.logs(run_id)), "the warning")
    assert state(pool, run_id) == "CANCELLING"
    cluster.gone.set()
    await end(worker, serving)


async def test_a_run_that_has_begun_ends_by_itself(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    cluster = Cluster(monkeypatch)
    pool.create("odd")
    begun, waiting = pool.run(), pool.run()
    worker, serving = await serve(pool, cluster.run)
    for run_id in (begun, waiting):
        await until(lambda run_id=run_id: pool.read(run_id)["infrastructure_pid"], "its infrastructure")
    pool.propose(begun, "RUNNING")
    pool.propose(begun, "CANCELLING")
    pool.propose(waiting, "CANCELLING")
    await until(lambda: state(pool, waiting) == "CANCELLED", "the other one is cancelled")
    await end(worker, serving)
    assert state(pool, begun) == "CANCELLING"
    assert cluster.killed == ["thing-7"]


async def test_without_the_setting_nothing_is_ended(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    cluster = Cluster(monkeypatch)
    pool.create("odd")
    run_id = pool.run()
    with temporary_settings({"worker.enable_cancellation": False}):
        worker, serving = await serve(pool, cluster.run)
    await until(lambda: pool.read(run_id)["infrastructure_pid"], "its infrastructure")
    pool.propose(run_id, "CANCELLING")
    cluster.gone.set()
    await end(worker, serving)
    assert (cluster.killed, state(pool, run_id)) == ([], "CANCELLING")


async def test_a_run_that_is_cancelled_while_it_is_prepared_is_not_started(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    def prepare(self: Any, flow_run: Any, *args: Any, **kwargs: Any) -> None:
        pool.propose(str(flow_run.id), "CANCELLING")

    started: list[Any] = []

    async def note(*args: Any) -> Result:
        started.append(args)
        return await complete(*args)

    monkeypatch.setattr(Odd.job_configuration, "prepare_for_flow_run", prepare)
    pool.create("odd")
    run_id = pool.run()
    await run_once(pool, note)

    assert started == []
    assert pool.states(run_id)[-2:] == ["Cancelling", "Cancelled"]
