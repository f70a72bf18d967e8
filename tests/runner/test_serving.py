"""Serving: which runs begin, when, with which code, and how they end (server section 5.1)."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.client.core_api import CoreAPI
from tests.client.http_api import Answer, Request
from tests.runner.conftest import Flows, run_now, set_state, until
from tests.runner.git_repositories import Repository
from tests.sdk._reading import flow_run_states
from tests.server.api.conftest import RunningServer, free_port, server

from prefect import aserve, serve
from prefect._recorder._recorder import forget_recorder
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, DeploymentFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow
from prefect.runner import Runner, _session
from prefect.runner.storage import GitRepository
from prefect.schedules import Interval
from prefect.server.database.store import forget_store
from prefect.settings import temporary_settings
from prefect.states import Cancelling, Scheduled

pytestmark = pytest.mark.usefixtures("api")

SELDOM = 3600.0
"""A runner that asks so seldom begins its runs only because it is told of them."""


@asynccontextmanager
async def serving(runner: Runner, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    """The runner serves in this block, and has ended after it."""
    task = asyncio.create_task(runner.start(**options))
    try:
        await until(lambda: runner.started or task.done(), "the runner is at work")
        yield task
    finally:
        if not task.done():
            runner.stop(_sync=True)
        await asyncio.wait_for(task, 60)


def start_run(deployment_id: UUID, due: datetime | None = None, **parameters: Any) -> FlowRun:
    with get_client(sync_client=True) as client:
        state = Scheduled(scheduled_time=due) if due else None
        return client.create_flow_run_from_deployment(deployment_id, parameters=parameters, state=state)


def runs_of(deployment_id: UUID) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        chosen = DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id]))
        return client.read_flow_runs(deployment_filter=chosen)


def is_paused(deployment_id: UUID) -> bool:
    with get_client(sync_client=True) as client:
        return client.read_deployment(deployment_id).paused


async def ended(run: FlowRun) -> FlowRun:
    """The run, once it has ended."""

    def found() -> FlowRun | None:
        now = run_now(run.id)
        return now if now.state.is_final() else None

    return await until(found, f"{run.name} ends")


def answers(url: str, status: int) -> bool:
    try:
        return httpx.get(url).status_code == status
    except httpx.TransportError:
        return False


def in_future(seconds: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


# -- when runs begin -------------------------------------------------------------------------------------------------


async def test_a_run_begins_as_soon_as_it_is_made(flows: Flows):
    runner = Runner(query_seconds=SELDOM)
    id = await runner.add_flow(flows.load("acts"), name="at-once")
    async with serving(runner):
        # The second one finds the runner waiting.
        for _ in range(2):
            run = start_run(id, what="well")
            assert (await ended(run)).state.is_completed()
    assert flow_run_states(run.id) == ["Scheduled", "Pending", "Running", "Completed"]


async def test_a_run_of_a_schedule_begins_when_it_is_due(flows: Flows):
    runner = Runner(query_seconds=SELDOM, prefetch_seconds=60)
    due = in_future(2)
    schedule = Interval(timedelta(hours=1), anchor_date=due)
    id = await runner.add_flow(flows.load("acts"), name="on-time", schedule=schedule, parameters={"what": "tick"})
    async with serving(runner):
        # It is taken before, so that its process is there in time.
        run = await until(
            lambda: next((run for run in runs_of(id) if not run.state.is_scheduled()), None), "it is taken"
        )
        taken_at = datetime.now(timezone.utc)
        run = await ended(run)
    assert run.expected_start_time == due
    assert taken_at < due <= run.start_time
    assert flows.noted == [["acted", "tick", "False"]]


async def test_run_once_takes_what_is_due_waits_for_it_and_returns(flows: Flows):
    runner = Runner(prefetch_seconds=5)
    id = await runner.add_flow(flows.load("acts"), name="once")
    due = [start_run(id, what=f"due-{number}") for number in range(2)]
    later = start_run(id, in_future(3600), what="later")
    await asyncio.wait_for(runner.start(run_once=True), 60)
    assert all(run_now(run.id).state.is_completed() for run in due)
    assert run_now(later.id).state.is_scheduled()


async def test_more_runs_than_the_limit_wait_for_their_turn(flows: Flows, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", logger="prefect.runner")
    runner = Runner(query_seconds=SELDOM, limit=1)
    id = await runner.add_flow(flows.load("holds"), name="one-at-a-time")
    runs = [start_run(id, in_future(-9 + number), name=str(number)) for number in range(3)]
    async with serving(runner):
        await flows.noted_by("holds")
        await until(lambda: "limit of 1" in caplog.text, "it is told that others wait")
        assert (runner.run_count, runner.has_slots_available()) == (1, False)
        assert [run_now(run.id).state.name for run in runs][1:] == ["Scheduled", "Scheduled"]
        flows.let_go()
        for run in runs:
            assert (await ended(run)).state.is_completed()
    # One after the other, the earliest first.
    assert [line[:2] for line in flows.noted] == [[word, number] for number in "012" for word in ("holds", "lets")]


def test_the_limit_is_that_of_the_settings_unless_given():
    with temporary_settings({"runner.process_limit": 7}):
        assert Runner().limit == 7
        assert Runner(limit=2).limit == 2
        assert Runner(limit=None).limit is None
    with pytest.raises(ValueError, match=r"at least 1, not 0"):
        Runner(limit=0)


async def test_each_run_is_one_of_its_own_deployment(flows: Flows):
    runner = Runner(query_seconds=SELDOM)
    acts = await runner.add_deployment(await flows.load("acts").to_deployment("acts"))
    holds = await runner.add_flow(flows.load("holds"), name="holds")
    flows.let_go()
    async with serving(runner):
        runs = [start_run(acts, what="well"), start_run(holds, name="mine")]
        for run in runs:
            assert (await ended(run)).state.is_completed()
    assert sorted(line[:2] for line in flows.noted) == [["acted", "well"], ["holds", "mine"], ["lets", "mine"]]


async def test_two_runners_of_one_deployment_share_its_runs(flows: Flows):
    first, second = Runner(query_seconds=SELDOM, limit=2), Runner(query_seconds=SELDOM, limit=2)
    id = await first.add_flow(flows.load("acts"), name="shared")
    assert await second.add_flow(flows.load("acts"), name="shared") == id
    async with serving(first), serving(second):
        runs = [start_run(id, what=str(number)) for number in range(3)]
        for run in runs:
            assert (await ended(run)).state.is_completed()
    assert sorted(line[1] for line in flows.noted) == ["0", "1", "2"]


# -- how serving ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pauses", [True, False])
async def test_deployments_are_paused_in_the_end_if_that_is_wanted(flows: Flows, pauses: bool, caplog):
    caplog.set_level("INFO", logger="prefect.runner")
    runner = Runner(pause_on_shutdown=pauses)
    ids = [await runner.add_flow(flows.load("acts"), name=f"pauses-{pauses}-{number}") for number in range(2)]
    async with serving(runner):
        assert not any(is_paused(id) for id in ids)
    assert [is_paused(id) for id in ids] == [pauses, pauses]
    assert ("have been paused" in caplog.text) == pauses


async def test_who_serves_again_lets_the_schedules_go_on(flows: Flows):
    for _ in range(2):
        runner = Runner()
        id = await runner.add_flow(flows.load("acts"), name="again", interval=3600)
        assert not is_paused(id)
        async with serving(runner):
            pass
        assert is_paused(id)


async def test_runs_that_go_are_cancelled_with_their_hooks_and_new_ones_are_left(flows: Flows):
    runner = Runner(query_seconds=SELDOM, limit=1)
    id = await runner.add_flow(flows.load("waits"), name="stopped")
    async with serving(runner):
        first = start_run(id)
        await flows.noted_by("waits")
        second = start_run(id)
    state = run_now(first.id).state
    assert state.is_cancelled() and "shutting down" in state.message
    assert flows.noted[1:] == [["cancelled", "waits", "Cancelling"]]
    assert run_now(second.id).state.is_scheduled()


async def test_a_runner_serves_once_at_a_time_and_stops_only_what_serves(flows: Flows):
    runner = Runner(name="the-runner")
    with pytest.raises(RuntimeError, match="has not been started"):
        runner.stop(_sync=True)
    await runner.add_flow(flows.load("acts"), name="once-at-a-time")
    async with serving(runner):
        with pytest.raises(RuntimeError, match="'the-runner' has been started already"):
            await runner.start()


# -- how runs end ----------------------------------------------------------------------------------------------------


async def test_a_served_run_is_cancelled(flows: Flows):
    runner = Runner(query_seconds=SELDOM)
    id = await runner.add_flow(flows.load("waits"), name="cancelled")
    async with serving(runner):
        run = start_run(id)
        await flows.noted_by("waits")
        set_state(run.id, Cancelling())
        assert (await ended(run)).state.is_cancelled()
        await until(lambda: runner.run_count == 0, "there is room again")
    # The hooks of a flow that is an object of this process run here.
    assert flows.noted[1:] == [["cancelled", "waits", "Cancelling"]]


@pytest.mark.parametrize("is_object", [True, False])
async def test_a_served_run_that_is_killed_crashes(flows: Flows, is_object: bool, monkeypatch):
    runner = Runner(query_seconds=SELDOM)
    if is_object:
        id = await runner.add_flow(flows.load("acts"), name="killed")
    else:
        monkeypatch.chdir(flows.folder)
        deployment = await Flow.from_source(flows.folder, "some_flows.py:acts")
        id = await runner.add_deployment(await deployment.to_deployment("killed-from-storage"))
    async with serving(runner):
        run = await ended(start_run(id, what="kill"))
        assert run.state.is_crashed() and "-9" in run.state.message
        await until(lambda: flows.noted == [["crashed", "acts", "Crashed"]], "its hook runs, once")


async def test_code_that_does_not_load_any_more_crashes_the_run_and_says_why(flows: Flows):
    runner = Runner(query_seconds=SELDOM)
    id = await runner.add_deployment(
        await (await Flow.from_source(flows.folder, "some_flows.py:acts")).to_deployment("b")
    )
    good = flows.path.read_text()
    async with serving(runner):
        flows.path.write_text(good + "\ndef (\n")
        run = await ended(start_run(id, what="well"))
        assert run.state.is_crashed() and "SyntaxError" in run.state.message and "some_flows.py" in run.state.message
        flows.path.write_text(good)
        assert (await ended(start_run(id, what="well"))).state.is_completed()


async def test_a_parameter_that_the_flow_does_not_take_fails_the_run_only(flows: Flows):
    runner = Runner(query_seconds=SELDOM)
    id = await runner.add_flow(flows.load("acts"), name="parameters", enforce_parameter_schema=False)
    async with serving(runner):
        run = await ended(start_run(id, wat="well"))
        assert run.state.is_failed() and "wat" in run.state.message
        assert (await ended(start_run(id, what="well"))).state.is_completed()


# -- where the code is -----------------------------------------------------------------------------------------------

TELLS = """
import os
from prefect import flow

