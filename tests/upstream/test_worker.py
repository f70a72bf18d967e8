"""Upstream's worker, deployments and command line on our server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.upstream.test_same_everywhere import environment, running_server, upstream_python  # noqa: F401 - a fixture

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import temporary_settings

pytestmark = pytest.mark.upstream

FLOW = """
from prefect import flow, task


@task
def double(x):
    return 2 * x


@flow(log_prints=True)
def doubling(x: int = 1):
    print("doubled to", double(x))
"""
DEPLOY = """
import sys
from prefect import flow

deployed = flow.from_source(source=sys.argv[1], entrypoint="flows.py:doubling")
print("DEPLOYED", deployed.deploy(name="nightly", work_pool_name="processes", parameters={"x": 20}))
"""
PATIENCE_SECONDS = 90


@contextmanager
def running(command: list[str], home: Path, url: str) -> Iterator[None]:
    with (home / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home, url), stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def finished(client: SyncPrefectClient, flow_run_id, worker_log: Path):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (state := client.read_flow_run(flow_run_id).state).is_final():
        assert time.monotonic() < deadline, f"still {state.name}; the worker says: {worker_log.read_text()[-2000:]}"
        time.sleep(0.1)
    return state


def test_a_worker_runs_what_was_deployed(upstream_python: str, tmp_path: Path):  # noqa: F811
    (tmp_path / "flows.py").write_text(FLOW)
    (tmp_path / "deploy.py").write_text(DEPLOY)
    with running_server(sys.executable, tmp_path) as url:

        def prefect(*arguments: str) -> str:
            done = subprocess.run(
                [upstream_python, "-m", *arguments],
                env=environment(tmp_path, url), capture_output=True, text=True, timeout=90, cwd=tmp_path, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        prefect("prefect", "work-pool", "create", "--type", "process", "processes")
        deployed = subprocess.run(
            [upstream_python, "deploy.py", str(tmp_path)],
            env=environment(tmp_path, url), capture_output=True, text=True, timeout=90, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert "DEPLOYED" in deployed.stdout, deployed.stderr
        worker = [upstream_python, "-m", "prefect", "worker", "start", "--pool", "processes", "--type", "process"]
        with (
            running(worker, tmp_path, url),
            temporary_settings({"api.url": url}),
            get_client(sync_client=True) as client,
        ):
            deployment = client.read_deployment_by_name("doubling/nightly")
            run = client.create_flow_run_from_deployment(deployment.id)
            state = finished(client, run.id, tmp_path / "worker.log")
            assert state.is_completed(), state.message
            deadline = time.monotonic() + PATIENCE_SECONDS
            while "doubled to 40" not in [log.message for log in client.read_logs() if log.flow_run_id == run.id]:
                assert time.monotonic() < deadline, "the flow's line never came"
                time.sleep(0.1)
            assert [pool.name for pool in client.read_work_pools()] == ["processes"]
        assert "nightly" in prefect("prefect", "deployment", "ls")
