"""Serving as a process of its own: what signals do to it, and what is left of it when it is killed (server section 5.1)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from tests.runner.conftest import Flows, is_alive, run_now, until
from tests.server.api.conftest import RunningServer, server

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun


class Script:
    """A process that serves one of the flows, and leads a group of its own, as one that was started from a terminal."""

    def __init__(self, flows: Flows, running: RunningServer, name: str) -> None:
        script = flows.folder / "serve.py"
        # Whoever runs the tests in the background has SIGINT ignored, by these processes too.
        script.write_text(
            "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
            f"from some_flows import {name} as flow\nflow.serve(name='script')\nprint('goes on')\n"
        )
        self.name, self.flows = name, flows
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=flows.folder,
            env=running.environment(PREFECT_LOGGING_LEVEL="INFO"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    async def run(self) -> tuple[FlowRun, list[str]]:
        """A run that goes; with what it has noted."""
        with get_client(sync_client=True) as client:

            def is_there() -> UUID | None:
                assert self.process.poll() is None, self.output()
                found = client.read_deployments()
                return next((each.id for each in found if each.name == "script"), None)

            run = client.create_flow_run_from_deployment(await until(is_there, "the deployment is there"))
        return run, await self.flows.noted_by(self.name)

    def interrupt(self) -> None:
        """Ctrl-C at its terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def says(self, words: str) -> None:
        """Read what it says until these words have come."""
        for line in self.process.stdout:  # type: ignore[union-attr]
            if words in line:
                return
        raise AssertionError(f"It has ended, and not said {words!r}.")

    def output(self) -> str:
        """What it has said, to its end."""
        return self.process.communicate(timeout=60)[0]

    def is_paused(self) -> bool:
        with get_client(sync_client=True) as client:
            (found,) = [each for each in client.read_deployments() if each.name == "script"]
        return found.paused


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with short leases."""
    lease = "PREFECT_SERVER_SERVICES_FLOW_RUN_LEASES"
    environment = {f"{lease}_LEASE_SECONDS": "3", f"{lease}_LOOP_SECONDS": "0.2"}
    with server(tmp_path_factory.mktemp("server"), **environment) as running:
        yield running


@pytest.fixture
def script(flows: Flows, api: RunningServer) -> Iterator[Any]:
    started: list[Script] = []

    def start(name: str) -> Script:
        started.append(Script(flows, api, name))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()
        with get_client(sync_client=True) as client:
            for found in client.read_deployments():
                client.delete_deployment(found.id)


@pytest.mark.parametrize("how", ["terminate", "interrupt"])
async def test_a_process_that_is_told_to_end_leaves_everything_in_order(script: Any, how: str):
    served = script("starts")
    run, (pid, helper) = await served.run()
    served.process.terminate() if how == "terminate" else served.interrupt()
    output = served.output()
    assert served.process.returncode == 0, output
    assert "Traceback" not in output
    assert ("goes on" in output) == (how == "interrupt"), "SIGTERM ends the process, Ctrl-C ends the serving"
    assert run_now(run.id).state.is_cancelled()
    assert not is_alive(pid) and not is_alive(helper)
    assert served.is_paused()


async def test_who_is_told_twice_does_not_wait_for_code_that_does_not_listen(script: Any):
    served = script("computes")
    run, (pid,) = await served.run()
    served.interrupt()
    await asyncio.to_thread(served.says, "Shutting down, 1 flow run(s) are cancelled")
    served.interrupt()
    output = served.output()
    assert served.process.returncode == 0 and "Ending at once" in output
    assert not is_alive(pid)
    assert run_now(run.id).state.is_cancelled()


async def test_a_process_that_is_killed_takes_its_runs_with_it(script: Any):
    served = script("starts")
    run, (pid, helper) = await served.run()
    served.process.kill()
    await until(lambda: not is_alive(pid) and not is_alive(helper), "the processes of the run have ended")
    await until(lambda: run_now(run.id).state.is_crashed(), "the run has crashed")
    assert served.flows.noted[1:] == [["crashed", "starts", "Crashed"]]


async def test_what_is_killed_altogether_leaves_no_run_running(script: Any, flows: Flows):
    served = script("computes")
    run, (pid,) = await served.run()
    served.process.kill()
    os.kill(int(pid), signal.SIGKILL)
    await until(lambda: run_now(run.id).state.is_crashed(), "its lease has ended")
