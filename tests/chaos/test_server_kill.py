"""`kill -9` of a server under load: what was answered is stored, and clients and flows carry on.

PREFECT_TEST_KILLS says how often it is killed (default 6); PREFECT_TEST_SEED repeats the moments of a run.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.chaos.processes import Home, noted, wait_until
from tests.chaos.servers import Load, Server, check_logs, check_told, servers

KILLS = int(os.environ.get("PREFECT_TEST_KILLS", "6"))
SEED = int(os.environ.get("PREFECT_TEST_SEED", "0")) or random.randrange(1, 2**31)
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
TASKS = 5

BUSY = """
from prefect.events import emit_event

@task
def speak(x):
    get_run_logger().info("item %d", x)
    return x

@flow
def nested(x):
    return speak(x)

@flow
def busy(count):
    emit_event("chaos.busy", resource={"prefect.resource.id": f"chaos.{flow_run.id}"})
    return sum(speak.map(range(count)).result()) + nested(0)

while not os.path.exists(sys.argv[1]):
    state = busy(int(sys.argv[2]), return_state=True)
    note(state.state_details.flow_run_id, state.result())
"""


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DATABASES)
def test_what_was_accepted_survives_the_kill_of_the_server(tmp_path: Path, dialect: str):
    print(f"PREFECT_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    home, end = Home(tmp_path / "client"), tmp_path / "end"
    journals = [tmp_path / f"journal-{number}" for number in range(2)]
    with servers(tmp_path, dialect) as [server]:
        server.start()
        server.wait()
        flows = [home.start(BUSY, each, str(end), str(TASKS), PREFECT_API_URL=server.url) for each in journals]
        with followed(flows) as outputs, Load([server], clients=4) as load:
            for number in range(KILLS):
                if number % 5 == 4:  # anywhere: also while it starts
                    time.sleep(chance.uniform(0.0, 2.0))
                else:
                    server.wait()
                    ended = len(load.told.ended)
                    wait_until(lambda: load.failures or len(load.told.ended) > ended + 4, "runs end")  # noqa: B023
                    time.sleep(chance.uniform(0.0, 1.0))
                server.kill()
                server.start()
            server.wait()
            end.touch()
            for flow, output in zip(flows, outputs, strict=True):
                printed, _ = output.result(120)
                assert flow.returncode == 0, printed
                assert "Traceback" not in printed, printed
        assert server.stop() == 0
        print(f"{len(load.told.ended)} runs driven, {len(load.told.accepted)} transitions accepted")
        check_told(server, load.told)
        check_flows(server, {run_id: result for journal in journals for run_id, result in noted(journal)})
        check_logs(server)
    assert list(home.path.glob("recorder/*/*")) == [], "records were left undelivered"


@contextmanager
def followed(processes: list[subprocess.Popen[str]]) -> Iterator[list[Future[tuple[str, str]]]]:
    """Gives what processes print, once they have ended, and leaves none behind."""
    with ThreadPoolExecutor(len(processes)) as readers:
        try:
            yield [readers.submit(process.communicate) for process in processes]
        finally:
            for process in processes:
                process.kill()


def check_flows(server: Server, told: dict[str, str]) -> None:
    """Every flow that returned is stored, with all that it recorded, once, and none besides."""
    print(f"{len(told)} flows run")
    assert told
    assert set(told.values()) == {str(sum(range(TASKS)))}
    with server.rows() as ask:
        named = "SELECT flow_run.id, state_type FROM flow_run JOIN flow ON flow.id = flow_id WHERE flow.name = ?"
        assert dict(ask(named, "busy")) == dict.fromkeys(told, "COMPLETED")
        nested = ask(named, "nested")
        assert Counter(state for _, state in nested) == {"COMPLETED": len(told)}
        tasks = ask(
            "SELECT flow_run_id, state_type, count(*) AS n FROM task_run"
            " WHERE flow_run_id IN (SELECT flow_run.id FROM flow_run JOIN flow ON flow.id = flow_id WHERE flow.name = 'busy')"
            " GROUP BY flow_run_id, state_type"
        )
        # The subflow has a task run of its own in its parent.
        assert sorted(tasks) == sorted((run_id, "COMPLETED", str(TASKS + 1)) for run_id in told)
        lines = ask(
            "SELECT flow_run_id, message, count(*) AS n FROM log WHERE message LIKE 'item %' GROUP BY flow_run_id, message"
        )
        wanted = [(run_id, f"item {x}", "1") for run_id in told for x in range(TASKS)]
        assert sorted(lines) == sorted([*wanted, *((run_id, "item 0", "1") for run_id, _ in nested)])
        events = ask("SELECT resource_id, count(*) AS n FROM event WHERE event = 'chaos.busy' GROUP BY resource_id")
        assert sorted(events) == sorted((f"chaos.{run_id}", "1") for run_id in told)
        states = ask(
            "SELECT resource_id, event, count(*) AS n FROM event WHERE event LIKE 'prefect.task-run.%'"
            " GROUP BY resource_id, event HAVING count(*) > 1"
        )
        assert states == []
        completed = "SELECT count(*) AS n FROM event WHERE event = 'prefect.task-run.Completed'"
        assert ask(completed) == [(str(len(told) * (TASKS + 1)),)]
