"""What becomes of the runs of a worker that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.server.api.conftest import RunningServer, server
from tests.workers.conftest import Pool, wait_until
from tests.workers.flows import Flows

pytestmark = pytest.mark.slow
LEASE_SECONDS = 3
SETTINGS = {
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LEASE_SECONDS": str(LEASE_SECONDS),
    "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES_LOOP_SECONDS": "0.2",
}

WORKER = """
import asyncio, os, subprocess, sys
from pathlib import Path
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

class Slow(BaseWorker):
    "Needs some time to make its infrastructure, which then lives on without it."
    type = "slow"
    job_configuration = BaseJobConfiguration

    async def run(self, flow_run, configuration, task_status=None):
        Path(sys.argv[2]).touch()
        while not Path(sys.argv[3]).exists():
            await asyncio.sleep(0.02)
        task_status.started("elsewhere")
        return BaseWorkerResult(identifier="elsewhere", status_code=0)

asyncio.run(Slow(sys.argv[1], name="slow").start(run_once="once" in sys.argv))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("server"), **SETTINGS) as running:
        yield running


@contextmanager
def started(pool: Pool, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = pool.server.environment(PREFECT_WORKER_QUERY_SECONDS="0.5")
    process = subprocess.Popen([sys.executable, *command], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def has_lease(pool: Pool, run_id: str) -> bool:
    with closing(sqlite3.connect(pool.server.home / "prefect.db", timeout=30)) as database:
        return bool(database.execute("SELECT 1 FROM flow_run_lease WHERE flow_run_id = ?", (run_id,)).fetchall())


def state(pool: Pool, run_id: str) -> str:
    return pool.read(run_id)["state_name"]


def test_a_run_whose_worker_dies_before_it_has_infrastructure_crashes_within_a_lease(pool: Pool, tmp_path: Path):
    pool.create("slow")
    run_id = pool.run()
    with started(pool, "-c", WORKER, pool.name, str(tmp_path / "claimed"), str(tmp_path / "never")) as worker:
        wait_until((tmp_path / "claimed").exists, "the worker has the run")
        time.sleep(1.5 * LEASE_SECONDS)
        assert state(pool, run_id) == "Submitting", "a worker that lives keeps its run"
        worker.send_signal(signal.SIGKILL)
        wait_until(lambda: state(pool, run_id) == "Crashed", "the run crashes")
    assert "has not been heard of" in pool.read(run_id)["state"]["message"]


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_a_run_whose_infrastructure_lives_elsewhere_does_not_depend_on_its_worker(
    pool: Pool, tmp_path: Path, end: signal.Signals | None
):
    pool.create("slow")
    run_id = pool.run()
    more = ["once"] if end is None else []
    (tmp_path / "now").touch()
    with started(pool, "-c", WORKER, pool.name, str(tmp_path / "claimed"), str(tmp_path / "now"), *more) as worker:
        wait_until(lambda: pool.read(run_id)["infrastructure_pid"] == "elsewhere", "its infrastructure")
        if end is None:
            assert worker.wait(60) == 0
        else:
            wait_until(lambda: not has_lease(pool, run_id), "it has given the run back")
            worker.send_signal(end)
            worker.wait(30)
        time.sleep(2 * LEASE_SECONDS)
        assert state(pool, run_id) == "Submitting"
        pool.propose(run_id, "RUNNING")


@pytest.fixture
def flows(pool: Pool, tmp_path: Path) -> Flows:
    made = Flows(pool, tmp_path / "flows")
    made.deploy()
    return made


def test_a_process_goes_on_when_its_worker_is_killed(flows: Flows):
    run_id = flows.run("wait")
    with started(flows.pool, "-m", "prefect", "worker", "start", "-p", flows.pool.name) as worker:
        wait_until(lambda: flows.noted("began"), "the run begins")
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
        time.sleep(1.5 * LEASE_SECONDS)
        assert state(flows.pool, run_id) == "Running"
        flows.let_go()
        wait_until(lambda: state(flows.pool, run_id) == "Completed", "the run completes")


def test_a_run_that_is_killed_together_with_its_worker_crashes_within_a_lease(flows: Flows):
    run_id = flows.run("wait")
    with started(flows.pool, "-m", "prefect", "worker", "start", "-p", flows.pool.name) as worker:
        wait_until(lambda: flows.noted("began"), "the run begins")
        worker.send_signal(signal.SIGKILL)
        os.kill(flows.noted("began")[0]["pid"], signal.SIGKILL)
        wait_until(lambda: state(flows.pool, run_id) == "Crashed", "the run crashes")


def test_another_worker_takes_what_a_killed_one_has_left(flows: Flows):
    with started(flows.pool, "-m", "prefect", "worker", "start", "-p", flows.pool.name) as first:
        wait_until(lambda: flows.pool.workers(), "the worker is heard of")
        first.send_signal(signal.SIGKILL)
        first.wait(30)
    runs = [flows.run() for _ in range(3)]
    with started(flows.pool, "-m", "prefect", "worker", "start", "-p", flows.pool.name):
        wait_until(lambda: {state(flows.pool, run) for run in runs} == {"Completed"}, "the runs complete")
    assert sorted(each["run"] for each in flows.noted("began")) == sorted(runs)
