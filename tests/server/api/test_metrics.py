"""What a server tells those who watch it: metrics for Prometheus, and an access log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.postgres import new_database
from websockets.sync.client import connect

from .conftest import RunningServer, free_port, server

PASSWORD = "admin:secret"
SECRET = "not-for-logs"
WATCHED = {
    "PREFECT_SERVER_METRICS_ENABLED": "true",
    "PREFECT_SERVER_LOGGING_LEVEL": "INFO",
    "PREFECT_SERVER_API_AUTH_STRING": PASSWORD,
}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("watched"), **WATCHED) as running:
        yield running


def ask(running: RunningServer) -> httpx.Client:
    return running.client(auth=tuple(PASSWORD.split(":")))


def scrape(client: httpx.Client) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def sample(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def until(client: httpx.Client, met: Callable[[Samples], bool]) -> Samples:
    deadline = time.monotonic() + 30
    while not met(samples := scrape(client)):
        assert time.monotonic() < deadline, samples
        time.sleep(0.1)
    return samples


def test_there_are_no_metrics_unless_they_are_asked_for(running: RunningServer):
    with running.client() as client:
        assert client.get("/metrics").status_code == 404


def test_metrics_are_for_those_who_may_use_the_api(watched: RunningServer):
    with watched.client() as client:
        assert client.get("/metrics").status_code == 401


def test_requests_are_counted_by_template_and_status(watched: RunningServer):
    name = f"flow-{uuid4().hex}"
    with ask(watched) as client:
        before = scrape(client)
        flow = client.post("/flows/", json={"name": name}).json()
        for path in (f"/flows/{flow['id']}", f"/flows/{uuid4()}", f"/flows/name/{name}", f"/astray/{name}"):
            client.get(path)
        client.get(f"/flows/{flow['id']}")
        client.request("BREW", f"/flows/{flow['id']}")
        after = scrape(client)

    def counted(route: str, status: str, method: str = "GET") -> float:
        found = [
            sample(each, "prefect_server_request_duration_seconds_count", method=method, route=route, status=status)
            for each in (before, after)
        ]
        return (found[1] or 0) - (found[0] or 0)

    assert counted("/flows/", "201", "POST") == 1
    assert counted("/flows/{id}", "200") == 2
    assert counted("/flows/{id}", "404") == 1
    assert counted("/flows/name/{name}", "200") == 1
    assert counted("none", "404") == 1
    assert not [key for key in after if name in str(key) or flow["id"] in str(key) or "BREW" in str(key)]


def test_runs_are_counted_by_state(watched: RunningServer):
    with ask(watched) as client:
        before = scrape(client)
        flow = client.post("/flows/", json={"name": "counted"}).json()
        run = client.post("/flow_runs/", json={"flow_id": flow["id"], "state": {"type": "CRASHED"}}).json()
        late = {"type": "SCHEDULED", "name": "Late"}
        client.post("/flow_runs/", json={"flow_id": flow["id"], "state": late}).raise_for_status()
        task = {"flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "state": {"type": "PAUSED"}}
        client.post("/task_runs/", json=task).raise_for_status()
        expected = (sample(before, "prefect_flow_runs", state="CRASHED") or 0) + 1
        after = until(client, lambda found: sample(found, "prefect_flow_runs", state="CRASHED") == expected)
    assert sample(after, "prefect_task_runs", state="PAUSED") == 1
    assert sample(after, "prefect_task_runs", state="FAILED") == 0
    assert sample(after, "prefect_flow_runs_late") == 1


def test_services_the_database_and_the_process_are_seen(watched: RunningServer):
    with ask(watched) as client:
        samples = until(
            client,
            lambda found: bool(
                sample(found, "prefect_server_service_round_duration_seconds_count", service="repossessor")
            ),
        )
    assert sample(samples, "prefect_server_service_failures_total", service="repossessor") == 0
    assert sample(samples, "prefect_server_database_up") == 1
    assert sample(samples, "prefect_server_database_writes_waiting") is not None
    assert sample(samples, "process_start_time_seconds") or sys.platform != "linux"


def test_open_websockets_are_counted(watched: RunningServer):
    def opened(found: Samples) -> float | None:
        return sample(found, "prefect_server_websockets_open", route="/events/in")

    with ask(watched) as client:
        url = watched.url.replace("http", "ws") + "/events/in"
        with connect(url, subprotocols=["prefect"]) as socket:  # type: ignore[list-item]
            socket.send(json.dumps({"type": "auth", "token": PASSWORD}))
            socket.recv(10)
            until(client, lambda found: opened(found) == 1)
        until(client, lambda found: opened(found) == 0)


@pytest.mark.postgres
def test_a_failing_service_and_a_lost_database_are_seen(tmp_path: Path):
    often = {"PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "0.2"}
    with new_database() as url:
        with (
            server(tmp_path, **WATCHED, **often, PREFECT_SERVER_DATABASE_CONNECTION_URL=url) as running,
            ask(running) as client,
        ):
            samples = scrape(client)
            assert sample(samples, "prefect_server_database_connections") in range(1, 16)
            assert sample(samples, "prefect_server_database_requests_waiting") == 0
            import psycopg

            with psycopg.connect(url, autocommit=True) as database:
                database.execute("ALTER TABLE flow_run RENAME TO flow_run_away")
            until(client, lambda found: sample(found, "prefect_server_database_up") == 0)
            failed = "prefect_server_service_failures_total"
            until(client, lambda found: bool(sample(found, failed, service="pause_expirations")))


# -- the access log ----------------------------------------------------------------------------------------------------


def logged(running: RunningServer) -> list[dict[str, object]]:
    lines = (running.home / "server.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_each_request_is_one_line_of_json(watched: RunningServer):
    name = f"logged-{uuid4().hex}"
    with ask(watched) as client:
        client.get(f"/flows/name/{name}?token={SECRET}", headers={"User-Agent": "me/1"})
        httpx.get(f"{watched.url}/flows/name/{name}")
        client.get(f"/flows/name/{name}/\udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
    mine = [line for line in logged(watched) if name in str(line["path"])]
    first, refused, astray = mine
    assert first == first | {
        "method": "GET", "path": f"/api/flows/name/{name}", "route": "/flows/name/{name}", "status": 404,
        "client": "127.0.0.1", "user_agent": "me/1",
    }  # fmt: skip
    assert isinstance(first["duration_ms"], float) and str(first["time"]).endswith("Z")
    assert (refused["status"], refused["route"]) == (401, "/flows/name/{name}")
    assert (astray["status"], astray["route"]) == (404, None)
    text = (watched.home / "server.log").read_text()
    assert SECRET not in text and PASSWORD not in text


def test_there_is_no_access_log_by_default(running: RunningServer):
    with running.client() as client:
        client.get("/health")
    assert "/health" not in (running.home / "server.log").read_text()


# -- the package is missing ----------------------------------------------------------------------------------------------


def test_a_server_that_lacks_the_package_says_how_to_get_it(tmp_path: Path):
    (tmp_path / "prometheus_client.py").write_text("raise ModuleNotFoundError(name='prometheus_client')")
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(free_port())]
    ended = subprocess.run(
        command, env={**environment, **WATCHED}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    assert ended.returncode != 0
    assert "PREFECT_SERVER_METRICS_ENABLED" in ended.stdout
    assert 'pip install "prefect[metrics]"' in ended.stdout
    assert "Traceback" not in ended.stdout
