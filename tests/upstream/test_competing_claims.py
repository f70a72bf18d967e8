"""Upstream's worker and a client of ours compete for the runs of one pool: each run starts once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from tests.upstream.servers import environment, running, running_server

from prefect import get_client
from prefect.flow_engine import run_flow
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import temporary_settings
from prefect.states import Pending

pytestmark = [pytest.mark.upstream, pytest.mark.slow]

RUNS = 24
PATIENCE_SECONDS = 90
FLOW = """
import os, sys, time
from prefect import flow
from prefect.runtime import flow_run


@flow
def starts():
    started = os.open(os.path.join(os.path.dirname(__file__), "started"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(started, f"{flow_run.id} {sys.prefix}\\n".encode())
    os.close(started)
    time.sleep(1)
"""
DEPLOY = """
import sys
from prefect import flow

flow.from_source(source=sys.argv[1], entrypoint="flows.py:starts").deploy(name="often", work_pool_name="shared")
"""


class Claimer(threading.Thread):
    """Takes runs of the pool one after another, as a worker does, until all have been handed out."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(daemon=True)
        self.url, self.folder = url, folder
        self.won: list[UUID] = []
        self.failure: BaseException | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            starts = load_flow_from_entrypoint(f"{self.folder / 'flows.py'}:starts")
            with (
                temporary_settings({"api.url": self.url, "home": self.folder / "ours"}),
                get_client(sync_client=True) as client,
            ):
                while not self.stopping.is_set():
                    told = client.get_scheduled_flow_runs_for_work_pool("shared")
                    for each in told:
                        answer = client.set_flow_run_state(each.flow_run.id, Pending())
                        if answer.status.value == "ACCEPT":
                            self.won.append(each.flow_run.id)
                            run_flow(starts, flow_run=client.read_flow_run(each.flow_run.id))
                    if not told:
                        time.sleep(0.1)
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.failure = error


def test_competing_workers_start_each_run_once(upstream_python: str, tmp_path: Path):
    (tmp_path / "flows.py").write_text(FLOW)
    (tmp_path / "deploy.py").write_text(DEPLOY)
    with running_server(sys.executable, tmp_path) as url:
        for command in (
            ["-m", "prefect", "work-pool", "create", "--type", "process", "shared"],
            ["deploy.py", tmp_path],
        ):
            done = subprocess.run(
                [upstream_python, *command],
                env=environment(tmp_path, url), capture_output=True, text=True, timeout=90, cwd=tmp_path, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        worker = ["env", "PREFECT_WORKER_QUERY_SECONDS=1", upstream_python, "-m", "prefect"]
        worker += ["worker", "start", "--pool", "shared", "--type", "process", "--limit", "4"]
        with (
            running(worker, tmp_path, url),
            temporary_settings({"api.url": url}),
            get_client(sync_client=True) as client,
        ):
            deployment = client.read_deployment_by_name("starts/often")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not client.read_workers_for_work_pool("shared"):
                assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()[-2000:]
                time.sleep(0.1)
            runs = {client.create_flow_run_from_deployment(deployment.id).id for _ in range(RUNS)}
            claimer = Claimer(url, tmp_path)
            claimer.start()
            deadline = time.monotonic() + 3 * PATIENCE_SECONDS
            while not all(run.state and run.state.is_final() for run in client.read_flow_runs()):
                assert claimer.failure is None, claimer.failure
                assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()[-2000:]
                time.sleep(0.2)
            claimer.stopping.set()
            claimer.join(30)
            assert claimer.failure is None
            ended = {run.id: run.state_name for run in client.read_flow_runs()}
    lines = [line.split(" ", 1) for line in (tmp_path / "started").read_text().splitlines()]
    assert Counter(UUID(run_id) for run_id, _ in lines) == Counter(runs)
    assert ended == dict.fromkeys(runs, "Completed")
    ours = {UUID(run_id) for run_id, prefix in lines if prefix == sys.prefix}
    assert ours == set(claimer.won)
    assert 0 < len(ours) < RUNS, "only one of the two got any"
