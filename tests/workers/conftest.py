"""A work pool on a real server, and runs that wait in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.server.api.conftest import RunningServer, server

from prefect._recorder._recorder import forget_recorder
from prefect.settings import temporary_settings

PATIENCE_SECONDS = 60.0


class Pool:
    """One work pool with a deployment, asked over HTTP as by anybody else."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.client = server.client()
        self.name = f"pool-{uuid4()}"
        self.deployment_id = ""

    def create(self, type: str = "any", **more: Any) -> None:
        self.ask("POST", "/work_pools/", {"name": self.name, "type": type, **more})

    def deploy(self, **more: Any) -> str:
        flow = self.ask("POST", "/flows/", {"name": f"flow-{self.name}"})
        wanted = {"name": "here", "flow_id": flow["id"], "work_pool_name": self.name, "enforce_parameter_schema": False}
        self.deployment_id = self.ask("POST", "/deployments/", {**wanted, **more})["id"]
        return self.deployment_id

    def run(self, **more: Any) -> str:
        """Make a run that is due; gives its id."""
        if not self.deployment_id:
            self.deploy()
        return self.ask("POST", f"/deployments/{self.deployment_id}/create_flow_run", more)["id"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        response = self.client.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def read(self, run_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/flow_runs/{run_id}")

    def states(self, run_id: str) -> list[str]:
        return [state["name"] for state in self.ask("GET", f"/flow_run_states/?flow_run_id={run_id}")]

    def propose(self, run_id: str, type: str, **more: Any) -> Any:
        return self.ask(
            "POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": type, **more.pop("state", {})}, **more}
        )

    def events(self, run_id: str, count: int, prefix: str = "prefect.worker.") -> list[dict[str, Any]]:
        """The events about a run with a prefix, the earliest first, when there are so many."""
        wanted = {
            "any_resource": {"id": [f"prefect.flow-run.{run_id}"]},
            "event": {"prefix": [prefix]},
            "order": "ASC",
        }
        found: list[dict[str, Any]] = []

        def are_there() -> bool:
            found[:] = self.ask("POST", "/events/filter", {"filter": wanted, "limit": 50})["events"]
            return len(found) >= count

        wait_until(are_there, f"{count} events {prefix}…")
        return found

    def logs(self, run_id: str) -> list[str]:
        wanted = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC"}
        return [log["message"] for log in self.ask("POST", "/logs/filter", wanted)]

    def workers(self) -> list[dict[str, Any]]:
        return self.ask("POST", f"/work_pools/{self.name}/workers/filter", {})


def wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)


def id_of(run: Any) -> str:
    return str(UUID(str(run.id)))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def pool(running: RunningServer, tmp_path: Path) -> Iterator[Pool]:
    """A pool of the server, which is also the API of this process."""
    with temporary_settings({"api.url": running.url, "home": tmp_path / "home"}):
        pool = Pool(running)
        yield pool
        forget_recorder(running.url)  # what it still has is delivered while the server is there
        pool.client.close()
