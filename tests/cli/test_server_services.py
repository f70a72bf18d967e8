"""`prefect server services`: the background services without the API."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.cli.test_cli_contract import find

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.server.services.table import SERVICES
from prefect.states import Scheduled

PATIENCE = 30


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "prefect", "server", "services", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_services_are_listed_with_what_switches_them_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED", "false")
    listed = {each["name"]: each for each in json.loads(invoke(["server", "services", "ls", "-o", "json"]).stdout)}
    assert list(listed) == [entry.name for entry in SERVICES]
    assert listed["late_runs"] == {
        "name": "late_runs",
        "enabled": False,
        "environment_variable": "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED",
        "description": "Marks runs that have not started in time as late.",
    }
    assert listed["scheduler"]["enabled"] is True
    table = invoke(["server", "services", "list"]).stdout
    assert all(entry.name in table and entry.description in table for entry in SERVICES)


def test_the_commands_are_those_that_are_published():
    services = ["server", "services"]
    for alias, name in (("list", "ls"), ("enable", "start"), ("disable", "stop")):
        assert find([*services, alias]) is find([*services, name])
    assert find([*services, "manager"]).hidden
    options = {flag for option in find([*services, "start"]).params for flag in [*option.opts, *option.secondary_opts]}
    assert options == {"--background", "-b", "--no-background"}


@pytest.fixture
def overdue(client: SyncPrefectClient) -> FlowRun:
    """A run that should have started a minute ago."""
    from prefect import flow

    @flow
    def late() -> None:
        pass

    when = datetime.now(timezone.utc) - timedelta(minutes=1)
    return client.create_flow_run(late, state=Scheduled(scheduled_time=when))


def is_late(client: SyncPrefectClient, run: FlowRun) -> bool:
    state = client.read_flow_run(run.id).state
    return state is not None and state.name == "Late"


@pytest.fixture
def nothing_left(home: Path) -> Iterator[None]:
    yield
    run("stop")


@pytest.mark.slow
def test_services_work_in_the_background_until_they_are_stopped(
    client: SyncPrefectClient, overdue: FlowRun, home: Path, nothing_left: None
):
    assert run("stop").stdout == "No services are running in the background.\n"
    started = run("start", "-b")
    assert started.returncode == 0, started
    pid = int((home / "services.pid").read_text())
    assert f"process {pid}" in started.stdout
    until(lambda: is_late(client, overdue), "the run is never late")
    again = run("start", "--background")
    assert again.returncode == 1 and f"run in the background already (process {pid})" in again.stdout
    stopped = run("stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"Services stopped (process {pid}).\n")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (home / "services.pid").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_services_work_in_the_foreground_until_a_signal(
    client: SyncPrefectClient, overdue: FlowRun, number: signal.Signals
):
    command = [sys.executable, "-m", "prefect", "server", "services", "start"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until(lambda: is_late(client, overdue), "the run is never late")
        process.send_signal(number)
        said, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0 and said.endswith("Services stopped!\n"), said
    assert "Traceback" not in said


def test_services_that_cannot_start_say_why(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("this is no database, and it is longer than its header")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite:///{tmp_path / 'file'}")
    started = run("start", "-b")
    assert started.returncode == 1 and "The services did not start" in started.stdout
    assert str(tmp_path / "file") in started.stdout
    assert not (home / "services.pid").exists()
    assert run("start").returncode == 1
