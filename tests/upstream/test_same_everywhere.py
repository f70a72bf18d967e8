"""The same session gives the same states, names and counts with either SDK, embedded and on a server.

Needs upstream's package: PREFECT_TEST_UPSTREAM_PYTHON names its interpreter (`scripts/upstream.sh` makes one).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import new_database

pytestmark = pytest.mark.upstream

SESSION = Path(__file__).parent / "session.py"
STARTS_WITHIN_SECONDS = 120
ENDS_WITHIN_SECONDS = 300

DIFFERENT_HERE = {
    (
        "pauses",
        "run",
        "run_count",
    ): "upstream's server counts the first resumption of a run as a new attempt; ours does not",
}
"""Where our core answers differently from upstream's server, and why that is meant."""


@pytest.fixture(scope="session")
def upstream_python() -> str:
    interpreter = os.environ.get("PREFECT_TEST_UPSTREAM_PYTHON")
    assert interpreter, (
        "Set PREFECT_TEST_UPSTREAM_PYTHON to an interpreter with upstream's package: scripts/upstream.sh"
    )
    return interpreter


@pytest.fixture(scope="session")
def upstream_api(upstream_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of upstream's, which is stopped in the end."""
    with running_server(upstream_python, tmp_path_factory.mktemp("upstream-server")) as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def our_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of ours, on each database."""
    home = tmp_path_factory.mktemp("our-server")
    if request.param == "sqlite":
        with running_server(sys.executable, home) as url:
            yield url
    else:
        with (
            new_database() as database,
            running_server(sys.executable, home, PREFECT_SERVER_DATABASE_CONNECTION_URL=database) as url,
        ):
            yield url


@contextmanager
def running_server(python: str, home: Path, **variables: str) -> Iterator[str]:
    """Start a server, and stop it in the end; gives the address of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "prefect", "server", "start", "--port", str(port)]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env={**environment(home, None), **variables}, stdout=log, stderr=log)
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


def session(python: str, api: str | None, home: Path) -> dict[str, Any]:
    """What the session saw."""
    run = subprocess.run(
        [python, str(SESSION)],
        env=environment(home, api), capture_output=True, text=True, timeout=ENDS_WITHIN_SECONDS, cwd=home,
    )  # fmt: skip
    found = [line for line in run.stdout.splitlines() if line.startswith("SUMMARY ")]
    assert found, f"the session ended with {run.returncode}:\n{run.stderr[-4000:]}"
    return json.loads(found[-1].removeprefix("SUMMARY "))


@pytest.fixture(scope="session")
def reference(upstream_python: str, upstream_api: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What upstream's SDK sees on upstream's server."""
    return session(upstream_python, upstream_api, tmp_path_factory.mktemp("upstream-sdk"))


def differences(expected: Any, found: Any, place: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    if isinstance(expected, dict) and isinstance(found, dict):
        return {
            where: what
            for name in expected.keys() | found.keys()
            for where, what in differences(expected.get(name), found.get(name), (*place, name)).items()
        }
    return {} if expected == found else {place: (expected, found)}


def test_our_sdk_on_upstreams_server(reference, upstream_api, tmp_path):
    assert differences(reference, session(sys.executable, upstream_api, tmp_path)) == {}


def test_our_sdk_on_our_server(reference, our_api, tmp_path):
    found = differences(reference, session(sys.executable, our_api, tmp_path))
    assert found.keys() == DIFFERENT_HERE.keys(), found


def test_upstreams_sdk_on_our_server(reference, our_api, upstream_python, tmp_path):
    found = differences(reference, session(upstream_python, our_api, tmp_path))
    assert found.keys() == DIFFERENT_HERE.keys(), found


def test_our_sdk_embedded(reference, tmp_path):
    found = differences(reference, session(sys.executable, None, tmp_path))
    assert found.keys() == DIFFERENT_HERE.keys(), found
