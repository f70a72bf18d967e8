"""Processes that run flows on a server and are killed, or are cut off for a while: what becomes of their runs."""

# ruff: noqa: F811 - fixtures are named as the parameters that ask for them

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from tests.server.api.conftest import RunningServer, server
from tests.server.api.leasing import (  # noqa: F401 - fixtures
    LEASE_SECONDS,
    PATIENCE_SECONDS,
    SETTINGS,
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

NESTED = """
import sys, time
from pathlib import Path
from prefect import flow, task

until = Path(sys.argv[1])

def wait():
    while not until.exists():
        time.sleep(0.05)

@task
def quick():
    return 1

@task
def slow():
    wait()

@flow
def inner():
    slow()

@flow
def outer():
    quick()
    inner()

outer()
"""
RETRYING = """
import sys
from pathlib import Path
from prefect import flow

@flow(retries=1, retry_delay_seconds=8)
def retrying():
    if not Path(sys.argv[1]).exists():
        Path(sys.argv[1]).touch()
        raise ValueError("the first attempt")

retrying()
"""


def all_running(leasing: RunningServer, known: set[str]) -> bool:
    # Two flows; the quick task, the slow one, and the task run that tracks the subflow.
    return (
        states(leasing, "flow_runs", known) == ["RUNNING", "RUNNING"]
        and states(leasing, "task_runs", known) == ["COMPLETED", "RUNNING", "RUNNING"]
    )  # fmt: skip


def test_a_killed_process_leaves_nothing_running(leasing: RunningServer, known: set[str], tmp_path: Path):
    with running_flow(leasing, NESTED, str(tmp_path / "never")) as process:
        until(lambda: all_running(leasing, known), "the flows do not run")
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: states(leasing, "flow_runs", known) == ["CRASHED", "CRASHED"], "the flow runs do not crash")
    until(
        lambda: states(leasing, "task_runs", known) == ["COMPLETED", "CRASHED", "CRASHED"], "the task runs do not crash"
    )
    for run in runs(leasing):
        if run["id"] not in known:
            assert "has not been heard of for 3 seconds" in run["state"]["message"]
            assert f":{process.pid}:" in run["state"]["message"]


def test_a_process_that_lives_keeps_its_runs_for_many_leases(
    leasing: RunningServer, known: set[str], tmp_path: Path
):  # fmt: skip
    with running_flow(leasing, NESTED, str(tmp_path / "go")) as process:
        until(lambda: all_running(leasing, known), "the flows do not run")
        deadline = time.monotonic() + 3 * LEASE_SECONDS
        while time.monotonic() < deadline:
            assert all_running(leasing, known)
            time.sleep(0.2)
        (tmp_path / "go").touch()
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
    assert states(leasing, "flow_runs", known) == ["COMPLETED", "COMPLETED"]


def test_a_run_that_waits_for_its_retry_is_alive(leasing: RunningServer, known: set[str], tmp_path: Path):
    with running_flow(leasing, RETRYING, str(tmp_path / "tried")) as process:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
    (run,) = (run for run in runs(leasing) if run["id"] not in known)
    assert (run["state_type"], run["run_count"]) == ("COMPLETED", 2)
    with leasing.client() as client:
        history = client.get("/flow_run_states/", params={"flow_run_id": run["id"]}).json()
    assert "CRASHED" not in {state["type"] for state in history}


def test_a_run_that_is_cancelled_while_its_process_is_dead_ends_as_cancelled(
    leasing: RunningServer, known: set[str], tmp_path: Path
):  # fmt: skip
    with running_flow(leasing, NESTED, str(tmp_path / "never")) as process:
        until(lambda: all_running(leasing, known), "the flows do not run")
        process.send_signal(signal.SIGKILL)
        process.wait()
    (outer,) = (run for run in runs(leasing) if run["id"] not in known and run["parent_task_run_id"] is None)
    with leasing.client() as client:
        client.post(f"/flow_runs/{outer['id']}/set_state", json={"state": {"type": "CANCELLING"}})
    until(
        lambda: {"CANCELLED"} <= set(states(leasing, "flow_runs", known)) <= {"CANCELLED", "CRASHED"},
        "the cancellation does not end",
    )
    until(lambda: "RUNNING" not in states(leasing, "task_runs", known), "the task runs do not end")


