"""Runs of deployments that code starts: what they are, whose children they are, and how they are waited for."""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from contextvars import copy_context
from uuid import uuid4

import pytest
from tests.chaos.servers import Server
from tests.deployments._flows import etl, takes_anything

from prefect import flow, get_client, tags, task
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments import arun_deployment, run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.flow_engine import run_flow
from prefect.flow_runs import wait_for_flow_run
from prefect.settings import temporary_settings
from prefect.states import Completed, Failed

PATIENCE = 60.0


@pytest.fixture
def deployed(client):
    """The deployment etl/d."""
    return etl.to_deployment("d", tags=["deployed"], parameters={"x": 5}, version="9").apply()


def tracking_of(client, run):
    return client.read_task_run(run.parent_task_run_id)


def ids_in(inputs):
    return [each.id for each in inputs]


# -- the run -------------------------------------------------------------------------------------------------------------


def test_a_run_is_created_as_it_is_asked_for(client, deployed):
    at = datetime.datetime(2035, 1, 1, tzinfo=datetime.timezone.utc)
    run = run_deployment(
        "etl/d", parameters={"names": ["b"]}, scheduled_time=at, flow_run_name="mine", tags=["asked"], timeout=0
    )
    assert (run.deployment_id, run.name, run.parameters) == (deployed, "mine", {"x": 5, "names": ["b"]})
    assert (sorted(run.tags), run.deployment_version) == (["asked", "deployed"], "9")
    assert run.state.is_scheduled() and run.state.state_details.scheduled_time == at
    assert run.parent_task_run_id is None
    assert client.read_flow_run(run.id).state.is_scheduled()


def test_a_run_is_due_now_unless_a_time_is_given(client, deployed):
    before = datetime.datetime.now(datetime.timezone.utc)
    due = run_deployment("etl/d", timeout=0).state.state_details.scheduled_time
    assert before <= due <= datetime.datetime.now(datetime.timezone.utc)


@pytest.mark.parametrize("as_name", [lambda id: id, str])
def test_the_deployment_may_be_named_by_its_id(client, deployed, as_name):
    assert run_deployment(as_name(deployed), timeout=0).deployment_id == deployed


def test_queue_and_job_variables_may_be_chosen(client):
    client.create_work_pool(WorkPoolCreate(name="pool", type="test"))
    etl.to_deployment("pooled", work_pool_name="pool").apply()
    run = run_deployment("etl/pooled", work_queue_name="fast", job_variables={"env": {"A": "1"}}, timeout=0)
    assert (run.work_queue_name, run.job_variables) == ("fast", {"env": {"A": "1"}})


def test_the_same_key_gives_the_same_run(client, deployed):
    first = run_deployment("etl/d", idempotency_key="k", timeout=0)
    assert run_deployment("etl/d", idempotency_key="k", timeout=0).id == first.id
    assert run_deployment("etl/d", timeout=0).id != first.id


async def test_async_code_awaits_it(client, deployed):
    first = await run_deployment("etl/d", timeout=0)
    second = await arun_deployment("etl/d", timeout=0)
    assert first.deployment_id == second.deployment_id == deployed
    async with get_client() as own:
        assert (await arun_deployment("etl/d", client=own, timeout=0)).deployment_id == deployed


def test_a_client_of_the_user_sends_the_requests(client, deployed):
    assert run_deployment("etl/d", client=client, timeout=0).deployment_id == deployed
    assert run_deployment("etl/d", client=get_client(), timeout=0).deployment_id == deployed


