"""The channel of workers: hello and ready, heartbeats in, the work pool out, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.server.api.conftest import RunningServer, server
from tests.server.api.test_sockets import PATIENCE, socket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from prefect.client.schemas.worker_channel import validate_worker_channel_frame

REQUIRED = ["worker_heartbeat.v1", "work_pool_snapshot.v1"]


class Worker:
    """One worker, and what it says."""

    def __init__(self, running: RunningServer, pool: str | None = None) -> None:
        self.running, self.pool = running, pool or f"pool-{uuid4()}"
        self.name, self.consumer = f"worker-{uuid4()}", str(uuid4())

    @contextmanager
    def connected(self, *, greets: bool = True, **hello: Any) -> Iterator[ClientConnection]:
        with socket(self.running, f"/work_pools/{self.pool}/workers/connect") as connection:
            if greets:
                connection.send(self.hello(**hello))
            yield connection

    def hello(self, **more: Any) -> str:
        payload = {
            "consumer_id": self.consumer,
            "worker_name": self.name,
            "worker_type": "process",
            "heartbeat_interval_seconds": 7,
            "supported_channel_versions": ["work_pool_worker_channel.v1"],
            "requested_capabilities": REQUIRED,
            "create_pool_if_not_found": True,
        }
        return frame("worker.hello.v1", {**payload, **more})

    def heartbeat(self, **more: Any) -> str:
        payload = {"consumer_id": self.consumer, "worker_name": self.name, "heartbeat_interval_seconds": 9}
        return frame("worker.heartbeat.v1", {**payload, **more})


def frame(type: str, payload: dict[str, Any]) -> str:
    return json.dumps(
        {"type": type, "id": str(uuid4()), "sent_at": datetime.now(timezone.utc).isoformat(), "payload": payload}
    )


def heard(connection: ClientConnection) -> dict[str, Any]:
    message = json.loads(connection.recv(PATIENCE))
    validate_worker_channel_frame(message)
    return message


def ending(connection: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv(PATIENCE)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


# -- hello -----------------------------------------------------------------------------------------------------------


def test_a_worker_makes_its_pool_and_is_ready(running: RunningServer):
    worker = Worker(running)
    template = {"job_configuration": {"command": "{{ command }}"}, "variables": {"properties": {"command": {}}}}
    asked = [*REQUIRED, "cleanup_delivery.v1", "tea.v1"]
    with worker.connected(default_base_job_template=template, requested_capabilities=asked) as connection:
        ready = heard(connection)
        with running.client() as client:
            pool = client.get(f"/work_pools/{worker.pool}").json()
            (known,) = client.post(f"/work_pools/{worker.pool}/workers/filter", json={}).json()
    assert ready["type"] == "worker.ready.v1"
    said = ready["payload"]
    assert (said["worker_id"], said["consumer_id"]) == (known["id"], worker.consumer)
    assert sorted(said["accepted_capabilities"]) == sorted(REQUIRED)
    assert said["rejected_capabilities"] == ["cleanup_delivery.v1", "tea.v1"]
    assert said["effective_heartbeat_interval_seconds"] == known["heartbeat_interval_seconds"] == 7
    snapshot = said["initial_snapshot"]
    assert (snapshot["snapshot_sequence"], snapshot["reason"]) == (1, "initial")
    shown = {name: snapshot["work_pool"][name] for name in ("id", "type", "status", "base_job_template")}
    assert shown == {"id": pool["id"], "type": "process", "status": "READY", "base_job_template": template}
    assert (known["name"], known["status"]) == (worker.name, "ONLINE")


def test_an_empty_template_is_filled_and_queues_are_found(running: RunningServer):
    worker = Worker(running)
    template = {"job_configuration": {}, "variables": {}}
    with running.client() as client:
        client.post("/work_pools/", json={"name": worker.pool, "type": "process"}).raise_for_status()
        queue = client.post(f"/work_pools/{worker.pool}/queues", json={"name": "fast"}).json()
        asked = {"work_queue_names": ["fast"], "default_base_job_template": template}
        with worker.connected(**asked, create_pool_if_not_found=False) as connection:
            said = heard(connection)["payload"]
        assert client.get(f"/work_pools/{worker.pool}").json()["base_job_template"] == template
    assert said["initial_snapshot"]["work_pool"]["base_job_template"] == template
    assert said["resolved_work_queues"] == [{"id": queue["id"], "name": "fast"}]


@pytest.mark.parametrize(
    ("hello", "end"),
    [
        ({"create_pool_if_not_found": False}, (1008, "authorization_failed")),
        ({"work_queue_names": ["nowhere"]}, (1008, "authorization_failed")),
        ({"supported_channel_versions": ["work_pool_worker_channel.v9"]}, (1008, "unsupported_version")),
        ({"requested_capabilities": ["worker_heartbeat.v1"]}, (1002, "protocol_error")),
        ({"tea": True}, (1002, "protocol_error")),
        ({"default_base_job_template": {"job_configuration": 1}}, (1002, "protocol_error")),
        ({"heartbeat_interval_seconds": 2**40}, (1002, "protocol_error")),
    ],
)
def test_a_worker_that_may_not_or_cannot_is_sent_away(running: RunningServer, hello: dict[str, Any], end: Any):
    worker = Worker(running)
    with worker.connected(**hello) as connection:
        assert ending(connection) == end
    with running.client() as client:
        assert client.get(f"/work_pools/{worker.pool}").status_code == 404


def test_a_reserved_name_is_refused(running: RunningServer):
    with Worker(running, "prefect-mine").connected() as connection:
        assert ending(connection) == (1008, "authorization_failed")


@pytest.mark.parametrize("first", ["nonsense", b"bytes", '{"type": "worker.hello.v1"}', "heartbeat"])
def test_the_first_frame_is_a_hello(running: RunningServer, first: str | bytes):
    worker = Worker(running)
    with worker.connected(greets=False) as connection:
        connection.send(worker.heartbeat() if first == "heartbeat" else first)
        assert ending(connection) == (1002, "protocol_error")


def test_the_subprotocol_is_needed(running: RunningServer):
    url = running.url.replace("http", "ws", 1) + "/work_pools/p/workers/connect"
    with pytest.raises(InvalidStatus) as refused, connect(url):
        pass
    assert refused.value.response.status_code == 403


def test_a_password_is_asked_for(tmp_path: Path):
    with server(tmp_path, PREFECT_SERVER_API_AUTH_STRING="admin:secret") as guarded:
        url = guarded.url.replace("http", "ws", 1) + "/work_pools/p/workers/connect"
        for first in ('{"type": "auth", "token": "wrong"}', '{"type": "auth"}', "nonsense"):
            with connect(url, subprotocols=["prefect"]) as connection:  # type: ignore[list-item]
                connection.send(first)
                assert ending(connection) == (1008, "authentication_failed")


# -- afterwards ------------------------------------------------------------------------------------------------------


def test_heartbeats_are_noted(running: RunningServer):
    worker = Worker(running)
    path = f"/work_pools/{worker.pool}/workers/filter"
    with worker.connected() as connection, running.client() as client:
        heard(connection)
        connection.send(worker.heartbeat())
        connection.send(cleanup("ack"))  # is answered after what came before it
        heard(connection)
        (known,) = client.post(path, json={}).json()
    assert known["heartbeat_interval_seconds"] == 9


@pytest.mark.parametrize("other", [{"worker_name": "somebody"}, {"consumer_id": str(uuid4())}])
def test_a_heartbeat_of_another_worker_ends_the_channel(running: RunningServer, other: dict[str, str]):
    worker = Worker(running)
    with worker.connected() as connection:
        heard(connection)
        connection.send(worker.heartbeat(**other))
        assert ending(connection) == (1002, "protocol_error")


def test_changes_of_the_pool_are_told_of(running: RunningServer):
    worker = Worker(running)
    with worker.connected() as connection, running.client() as client:
        heard(connection)
        path = f"/work_pools/{worker.pool}"
        seen = []
        for change in ({"is_paused": True}, {"description": "nobody cares"}, {"concurrency_limit": 3}):
            client.patch(path, json=change).raise_for_status()
            if "description" not in change:
                message = heard(connection)
                seen.append((message["type"], message["payload"]["snapshot_sequence"], message["payload"]["reason"]))
        pool = message["payload"]["work_pool"]
    assert seen == [("work_pool.snapshot.v1", number, "work_pool_updated") for number in (2, 3)]
    assert (pool["is_paused"], pool["concurrency_limit"], pool["status"]) == (True, 3, "PAUSED")


def test_a_pool_that_is_deleted_takes_its_channels_along(running: RunningServer):
    worker = Worker(running)
    with worker.connected() as connection, running.client() as client:
        heard(connection)
        client.delete(f"/work_pools/{worker.pool}").raise_for_status()
        assert ending(connection) == (1008, "authorization_failed")


def cleanup(operation: str) -> str:
    payload = {"message_id": str(uuid4()), "reservation_token": "t"}
    return frame(f"cleanup.{operation}.v1", {**payload, **({"reason": "r"} if operation == "release" else {})})


@pytest.mark.parametrize("operation", ["ack", "release", "renew"])
def test_there_is_nothing_to_clean_up(running: RunningServer, operation: str):
    with Worker(running).connected() as connection:
        heard(connection)
        sent = cleanup(operation)
        connection.send(sent)
        answer = heard(connection)
    assert answer["type"] == "cleanup.operation_result.v1"
    said = answer["payload"]
    assert (said["request_frame_id"], said["message_id"], said["operation"], said["status"]) == (
        json.loads(sent)["id"],
        json.loads(sent)["payload"]["message_id"],
        operation,
        "not_found",
    )


def test_what_only_the_server_says_is_not_to_be_said_by_a_worker(running: RunningServer):
    worker = Worker(running)
    with worker.connected() as connection:
        ready = json.dumps(heard(connection))
        connection.send(ready)
        assert ending(connection) == (1002, "protocol_error")
