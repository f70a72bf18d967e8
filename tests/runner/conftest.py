"""A server, flows in a file, and a runner that executes them in real processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.settings import temporary_settings
from prefect.states import Pending

FLOWS = """
import os, signal, subprocess, sys, time
from pathlib import Path
from prefect import flow

def note(*words):
    with open(os.environ["JOURNAL"], "a") as journal:
        print(*words, file=journal, flush=True)

def cancelled(flow, flow_run, state):
    note("cancelled", flow.name, state.name)

def crashed(flow, flow_run, state):
    note("crashed", flow.name, state.name)

hooks = {"on_cancellation": [cancelled], "on_crashed": [crashed]}

@flow(**hooks)
def acts(what: str):
    if what == "fail":
        raise ValueError("on purpose")
    if what == "kill":
        os.kill(os.getpid(), 9)
    if what == "leave":
        os._exit(3)
    if what == "exit":
        sys.exit(3)
    if what == "terminate":
        os.kill(os.getpid(), 15)
        time.sleep(60)
    note("acted", what, "PREFECT__CONTROL_TOKEN" in os.environ)

@flow(**hooks)
def waits():
    note("waits", os.getpid())
    time.sleep(120)

@flow(**hooks)
def holds(name: str = ""):
    note("holds", name, os.getpid())
    while not Path(os.environ["JOURNAL"] + ".go").exists():
        time.sleep(0.02)
    note("lets", name)

@flow(**hooks)
def computes():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one that comes before the sum begins would end the run in order
    note("computes", os.getpid())
    sum(range(10**13))  # holds the interpreter, and looks at no signal

@flow(**hooks)
def starts():
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    note("starts", os.getpid(), helper.pid)
    helper.wait()

@flow(name="outer", **hooks)
def nests():
    inner()

@flow(name="inner", on_cancellation=[cancelled])
def inner():
    note("waits", os.getpid())
    time.sleep(120)

@flow(name="async-outer", **hooks)
async def awaits():
    import asyncio
    note("waits", os.getpid())
    await asyncio.sleep(120)
"""
PATIENCE_SECONDS = 60.0


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Look again and again until a condition holds; gives what it found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.02)
    return found


def is_alive(pid: int | str) -> bool:
    """Whether a process is there, and not only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Flows:
    """Flows in a file, their runs, and what they have noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "some_flows.py"
        self.path.write_text(FLOWS)
        self.journal = folder / "journal"

    def entrypoint(self, name: str) -> str:
        return f"{self.path}:{name}"

    def load(self, name: str) -> Flow[..., Any]:
        return load_flow_from_entrypoint(self.entrypoint(name))

    def let_go(self) -> None:
        """End the runs of `holds`."""
        Path(f"{self.journal}.go").touch()

    @property
    def noted(self) -> list[list[str]]:
        return [line.split() for line in self.journal.read_text().splitlines()] if self.journal.exists() else []

    async def noted_by(self, word: str) -> list[str]:
        """What follows a word in the journal, once it is there."""
        return await until(lambda: next((line[1:] for line in self.noted if line[0] == word), None), f"{word!r} noted")

    def run_of(self, name: str, state: Any = None, **parameters: Any) -> FlowRun:
        with get_client(sync_client=True) as client:
            return client.create_flow_run(self.load(name), parameters=parameters, state=state or Pending())


def run_now(flow_run_id: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(flow_run_id)


def set_state(flow_run_id: UUID, state: Any, force: bool = False) -> Any:
    with get_client(sync_client=True) as client:
        return client.set_flow_run_state(flow_run_id, state, force=force)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that the tests of a module share; they keep to objects of their own."""
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def api(running: RunningServer, home: Path) -> Iterator[RunningServer]:
    """The server is the API of this test and of the processes that it starts."""
    with temporary_settings({"api.url": running.url}):
        yield running


@pytest.fixture
def flows(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Flows:
    made = Flows(tmp_path)
    monkeypatch.setenv("JOURNAL", str(made.journal))
    return made