@pytest.mark.parametrize("name", ["etl/nothing", "nothing/d", uuid4()])
def test_a_deployment_that_there_is_not_is_named(client, deployed, name):
    with pytest.raises(ObjectNotFound, match=f"no deployment '{name}'.*prefect deployment ls"):
        run_deployment(name, timeout=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeout": -1}, ValueError, "cannot be negative, got -1"),
        ({"parameters": {"x": "many"}, "timeout": 0}, PrefectHTTPStatusError, "'many' is not of type 'integer'"),
        ({"parameters": {"x": object()}, "timeout": 0}, ValueError, "'x' cannot be stored"),
        ({"time_out": 3}, TypeError, "time_out"),
    ],
)
def test_what_cannot_be_is_refused(client, deployed, options, error, message):
    with pytest.raises(error, match=message):
        run_deployment("etl/d", **options)
    assert client.read_flow_runs() == []


def test_a_name_without_its_flow_is_refused(client):
    with pytest.raises(ValueError, match="<FLOW_NAME>/<DEPLOYMENT_NAME>"):
        run_deployment("d", timeout=0)


# -- the run that asks ---------------------------------------------------------------------------------------------------


@task
def make_names():
    return ["from a task"]


@task
def start_in_task():
    return run_deployment("etl/d", timeout=0)


def test_in_a_flow_the_run_is_a_child_that_depends_on_what_its_parameters_are_from(client, deployed):
    made = {}

    @flow
    def parent():
        state = make_names(return_state=True)
        made["id"] = state.state_details.task_run_id
        names = state.result()
        with tags("around"):
            return [run_deployment("etl/d", parameters={"x": 2, "names": names}, timeout=0) for _ in range(2)]

    first, second = parent()
    tracking = tracking_of(client, first)
    [asking] = client.read_flow_runs(flow_run_filter={"parent_task_run_id": {"is_null_": True}})
    assert tracking.flow_run_id == asking.id
    assert tracking.task_inputs["x"] == [] and ids_in(tracking.task_inputs["names"]) == [made["id"]]
    assert (tracking.name, tracking.dynamic_key, tracking.task_version) == ("d-0", "0", "9")
    assert tracking.task_key == "prefect.deployments.flow_runs.run_deployment.etl-d"
    # Its state is that of the run, which the tags around do not reach.
    assert tracking.state.is_scheduled() and tracking.state.state_details.child_flow_run_id == first.id
    assert first.tags == ["deployed"]
    assert tracking_of(client, second).name == "d-1"


def test_the_tracking_run_follows_the_run(client, deployed):
    @flow
    def parent():
        return run_deployment("etl/d", timeout=0)

    run = parent()
    assert run_flow(etl, flow_run=run) == 5
    assert tracking_of(client, run).state.is_completed()


def test_in_a_task_the_run_has_the_task_as_its_parent(client, deployed):
    @flow
    def parent():
        state = start_in_task(return_state=True)
        return state.state_details.task_run_id, state.result(), start_in_task.submit().result()

    task_id, first, second = parent()
    tracking = tracking_of(client, first)
    assert ids_in(tracking.task_inputs["__parents__"]) == [task_id]
    assert tracking.id != second.parent_task_run_id


def test_in_a_task_without_a_flow_it_is_tracked_too(client, deployed):
    run = start_in_task()
    tracking = tracking_of(client, run)
    assert tracking.flow_run_id is None
    assert len(tracking.task_inputs["__parents__"]) == 1


def test_it_need_not_be_a_child(client, deployed):
    @flow
    def parent():
        return run_deployment("etl/d", timeout=0, as_subflow=False)

    assert parent().parent_task_run_id is None


async def test_children_may_be_asked_for_at_once(client, deployed):
    @flow
    async def parent():
        return await asyncio.gather(*(run_deployment("etl/d", parameters={"x": n}, timeout=0) for n in range(4)))

    runs = await parent()
    assert sorted(tracking_of(client, run).name for run in runs) == ["d-0", "d-1", "d-2", "d-3"]


def test_a_run_that_is_refused_leaves_nothing_that_waits(client, deployed):
    @flow(retries=1)
    def parent():
        run_deployment("etl/d", parameters={"x": "many"}, timeout=0)

    assert parent(return_state=True).is_failed()
    assert client.read_task_runs() == []


