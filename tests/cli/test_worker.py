"""`prefect worker start`: real workers in processes of their own, and what is refused before one starts."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.api.conftest import RunningServer, free_port, server
from tests.workers.conftest import Pool, wait_until
from tests.workers.flows import Flows

from prefect.cli._runner import Invocation, invoke

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def pool(running: RunningServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setenv("PREFECT_API_URL", running.url)
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "0.5")
    pool = Pool(running)
    yield pool
    pool.client.close()


@pytest.fixture
def flows(pool: Pool, tmp_path: Path) -> Flows:
    return Flows(pool, tmp_path / "flows")


class Worker:
    """`prefect worker start` in a process of its own, and what it has printed so far."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "prefect", "worker", "start", *arguments]
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.output = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def says(self, text: str) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None, f"{text!r} in its output")
        assert text in self.output, self.output

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        self._reading.join(PATIENCE_SECONDS)
        return code


@contextmanager
def working(*arguments: str, **environment: str) -> Iterator[Worker]:
    worker = Worker(*arguments, **environment)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(PATIENCE_SECONDS)


def start(*arguments: str) -> Invocation:
    """A start that is refused at once."""
    return invoke(["worker", "start", *arguments])


# -- running -----------------------------------------------------------------------------------------------------------


def test_a_worker_takes_runs_until_it_is_told_to_end(flows: Flows):
    flows.deploy()
    with working("--pool", flows.pool.name, "--name", "my worker") as worker:
        worker.says("Worker 'my worker' started!")
        first = flows.run()
        wait_until(lambda: flows.pool.read(first)["state_type"] == "COMPLETED", "the run completes")
        worker.says("the flow says return")
        worker.tell(signal.SIGTERM)
        assert worker.end() == 0
        assert f"Discovered type 'process' for work pool {flows.pool.name!r}." in worker.output
        assert worker.output.rstrip().endswith("Worker 'my worker' stopped!")


def test_run_once_takes_what_is_due_waits_for_it_and_ends(flows: Flows):
    flows.deploy()
    runs = [flows.run() for _ in range(2)]
    with working("-p", flows.pool.name, "--run-once") as worker:
        assert worker.end() == 0
    assert {flows.pool.read(run)["state_type"] for run in runs} == {"COMPLETED"}


def test_the_first_signal_lets_runs_end_and_no_more_begin(flows: Flows):
    flows.deploy()
    with working("-p", flows.pool.name) as worker:
        worker.says("started!")
        waiting = flows.run("wait")
        wait_until(lambda: flows.noted("began"), "the run begins")
        worker.tell(signal.SIGINT)
        worker.says("takes no more runs, and waits for 1 to end")
        left = flows.run()
        flows.let_go()
        assert worker.end() == 0
    assert flows.pool.read(waiting)["state_type"] == "COMPLETED"
    assert flows.pool.read(left)["state_type"] == "SCHEDULED"


def test_the_second_signal_ends_the_runs(flows: Flows):
    flows.deploy()
    with working("-p", flows.pool.name) as worker:
        worker.says("started!")
        run_id = flows.run("sleep")
        wait_until(lambda: flows.noted("began"), "the run begins")
        worker.tell(signal.SIGTERM)
        worker.says("Once more")
        worker.tell(signal.SIGTERM)
        assert worker.end() == 0
    assert flows.pool.read(run_id)["state_type"] == "CRASHED"


def test_a_worker_whose_server_is_away_can_be_told_to_end(pool: Pool):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
        with working("-p", "p", "-t", "process", PREFECT_API_URL=url, PREFECT_CLIENT_MAX_RETRIES="0") as worker:
            worker.says("The API does not answer, will ask again")
            worker.tell(signal.SIGINT)
            assert worker.end() == 1


def test_a_pool_that_is_not_there_is_made_for_processes(flows: Flows):
    with working("-p", flows.pool.name, "--run-once") as worker:
        assert worker.end() == 0
        assert "does not exist and no worker type was provided. Starting a process worker..." in worker.output
    assert flows.pool.ask("GET", f"/work_pools/{flows.pool.name}")["type"] == "process"


