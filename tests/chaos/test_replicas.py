"""Two servers on one PostgreSQL, one of which is killed again and again: nothing is lost, and nothing is done twice.

PREFECT_TEST_KILLS says how often (default 6); PREFECT_TEST_SEED repeats the moments of a run.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.processes import Home, noted, wait_until
from tests.chaos.servers import Asker, Load, Server, Told, check_logs, check_told, servers

KILLS = int(os.environ.get("PREFECT_TEST_KILLS", "6"))
SEED = int(os.environ.get("PREFECT_TEST_SEED", "0")) or random.randrange(1, 2**31)
DEPLOYMENTS = 6
INTERVAL = timedelta(seconds=1)
POOL = "claimed"
SERVICES = {
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "8",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "20",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "1",
}
"""Slots are made eight seconds ahead, once a second, and marked late soon: all services meet the claimers."""

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


class Claimers:
    """Clients that compete for the runs of a work pool, and take those that they win to COMPLETED."""

    def __init__(self, servers: list[Server], count: int) -> None:
        self.told = Told()
        self.started: list[str] = []
        """The runs that were started, once for each time."""
        self.failures: list[BaseException] = []
        self._servers = servers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self) -> Claimers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
        if self.failures:
            raise self.failures[0]

    def _run(self) -> None:
        try:
            ask = Asker(self._servers)
            while not self._stopping.wait(0.05):
                due = {"limit": 10, "scheduled_before": datetime.now(timezone.utc).isoformat()}
                for each in ask("POST", f"/work_pools/{POOL}/get_scheduled_flow_runs", due):
                    self._claim(ask, each["flow_run"]["id"])
            ask.close()
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.failures.append(error)

    def _claim(self, ask: Asker, run_id: str) -> None:
        if not self.told.propose(ask, run_id, type="PENDING"):
            return
        assert self.told.propose(ask, run_id, type="RUNNING"), "who has claimed a run may start it"
        self.started.append(run_id)
        assert self.told.propose(ask, run_id, type="COMPLETED")
        self.told.ended.append(run_id)


def test_replicas_that_are_killed_lose_no_run_and_start_none_twice(tmp_path: Path):
    print(f"PREFECT_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    with servers(tmp_path, "postgresql", 2, **SERVICES) as replicas:
        for each in replicas:
            each.start()
        for each in replicas:
            each.wait()
        began, deployments = deploy(Asker(replicas))
        with Load(replicas, clients=2) as load, Claimers(replicas, count=3) as claimers:
            for _ in range(KILLS):
                started = len(claimers.started)
                wait_until(lambda: claimers.failures or len(claimers.started) > started, "runs start", 30)  # noqa: B023
                time.sleep(chance.uniform(0.0, 1.5))
                victim = chance.choice(replicas)
                victim.kill()
                time.sleep(chance.uniform(0.0, 1.0))
                victim.start()
                victim.wait()
            over = datetime.now(timezone.utc)
            all_started = lambda: set(slots_until(over, deployments, replicas)) <= set(claimers.started)  # noqa: E731
            wait_until(lambda: bool(claimers.failures) or all_started(), "every run that is due has started", 30)
        assert [each.stop() for each in replicas] == [0, 0]
        print(f"{len(load.told.ended)} runs driven, {len(claimers.started)} scheduled runs started")
        check_told(replicas[0], load.told)
        check_claims(replicas[0], claimers)
        check_slots(replicas[0], deployments, began, over)
        for each in replicas:
            check_logs(each)


def deploy(ask: Asker) -> tuple[datetime, list[str]]:
    """Deployments with a run every second; gives an instant from which on they have them, and their ids."""
    ask("POST", "/work_pools/", {"name": POOL, "type": "process"})
    flow_id = ask("POST", "/flows/", {"name": "scheduled"})["id"]
    schedule = {"interval": INTERVAL.total_seconds(), "anchor_date": "2026-01-01T00:00:00Z"}
    made = [
        ask(
            "POST",
            "/deployments/",
            {
                "name": f"every-second-{number}",
                "flow_id": flow_id,
                "work_pool_name": POOL,
                "schedules": [{"schedule": schedule, "active": True}],
            },
        )["id"]
        for number in range(DEPLOYMENTS)
    ]
    # The recent changes are looked after within a few seconds.
    began = datetime.now(timezone.utc) + timedelta(seconds=6)
    return began, made


def slots_until(instant: datetime, deployments: list[str], replicas: list[Server]) -> list[str]:
    """The ids of the scheduled runs that were due before an instant."""
    wanted: dict[str, Any] = {
        "flow_runs": {
            "deployment_id": {"any_": deployments},
            "expected_start_time": {"before_": instant.isoformat()},
        },
        "sort": "ID_DESC",
        "limit": 200,
    }
    ask, found, offset = Asker(replicas), [], 0
    while page := ask("POST", "/flow_runs/filter", {**wanted, "offset": offset}):
        found += [run["id"] for run in page]
        offset += len(page)
    ask.close()
    return found


def check_claims(server: Server, claimers: Claimers) -> None:
    twice = [run_id for run_id, count in Counter(claimers.started).items() if count > 1]
    assert twice == []
    with server.rows() as ask:
        stored = {row[0]: row[1:] for row in ask("SELECT id, flow_run_id, type FROM flow_run_state")}
        runs = dict(ask("SELECT id, state_type FROM flow_run"))
    assert [each for each in claimers.told.accepted if stored.get(each[1]) != (each[0], each[2])] == []
    assert {runs[run_id] for run_id in claimers.told.ended} == {"COMPLETED"}


def check_slots(server: Server, deployments: list[str], began: datetime, over: datetime) -> None:
    """Each deployment has exactly one run for each second between two instants."""
    with server.rows() as ask:
        rows = ask("SELECT deployment_id, expected_start_time, idempotency_key FROM flow_run WHERE auto_scheduled")
    assert len({key for _, _, key in rows}) == len(rows)
    times: dict[str, Counter[datetime]] = {deployment: Counter() for deployment in deployments}
    for deployment, expected, _ in rows:
        times[deployment][datetime.fromisoformat(expected).astimezone(timezone.utc)] += 1
    first, last = began.replace(microsecond=0) + INTERVAL, over.replace(microsecond=0)
    wanted = [first + INTERVAL * number for number in range((last - first) // INTERVAL + 1)]
    assert len(wanted) > KILLS
    for deployment, found in times.items():
        assert [instant for instant, count in found.items() if count > 1] == [], deployment
        assert [instant for instant in wanted if instant not in found] == [], deployment


LEASE = {
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LEASE_SECONDS": "6",
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LOOP_SECONDS": "0.5",
}
WAITS = """
@task
def wait():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)

