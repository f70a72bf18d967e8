"""Processes that run tasks outside of flows on one home, without a server, and are killed: what becomes of their runs."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.chaos.processes import PATIENCE_SECONDS, Home, wait_until

pytestmark = pytest.mark.slow
LEASE_SECONDS = 2
SHORT = {"PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LEASE_SECONDS": str(LEASE_SECONDS)}

TASKS = """
import sys, time
from pathlib import Path
from prefect import flow, task
from prefect.task_runners import ProcessPoolTaskRunner

@task
def waits(until, busy=False):
    while not Path(until).exists():
        if not busy:
            time.sleep(0.05)

@task
def outer(until, busy=False):
    waits(until, busy)

@flow
def asks(until):
    outer.delay(until)

if __name__ == "__main__":
    what, until = sys.argv[1:3]
    if what == "call":
        outer(until)
    elif what == "busy":
        outer(until, True)
    elif what == "process pool":
        with ProcessPoolTaskRunner(max_workers=1) as runner:
            runner.submit(waits, {"until": until}).result()
    elif what == "delay":
        outer.delay(until)
    elif what == "delay in a flow":
        asks(until)
    elif what == "serve":
        outer.serve()
"""
"""The key of a task depends on its file: all processes load the same one."""


class Outside:
    """A home, and the processes that run tasks on it."""

    def __init__(self, folder: Path) -> None:
        self.home, self.folder = Home(folder / "home"), folder
        self.script = folder / "tasks.py"
        self.script.write_text(TASKS)

    def start(self, what: str, until: str) -> subprocess.Popen[str]:
        return self.home.start(self.script, self.folder / "journal", what, str(self.folder / until), **SHORT)

    @contextmanager
    def running(self, what: str, until: str):
        process = self.start(what, until)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def run(self, what: str, until: str) -> None:
        process = self.start(what, until)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output

    def go(self, until: str) -> None:
        (self.folder / until).touch()

    def states(self) -> list[str]:
        """The states of all task runs, in the order in which they were made."""
        if not self.home.database.exists():
            return []
        with self.home.rows() as ask:
            if not ask("SELECT 1 FROM sqlite_master WHERE name = 'task_run'"):
                return []
            return [type for (type,) in ask("SELECT state_type FROM task_run ORDER BY id")]

    def leases(self) -> int:
        with self.home.rows() as ask:
            return ask("SELECT count(*) FROM task_run_lease")[0][0]

    def messages(self) -> set[str]:
        with self.home.rows() as ask:
            return {text for (text,) in ask("SELECT message FROM task_run_state WHERE type = 'CRASHED'")}


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


def test_the_next_process_ends_the_task_runs_of_a_killed_one(outside: Outside):
    with outside.running("busy", "busy-go") as lives:
        wait_until(lambda: outside.states() == ["RUNNING"] * 2, "the first process does not run")
        with outside.running("call", "never") as killed:
            wait_until(lambda: outside.states() == ["RUNNING"] * 4, "the second process does not run")
            killed.kill()
            killed.wait()
        # The one that lives is busy all the time, and looks after both its own runs and those of the other.
        wait_until(lambda: outside.states() == ["RUNNING"] * 2 + ["CRASHED"] * 2, "the task runs do not crash")
        (message,) = outside.messages()
        assert f":{killed.pid}:" in message and "that ran this task run" in message
        with outside.running("call", "go"):  # somebody else who would judge it
            deadline = time.monotonic() + 3 * LEASE_SECONDS
            while time.monotonic() < deadline:
                assert outside.states()[:2] == ["RUNNING"] * 2
                time.sleep(0.1)
        outside.go("busy-go")
        output, _ = lives.communicate(timeout=PATIENCE_SECONDS)
        assert lives.returncode == 0, output
    assert outside.states()[:4] == ["COMPLETED"] * 2 + ["CRASHED"] * 2
    assert len(outside.messages()) == 1


def test_the_task_runs_of_a_process_pool_are_kept_by_the_process_that_records_them(outside: Outside):
    with outside.running("process pool", "go") as lives, outside.running("call", "other-go"):
        wait_until(lambda: outside.states().count("RUNNING") == 3, "the tasks do not run")
        deadline = time.monotonic() + 3 * LEASE_SECONDS
        while time.monotonic() < deadline:
            assert outside.states() == ["RUNNING"] * 3
            time.sleep(0.1)
        outside.go("go")
        output, _ = lives.communicate(timeout=PATIENCE_SECONDS)
        assert lives.returncode == 0, output
        assert outside.messages() == set()


@pytest.mark.parametrize("asked", ["delay", "delay in a flow"])
def test_a_background_run_ends_with_its_task_worker(outside: Outside, asked: str):
    outside.run(asked, "go")
    with outside.running("serve", "") as killed:
        wait_until(lambda: outside.states() == ["RUNNING"] * 2, "the worker does not run it")
        killed.kill()
        killed.wait()
    with outside.running("serve", "") as worker:  # started anew, as supervisors do
        wait_until(lambda: outside.states() == ["CRASHED"] * 2, "the runs of the killed worker do not crash")
        (message,) = outside.messages()
        assert f":{killed.pid}:" in message
        worker.terminate()
        output, _ = worker.communicate(timeout=PATIENCE_SECONDS)
        assert worker.returncode == 0, output


def test_what_ends_leaves_no_lease(outside: Outside):
    outside.go("go")
    for _ in range(3):
        outside.run("call", "go")
    with outside.running("call", "later") as process:
        wait_until(lambda: outside.states()[6:] == ["RUNNING"] * 2, "the tasks do not run")
        assert outside.leases() == 2
        outside.go("later")
        process.communicate(timeout=PATIENCE_SECONDS)
    assert outside.states() == ["COMPLETED"] * 8
    assert outside.leases() == 0
