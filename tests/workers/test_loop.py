"""How soon a worker hears of runs, and how it lives with an API that is away."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.client.core_api import CoreAPI
from tests.client.http_api import Answer, Request
from tests.server.api.conftest import free_port, server
from tests.workers.conftest import Pool, id_of
from tests.workers.odd import Odd, Result, complete, end, make_worker, serve, until

from prefect._recorder._recorder import forget_recorder
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.server.database.store import forget_store
from prefect.settings import temporary_settings
from prefect.utilities.services import stop_client_metrics_server

SELDOM = 600.0
"""A worker that asks so seldom hears of a run in another way, or not within a test."""


@pytest.fixture(autouse=True)
def asks_seldom():
    with temporary_settings({"worker.query_seconds": SELDOM}):
        yield


def history(pool: Pool, run_id: str) -> Any:
    return pool.read(run_id)["state_type"]


async def test_a_run_starts_as_soon_as_it_is_made(pool: Pool):
    pool.create("odd")
    pool.deploy()
    worker, serving = await serve(pool)
    for _ in range(3):
        run_id = pool.run()
        await until(lambda run_id=run_id: history(pool, run_id) == "COMPLETED", "the run starts")
    await end(worker, serving)


async def test_a_run_starts_as_soon_as_there_is_room_for_it(pool: Pool):
    may_end = asyncio.Event()

    async def wait(*args: Any) -> Result:
        await may_end.wait()
        return await complete(*args)

    pool.create("odd")
    runs = [pool.run() for _ in range(3)]
    worker, serving = await serve(pool, wait, limit=1)
    await until(lambda: sorted(history(pool, run) for run in runs).count("PENDING") == 1, "one run begins")
    assert worker.is_worker_still_polling(1)
    may_end.set()
    await until(lambda: {history(pool, run) for run in runs} == {"COMPLETED"}, "the others follow")
    await end(worker, serving)


async def test_a_run_of_a_pool_that_was_paused_starts_when_it_is_not_any_more(pool: Pool):
    pool.create("odd", is_paused=True)
    run_id = pool.run()
    worker, serving = await serve(pool)
    assert history(pool, run_id) == "SCHEDULED"
    pool.ask("PATCH", f"/work_pools/{pool.name}", {"is_paused": False})
    await until(lambda: history(pool, run_id) == "COMPLETED", "the run starts")
    await end(worker, serving)


async def test_a_worker_outlives_its_server(tmp_path: Path):
    port = free_port()
    quick = {"worker.query_seconds": 0.2, "worker.heartbeat_seconds": 1.0, "client.max_retries": 0}
    with temporary_settings({"api.url": f"http://127.0.0.1:{port}/api", "home": tmp_path / "home", **quick}):
        waiting = asyncio.create_task(_first_life(tmp_path, port))
        worker, serving, name = await waiting
        assert not serving.done()
        with server(tmp_path / "server", port=port) as running:
            pool = Pool(running)
            pool.name = name
            run_id = pool.run()
            await until(lambda: history(pool, run_id) == "COMPLETED", "the run starts")
            await end(worker, serving)
            await asyncio.to_thread(forget_recorder, running.url)
            pool.client.close()


async def _first_life(folder: Path, port: int) -> tuple[Odd, asyncio.Task[None], str]:
    with server(folder / "server", port=port) as running:
        pool = Pool(running)
        worker, serving = await serve(pool)
        pool.deploy()
        pool.client.close()
        return worker, serving, pool.name


async def test_a_worker_that_starts_before_its_server_waits_for_it(tmp_path: Path):
    port = free_port()
    with temporary_settings(
        {"api.url": f"http://127.0.0.1:{port}/api", "home": tmp_path / "home", "client.max_retries": 0}
    ):
        worker = Odd("the-pool")
        worker.how = complete
        serving = asyncio.create_task(worker.start(run_once=True, printer=lambda *_: None))
        await asyncio.sleep(0)
        with server(tmp_path / "server", port=port) as running:
            await asyncio.wait_for(serving, 60)
            await asyncio.to_thread(forget_recorder, running.url)


# -- answers that are lost ---------------------------------------------------------------------------------------------


class LosesAnswers:
    """Does what is asked, and says so only when it is asked the second time."""

    def __init__(self, api: CoreAPI) -> None:
        self.seen: Counter[tuple[str, bytes]] = Counter()
        self._api = api

    def __call__(self, request: Request) -> Answer:
        answer = self._api._ask_core(request)
        self.seen[request.path, request.body] += 1
        is_first = self.seen[request.path, request.body] == 1
        if request.path.endswith("/set_state") and is_first:
            return Answer(503, {}, {"Retry-After": "0"})
        return answer


@pytest.mark.parametrize("retries", [0, 3])
async def test_a_run_is_started_once_when_every_answer_about_its_states_is_lost(
    tmp_path: Path, retries: int, monkeypatch
):
    monkeypatch.setattr("prefect.workers._patience._PAUSE_SECONDS", 0.05)
    started: list[UUID] = []

    async def note(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        started.append(flow_run.id)
        task_status.started("thing")
        return Result(identifier="thing", status_code=3)

    with CoreAPI(tmp_path / "server.db") as api:
        with temporary_settings({"api.url": api.url, "home": tmp_path / "home", "client.max_retries": retries}):
            async with get_client() as client:
                await client.create_work_pool(WorkPoolCreate(name="the-pool", type="odd"))
                flow_id = await client.create_flow_from_name("a-flow")
                deployment_id = await client.create_deployment(flow_id, "d", work_pool_name="the-pool")
                run = await client.create_flow_run_from_deployment(deployment_id)
                api.otherwise = LosesAnswers(api)
                worker = Odd("the-pool")
                worker.how = note
                async with worker:
                    await worker.get_and_submit_flow_runs()
                states = await client.read_flow_run_states(run.id)
        forget_recorder(api.url)
    forget_store(api.database_url)
    assert started == [run.id]
    assert [state.name for state in states] == ["Scheduled", "Pending", "Submitting", "Crashed"]


async def test_a_server_without_channel_and_without_waiting_serves_a_worker_all_the_same(tmp_path: Path):
    with CoreAPI(tmp_path / "server.db") as api:
        quick = {"worker.query_seconds": 0.1, "worker.heartbeat_seconds": 1.0}
        with temporary_settings({"api.url": api.url, "home": tmp_path / "home", **quick}):
            async with get_client() as client:
                pool = Pool.__new__(Pool)
                pool.name = "the-pool"
                worker, serving = await serve(pool)
                deployment_id = await client.create_deployment(
                    await client.create_flow_from_name("a-flow"), "d", work_pool_name="the-pool"
                )
                run = await client.create_flow_run_from_deployment(deployment_id)
                deadline = time.monotonic() + 60
                beats = lambda: [request for request in api.requests if request.path.endswith("/workers/heartbeat")]  # noqa: E731
                while not ((await client.read_flow_run(run.id)).state.is_completed() and len(beats()) >= 3):  # type: ignore[union-attr]
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                await end(worker, serving)
                assert worker.backend_id is None
        forget_recorder(api.url)
    forget_store(api.database_url)


async def test_runs_of_a_worker_are_counted_once_they_are_begun(pool: Pool):
    pool.create("odd")
    run_id = pool.run()
    async with make_worker(pool, limit=5) as worker:
        (begun,) = await worker.get_and_submit_flow_runs()
        assert id_of(begun) == run_id
        assert worker.limiter.borrowed_tokens == 1
        assert await worker.get_and_submit_flow_runs() == []
    assert history(pool, run_id) == "COMPLETED"


async def test_a_run_that_cannot_be_claimed_is_not_asked_for_again_and_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
):
    asked: list[float] = []

    class Impatient(Odd):
        type = "impatient"

        async def _look(self, wait_seconds: float) -> Any:
            asked.append(wait_seconds)
            return await super()._look(wait_seconds)

    async def refuse(*_: Any) -> Any:
        raise ValueError("the API answers nonsense")

    monkeypatch.setattr("prefect.workers._submission.propose", refuse)
    pool.create("odd")
    pool.run()
    worker = Impatient(pool.name)
    serving = asyncio.create_task(worker.start(printer=lambda *_: None))
    await until(lambda: worker._shunned, "it was tried")
    await asyncio.sleep(1.0)
    assert len(asked) < 5
    worker._stop()
    await asyncio.wait_for(serving, 60)


async def test_a_worker_serves_its_metrics(pool: Pool):
    pool.create("odd")
    port = free_port()
    with temporary_settings({"client.metrics.enabled": True, "client.metrics.port": port}):
        worker, serving = await serve(pool)
        try:
            async with httpx.AsyncClient() as client:
                metrics = await client.get(f"http://127.0.0.1:{port}/metrics")
            assert "prefect_events_emitted_total" in metrics.text
        finally:
            await end(worker, serving)
            stop_client_metrics_server()