def test_the_runs_of_clients_that_know_no_leases_are_left_alone(leasing: RunningServer):
    with leasing.client() as client:
        flow = client.post("/flows/", json={"name": f"silent-{uuid4()}"}).json()
        silent = client.post("/flow_runs/", json={"flow_id": flow["id"], "state": {"type": "PENDING"}}).json()["id"]
        told = client.post("/flow_runs/", json={"flow_id": flow["id"], "state": {"type": "PENDING"}}).json()["id"]
        answer = client.post(f"/flow_runs/{silent}/set_state", json={"state": {"type": "RUNNING"}})
        assert "x-prefect-run-lease" not in answer.headers
        holder = {"X-Prefect-Run-Holder": "machine:1"}
        answer = client.post(f"/flow_runs/{told}/set_state", json={"state": {"type": "RUNNING"}}, headers=holder)
        assert answer.headers["x-prefect-run-lease"] == str(LEASE_SECONDS)
        until(lambda: client.get(f"/flow_runs/{told}").json()["state_type"] == "CRASHED", "no run is judged at all")
        assert client.get(f"/flow_runs/{silent}").json()["state_type"] == "RUNNING"


def test_the_route_says_what_it_wants(leasing: RunningServer):
    with leasing.client() as client:
        refused = client.post("/flow_run_leases/renew")
        assert (refused.status_code, "X-Prefect-Run-Holder" in refused.text) == (422, True)
        for bad in ("two words", "x" * 201, "ä"):
            refused = client.post("/flow_run_leases/renew", headers={"X-Prefect-Run-Holder": bad.encode()})
            assert (refused.status_code, "one process" in refused.text) == (400, True)
        answer = client.post("/flow_run_leases/renew", headers={"X-Prefect-Run-Holder": "nobody:1"})
        assert answer.json() == {"renewed": 0, "lease_seconds": LEASE_SECONDS}


# -- cut off ----------------------------------------------------------------------------------------------------------


def test_a_process_that_was_cut_off_for_longer_than_its_lease_tells_how_its_runs_ended(
    leasing: RunningServer, known: set[str], line: Line, tmp_path: Path
):  # fmt: skip
    url = f"http://127.0.0.1:{line.port}/api"
    with running_flow(leasing, NESTED, str(tmp_path / "go"), PREFECT_API_URL=url) as process:
        until(lambda: all_running(leasing, known), "the flows do not run")
        line.cut()
        until(lambda: states(leasing, "flow_runs", known) == ["CRASHED", "CRASHED"], "the runs are not given up")
        line.mend()
        (tmp_path / "go").touch()
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
    assert states(leasing, "flow_runs", known) == ["COMPLETED", "COMPLETED"]
    until(lambda: set(states(leasing, "task_runs", known)) == {"COMPLETED"}, "the task runs are not told of")
    with leasing.client() as client:
        for run in runs(leasing):
            if run["id"] not in known:
                history = client.get("/flow_run_states/", params={"flow_run_id": run["id"]}).json()
                assert [state["type"] for state in history][-2:] == ["CRASHED", "COMPLETED"]


def test_a_server_that_was_away_for_longer_than_a_lease_listens_before_it_judges(tmp_path: Path):
    home = tmp_path / "home"
    with server(home, **SETTINGS) as first, running_flow(first, NESTED, str(tmp_path / "go")) as process:
        until(lambda: all_running(first, set()), "the flows do not run")
        first.process.kill()
        first.process.wait()
        until(lambda: leases_are_over(home / "prefect.db"), "the leases do not end")
        with server(home, port=first.port, **SETTINGS) as again:
            deadline = time.monotonic() + 3 * LEASE_SECONDS
            while time.monotonic() < deadline:
                assert states(again, "flow_runs", set()) == ["RUNNING", "RUNNING"]
                time.sleep(0.2)
            (tmp_path / "go").touch()
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0, output
            assert states(again, "flow_runs", set()) == ["COMPLETED", "COMPLETED"]


def leases_are_over(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        ends = [datetime.fromisoformat(f"{end[:26]}+00:00") for (end,) in connection.execute(LEASE_ENDS)]
    return len(ends) == 2 and max(ends) < datetime.now(timezone.utc)


LEASE_ENDS = "SELECT expires_at FROM flow_run_lease"
