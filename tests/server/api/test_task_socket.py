"""The websocket of task workers: background runs come one by one, and none is lost with a worker."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.server.api.conftest import RunningServer
from tests.server.api.test_sockets import PATIENCE, socket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

PATH = "/task_runs/subscriptions/scheduled"


def background_run(client: httpx.Client, key: str, **details: Any) -> str:
    state = {"type": "SCHEDULED", "state_details": {"deferred": True, **details}}
    body = {"task_key": key, "dynamic_key": str(uuid4()), "name": "r", "state": state, "flow_run_id": None}
    return client.post("/task_runs/", json=body).json()["id"]


def subscribe(connection: ClientConnection, *keys: str, name: str = "worker") -> None:
    connection.send(json.dumps({"type": "subscribe", "keys": list(keys), "client_id": name}))


def take(connection: ClientConnection) -> str:
    """The id of the next run, which is confirmed."""
    id = json.loads(connection.recv(PATIENCE))["id"]
    connection.send('{"type":"ack"}')
    return id


def test_runs_come_one_by_one_to_the_workers_of_their_task(running: RunningServer):
    key, other = f"t-{uuid4()}", f"o-{uuid4()}"
    with running.client() as client, socket(running, PATH) as connection:
        background_run(client, other)
        background_run(client, key, scheduled_time="2999-01-01T00:00:00Z")
        first = background_run(client, key)
        subscribe(connection, key)
        assert take(connection) == first
        second, third = background_run(client, key), background_run(client, key)
        assert [take(connection), take(connection)] == [second, third]


def test_what_was_not_confirmed_goes_to_another_worker(running: RunningServer):
    key = f"t-{uuid4()}"
    with running.client() as client:
        run = background_run(client, key)
        for _ in range(2):
            with socket(running, PATH) as leaving:
                subscribe(leaving, key)
                assert json.loads(leaving.recv(PATIENCE))["id"] == run
        with socket(running, PATH) as quitting:
            subscribe(quitting, key)
            assert json.loads(quitting.recv(PATIENCE))["id"] == run
            quitting.send('{"type":"quit"}')
            with pytest.raises(ConnectionClosed) as closed:
                quitting.recv(PATIENCE)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
        with socket(running, PATH) as staying:
            subscribe(staying, key)
            assert take(staying) == run


def test_a_run_is_told_to_one_of_several_workers(running: RunningServer):
    key = f"t-{uuid4()}"
    with running.client() as client, socket(running, PATH) as one, socket(running, PATH) as other:
        subscribe(one, key, name="one")
        subscribe(other, key, name="other")
        runs = {background_run(client, key), background_run(client, key)}
        assert {json.loads(each.recv(PATIENCE))["id"] for each in (one, other)} == runs


def test_connected_workers_are_listed(running: RunningServer):
    key, name = f"t-{uuid4()}", f"w-{uuid4()}"

    def found(client: httpx.Client) -> list[Any]:
        return client.post("/task_workers/filter", json={"task_worker_filter": {"task_keys": [key]}}).json()

    with running.client() as client:
        with socket(running, PATH) as connection:
            run = background_run(client, key)
            subscribe(connection, key, "b", name=name)
            assert json.loads(connection.recv(PATIENCE))["id"] == run
            (worker,) = found(client)
            assert (worker["identifier"], worker["task_keys"]) == (name, [key, "b"])
            assert name in [each["identifier"] for each in client.post("/task_workers/filter", json={}).json()]
        while found(client):
            pass
        assert client.post("/task_workers/filter", json={"task_worker_filter": {}}).status_code == 422


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        '{"type": "other"}',
        '{"type": "subscribe", "client_id": "w"}',
        '{"type": "subscribe", "keys": [], "client_id": "w"}',
        '{"type": "subscribe", "keys": [1], "client_id": "w"}',
        '{"type": "subscribe", "keys": ["t"]}',
    ],
)
def test_what_is_not_understood_closes_the_socket(running: RunningServer, message: str):
    with socket(running, PATH) as connection:
        connection.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4001
