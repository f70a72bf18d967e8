"""Processes that run tasks outside of flows on a server and are killed, or are cut off: what becomes of their runs."""

# ruff: noqa: F811 - fixtures are named as the parameters that ask for them

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.server.api.conftest import RunningServer
from tests.server.api.leasing import (  # noqa: F401 - fixtures
    LEASE_SECONDS,
    PATIENCE_SECONDS,
    Line,
    known,
    leasing,
    line,
    running_flow,
    runs,
    states,
    until,
)

pytestmark = pytest.mark.slow

OUTSIDE = """
import sys, time
from pathlib import Path
from prefect import task

until = Path(sys.argv[1])

@task
def quick():
    return 1

@task
def waits():
    while not until.exists():
        if "busy" not in sys.argv:
            time.sleep(0.05)

@task
def outer():
    quick()
    waits()

outer()
"""
GATED = OUTSIDE.replace(
    "\nouter()\n", "\nquick()\nwhile not Path(sys.argv[2]).exists():\n    time.sleep(0.05)\nwaits()\n"
)
BACKGROUND = """
import sys, time
from pathlib import Path
from prefect import flow, task

until = Path(sys.argv[1])

@task
def waits():
    while not until.exists():
        time.sleep(0.05)

@task
def outer():
    waits()

@flow
def asks():
    outer.delay()

if sys.argv[2] == "flow":
    asks()
elif sys.argv[2] == "task":
    outer.delay()
else:
    outer.serve()
"""


def task_states(leasing: RunningServer, known: set[str]) -> list[str]:
    return states(leasing, "task_runs", known)


def new_task_runs(leasing: RunningServer, known: set[str]) -> list[dict[str, Any]]:
    return [run for run in runs(leasing, "task_runs") if run["id"] not in known]


def history(leasing: RunningServer, run: dict[str, Any]) -> list[str]:
    with leasing.client() as client:
        found = client.get("/task_run_states/", params={"task_run_id": run["id"]}).json()
    return [state["type"] for state in found]


def keeps_for_many_leases(leasing: RunningServer, known: set[str], expected: list[str]) -> None:
    deadline = time.monotonic() + 3 * LEASE_SECONDS
    while time.monotonic() < deadline:
        assert task_states(leasing, known) == expected
        time.sleep(0.2)


def test_the_task_runs_of_a_killed_process_end_as_crashed(leasing: RunningServer, known: set[str], tmp_path: Path):
    with running_flow(leasing, OUTSIDE, str(tmp_path / "never")) as process:
        until(lambda: task_states(leasing, known) == ["COMPLETED", "RUNNING", "RUNNING"], "the tasks do not run")
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: task_states(leasing, known) == ["COMPLETED", "CRASHED", "CRASHED"], "the task runs do not crash")
    for run in new_task_runs(leasing, known):
        if run["state_type"] == "CRASHED":
            assert "that ran this task run" in run["state"]["message"]
            assert "has not been heard of for 3 seconds" in run["state"]["message"]
            assert f":{process.pid}:" in run["state"]["message"]


def test_a_process_that_is_busy_keeps_its_task_runs(leasing: RunningServer, known: set[str], tmp_path: Path):
    with running_flow(leasing, OUTSIDE, str(tmp_path / "go"), "busy") as process:
        until(lambda: task_states(leasing, known) == ["COMPLETED", "RUNNING", "RUNNING"], "the tasks do not run")
        keeps_for_many_leases(leasing, known, ["COMPLETED", "RUNNING", "RUNNING"])
        (tmp_path / "go").touch()
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
    assert task_states(leasing, known) == ["COMPLETED"] * 3
    assert not any("CRASHED" in history(leasing, run) for run in new_task_runs(leasing, known))


@contextmanager
def task_worker(leasing: RunningServer, tmp_path: Path, asked_by: str):
    """A task worker that has been given a background run, which waits for a file."""
    script = tmp_path / "background.py"
    script.write_text(BACKGROUND)
    # The key of a task depends on its file: all three processes load the same one.
    program = "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    with running_flow(leasing, program, str(script), str(tmp_path / "go"), asked_by) as asking:
        output, _ = asking.communicate(timeout=PATIENCE_SECONDS)
        assert asking.returncode == 0, output
    with running_flow(leasing, program, str(script), str(tmp_path / "go"), "serve") as process:
        yield process


@pytest.mark.parametrize("asked_by", ["task", "flow"])
def test_a_background_run_ends_with_its_task_worker(
    leasing: RunningServer, known: set[str], tmp_path: Path, asked_by: str
):  # fmt: skip
    with task_worker(leasing, tmp_path, asked_by) as process:
        until(lambda: task_states(leasing, known) == ["RUNNING", "RUNNING"], "the worker does not run it")
        keeps_for_many_leases(leasing, known, ["RUNNING", "RUNNING"])
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: task_states(leasing, known) == ["CRASHED", "CRASHED"], "the task runs do not crash")
    for run in new_task_runs(leasing, known):
        assert f":{process.pid}:" in run["state"]["message"]