def test_a_retried_flow_keeps_the_tracking_run(client, deployed):
    runs = []

    @flow(retries=1)
    def parent():
        runs.append(run_deployment("etl/d", timeout=0))
        if len(runs) == 1:
            raise ValueError("once")
        with pytest.raises(PrefectHTTPStatusError):
            run_deployment("etl/d", parameters={"x": "many"}, timeout=0)

    parent()
    first, second = runs
    assert (first.id != second.id, first.parent_task_run_id) == (True, second.parent_task_run_id)
    assert [each.id for each in client.read_task_runs()] == [first.parent_task_run_id]


def test_futures_are_refused_rather_than_stored_as_text(client):
    takes_anything.to_deployment("d").apply()

    @flow
    def parent():
        run_deployment("takes-anything/d", parameters={"value": make_names.submit()}, timeout=0)

    with pytest.raises(ValueError, match="'value' cannot be stored"):
        parent()


# -- waiting -------------------------------------------------------------------------------------------------------------


def start(target, *args):
    # In the context of the test, which says where the API is.
    thread = threading.Thread(target=copy_context().run, args=(target, *args), daemon=True)
    thread.start()
    return thread


def serve_one(client):
    """Run the first run that is scheduled."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for run in client.read_flow_runs(flow_run_filter={"state": {"type": {"any_": ["SCHEDULED"]}}}):
            return run_flow(etl, flow_run=run, return_type="state")
        time.sleep(0.02)
    raise AssertionError("nothing was scheduled")


def test_it_waits_for_the_end_of_the_run(client, deployed):
    serving = start(serve_one, client)
    run = run_deployment("etl/d", timeout=PATIENCE, poll_interval=0.05)
    assert run.state.is_completed()
    serving.join(PATIENCE)


async def test_it_waits_in_async_code(client, deployed):
    serving = start(serve_one, client)
    run = await run_deployment("etl/d", poll_interval=0.05)
    assert run.state.is_completed()
    serving.join(PATIENCE)


def test_when_the_time_is_over_the_run_is_given_as_it_is(client, deployed):
    run = run_deployment("etl/d", timeout=0.2, poll_interval=3600)
    assert run.state.is_scheduled()


def test_a_run_that_failed_is_given_and_not_raised(client, deployed):
    def fail():
        deadline = time.monotonic() + PATIENCE
        while not (runs := client.read_flow_runs()) and time.monotonic() < deadline:
            time.sleep(0.02)
        client.set_flow_run_state(runs[0].id, Failed(message="no"), force=True)

    failing = start(fail)
    assert run_deployment("etl/d", timeout=PATIENCE, poll_interval=0.05).state.message == "no"
    failing.join(PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own process, which pushes events."""
    home = tmp_path_factory.mktemp("server")
    server = Server(home, f"sqlite:///{home}/prefect.db")
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)


@pytest.fixture
def on_server(server):
    with temporary_settings({"api.url": server.url}), get_client(sync_client=True) as client:
        yield client


def end_soon(client, run_id):
    client.set_flow_run_state(run_id, Completed(), force=True)


def test_an_event_of_the_run_wakes_who_waits(on_server):
    name = f"woken-{uuid4()}"
    etl.to_deployment(name).apply()

    serving = start(serve_one, on_server)
    # Without the event it would look again in an hour.
    run = run_deployment(f"etl/{name}", timeout=PATIENCE, poll_interval=3600)
    assert run.state.is_completed()
    serving.join(PATIENCE)


async def test_many_can_wait_at_once(on_server):
    await (await etl.to_deployment("many")).apply()
    runs = [await run_deployment("etl/many", timeout=0) for _ in range(20)]
    waiting = asyncio.gather(*(wait_for_flow_run(run.id, timeout=PATIENCE) for run in runs))
    for run in runs:
        await asyncio.to_thread(end_soon, on_server, run.id)
    assert all(run.state.is_completed() for run in await waiting)
