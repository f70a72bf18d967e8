"""A real server in a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


class RunningServer:
    """A server that was started with `prefect server start`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, home: Path) -> None:
        self.process, self.port, self.home = process, port, home
        self.url = f"http://127.0.0.1:{port}/api"

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **options)  # type: ignore[arg-type]

    def environment(self, **more: str) -> dict[str, str]:
        """Variables for a process that uses this server."""
        return {**os.environ, "PREFECT_HOME": str(self.home / "client"), "PREFECT_API_URL": self.url, **more}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def server(
    home: Path, *options: str, health: str = "/api", port: int | None = None, **environment: str
) -> Iterator[RunningServer]:
    """Start a server, on a free port by default, wait until it answers below the path `health`, and stop it at the end."""
    port = port or free_port()
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), *options],
            env={**os.environ, "PREFECT_HOME": str(home), **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    running = RunningServer(process, port, home)
    try:
        deadline = time.monotonic() + 30
        while True:
            assert process.poll() is None, (home / "server.log").read_text()
            assert time.monotonic() < deadline, "the server does not answer"
            try:
                if httpx.get(f"http://127.0.0.1:{port}{health}/health", timeout=1).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.02)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that the tests of a session share; they keep to objects of their own."""
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running
