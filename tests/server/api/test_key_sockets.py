"""API keys and websockets: who gets in, and who has to leave; and our own clients, which bring the key of the settings."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server
from tests.server.api.test_sockets import event, socket, wanting
from websockets.exceptions import ConnectionClosed

from prefect.events.clients import PrefectEventsClient, PrefectEventSubscriber
from prefect.events.filters import EventFilter
from prefect.events.schemas.events import Event
from prefect.settings import temporary_settings

PATIENCE = 15


@dataclass(frozen=True)
class Guarded:
    running: RunningServer
    keys: dict[str, str]

    def client(self, key: str) -> httpx.Client:
        return self.running.client(headers={"Authorization": f"Bearer {self.keys[key]}"})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    streams = {
        "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "true",
        "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED": "true",
    }
    with server(tmp_path_factory.mktemp("sockets"), **streams) as running:
        keys: dict[str, str] = {}
        for name, fields in {
            "admin": {"role": "admin"},
            "operator": {"role": "operator", "sees_secrets": True},
            "viewer": {"role": "viewer"},
            "leaver": {"role": "operator"},
        }.items():
            with running.client(headers={"Authorization": f"Bearer {keys.get('admin')}"}) as client:
                answer = client.post("/api_keys/", json={"name": name, **fields})
            keys[name] = answer.raise_for_status().json()["key"]
        yield Guarded(running, keys)


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out", "/task_runs/subscriptions/scheduled"])
@pytest.mark.parametrize("token", [None, "pfs_wrong", ""])
def test_no_socket_opens_without_a_good_key(guarded: Guarded, path: str, token: str | None):
    with pytest.raises(ConnectionClosed) as closed, socket(guarded.running, path, token):
        pass
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


@pytest.mark.parametrize("path", ["/events/in", "/task_runs/subscriptions/scheduled"])
def test_viewers_only_watch(guarded: Guarded, path: str):
    with pytest.raises(ConnectionClosed) as closed, socket(guarded.running, path, guarded.keys["viewer"]):
        pass
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
        1008,
        "The key has the role viewer; operator is needed.",
    )
    with socket(guarded.running, "/events/out", guarded.keys["viewer"]) as outgoing:
        outgoing.send(wanting("seen"))
        with socket(guarded.running, "/events/in", guarded.keys["operator"]) as incoming:
            incoming.send(json.dumps(event("thing.seen", "seen")))
            assert json.loads(outgoing.recv(PATIENCE))["event"]["event"] == "thing.seen"


def test_a_socket_is_closed_when_its_key_is_revoked(guarded: Guarded):
    with socket(guarded.running, "/events/out", guarded.keys["leaver"]) as outgoing:
        outgoing.send(wanting("nothing"))
        with guarded.client("admin") as client:
            assert client.delete("/api_keys/name/leaver").status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            outgoing.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_our_clients_bring_the_key_to_websockets(guarded: Guarded):
    sent = Event.model_validate(event("client.spoke", "client"))

    async def send_and_see() -> str:
        wanted = EventFilter.model_validate(json.loads(wanting("client"))["filter"])
        async with PrefectEventSubscriber(filter=wanted) as subscriber, PrefectEventsClient() as client:
            await client.emit(sent)
            async for received in subscriber:
                return received.event
        return "nothing"

    with temporary_settings({"api.url": guarded.running.url, "api.key": guarded.keys["operator"]}):
        assert asyncio.run(asyncio.wait_for(send_and_see(), PATIENCE)) == "client.spoke"


SCRIPT = """
from prefect import flow, get_run_logger, task
from prefect.blocks.system import Secret

@task
def double(x):
    get_run_logger().info("doubling")
    return 2 * x

@flow(log_prints=True)
def f():
    Secret(value="hush").save("word", overwrite=True)
    return double(4) + len(Secret.load("word").get())

print(f())
"""


def test_a_flow_runs_with_an_operator_s_key(guarded: Guarded):
    environment = guarded.running.environment(PREFECT_API_KEY=guarded.keys["operator"])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "12\n"), done.stderr
    assert guarded.keys["operator"] not in done.stderr
    with guarded.client("viewer") as client:
        runs = client.post("/task_runs/filter").json()
        logs = client.post("/logs/filter").json()
    assert [run["state_type"] for run in runs] == ["COMPLETED"]
    assert "doubling" in [log["message"] for log in logs]


def test_a_flow_says_what_is_wrong_with_its_key(guarded: Guarded):
    environment = guarded.running.environment(PREFECT_API_KEY=guarded.keys["viewer"])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0 and "needs the role operator" in done.stderr
    assert guarded.keys["viewer"] not in done.stderr + done.stdout


@pytest.mark.parametrize(("key", "reason"), [("viewer", "authorization_failed"), (None, "authentication_failed")])
def test_the_channel_of_workers_asks_for_a_key_and_its_role(guarded: Guarded, key: str | None, reason: str):
    path, token = "/work_pools/p/workers/connect", guarded.keys[key] if key else None
    with pytest.raises(ConnectionClosed) as closed, socket(guarded.running, path, token):
        pass
    assert closed.value.rcvd is not None and (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, reason)
    with socket(guarded.running, path, guarded.keys["operator"]):
        pass  # shakes hands
