"""Many processes, threads and forks that run flows on one home: no error, and every record is there."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.chaos.processes import PATIENCE_SECONDS, PRELUDE, Home, noted
from tests.sdk._reading import flow_runs_named, logs_of, task_runs_of

from prefect import flow, get_run_logger, task

PROCESSES = int(os.environ.get("PREFECT_TEST_PROCESSES", "8"))
FLOWS = int(os.environ.get("PREFECT_TEST_FLOWS", "10"))
TASKS = 15

BUSY = """
from concurrent.futures import ThreadPoolExecutor

@task
def speak(x):
    get_run_logger().info("item %d", x)
    return x

@flow
def busy(count):
    get_run_logger().info("begin")
    return sum(speak.map(range(count)).result())

for _ in range(int(sys.argv[1])):
    state = busy(int(sys.argv[2]), return_state=True)
    note(state.state_details.flow_run_id, state.result())
"""


@pytest.mark.slow
def test_processes_on_one_home_lose_nothing(tmp_path: Path):
    home = Home(tmp_path / "home")
    journals = [tmp_path / f"journal-{number}" for number in range(PROCESSES)]
    # All at once on an empty home: they also race for making the database.
    processes = [home.start(BUSY, journal, str(FLOWS), str(TASKS)) for journal in journals]
    for process in processes:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS * 2)
        assert process.returncode == 0, output
        for word in ("locked", "delayed", "Traceback", "ERROR", "WARNING"):
            assert word not in output, output
    told = {run_id: result for journal in journals for run_id, result in noted(journal)}
    assert len(told) == PROCESSES * FLOWS
    assert set(told.values()) == {str(sum(range(TASKS)))}
    home.check_integrity()
    assert home.flow_run_states() == dict.fromkeys(told, "COMPLETED")
    assert home.task_run_states() == {(run_id, "COMPLETED"): TASKS for run_id in told}
    with home.rows() as ask:
        lines = dict(ask("SELECT flow_run_id, count(*) FROM log WHERE message LIKE 'item %' GROUP BY 1"))
        assert lines == dict.fromkeys(told, TASKS)
        assert dict(ask("SELECT flow_run_id, count(*) FROM log WHERE message = 'begin' GROUP BY 1")) == dict.fromkeys(
            told, 1
        )
        states = PROCESSES * FLOWS * TASKS * 3  # Pending, Running, Completed
        assert ask("SELECT count(*) FROM task_run_state") == [(states,)]
        assert ask("SELECT count(*) FROM event WHERE event LIKE 'prefect.task-run.%'") == [(states,)]


def test_flows_in_several_threads_keep_their_runs_apart(home: Path):
    @task
    def tag(name, x):
        get_run_logger().info("%s %d", name, x)
        return f"{name}-{x}"

    @flow
    def of_thread(name):
        return [*tag.map(name, range(6)).result(), tag(name, 6)]

    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda number: of_thread(f"t{number}", return_state=True), range(32)))

    for number, state in enumerate(states):
        run_id = state.state_details.flow_run_id
        assert state.result() == [f"t{number}-{x}" for x in range(7)]
        assert [run.state_name for run in task_runs_of(run_id)] == ["Completed"] * 7
        assert {f"t{number} {x}" for x in range(7)} <= set(logs_of(run_id))
        assert not any(
            line.startswith("t") and not line.startswith(f"t{number} ") for line in logs_of(run_id) if " " in line
        )
    assert len(flow_runs_named("of-thread")) == 32


FORK = """
@task
def square(x):
    return x * x

@flow
def squares(count):
    return sum(square.map(range(count)).result())

def once():
    state = squares(5, return_state=True)
    note(state.state_details.flow_run_id, state.result())

once()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        once()
        sys.exit(0)
    children.append(child)
once()
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
once()
sys.exit(max(codes))
"""


def test_a_forked_process_runs_flows_beside_its_parent(tmp_path: Path):
    home = Home(tmp_path / "home")
    home.run(FORK, tmp_path / "journal")
    told = dict(noted(tmp_path / "journal"))
    assert list(told.values()) == ["30"] * 7
    assert home.flow_run_states() == dict.fromkeys(told, "COMPLETED")
    assert home.task_run_states() == {(run_id, "COMPLETED"): 5 for run_id in told}
    home.check_integrity()


FORK_INSIDE = """
@task
def square(x):
    return x * x

@flow
def squares(count):
    futures = square.map(range(count))
    child = os.fork()
    if child == 0:
        os._exit(inner())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return sum(futures.result())

@flow
def in_child():
    return square(7)

def inner():
    state = in_child(return_state=True)
    note(state.state_details.flow_run_id, state.result())
    return 0

state = squares(50, return_state=True)
note(state.state_details.flow_run_id, state.result())
"""


def test_a_fork_in_the_middle_of_a_flow_hurts_neither_side(tmp_path: Path):
    home = Home(tmp_path / "home")
    home.run(FORK_INSIDE, tmp_path / "journal")
    told = dict(noted(tmp_path / "journal"))
    assert sorted(told.values()) == ["40425", "49"]
    assert home.flow_run_states() == dict.fromkeys(told, "COMPLETED")
    assert sum(home.task_run_states().values()) == 52
    assert {state for _, state in home.task_run_states()} == {"COMPLETED"}
    with home.rows() as ask:  # the child may not deliver what its parent had buffered
        told_twice = "SELECT 1 FROM task_run_state WHERE name = 'Completed' GROUP BY task_run_id HAVING count(*) > 1"
        assert ask(told_twice) == []
        tracking = 4  # Pending as it was made, then what its flow run went through
        assert ask("SELECT count(*) FROM task_run_state") == [(51 * 3 + tracking,)]


POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def call_task(x):
    return square(x)

def submit_task(x):
    return square.submit(x).result()

def call_flow(x):
    return squares(x)

@task
def square(x):
    return x * x

@flow
def squares(count):
    return sum(square.map(range(count)).result())

@flow
def outer(method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        results = [*pool.map(call_flow, [3, 4, 5, 6]), *pool.map(call_task, range(4))]
        if method == "fork":  # the workers are inside the flow that made them
            assert [*pool.map(submit_task, range(4))] == [0, 1, 4, 9]
        return results

if __name__ == "__main__":
    state = outer(sys.argv[1], return_state=True)
    note(state.state_details.flow_run_id, str(state.result()).replace(" ", ""))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_flows_and_tasks_run_in_a_process_pool_of_the_standard_library(tmp_path: Path, method: str):
    home = Home(tmp_path / "home")
    script = tmp_path / "pools.py"
    script.write_text(PRELUDE + POOLS)
    home.run(script, tmp_path / "journal", method)
    [(run_id, results)] = noted(tmp_path / "journal")
    assert results == "[5,14,30,55,0,1,4,9]"
    states = home.flow_run_states()
    assert states[run_id] == "COMPLETED"
    assert list(states.values()) == ["COMPLETED"] * 5
    tasks = home.task_run_states()
    assert {state for _, state in tasks} == {"COMPLETED"}
    # A forked process inherits the flow that it was made in; the others begin anew.
    tracking, submitted = (4, 4) if method == "fork" else (0, 0)
    assert sum(tasks.values()) == 3 + 4 + 5 + 6 + 4 + tracking + submitted
