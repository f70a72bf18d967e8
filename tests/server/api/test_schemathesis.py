"""What the API's own description promises, asked of a real server by schemathesis: operations one by one, and in turn.

A request must never be answered with a 5xx, with a status, a type or a body that the description does not have, or not
at all. PREFECT_TEST_EXAMPLES says how many requests an operation gets; when it is set, the edges of every value are
tried too, which takes many minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.postgres import new_database
from tests.server.api.conftest import RunningServer, server

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = os.environ.get("PREFECT_TEST_EXAMPLES")
PHASES = "coverage,fuzzing,stateful" if EXAMPLES else "fuzzing,stateful"
SEED = "20261121"

pytestmark = pytest.mark.slow


def explore(running: RunningServer, folder: Path) -> None:
    options = {
        "--url": running.url,
        "--checks": CHECKS,
        "--phases": PHASES,
        "--max-examples": EXAMPLES or "4",
        "--seed": SEED,
        "--request-timeout": "20",
        "--suppress-health-check": "all",
        "--warnings": "off",
        "--generation-database": "none",
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/openapi.json"),
            *(word for option in options.items() for word in option),
            *("--continue-on-failure", "--no-shrink", "--no-color"),
        ],
        cwd=folder,  # it writes a cache
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert httpx.get(f"{running.url}/health", timeout=10).json() is True


def test_it_does_what_its_description_says_on_sqlite(tmp_path: Path):
    with server(tmp_path / "home") as running:
        explore(running, tmp_path)


@pytest.mark.postgres
def test_it_does_what_its_description_says_on_postgresql(tmp_path: Path):
    with new_database() as url, server(tmp_path / "home", PREFECT_SERVER_DATABASE_CONNECTION_URL=url) as running:
        explore(running, tmp_path)