@pytest.mark.parametrize("asked_by", ["task", "flow"])
def test_a_background_run_that_ends_is_let_go_of(
    leasing: RunningServer, known: set[str], tmp_path: Path, asked_by: str
):  # fmt: skip
    with task_worker(leasing, tmp_path, asked_by) as process:
        until(lambda: task_states(leasing, known) == ["RUNNING", "RUNNING"], "the worker does not run it")
        (tmp_path / "go").touch()
        until(lambda: task_states(leasing, known) == ["COMPLETED", "COMPLETED"], "the run does not end")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output


def test_a_process_that_was_cut_off_tells_how_its_task_runs_ended(
    leasing: RunningServer, known: set[str], line: Line, tmp_path: Path
):  # fmt: skip
    url = f"http://127.0.0.1:{line.port}/api"
    with running_flow(leasing, OUTSIDE, str(tmp_path / "go"), PREFECT_API_URL=url) as process:
        until(lambda: task_states(leasing, known) == ["COMPLETED", "RUNNING", "RUNNING"], "the tasks do not run")
        line.cut()
        until(lambda: task_states(leasing, known) == ["COMPLETED", "CRASHED", "CRASHED"], "the runs are not given up")
        line.mend()
        (tmp_path / "go").touch()
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
    until(lambda: task_states(leasing, known) == ["COMPLETED"] * 3, "the task runs are not told of")
    ends = [history(leasing, run)[-2:] for run in new_task_runs(leasing, known)]
    assert sorted(ends) == [["CRASHED", "COMPLETED"], ["CRASHED", "COMPLETED"], ["RUNNING", "COMPLETED"]]


def test_records_that_another_process_delivers_are_held_by_nobody_who_lives(
    leasing: RunningServer, known: set[str], line: Line, tmp_path: Path
):  # fmt: skip
    url = f"http://127.0.0.1:{line.port}/api"
    with running_flow(leasing, GATED, str(tmp_path / "never"), str(tmp_path / "gate"), PREFECT_API_URL=url) as killed:
        until(lambda: task_states(leasing, known) == ["COMPLETED"], "the process does not begin")
        line.cut()
        (tmp_path / "gate").touch()
        until(lambda: any(b"task-run.Running" in path.read_bytes() for path in spilled(leasing)), "nothing is on disk")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    line.mend()
    with running_flow(leasing, OUTSIDE, str(tmp_path / "go"), PREFECT_API_URL=url) as other:
        expected = ["COMPLETED", "COMPLETED", "CRASHED", "RUNNING", "RUNNING"]
        until(lambda: task_states(leasing, known) == expected, "what was on disk does not end as crashed")
        (crashed,) = (run for run in new_task_runs(leasing, known) if run["state_type"] == "CRASHED")
        assert f":{killed.pid}:" in crashed["state"]["message"]
        (tmp_path / "go").touch()
        output, _ = other.communicate(timeout=PATIENCE_SECONDS)
        assert other.returncode == 0, output


def spilled(leasing: RunningServer) -> list[Path]:
    return list((leasing.home / "client" / "recorder").glob("*/*.spill"))


def running_event(run_id: str) -> dict[str, Any]:
    """The event by which a client tells that a task run outside of flows is running."""
    now = datetime.now(timezone.utc).isoformat()
    return {
        "id": str(uuid4()),
        "occurred": now,
        "event": "prefect.task-run.Running",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run_id}",
            "prefect.orchestration": "client",
        },
        "payload": {
            "validated_state": {"type": "RUNNING", "name": "Running"},
            "task_run": {"task_key": "t", "dynamic_key": run_id},
        },
    }


def test_the_task_runs_of_clients_that_know_no_leases_are_left_alone(leasing: RunningServer):
    silent, told = str(uuid4()), str(uuid4())
    with leasing.client() as client:
        answer = client.post("/events", json=[running_event(silent)])
        assert (answer.status_code, "x-prefect-run-lease" in answer.headers) == (204, False)
        answer = client.post("/events", json=[running_event(told)], headers={"X-Prefect-Run-Holder": "machine:1"})
        assert (answer.status_code, answer.headers["x-prefect-run-lease"]) == (204, str(LEASE_SECONDS))
        until(lambda: client.get(f"/task_runs/{told}").json()["state_type"] == "CRASHED", "no run is judged at all")
        assert client.get(f"/task_runs/{silent}").json()["state_type"] == "RUNNING"