@flow
def tells():
    with open(os.environ["JOURNAL"], "a") as journal:
        print("tells", {version!r}, file=journal)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.push({"code.py": TELLS.format(version="one")})
    return made


async def serve_repository(repository: Repository, folder: Path, pull_interval: int | None) -> tuple[Runner, UUID]:
    """A runner for a flow in a repository."""
    storage = GitRepository(repository.url, pull_interval=pull_interval)
    storage.set_base_path(folder)
    flow = await Flow.from_source(storage, "code.py:tells")
    runner = Runner(query_seconds=SELDOM)
    return runner, await runner.add_deployment(await flow.to_deployment(f"every-{pull_interval}"))


@pytest.mark.parametrize(("pull_interval", "later"), [(0, "two"), (None, "one")])
async def test_code_is_as_new_as_its_interval_says(flows: Flows, repository, tmp_path, pull_interval, later):
    runner, id = await serve_repository(repository, tmp_path / "loaded", pull_interval)
    async with serving(runner):
        assert (await ended(start_run(id))).state.is_completed()
        repository.push({"code.py": TELLS.format(version="two")})
        assert (await ended(start_run(id))).state.is_completed()
    assert flows.noted == [["tells", "one"], ["tells", later]]


async def test_code_is_pulled_while_nothing_runs(flows: Flows, repository: Repository, tmp_path: Path):
    runner, id = await serve_repository(repository, tmp_path / "loaded", 1)
    async with serving(runner):
        (code,) = runner._catalogue.codes
        repository.push({"code.py": TELLS.format(version="two")})
        file = code.storage.destination / "code.py"
        await until(lambda: file.exists() and "two" in file.read_text(), "the code is pulled")


