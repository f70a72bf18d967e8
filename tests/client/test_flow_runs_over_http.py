"""Flow runs on a server that is away for a while, or whose answers are lost."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.client.core_api import CoreAPI
from tests.client.http_api import Answer, Request
from tests.sdk._reading import flow_runs_named

from prefect import flow, get_client, task
from prefect._recorder._recorder import forget_recorder
from prefect.client.schemas.objects import FlowRun
from prefect.server.database.store import forget_store
from prefect.settings import temporary_settings
from prefect.states import Pending

PATIENCE = 60.0


@pytest.fixture
def api(tmp_path: Path):
    with CoreAPI(tmp_path / "server.db") as api:
        with temporary_settings({"api.url": api.url, "home": tmp_path / "home"}):
            yield api
        forget_recorder(api.url, timeout=PATIENCE)
    forget_store(api.database_url)


def the_run_of(name: str) -> FlowRun:
    (run,) = flow_runs_named(name)
    return run


def history(run: FlowRun) -> list[str]:
    with get_client(sync_client=True) as client:
        return [state.name for state in sorted(client.read_flow_run_states(run.id), key=lambda state: state.timestamp)]


class LosesAnswers:
    """Does what is asked, and says so only when it is asked the second time, as behind a proxy that gives up."""

    def __init__(self, api: CoreAPI) -> None:
        self.seen: Counter[tuple[str, bytes]] = Counter()
        self.lost: list[str] = []
        self._api = api

    def __call__(self, request: Request) -> Answer:
        answer = self._api._ask_core(request)
        self.seen[request.path, request.body] += 1
        if request.method != "POST" or self.seen[request.path, request.body] > 1:
            return answer
        self.lost.append(request.path.rstrip("/").rpartition("/")[2])
        return Answer(503, {}, {"Retry-After": "0"})


def test_a_flow_goes_on_when_every_answer_is_lost_once(api):
    @task
    def double(x):
        return 2 * x

    @flow
    def nested(x):
        return double(x)

    attempts = []

    @flow(retries=1)
    def outer():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("the first attempt")
        return nested(3) + double(4)

    api.otherwise = loses = LosesAnswers(api)
    assert outer() == 14
    assert len(attempts) == 2
    assert {"flow_runs", "set_state"} <= set(loses.lost)
    run = the_run_of("outer")
    assert history(run) == ["Pending", "Running", "AwaitingRetry", "Running", "Completed"]
    assert run.run_count == 2
    assert history(the_run_of("nested")) == ["Pending", "Running", "Completed"]


def test_a_client_is_told_that_its_proposal_was_accepted_though_the_answer_was_lost(api):
    @flow
    def anything(): ...

    api.otherwise = LosesAnswers(api)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(anything)
        assert [each.id for each in flow_runs_named("anything")] == [run.id]
        answer = client.set_flow_run_state(run.id, Pending(name="Claimed"))
        assert answer.status.value == "ACCEPT" and answer.state is not None and answer.state.name == "Claimed"
        assert history(run) == ["Pending", "Claimed"]


@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "refusing"])
def test_a_flow_whose_server_is_away_goes_on_when_it_is_back(api, is_gone):
    """Its next transition is proposed again and again; nothing of the flow is repeated for that."""
    calls = []

    @task
    def step(x):
        return x

    @flow
    def outlives():
        calls.append(1)
        if is_gone:
            api.stop()
            threading.Timer(1.0, api.start).start()
        else:
            api.otherwise = refuse_first_proposal
        return sum(step(x) for x in range(3))

    refused = []

    def refuse_first_proposal(request: Request) -> Answer:
        if request.path.endswith("/set_state") and not refused:
            refused.append(request.path)
            return Answer(503, {"exception_message": "Service Unavailable"})
        return api._ask_core(request)

    assert outlives() == 3
    assert len(calls) == 1 and len(refused) == (not is_gone)
    run = the_run_of("outlives")
    assert history(run) == ["Pending", "Running", "Completed"]
    with get_client(sync_client=True) as client:
        assert [each.state_name for each in client.read_task_runs()] == ["Completed"] * 3
