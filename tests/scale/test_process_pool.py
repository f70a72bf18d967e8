"""The process pool runner: deep nesting, subflows inside its tasks, and a worker that dies."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.processes import PRELUDE, Home, noted

PROGRAM = """
from prefect.task_runners import ProcessPoolTaskRunner

@task
def square(x):
    get_run_logger().info("square of %d", x)
    return x * x

@flow
def inner(count):
    return sum(square.map(range(count)).result())

@task
def calls_a_flow(count):
    return inner(count)

@task
def submits(x):
    return square.submit(x).result() + sum(square.map(range(x)).result())

@flow(task_runner=ProcessPoolTaskRunner(max_workers=2))
def outer():
    return [square.map(range(6)).result(), calls_a_flow.map([3, 4]).result(), submits.map([2, 3]).result()]

if __name__ == "__main__":
    state = outer(return_state=True)
    note(state.state_details.flow_run_id, str(state.result()).replace(" ", ""))
"""


def test_tasks_in_processes_call_flows_and_submit_tasks(tmp_path: Path):
    home, script = Home(tmp_path / "home"), tmp_path / "program.py"
    script.write_text(PRELUDE + PROGRAM)
    home.run(script, tmp_path / "journal")
    [(run_id, results)] = noted(tmp_path / "journal")
    assert results == "[[0,1,4,9,16,25],[5,14],[5,14]]"
    assert list(home.flow_run_states().values()) == ["COMPLETED"] * 3
    tasks = home.task_run_states()
    assert {state for _, state in tasks} == {"COMPLETED"}
    tracking = 2
    assert tasks[run_id, "COMPLETED"] == 6 + 2 + tracking + 2 + (1 + 2) + (1 + 3)
    assert sum(tasks.values()) == tasks[run_id, "COMPLETED"] + 3 + 4
    with home.rows() as ask:
        assert ask("SELECT count(*) FROM log WHERE message LIKE 'square of %'") == [(6 + 3 + 4 + 3 + 4,)]


DEATH = """
from prefect.futures import wait
from prefect.task_runners import ProcessPoolTaskRunner

@task
def dies():
    os._exit(3)

@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def deadly():
    futures = [dies.submit(), dies.submit()]
    wait(futures)
    futures.append(dies.submit())
    return futures

if __name__ == "__main__":
    state = deadly(return_state=True)
    note(state.type.value)
"""


def test_a_worker_process_that_dies_crashes_its_task_and_fails_the_flow(tmp_path: Path):
    home, script = Home(tmp_path / "home"), tmp_path / "program.py"
    script.write_text(PRELUDE + DEATH)
    home.run(script, tmp_path / "journal")
    assert noted(tmp_path / "journal")[0][0] == "FAILED"
    assert set(home.flow_run_states().values()) == {"FAILED"}
    assert [(state, count) for (_, state), count in home.task_run_states().items()] == [("CRASHED", 3)]
