"""The process worker: real processes, from the queue to their end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tests.workers.conftest import Pool
from tests.workers.flows import Flows
from tests.workers.odd import until

from prefect.client.schemas.objects import FlowRun
from prefect.workers import ProcessWorker
from prefect.workers.process import ProcessJobConfiguration


@pytest.fixture
def flows(pool: Pool, tmp_path: Path) -> Flows:
    return Flows(pool, tmp_path / "flows")


async def serve_once(pool: Pool, **options: object) -> None:
    worker = ProcessWorker(pool.name, name="a worker", **options)  # type: ignore[arg-type]
    await worker.start(run_once=True, printer=lambda *_: None)


async def test_a_run_completes_in_a_process_of_its_own(flows: Flows):
    flows.deploy()
    run_id = flows.run()

    await serve_once(flows.pool)

    (began,) = flows.noted("began")
    run = flows.pool.read(run_id)
    assert (run["state_type"], run["infrastructure_pid"]) == ("COMPLETED", str(began["pid"]))
    assert flows.pool.states(run_id) == ["Scheduled", "Pending", "Submitting", "Running", "Completed"]
    assert began["pid"] != os.getpid()
    assert not Path(began["cwd"]).exists(), "the temporary folder is gone"
    await until(lambda: "the flow says return" in flows.pool.logs(run_id), "its log")


async def test_a_run_sees_the_settings_of_the_worker_and_who_started_it(flows: Flows, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINE_KEPT", "kept")
    monkeypatch.setenv("MINE_REMOVED", "removed")
    flows.deploy(env={"MINE": "own", "MINE_REMOVED": None, "PREFECT_LOGGING_LEVEL": "DEBUG"})
    run_id = flows.run()

    await serve_once(flows.pool)

    env = flows.noted("began")[0]["env"]
    assert env["PREFECT_API_URL"] == flows.pool.server.url
    assert env["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert {name: value for name, value in env.items() if name.startswith("MINE")} == {
        "MINE": "own",
        "MINE_KEPT": "kept",
    }
    assert env["PREFECT__FLOW_RUN_ID"] == run_id
    assert env["PREFECT__DEPLOYMENT_ID"] == flows.pool.deployment_id
    assert env["PREFECT__DEPLOYMENT_NAME"] == "here"
    assert env["PREFECT__FLOW_NAME"].startswith("flow-")
    assert env["PREFECT__WORKER_NAME"] == "a worker"
    assert not {"PREFECT__CONTROL_PORT", "PREFECT__CONTROL_TOKEN"} & set(env)


async def test_a_run_that_is_killed_crashes_with_its_exit_code_and_its_hook_runs(flows: Flows):
    flows.deploy()
    run_id = flows.run("kill")

    await serve_once(flows.pool)

    run = flows.pool.read(run_id)
    assert run["state_type"] == "CRASHED"
    assert "-9" in run["state"]["message"]
    assert flows.noted("crashed-hook") == [{"kind": "crashed-hook", "state": "Crashed"}]
    (_, executed) = await asyncio.to_thread(flows.pool.events, run_id, 2)
    (about,) = [each for each in executed["related"] if each["prefect.resource.role"] == "flow-run"]
    assert about["prefect.infrastructure.status-code"] == "-9"


async def test_a_run_that_fails_has_failed_and_not_crashed(flows: Flows):
    flows.deploy()
    run_id = flows.run("fail")

    await serve_once(flows.pool)

    assert flows.pool.read(run_id)["state_type"] == "FAILED"


async def test_a_run_that_is_cancelled_ends_soon_and_its_hook_runs(flows: Flows):
    flows.deploy()
    run_id = flows.run("sleep")
    serving = asyncio.create_task(serve_once(flows.pool))
    await until(lambda: flows.noted("began"), "the run begins")

    flows.pool.propose(run_id, "CANCELLING")
    await asyncio.wait_for(serving, 60)

    assert flows.pool.read(run_id)["state_type"] == "CANCELLED"
    assert flows.noted("cancelled-hook") == [{"kind": "cancelled-hook", "state": "Cancelling"}]


async def test_a_run_starts_where_its_deployment_says(flows: Flows, tmp_path: Path):
    (tmp_path / "work here").mkdir()
    flows.deploy(job_variables={"working_dir": str(tmp_path / "work here")})
    flows.run()

    await serve_once(flows.pool)

    assert flows.noted("began")[0]["cwd"] == str(tmp_path / "work here")
    assert (tmp_path / "work here").exists()


async def test_a_folder_that_is_not_there_crashes_the_run_and_is_named(flows: Flows):
    flows.deploy(job_variables={"working_dir": "/nowhere/at/all"})
    run_id = flows.run()

    await serve_once(flows.pool)

    run = flows.pool.read(run_id)
    assert run["state_type"] == "CRASHED"
    assert "'/nowhere/at/all' does not exist on the machine of the worker" in run["state"]["message"]


async def test_the_command_may_be_another_one(flows: Flows, tmp_path: Path):
    program = tmp_path / "a program.py"
    program.write_text(
        "import os, sys\nopen(os.environ['JOURNAL'], 'w').write('{\"kind\": \"own\"}\\n')\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'prefect.engine'])\n"
    )
    flows.deploy(job_variables={"command": f"{sys.executable} '{program}'"})
    run_id = flows.run()

    await serve_once(flows.pool)

    assert flows.noted("own")
    assert flows.pool.read(run_id)["state_type"] == "COMPLETED"


async def test_a_command_that_runs_nothing_leaves_no_run_pending(flows: Flows):
    flows.deploy(job_variables={"command": "true"})
    run_id = flows.run()

    await serve_once(flows.pool)

    assert flows.pool.read(run_id)["state_type"] == "CRASHED"


async def test_the_processes_of_a_worker_that_is_to_end_now_are_told_to(flows: Flows):
    flows.deploy()
    run_id = flows.run("sleep")
    worker = ProcessWorker(flows.pool.name)
    serving = asyncio.create_task(worker.start(printer=lambda *_: None))
    await until(lambda: flows.noted("began"), "the run begins")

    worker._stop()
    assert worker._end_runs()
    await asyncio.wait_for(serving, 60)

    assert flows.pool.read(run_id)["state_type"] == "CRASHED"
    with pytest.raises(ProcessLookupError):
        os.kill(flows.noted("began")[0]["pid"], signal.SIG_DFL)


def test_variables_of_the_worker_can_be_removed_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINE_REMOVED", "removed")
    configuration = ProcessJobConfiguration(env={"MINE_REMOVED": None, "MINE": "1"})
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid4(), name="a run"))
    assert "MINE_REMOVED" not in configuration.env
    assert (configuration.env["MINE"], configuration.env["PATH"]) == ("1", os.environ["PATH"])


def test_the_default_command_is_the_engine_of_this_python():
    configuration = ProcessJobConfiguration()
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid4(), name="a run"))
    assert configuration.command == f"{sys.executable} -m prefect.engine"
