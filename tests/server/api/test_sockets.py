"""The websockets: events come in and go out, logs go out, and nobody gets in without the password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PATIENCE = 15


@contextmanager
def socket(running: RunningServer, path: str, token: str | None = None) -> Iterator[ClientConnection]:
    url = running.url.replace("http", "ws", 1) + path
    with connect(url, subprotocols=["prefect"]) as connection:  # type: ignore[list-item]
        connection.send(json.dumps({"type": "auth", "token": token}))
        assert json.loads(connection.recv(PATIENCE)) == {"type": "auth_success"}
        yield connection


def event(name: str, resource: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(timezone.utc).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": resource},
        "payload": {"big": 2**40, "text": "é"},
    }


def wanting(resource: str, **more: Any) -> str:
    wanted = {
        "resource": {"id": [resource]},
        "occurred": {"since": "2020-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z"},
    }
    return json.dumps({"type": "filter", "filter": wanted, **more})


def test_events_that_come_in_can_be_read(running: RunningServer):
    resource = f"oven.{uuid4()}"
    with socket(running, "/events/in") as incoming:
        for number in range(300):
            incoming.send(json.dumps(event(f"oven.{number}", resource)))
    with running.client() as client:
        wanted = json.loads(wanting(resource))["filter"]
        for _ in range(200):
            found = client.post("/events/filter", json={"filter": wanted}).json()
            if found["total"] == 300:
                break
    assert found["total"] == 300


def test_what_is_new_goes_out_at_once_and_what_was_before_first(running: RunningServer):
    resource = f"oven.{uuid4()}"
    with running.client() as client, socket(running, "/events/out") as outgoing:
        client.post("/events", json=[event("oven.lit", resource)])
        outgoing.send(wanting(resource))
        assert json.loads(outgoing.recv(PATIENCE))["event"]["event"] == "oven.lit"
        client.post("/events", json=[event("other.thing", "other"), event("oven.hot", resource)])
        message = json.loads(outgoing.recv(PATIENCE))
    assert (message["type"], message["event"]["event"]) == ("event", "oven.hot")
    assert message["event"]["payload"] == {"big": 2**40, "text": "é"}


def test_the_past_can_be_left_out(running: RunningServer):
    resource = f"oven.{uuid4()}"
    with running.client() as client, socket(running, "/events/out") as outgoing:
        client.post("/events", json=[event("oven.lit", resource)])
        outgoing.send(wanting(resource, backfill=False))
        _until_subscribed(client, outgoing, resource)


def _until_subscribed(client: httpx.Client, outgoing: ClientConnection, resource: str) -> None:
    """The first event that arrives is a new one, not the one from before."""
    for _ in range(100):
        client.post("/events", json=[event("oven.hot", resource)])
        try:
            assert json.loads(outgoing.recv(0.2))["event"]["event"] == "oven.hot"
        except TimeoutError:
            continue
        return
    raise AssertionError("no event arrived")


def test_a_flow_run_s_states_go_out(running: RunningServer):
    with running.client() as client, socket(running, "/events/out") as outgoing:
        flow = client.post("/flows/", json={"name": f"f-{uuid4()}"}).json()
        run = client.post("/flow_runs/", json={"flow_id": flow["id"], "state": {"type": "PENDING"}}).json()
        outgoing.send(json.dumps({"type": "filter", "filter": {"resource": {"id": [f"prefect.flow-run.{run['id']}"]}}}))
        client.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}})
        names = [json.loads(outgoing.recv(PATIENCE))["event"]["event"] for _ in range(2)]
    assert names == ["prefect.flow-run.Pending", "prefect.flow-run.Running"]


@pytest.mark.parametrize(
    ("path", "messages", "code"),
    [
        ("/events/in", ['{"type": "hello"}'], 1008),
        ("/events/in", ["nonsense"], 1002),
        ("/events/in", ['{"type": "auth", "token": null}', b"bytes"], 1002),
        ("/events/in", ['{"type": "auth", "token": null}', '{"no": "event"}'], 1002),
        ("/events/out", ['{"type": "auth", "token": null}', '{"type": "other"}'], 1002),
        ("/events/out", ['{"type": "auth", "token": null}', '{"type": "filter", "filter": {"event": 1}}'], 1002),
    ],
)
def test_what_is_not_understood_closes_the_socket(running: RunningServer, path: str, messages: list[str], code: int):
    url = running.url.replace("http", "ws", 1) + path
    with connect(url, subprotocols=["prefect"]) as connection:  # type: ignore[list-item]
        for message in messages:
            connection.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in messages + [""]:
                connection.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code


def test_a_password_is_asked_for_and_logs_go_out(tmp_path: Path):
    settings = {
        "PREFECT_SERVER_API_AUTH_STRING": "admin:secret",
        "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "true",
        "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED": "true",
    }
    with server(tmp_path, **settings) as running, running.client(auth=("admin", "secret")) as client:
        with pytest.raises(ConnectionClosed) as refused, socket(running, "/events/out", "wrong"):
            pass
        assert refused.value.rcvd is not None and refused.value.rcvd.code == 1008
        run_id = str(uuid4())
        with socket(running, "/logs/out", "admin:secret") as outgoing:
            outgoing.send(json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [run_id]}}}))
            log = {"name": "n", "level": 20, "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run_id}
            message = _first_log(client, outgoing, {**log, "message": "hello"})
    assert (message["type"], message["log"]["message"]) == ("log", "hello")


def test_who_follows_logs_that_are_not_streamed_stays_connected(tmp_path: Path):
    with server(tmp_path) as running, socket(running, "/logs/out", None) as outgoing:
        outgoing.send(json.dumps({"type": "filter", "filter": {}}))
        assert outgoing.ping().wait(PATIENCE)


def _first_log(client: httpx.Client, outgoing: ClientConnection, log: dict[str, Any]) -> dict[str, Any]:
    for _ in range(100):  # logs from before the subscription are not sent
        client.post("/logs/", json=[log]).raise_for_status()
        try:
            return json.loads(outgoing.recv(0.2))
        except TimeoutError:
            continue
    raise AssertionError("no log arrived")