def test_a_pool_is_made_with_the_template_of_a_file(pool: Pool, tmp_path: Path):
    template = {"job_configuration": {"command": "mine"}, "variables": {"properties": {}}}
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    with working("-p", pool.name, "-t", "process", "--run-once", "--base-job-template", str(file)) as worker:
        assert worker.end() == 0, worker.output
    assert pool.ask("GET", f"/work_pools/{pool.name}")["base_job_template"] == template


def test_at_most_as_many_runs_go_at_a_time_as_the_limit_says(flows: Flows):
    flows.deploy()
    runs = [flows.run("wait") for _ in range(3)]
    with working("-p", flows.pool.name, "--limit", "2") as worker:
        wait_until(lambda: len(flows.noted("began")) == 2, "two runs begin")
        assert sorted(flows.pool.read(run)["state_type"] for run in runs).count("SCHEDULED") == 1
        flows.let_go()
        wait_until(lambda: all(flows.pool.read(run)["state_type"] == "COMPLETED" for run in runs), "all complete")
        worker.tell(signal.SIGTERM)
        assert worker.end() == 0


def test_a_worker_answers_health_checks(pool: Pool):
    port = free_port()
    where = {"PREFECT_WORKER_WEBSERVER_PORT": str(port), "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1"}
    with working("-p", pool.name, "-t", "process", "--with-healthcheck", **where) as worker:
        wait_until(lambda: health_of(port) == 200, "it is well")
        worker.tell(signal.SIGTERM)
        assert worker.end() == 0


def health_of(port: int) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code
    except httpx.TransportError:
        return 0


def test_two_workers_on_one_pool_share_its_runs(flows: Flows):
    flows.deploy()
    with working("-p", flows.pool.name, "-n", "one") as one, working("-p", flows.pool.name, "-n", "two") as two:
        one.says("started!")
        two.says("started!")
        runs = [flows.run() for _ in range(6)]
        wait_until(lambda: all(flows.pool.read(run)["state_type"] == "COMPLETED" for run in runs), "all complete")
        for worker in (one, two):
            worker.tell(signal.SIGTERM)
            assert worker.end() == 0
    assert sorted(each["run"] for each in flows.noted("began")) == sorted(runs)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_without_a_server_there_is_nothing_to_start():
    result = start("-p", "p")
    assert (result.exit_code, "`prefect server start`" in result.stdout) == (1, True), result


def test_a_pool_has_to_be_named_where_nobody_can_be_asked(pool: Pool):
    result = start()
    assert (result.exit_code, "Missing required option '--pool' / '-p'" in result.stdout) == (1, True), result


def test_who_names_no_pool_is_asked(pool: Pool):
    pool.create("prefect-agent")
    result = invoke(["--prompt", "worker", "start"], input=f"{pool.name}\n")
    assert (result.exit_code, "'prefect-agent'" in result.stdout) == (1, True), result


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ecs:push", "Workers are not required for work pools of type 'ecs:push'"),
        ("prefect:managed", "Workers are not required for work pools of type 'prefect:managed'"),
        ("prefect-agent", "for agents of earlier versions"),
    ],
)
def test_a_pool_that_needs_no_worker_gets_none(type_: str, message: str, pool: Pool):
    pool.create(type_)
    result = start("-p", pool.name)
    assert (result.exit_code, message in result.stdout) == (1, True), result


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-t", "bogus"], 1, "There are no workers of type 'bogus'. Known types are: azure-container-instance, "),
        (["-t", "docker", "--install-policy", "never"], 1, 'Install it with `pip install "prefect-docker"`'),
        (["-t", "docker"], 1, 'Install it with `pip install "prefect-docker"`'),
        (["-t", "process", "-n", "a/b"], 1, "cannot contain '/' or '%'"),
        (["-t", "process", "--base-job-template", "nowhere.json"], 1, "Cannot read 'nowhere.json'"),
        (["-t", "process", "--limit", "0"], 2, "--limit"),
        (["-t", "process", "--limit", "many"], 2, "--limit"),
        (["-t", "process", "--install-policy", "sometimes"], 2, "if-not-present"),
        (["--typ", "process"], 2, "--type"),
        (["-t", "process", "--run-once", "--no-create-pool-if-not-found"], 1, "may not make it"),
    ],
)
def test_what_cannot_be_started_is_refused(arguments: list[str], code: int, message: str, pool: Pool):
    result = start("-p", pool.name, *arguments)
    assert result.exit_code == code, result
    assert message in result.stdout + result.stderr, result