MAKES_A_RUNNER = """
import asyncio, sys
from pathlib import Path
from prefect import Flow
from prefect.runner import Runner
from prefect.runner.storage import GitRepository

async def main():
    storage = GitRepository(sys.argv[1])
    storage.set_base_path(Path(sys.argv[2]))
    flow = await Flow.from_source(storage, "code.py:tells")
    runner = Runner()
    id = await runner.add_deployment(await flow.to_deployment("unserved"))
    (folder,) = Path(sys.argv[3]).iterdir()
    print(folder.name)

asyncio.run(main())
"""


def test_the_folder_of_a_runner_goes_with_it_silently(repository: Repository, tmp_path: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-W", "error", "-c", MAKES_A_RUNNER, repository.url, tmp_path / "loaded", temporary]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("prefect-runner-") and done.stderr == "", done
    assert not list(temporary.iterdir())


async def test_code_that_cannot_be_pulled_crashes_the_run_and_says_why(flows: Flows, repository, tmp_path):
    runner, id = await serve_repository(repository, tmp_path / "loaded", 0)
    async with serving(runner):
        assert (await ended(start_run(id))).state.is_completed()
        away = Path(shutil.move(repository.bare, tmp_path / "away"))
        run = await ended(start_run(id))
        assert run.state.is_crashed() and "could not be pulled" in run.state.message
        shutil.move(away, repository.bare)
        assert (await ended(start_run(id))).state.is_completed()


# -- the web server --------------------------------------------------------------------------------------------------


@pytest.fixture
def address() -> Any:
    port = free_port()
    with temporary_settings({"runner.server.port": port, "runner.server.host": "127.0.0.1"}):
        yield f"http://127.0.0.1:{port}"


async def test_a_runner_tells_over_http_how_it_is_and_stops_when_told_to(flows: Flows, address: str):
    runner = Runner(query_seconds=SELDOM, webserver=True)
    id = await runner.add_flow(flows.load("waits"), name="web")
    async with serving(runner) as task:
        async with httpx.AsyncClient(base_url=address) as web:
            health = await web.get("/health")
            assert (health.status_code, health.json()) == (200, {"message": "OK"})
            assert (await web.get("/run_count")).json() == 0
            run = start_run(id)
            await flows.noted_by("waits")
            assert (await web.get("/run_count")).json() == 1
            assert (await web.post("/shutdown")).status_code == 200
        await asyncio.wait_for(task, 60)
    assert run_now(run.id).state.is_cancelled()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health")


async def test_a_port_that_is_taken_is_named(flows: Flows, running: RunningServer):
    runner = Runner()
    await runner.add_flow(flows.load("acts"), name="taken")
    with temporary_settings({"runner.server.port": running.port, "runner.server.host": "127.0.0.1"}):
        with pytest.raises(OSError, match=f"{running.port}.*PREFECT_RUNNER_SERVER_PORT"):
            await runner.start(webserver=True)


# -- an API that is away, or refuses -----------------------------------------------------------------------------------


async def test_a_runner_outlives_a_server_that_is_away_for_a_while(flows: Flows, tmp_path: Path):
    port = free_port()
    with temporary_settings({"api.url": f"http://127.0.0.1:{port}/api"}):
        runner = Runner(query_seconds=0.2)
        async with AsyncExitStack() as lives:
            with server(tmp_path / "server", port=port):
                id = await runner.add_flow(flows.load("holds"), name="outlives")
                await lives.enter_async_context(serving(runner))
                before = start_run(id, name="before")
                await flows.noted_by("holds")
            asked = runner.last_polled
            with server(tmp_path / "server", port=port) as running:
                await until(lambda: runner.last_polled != asked, "the server is asked again")
                flows.let_go()
                after = start_run(id, name="after")
                for run in (before, after):
                    assert (await ended(run)).state.is_completed()
                await lives.aclose()
                forget_recorder(running.url)
    assert [line[1] for line in flows.noted if line[0] == "lets"] == ["before", "after"]


async def test_a_runner_gives_up_an_api_that_is_gone_for_good(flows: Flows, address: str, monkeypatch, caplog):
    monkeypatch.setattr(_session, "PATIENCE_SECONDS", 0.5)
    runner = Runner(query_seconds=0.05, webserver=True)
    id = await runner.add_flow(flows.load("acts"), name="gone")
    with temporary_settings({"api.url": f"http://127.0.0.1:{free_port()}/api"}):
        task = asyncio.create_task(runner.start())
        await until(lambda: answers(f"{address}/health", 503), "it is not well")
        with pytest.raises(RuntimeError, match=r"has not answered for .* Is the server running"):
            await asyncio.wait_for(task, 60)
    assert "could not be paused" in caplog.text
    assert not is_paused(id)


async def test_a_runner_with_runs_under_way_waits_for_their_ends(flows: Flows, monkeypatch):
    monkeypatch.setattr(_session, "PATIENCE_SECONDS", 0.0)
    with CoreAPI(flows.folder / "core.db") as api:
        with temporary_settings({"api.url": api.url}):
            runner = Runner(query_seconds=0.1)
            id = await runner.add_flow(flows.load("holds"), name="waits-for-them")
            run = start_run(id)
            task = asyncio.create_task(runner.start())
            await flows.noted_by("holds")
            failed = 0

            def fails(request: Request) -> Answer:
                nonlocal failed
                if not request.path.endswith("get_scheduled_flow_runs"):
                    return api._ask_core(request)
                failed += 1
                return Answer(503, {})

            api.otherwise = fails
            await until(lambda: failed > 3, "the API has failed a few times")
            assert not task.done()
            flows.let_go()
            with pytest.raises(RuntimeError, match="has not answered"):
                await asyncio.wait_for(task, 60)
            assert run_now(run.id).state.is_completed()
        forget_recorder(api.url)
    forget_store(api.database_url)


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_a_runner_that_is_refused_stops_at_once(flows: Flows, status: int):
    with CoreAPI(flows.folder / "core.db") as api:
        with temporary_settings({"api.url": api.url, "client.max_retries": 0}):
            runner = Runner(query_seconds=SELDOM)
            await runner.add_flow(flows.load("acts"), name="refused")
            api.refuse_with = status
            with pytest.raises(RuntimeError, match=f"refuses to say which runs are due.*{status}"):
                await asyncio.wait_for(runner.start(), 60)
        forget_recorder(api.url)
    forget_store(api.database_url)


# -- how serving begins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a/b", "50%"])
def test_a_name_that_no_path_could_hold_is_refused(name: str):
    with pytest.raises(ValueError, match=repr(name)):
        Runner(name=name)


def test_a_name_that_is_a_file_stands_for_its_stem():
    assert Runner(name="path/of"[:4] + ".py").name == "path"
    assert Runner().name.startswith("runner-")


async def test_serving_in_a_loop_says_what_to_write_instead(flows: Flows):
    with pytest.raises(RuntimeError, match=r"await aserve\(\.\.\.\)"):
        serve(await flows.load("acts").to_deployment("blocks"))
    with pytest.raises(RuntimeError, match=r"await prefect\.aserve"):
        flows.load("acts").serve("blocks")


async def test_nothing_to_serve_is_refused():
    with pytest.raises(ValueError, match="at least one deployment"):
        await aserve()


async def test_what_cannot_be_served_is_refused_with_what_was_expected(flows: Flows):
    with pytest.raises(TypeError, match=r"Cannot serve 3\. Expected flows, or deployments"):
        await aserve(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"tags, version: .*'named' has its own.*to_deployment"):
        await aserve(await flows.load("acts").to_deployment("named"), tags=["a"], version="1")


async def test_flows_are_served_by_deployments_that_are_made_for_them(flows: Flows, address: str):
    task = asyncio.create_task(
        aserve(flows.load("acts"), flows.load("holds"), tags=["together"], description="d", webserver=True)
    )
    await until(lambda: answers(f"{address}/health", 200), "it serves")
    together = DeploymentFilter(tags=DeploymentFilterTags(all_=["together"]))
    async with get_client() as client:
        made = await client.read_deployments(deployment_filter=together)
    assert sorted((each.name, each.description, each.tags) for each in made) == [
        ("acts", "d", ["together"]),
        ("holds", "d", ["together"]),
    ]
    httpx.post(f"{address}/shutdown")
    await asyncio.wait_for(task, 60)


async def test_several_deployments_are_served_from_async_code(flows: Flows, address: str, capsys):
    deployments = [await flows.load(name).to_deployment("several") for name in ("acts", "holds")]
    task = asyncio.create_task(aserve(*deployments, webserver=True))
    out = ""

    def is_told() -> bool:
        nonlocal out
        out += capsys.readouterr().out
        return "acts/several" in out and "holds/several" in out

    await until(is_told, "it says what is served")
    assert "prefect deployment run" in out
    await until(lambda: answers(f"{address}/health", 200), "it serves")
    httpx.post(f"{address}/shutdown")
    await asyncio.wait_for(task, 60)


async def test_a_work_pool_is_ignored_with_a_warning(flows: Flows, address: str):
    deployment = await flows.load("acts").to_deployment("has-pool", work_pool_name="no-such-pool")
    runner_options = {"webserver": True, "print_starting_message": False}
    with pytest.warns(UserWarning, match="'no-such-pool'.*ignored"):
        task = asyncio.create_task(aserve(deployment, **runner_options))
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_schedules_without_a_server_are_warned_of(flows: Flows, caplog: pytest.LogCaptureFixture):
    caplog.set_level("WARNING", logger="prefect.runner")
    with temporary_settings({"api.url": None}):
        for interval in (None, 3600):
            runner = Runner(pause_on_shutdown=False)
            await runner.add_flow(flows.load("acts"), name=f"embedded-{interval}", interval=interval)
            await runner.start(run_once=True)
            assert ("prefect server start" in caplog.text) == (interval is not None)


async def test_without_a_server_triggered_runs_are_executed(flows: Flows):
    with temporary_settings({"api.url": None}):
        runner = Runner()
        id = await runner.add_flow(flows.load("acts"), name="embedded")
        async with serving(runner):
            assert (await ended(start_run(id, what="well"))).state.is_completed()
