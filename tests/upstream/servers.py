"""Starts servers and other long processes with either package, and stops them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_SECONDS = 120
QUICK_SERVICES = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_INTERVAL_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
}
"""Lets either server do at once what a session waits for."""


@contextmanager
def running_server(python: str, home: Path, **variables: str) -> Iterator[str]:
    """Start a server, and stop it in the end; gives the address of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "prefect", "server", "start", "--port", str(port)]
    environ = {**environment(home, None), **QUICK_SERVICES, **variables}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/api"
            deadline = time.monotonic() + STARTS_WITHIN_SECONDS
            while not answers(f"{url}/health"):
                assert server.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def environment(home: Path, api: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**kept, "PREFECT_HOME": str(home), **({"PREFECT_API_URL": api} if api else {})}


@contextmanager
def running(command: list[str], home: Path, url: str) -> Iterator[None]:
    """Run a worker, whose output goes to `worker.log`."""
    with (home / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home, url), stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
