"""A server whose leases are short, and processes that run flows and tasks on it, are killed, or are cut off."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from tests.postgres import new_database
from tests.server.api.conftest import RunningServer, free_port, server

PATIENCE_SECONDS = 60.0
LEASE_SECONDS = 3
SETTINGS = {
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LEASE_SECONDS": str(LEASE_SECONDS),
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LOOP_SECONDS": "0.2",
}


@contextmanager
def running_flow(running: RunningServer, program: str, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that runs flows; it is killed at the end, if that is still needed."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=running.environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def runs(running: RunningServer, kind: str = "flow_runs") -> list[dict[str, Any]]:
    with running.client() as client:
        return client.post(f"/{kind}/filter", json={}).json()


def states(running: RunningServer, kind: str, known: set[str]) -> list[str]:
    return sorted(run["state_type"] for run in runs(running, kind) if run["id"] not in known)


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


class Line:
    """A TCP line to a server, which can be cut and mended."""

    def __init__(self, to_port: int) -> None:
        self.port, self._to_port = free_port(), to_port
        self.is_cut = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        for each in self._open:
            with closing(each):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to_port))
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for each in (source, sink):
            with closing(each):
                pass


# -- fixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def leasing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose leases are short, on each database."""
    home = tmp_path_factory.mktemp("leasing")
    if request.param == "sqlite":
        with server(home, **SETTINGS) as running:
            yield running
        return
    with new_database() as url, server(home, PREFECT_API_DATABASE_CONNECTION_URL=url, **SETTINGS) as running:
        yield running


@pytest.fixture
def known(leasing: RunningServer) -> set[str]:
    """The runs that were there before the test."""
    return {run["id"] for kind in ("flow_runs", "task_runs") for run in runs(leasing, kind)}


@pytest.fixture
def line(leasing: RunningServer) -> Iterator[Line]:
    line = Line(leasing.port)
    yield line
    line.close()
