"""`prefect events`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import temporary_settings

PATIENCE = 30


def newest(client: SyncPrefectClient) -> dict[str, Any]:
    return client.read_events().events[0].model_dump(mode="json")


# -- emit ------------------------------------------------------------------------------------------------------------


def test_an_event_is_stored_with_all_that_is_given(client: SyncPrefectClient):
    related = '{"prefect.resource.id": "kitchen.1", "prefect.resource.role": "kitchen"}'
    labels = '{"prefect.resource.id": "oven.1", "color": "red"}'
    result = invoke(["event", "emit", "oven.lit", "-r", labels, "--related", related, "-p", '{"degrees": 200}'])
    stored = newest(client)
    assert result == (0, f"Emitted event 'oven.lit' with id '{stored['id']}'.\n", "")
    assert (stored["event"], stored["payload"]) == ("oven.lit", {"degrees": 200})
    assert stored["resource"] == {"prefect.resource.id": "oven.1", "color": "red"}
    assert stored["related"] == [json.loads(related)]


def test_an_event_leaves_with_its_id_and_its_instant():
    """A server may not make them up: the API asks for both."""
    received: list[Any] = []

    class Keeps(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)  # asks for no token against forged requests

        def do_POST(self) -> None:
            received.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Keeps) as listening:
        answering = Thread(target=listening.serve_forever)
        answering.start()
        with temporary_settings({"api.url": f"http://127.0.0.1:{listening.server_port}/api"}):
            assert invoke(["events", "emit", "oven.lit", "--resource-id", "o"]).exit_code == 0
        listening.shutdown()
        answering.join()
    assert received[0].keys() >= {"id", "occurred", "event", "resource"}


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["--resource-id", "o"], {"prefect.resource.id": "o"}),
        (["--resource", "prefect.resource.id=o"], {"prefect.resource.id": "o"}),
        (["-r", "color=a=b", "--resource-id", "o"], {"prefect.resource.id": "o", "color": "a=b"}),
    ],
)
def test_a_resource_is_given_in_several_ways(client: SyncPrefectClient, options: list[str], labels: dict[str, str]):
    assert invoke(["events", "emit", "--event", "oven.lit", *options]).exit_code == 0
    assert newest(client)["resource"] == labels


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--resource-id"),
        (["-r", "color=red"], "prefect.resource.id"),
        (["-r", "red"], "'red' is neither key=value nor a JSON object"),
        (["--resource-id", "o", "-p", "[1]"], "--payload '[1]' is JSON, but not an object"),
        (["--resource-id", "o", "-p", "{"], "--payload '{' is no JSON"),
        (["--resource-id", "o", "--related", '[{"a": "b"}]'], "related.0: "),
        (["--resource-id", "o", "--related", "[1]"], "related.0: "),
    ],
)
def test_what_makes_no_event_is_refused(client: SyncPrefectClient, options: list[str], message: str):
    result = invoke(["events", "emit", "oven.lit", *options])
    assert result.exit_code == 1 and message in result.stdout
    assert client.read_events().total == 0


# -- stream ----------------------------------------------------------------------------------------------------------


def test_one_event_is_printed_as_json_or_as_text(client: SyncPrefectClient):
    invoke(["events", "emit", "oven.lit", "--resource-id", "oven.1"])
    printed = invoke(["events", "stream", "--run-once"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == {key: value for key, value in newest(client).items() if key != "received"}
    occurred = client.read_events().events[0].occurred.isoformat()
    assert invoke(["events", "stream", "--run-once", "--format", "TEXT"]).stdout == f"{occurred} oven.lit oven.1\n"


def test_events_are_appended_to_a_file(client: SyncPrefectClient, tmp_path: Path):
    invoke(["events", "emit", "oven.lit", "--resource-id", "oven.1"])
    path = tmp_path / "events.jsonl"
    path.write_text("before\n")
    assert invoke(["events", "stream", "--run-once", "--output-file", str(path)]) == (0, "", "")
    before, line = path.read_text().splitlines()
    assert (before, json.loads(line)["event"]) == ("before", "oven.lit")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "xml"], "'xml'. Known formats are: json, text"),
        (["--account"], "Only Prefect Cloud has accounts"),
        (["--output-file", "/no/such/folder/f"], "Cannot write to '/no/such/folder/f'"),
    ],
)
def test_what_cannot_be_streamed_is_said(client: SyncPrefectClient, options: list[str], message: str):
    result = invoke(["events", "stream", *options])
    assert result.exit_code == 1 and message in result.stdout


def test_a_server_that_is_not_there_is_named():
    with temporary_settings({"api.url": "http://127.0.0.1:1/api"}):
        result = invoke(["events", "stream"])
    assert result.exit_code == 1 and "http://127.0.0.1:1/api" in result.stdout


@contextmanager
def streaming(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "events", "stream", "--format", "text"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(4 * PATIENCE, process.kill)  # then what is read from it ends
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait(PATIENCE)


def next_of_oven(process: subprocess.Popen[str]) -> str:
    """The next line about the oven; a server that has just started has events of its own."""
    assert process.stdout is not None
    for line in process.stdout:
        if "oven." in line:
            return line
    raise AssertionError("the stream has ended")


def prefect(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "prefect", *arguments], env=environment, check=True, timeout=PATIENCE)


@pytest.mark.parametrize("where", ["embedded", pytest.param("on a server", marks=pytest.mark.slow)])
def test_events_come_as_they_happen_until_ctrl_c(where: str, tmp_path: Path):
    with running(tmp_path, where) as environment, streaming(environment) as process:
        for name in ("oven.lit", "oven.hot"):
            prefect(environment, "events", "emit", name, "--resource-id", "oven.1")
            assert next_of_oven(process).split()[1:] == [name, "oven.1"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert ("oven." in out, err) == (False, "")
        assert process.returncode == 0


@contextmanager
def running(home: Path, where: str) -> Iterator[dict[str, str]]:
    if where == "embedded":
        yield {**os.environ, "PREFECT_HOME": str(home)}
    else:
        with server(home) as started:
            yield started.environment()


@pytest.mark.slow
def test_a_server_that_is_started_anew_is_waited_for(tmp_path: Path):
    with server(tmp_path) as first, streaming(first.environment()) as process:
        prefect(first.environment(), "events", "emit", "oven.lit", "--resource-id", "oven.1")
        assert "oven.lit" in next_of_oven(process)
        first.process.send_signal(signal.SIGTERM)
        first.process.wait(PATIENCE)
        with again(first):
            prefect(first.environment(), "events", "emit", "oven.hot", "--resource-id", "oven.1")
            assert "oven.hot" in next_of_oven(process)


@contextmanager
def again(stopped: RunningServer) -> Iterator[None]:
    """A server on the same port and the same database."""
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(stopped.port)]
    with (stopped.home / "again.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "PREFECT_HOME": str(stopped.home)}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + PATIENCE
        with stopped.client() as client:
            while True:
                assert process.poll() is None and time.monotonic() < deadline
                try:
                    client.get("/health").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
