"""A task an item: flows of very many task runs end, keep their memory bounded, and have every run recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.chaos.processes import Home

MAPPED = """
import json, resource

@task
def double(x):
    return 2 * x

@flow
def mapped(count):
    return sum(double.map(range(count)).result())

state = mapped(int(sys.argv[1]), return_state=True)
print(json.dumps({
    "id": str(state.state_details.flow_run_id), "result": state.result(),
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def run_mapped(home: Home, count: int, seconds: float) -> dict:
    process = home.start(MAPPED, home.path / "journal", str(count), PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, output
    assert "delayed" not in output
    return json.loads(output.strip().splitlines()[-1])


@pytest.mark.slow
def test_a_hundred_thousand_mapped_tasks_end_within_bounded_memory(tmp_path: Path):
    home, count = Home(tmp_path / "home"), 100_000
    told = run_mapped(home, count, 900)
    assert told["result"] == count * (count - 1)
    assert told["megabytes"] < 600
    assert home.flow_run_states() == {told["id"]: "COMPLETED"}
    assert home.task_run_states() == {(told["id"], "COMPLETED"): count}
    with home.rows() as ask:
        assert ask("SELECT name, count(*) FROM task_run_state GROUP BY 1 ORDER BY 1") == [
            ("Completed", count),
            ("Pending", count),
            ("Running", count),
        ]
    home.check_integrity()


ASYNC = """
import asyncio
running, most = 0, 0

@task
async def together(x, barrier):
    global running, most
    running += 1
    most = max(most, running)
    if running == barrier:
        everyone.set()
    await everyone.wait()
    return x

@flow
async def concurrent(count):
    global everyone
    everyone = asyncio.Event()
    return sum(await asyncio.gather(*[together(x, count) for x in range(count)]))

state = asyncio.run(concurrent(1000, return_state=True))
assert (most, asyncio.run(state.aresult())) == (1000, 499500)
"""


def test_a_thousand_async_tasks_are_at_work_at_once(tmp_path: Path):
    home = Home(tmp_path / "home")
    home.run(ASYNC, tmp_path / "journal", PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")
    assert set(home.flow_run_states().values()) == {"COMPLETED"}
    assert list(home.task_run_states().values()) == [1000]
    assert {state for _, state in home.task_run_states()} == {"COMPLETED"}
