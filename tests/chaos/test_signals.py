"""SIGINT and SIGTERM while a flow runs tasks: the run is recorded as crashed, and the process ends by the signal, soon."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.chaos.processes import PRELUDE, Home, noted, wait_until

PROGRAM = """
from prefect.task_runners import ThreadPoolTaskRunner
import asyncio

@task
def nap(seconds):
    note("nap", seconds)
    time.sleep(seconds)

@task
async def doze(seconds):
    note("nap", seconds)
    await asyncio.sleep(seconds)

@flow
def direct():
    nap(600)

@flow
def nested():
    direct()

@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def queued():
    nap.map([0.3] * 10_000).result()

@flow
async def concurrent():
    await asyncio.gather(*[doze(600) for _ in range(5)])

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background may have switched it off
    if sys.argv[1] == "concurrent":
        asyncio.run(concurrent())
    else:
        globals()[sys.argv[1]]()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["direct", "nested", "queued", "concurrent"])
def test_a_signal_ends_the_process_and_its_run(tmp_path: Path, name: str, number: signal.Signals):
    home, journal, script = Home(tmp_path / "home"), tmp_path / "journal", tmp_path / "program.py"
    script.write_text(PRELUDE + "import signal\n" + PROGRAM)
    process = home.start(script, journal, name)
    wait_until(lambda: bool(noted(journal)) or process.poll() is not None, "the first task")
    process.send_signal(number)
    # What is left to do would take ten minutes and more: only a process that does not wait for it ends in time.
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -number, output
    assert set(home.flow_run_states().values()) == {"CRASHED"}
    states = {state for _, state in home.task_run_states()}
    assert states <= {"CRASHED", "COMPLETED", "CANCELLED"}, "every task run has ended too"
    with home.rows() as ask:
        [[message]] = ask("SELECT message FROM flow_run_state WHERE type = 'CRASHED' LIMIT 1")
        assert ask("SELECT count(*) FROM flow_run_lease") == [(0,)]
    # An event loop turns Ctrl-C into the cancellation of what it runs.
    assert {"SIGTERM": "termination signal", "SIGINT": "cancelled" if name == "concurrent" else "interrupt"}[
        number.name
    ] in message
    if number == signal.SIGTERM:
        assert "Traceback" not in output
    home.check_integrity()


WAITS = """
@task
def nap():
    note("napping")
    time.sleep(600)

@flow
def busy():
    nap.submit().result()

import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
busy()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_second_signal_leaves_threads_that_cannot_be_stopped(tmp_path: Path, number: signal.Signals):
    home, journal = Home(tmp_path / "home"), tmp_path / "journal"
    process = home.start(WAITS, journal)
    wait_until(lambda: bool(noted(journal)) or process.poll() is not None, "the task")
    process.send_signal(number)
    wait_until(lambda: set(home.flow_run_states().values()) == {"CRASHED"}, "the crash is recorded before the wait")
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -number, output
    assert set(home.flow_run_states().values()) == {"CRASHED"}
