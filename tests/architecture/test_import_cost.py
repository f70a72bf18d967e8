"""What is loaded by the three things that everybody waits for, and what must not be (DESIGN D6)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "aiohttp", "aiosqlite", "anyio", "apprise", "cloudpickle", "coolname", "cryptography", "dateutil", "docker", "fastapi",
    "fsspec", "griffe", "httpcore", "httpx", "jinja2", "jsonschema", "opentelemetry", "pendulum", "prometheus_client",
    "psycopg", "psycopg_pool", "pydantic_settings", "rich", "ruamel", "sqlalchemy", "starlette", "uvicorn", "websockets",
    "yaml",
}  # fmt: skip
"""Nobody who runs a flow in this process, or asks for the version, needs these."""

STANDARD = {
    "asyncio",
    "concurrent",
    "email",
    "http",
    "multiprocessing",
    "sqlite3",
    "ssl",
    "subprocess",
    "unittest",
    "xml",
}
"""Parts of the standard library that cost too much for an import which may never run a flow."""

HELLO = """
from prefect import flow, task

@task
def greet(name):
    return "Hello, " + name

@flow
def hello(name="world"):
    return greet(name)

assert hello() == "Hello, world"
"""

REPORT = "\nimport sys, json; sys.stderr.write('\\nLOADED ' + json.dumps(sorted(sys.modules)))"


def loaded_by(program: str, home: Path) -> set[str]:
    """Names of the modules that are loaded when a program ends, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT],
        env=environment | {"PREFECT_HOME": str(home)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.rpartition("LOADED ")[2]))


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


VERSION = """
import sys
sys.argv = ["prefect", "--version"]
from prefect._launch import main
assert main() == 0
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("from prefect import flow, task", id="import"),
        pytest.param("from prefect import flow, task\n@task\ndef t(): ...\n@flow\ndef f(x: int = 1): ...", id="decorate"),
        pytest.param(HELLO, id="hello"),
        pytest.param(VERSION, id="version"),
    ],
)  # fmt: skip
def test_nothing_heavy_is_loaded(program: str, tmp_path: Path):
    assert packages(loaded_by(program, tmp_path)) & HEAVY == set()


def test_the_import_loads_no_costly_part_of_the_standard_library(tmp_path: Path):
    assert packages(loaded_by("from prefect import flow, task", tmp_path)) & STANDARD == set()


def test_the_import_loads_neither_engine_nor_core_nor_settings_models(tmp_path: Path):
    loaded = loaded_by("from prefect import flow, task", tmp_path)
    assert "prefect.flows" in loaded
    assert {
        name
        for name in loaded
        if name.startswith(("prefect.server", "prefect._recorder", "prefect.client", "prefect.cli", "prefect.runner"))
        or name in ("prefect._engine.flow_run", "prefect._engine.task_run")
    } == set()


def test_a_hello_run_loads_no_command_line_and_no_http(tmp_path: Path):
    loaded = loaded_by(HELLO, tmp_path)
    assert "prefect.server.models.flow_runs" in loaded
    above = {"cli", "deployments", "docker", "infrastructure", "runner", "testing", "workers"}
    assert {name for name in loaded if name.startswith("prefect.") and name.split(".")[1] in above} == set()
    assert {
        "prefect.client._http",
        "prefect._recorder._http",
        "prefect.server.api",
        "http.client",
        "multiprocessing",
    } & loaded == set()


def test_asking_for_the_version_loads_nothing_but_the_launcher(tmp_path: Path):
    loaded = loaded_by(VERSION, tmp_path)
    assert {name for name in loaded if name.startswith("prefect")} == {"prefect", "prefect._launch", "prefect._version"}
    assert packages(loaded) & (STANDARD | {"pydantic", "typing_extensions", "logging", "inspect"}) == set()


def test_importing_writes_nothing_and_needs_no_home(tmp_path: Path):
    loaded_by("from prefect import flow, task", tmp_path / "home")
    assert not (tmp_path / "home").exists()
