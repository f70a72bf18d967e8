"""What `kill -9` of a process that runs flows leaves behind: nothing that was acknowledged is lost, nothing is damaged.

PREFECT_TEST_KILLS says how many processes are killed (default 25); PREFECT_TEST_SEED repeats the moments of a run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tests.chaos.processes import Home, noted, wait_until

KILLS = int(os.environ.get("PREFECT_TEST_KILLS", "25"))
SEED = int(os.environ.get("PREFECT_TEST_SEED", "0")) or random.randrange(1, 2**31)
TASKS = 20

WORK = """
@task
def double(x):
    return 2 * x

@flow
def nested(x):
    note(flow_run.id, "RUNNING")
    return double(x) + 1

@flow
def work(count):
    note(flow_run.id, "RUNNING")
    run = nested(1, return_state=True)
    note(run.state_details.flow_run_id, run.type.value)
    get_run_logger().info("halfway")
    return sum(double.map(range(count)).result()) + run.result()

def once(count):
    state = work(count, return_state=True)
    note(state.state_details.flow_run_id, state.type.value, count)
    assert state.result() == count * (count - 1) + 3, state
"""
FOR_EVER = WORK + "while True:\n    once(int(sys.argv[1]))\n"
ONCE = WORK + "once(int(sys.argv[1]))\n"
LOOK_AFTER = """
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType

UNFINISHED = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=["PENDING", "RUNNING"])))

@flow
def later():
    "Runs until no other run is unfinished: running a flow looks after those whose process has died."
    with get_client(sync_client=True) as client:
        deadline = time.monotonic() + 110
        while [str(run.id) for run in client.read_flow_runs(flow_run_filter=UNFINISHED)] != [str(flow_run.id)]:
            assert time.monotonic() < deadline
            time.sleep(0.05)

later()
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_the_kill_of_its_process(tmp_path: Path):
    print(f"PREFECT_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    home = Home(tmp_path / "home")
    told: dict[str, list[str]] = {}
    for number in range(KILLS):
        journal = tmp_path / f"journal-{number}"
        process = home.start(FOR_EVER, journal, str(TASKS))
        if number % 5 == 0:
            time.sleep(chance.uniform(0.0, 1.5))  # anywhere: also while the database is made, opened or migrated
        else:
            wait_until(lambda: bool(noted(journal)) or process.poll() is not None, "the first flow run")
            time.sleep(chance.uniform(0.0, 0.5))
        process.kill()
        output, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL, output
        assert "Traceback" not in output, output
        remember(noted(journal), told)
        if home.database.exists() and home.database.stat().st_size:
            home.check_integrity()
            check_told(home, told)
    assert any(words[0] == "COMPLETED" for words in told.values()), "no flow got anywhere: the kills came too early"
    look_after_the_abandoned(home, tmp_path / "journal-after")
    check_told(home, told)
    check_that_a_later_run_is_unhurt(home, tmp_path / "journal-later")


def remember(lines: list[list[str]], told: dict[str, list[str]]) -> None:
    for run_id, *words in lines:
        told[run_id] = words


def check_told(home: Home, told: dict[str, list[str]]) -> None:
    """Everything that a process was told is stored, with what it stands for."""
    states, tasks = home.flow_run_states(), home.task_run_states()
    with home.rows() as ask:
        histories: dict[str, set[str]] = {}
        for run_id, state in ask("SELECT flow_run_id, type FROM flow_run_state"):
            histories.setdefault(run_id, set()).add(state)
    for run_id, (state, *count) in told.items():
        assert state in histories.get(run_id, set()), f"{run_id} was told to be {state}"
        if state == "COMPLETED":
            assert states[run_id] == "COMPLETED"
        if count:  # a top-level flow that returned: everything of it is stored
            assert tasks[run_id, "COMPLETED"] == int(count[0]) + 1, run_id


def look_after_the_abandoned(home: Home, journal: Path) -> None:
    abandoned = {run for run, state in home.flow_run_states().items() if state in ("PENDING", "RUNNING")}
    assert abandoned, "every kill came between two flows"
    home.end_all_leases()
    home.run(LOOK_AFTER, journal)
    states = home.flow_run_states()
    assert {states[run] for run in abandoned} == {"CRASHED"}
    assert set(states.values()) == {"COMPLETED", "CRASHED"}
    unfinished = {key: count for key, count in home.task_run_states().items() if key[1] in ("PENDING", "RUNNING")}
    assert unfinished == {}
    with home.rows() as ask:
        assert ask("SELECT count(*) FROM flow_run_lease WHERE holder NOT LIKE 'lost:%'") == [(0,)]


def check_that_a_later_run_is_unhurt(home: Home, journal: Path) -> None:
    home.run(ONCE, journal, str(TASKS))
    told: dict[str, list[str]] = {}
    remember(noted(journal), told)
    assert sorted(words[0] for words in told.values()) == ["COMPLETED", "COMPLETED"]
    check_told(home, told)
    home.check_integrity()
