"""A server whose disk is full: it says so, keeps what it has acknowledged, and goes on when there is room."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server

PATIENCE = 30.0

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process, as only Linux can")


def limit_files(running: RunningServer, size: int) -> None:
    """Let none of its files grow beyond a size, which to the server looks like a disk that is full."""
    _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.fixture
def running(home: Path):
    with server(home) as running:
        yield running


def test_what_was_acknowledged_is_there_and_the_reason_is_said_once(running: RunningServer):
    deadline = time.monotonic() + PATIENCE
    with running.client() as client:
        flow_id = client.post("/flows/", json={"name": "fills-the-disk"}).raise_for_status().json()["id"]

        def create(number: int) -> httpx.Response:
            return client.post(
                "/flow_runs/", json={"flow_id": flow_id, "name": str(number), "parameters": {"x": "x" * 9999}}
            )

        limit_files(running, sum(file.stat().st_size for file in running.home.glob("prefect.db*")) + 100_000)
        created: list[str] = []
        refused = 0
        while refused < 5:
            answer = create(len(created))
            assert answer.status_code in (201, 503) and time.monotonic() < deadline
            if answer.status_code == 201:
                created.append(answer.json()["name"])
            else:
                assert answer.headers["Retry-After"]
                refused += 1
        assert client.get("/health").json() is True
        log = (running.home / "server.log").read_text()
        assert log.count("answered with 503") == 1 and "prefect.db" in log and "Traceback" not in log

        limit_files(running, resource.RLIM_INFINITY)
        while (answer := create(len(created))).status_code == 503:
            assert time.monotonic() < deadline
        created.append(answer.raise_for_status().json()["name"])
        found = client.post("/flow_runs/filter", json={"sort": "START_TIME_ASC"}).raise_for_status().json()
        assert sorted(run["name"] for run in found) == sorted(created)