@flow
def waits():
    note(flow_run.id)
    wait()

waits()
"""


def test_runs_end_with_their_process_whichever_server_is_left(tmp_path: Path):
    home, end = Home(tmp_path / "client"), tmp_path / "end"
    with servers(tmp_path, "postgresql", 2, **LEASE) as [steady, shaky], ExitStack() as scope:
        for each in (steady, shaky):
            each.start()
        for each in (steady, shaky):
            each.wait()
        ask = Asker([steady])

        def begin(server: Server, name: str) -> tuple[subprocess.Popen[str], str]:
            journal = tmp_path / name
            process = home.start(WAITS, journal, str(end), PREFECT_API_URL=server.url)
            scope.callback(process.kill)
            wait_until(lambda: bool(noted(journal)) or process.poll() is not None, "the flow begins")
            return process, noted(journal)[0][0]

        def states(run_id: str) -> list[str]:
            found = ask("GET", f"/flow_run_states/?flow_run_id={run_id}")
            return [state["type"] for state in sorted(found, key=lambda state: state["timestamp"])]

        living, living_id = begin(steady, "living")
        for number, its_server in enumerate([steady, shaky]):
            process, run_id = begin(its_server, f"doomed-{number}")
            process.kill()
            shaky.kill()
            wait_until(lambda: states(run_id)[-1] == "CRASHED", "the run ends with its lease", 60)  # noqa: B023
            assert states(run_id) == ["PENDING", "RUNNING", "CRASHED"]
            shaky.start()
            shaky.wait()
        assert states(living_id) == ["PENDING", "RUNNING"]
        end.touch()
        printed, _ = living.communicate(timeout=60)
        assert living.returncode == 0, printed
        assert states(living_id) == ["PENDING", "RUNNING", "COMPLETED"]
        assert [each.stop() for each in (steady, shaky)] == [0, 0]
        check_logs(steady)
        check_logs(shaky)