def test_the_type_cannot_be_found_out_while_the_server_is_away(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    result = start("-p", pool.name)
    assert (result.exit_code, "Provide a worker type with '--type'" in result.stdout) == (1, True), result


def test_what_is_paused_or_missing_is_told_of(pool: Pool):
    pool.create("process", is_paused=True)
    pool.ask("POST", f"/work_pools/{pool.name}/queues", {"name": "slow", "is_paused": True})
    with working("-p", pool.name, "-q", "slow", "-q", "typo", "--run-once") as worker:
        assert worker.end() == 0
    assert f"The work pool {pool.name!r} is currently paused." in worker.output
    assert "Specified work queue(s)" in worker.output
    assert "has no work queue 'typo'; it has 'default', 'slow'." in worker.output


# -- packages of workers -----------------------------------------------------------------------------------------------

PACKAGE = """
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

class DockerWorker(BaseWorker):
    type = "docker"
    job_configuration = BaseJobConfiguration

    async def run(self, flow_run, configuration, task_status=None):
        task_status.started("container")
        print("the package runs", flow_run.name)
        return BaseWorkerResult(identifier="container", status_code=1)
"""


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `uv` that installs one package into a folder that Python looks into; gives the file with its arguments."""
    site, called = tmp_path / "site", tmp_path / "called"
    site.mkdir()
    (tmp_path / "package.py").write_text(PACKAGE)
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(
        f'#!/bin/sh\necho "$@" >> {called}\ncp {tmp_path}/package.py {site}/prefect_docker.py\n'
        f"mkdir -p {site}/prefect_docker-0.7.0.dist-info\ncd {site}/prefect_docker-0.7.0.dist-info\n"
        'printf "Metadata-Version: 2.1\\nName: prefect-docker\\nVersion: 0.7.0\\n" > METADATA\n'
        'printf "[prefect.collections]\\nprefect_docker = prefect_docker\\n" > entry_points.txt\n'
    )
    uv.chmod(uv.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{uv.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(site))
    return called


def test_the_package_of_a_type_is_installed_if_it_is_missing(flows: Flows, installer: Path):
    flows.deploy(type="docker", pool={"base_job_template": {"job_configuration": {}, "variables": {"properties": {}}}})
    run_id = flows.run()
    for _ in range(2):
        with working("-p", flows.pool.name, "--run-once", "--install-policy", "if-not-present") as worker:
            assert worker.end() == 0, worker.output
    assert installer.read_text() == f"pip install --python {sys.executable} prefect-docker\n"
    assert flows.pool.read(run_id)["labels"]["prefect.worker.type"] == "docker"


def test_the_newest_release_is_installed_where_that_is_wanted(pool: Pool, installer: Path):
    pool.create("docker")
    for _ in range(2):
        with working("-p", pool.name, "--run-once", "--install-policy", "always") as worker:
            assert worker.end() == 0, worker.output
    assert installer.read_text() == f"pip install --python {sys.executable} --upgrade prefect-docker\n" * 2


def test_a_package_that_cannot_be_installed_is_named_with_the_reason(pool: Pool, installer: Path):
    uv = installer.parent / "bin" / "uv"
    uv.write_text("#!/bin/sh\necho 'no such index' >&2\nexit 3\n")
    pool.create("docker")
    with working("-p", pool.name, "--install-policy", "always") as worker:
        assert worker.end() == 1
    assert "'prefect-docker' could not be installed:\nno such index" in worker.output


def test_types_of_installed_packages_can_be_asked_for(pool: Pool, installer: Path):
    subprocess.run([installer.parent / "bin" / "uv"], check=True)

    def ask(*arguments: str) -> Any:
        command = [sys.executable, "-m", "prefect", "work-pool", *arguments]
        return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True).stdout

    template = json.loads(ask("get-default-base-job-template", "--type", "docker"))
    assert set(template["job_configuration"]) == {"command", "env", "labels", "name"}
    ask("create", pool.name, "--type", "docker")
    assert pool.ask("GET", f"/work_pools/{pool.name}")["base_job_template"] == template
