"""Who asks for due runs may prefer to wait for them: the answer comes with the first one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server

LONG = {"Prefer": "wait=60"}
"""Longer than the client has patience with: an answer that comes only at the end is an error."""
DEADLINE = 30


class Place:
    """A deployment in a pool, and the two ways to ask for its runs."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        name = uuid4().hex
        self.pool = self.post("/work_pools/", {"name": name, "type": "process"})
        flow = self.post("/flows/", {"name": name})
        wanted = {"name": name, "flow_id": flow["id"], "work_pool_name": name}
        self.deployment = self.post("/deployments/", wanted)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(path, json=body, headers=headers).raise_for_status().json()

    def ask_as_worker(self, before: datetime | None = None, **headers: str) -> httpx.Response:
        body = {"scheduled_before": None if before is None else before.isoformat()}
        body = {name: value for name, value in body.items() if value is not None}
        return self.client.post(f"/work_pools/{self.pool['name']}/get_scheduled_flow_runs", json=body, headers=headers)

    def ask_as_runner(self, before: datetime | None = None, **headers: str) -> httpx.Response:
        body: dict[str, Any] = {"deployment_ids": [self.deployment["id"]]}
        if before is not None:
            body["scheduled_before"] = before.isoformat()
        return self.client.post("/deployments/get_scheduled_flow_runs", json=body, headers=headers)

    def start_run(self, at: datetime | None = None) -> str:
        details = {} if at is None else {"scheduled_time": at.isoformat()}
        state = {"type": "SCHEDULED", "state_details": details}
        return self.post(f"/deployments/{self.deployment['id']}/create_flow_run", {"state": state})["id"]


@pytest.fixture
def place(running: RunningServer) -> Iterator[Place]:
    with running.client() as client:
        yield Place(client)


@pytest.fixture(params=["worker", "runner"])
def ask(request: pytest.FixtureRequest, place: Place) -> Callable[..., httpx.Response]:
    return place.ask_as_worker if request.param == "worker" else place.ask_as_runner


@pytest.fixture
def beside() -> Iterator[Callable[..., Future[Any]]]:
    with ThreadPoolExecutor() as threads:
        yield threads.submit


def ids(answer: httpx.Response) -> list[str]:
    return [run.get("flow_run", run)["id"] for run in answer.raise_for_status().json()]


def test_who_does_not_say_that_they_wait_is_answered_at_once(ask):
    answer = ask()
    assert ids(answer) == []
    assert "Preference-Applied" not in answer.headers


def test_a_run_is_told_when_it_is_made(place, ask, beside):
    waiting = beside(ask, **LONG)
    run = place.start_run()
    answer = waiting.result()
    assert ids(answer) == [run]
    assert answer.headers["Preference-Applied"] == "wait=60"


def test_what_is_there_already_is_told_at_once(place, ask):
    run = place.start_run()
    assert ids(ask(**LONG)) == [run]


def test_the_end_of_the_wait_is_an_answer_too(ask):
    answer = ask(Prefer="respond-async, wait=1; x=y")
    assert ids(answer) == []
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_the_window_moves_with_the_wait(place, ask):
    now = datetime.now(timezone.utc)
    run = place.start_run(at=now + timedelta(seconds=2))
    assert ids(ask(before=now)) == []
    assert ids(ask(before=now, **LONG)) == [run]


def test_a_slot_that_becomes_free_is_heard_of(place, beside):
    pool = f"/work_pools/{place.pool['name']}"
    place.client.patch(pool, json={"concurrency_limit": 1}).raise_for_status()
    first, second = place.start_run(), place.start_run()
    place.post(f"/flow_runs/{first}/set_state", {"state": {"type": "PENDING"}})
    waiting = beside(place.ask_as_worker, **LONG)
    place.post(f"/flow_runs/{first}/set_state", {"state": {"type": "COMPLETED"}, "force": True})
    assert ids(waiting.result()) == [second]


def test_a_pool_that_goes_on_is_heard_of(place, beside):
    pool = f"/work_pools/{place.pool['name']}"
    place.client.patch(pool, json={"is_paused": True}).raise_for_status()
    run = place.start_run()
    waiting = beside(place.ask_as_worker, **LONG)
    place.client.patch(pool, json={"is_paused": False}).raise_for_status()
    assert ids(waiting.result()) == [run]


@pytest.mark.parametrize("preference", ["wait", "wait=-1", "wait=soon", "wait=1e9", "", "return=minimal"])
def test_what_is_no_wait_is_no_wait(ask, preference):
    answer = ask(Prefer=preference)
    assert ids(answer) == []
    assert "Preference-Applied" not in answer.headers


def test_who_waits_does_not_keep_a_server_from_stopping(tmp_path: Path, beside):
    with server(tmp_path) as running, running.client() as client:
        place = Place(client)
        asked = threading.Event()

        def ask() -> httpx.Response:
            asked.set()
            return place.ask_as_worker(**LONG)

        waiting = beside(ask)
        asked.wait()
        # It waits for sure once it has been seen to poll.
        path = f"/work_pools/{place.pool['name']}/queues/default"
        with running.client() as other:
            while other.get(path).raise_for_status().json()["last_polled"] is None:
                pass
        running.process.send_signal(signal.SIGTERM)
        assert ids(waiting.result()) == []
        assert running.process.wait(DEADLINE) == 0
