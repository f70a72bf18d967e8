"""Cancelling, ending by signals, and waiting for other runs (SDK sections 3.2, 15 and 16)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from tests.sdk._reading import flow_run_of, flow_run_states, flow_runs_named

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.exceptions import Abort, CancelledRun, FlowRunWaitTimeout, UnfinishedRun
from prefect.flow_runs import wait_for_flow_run
from prefect.states import Cancelled, Cancelling, Pending, Running

pytestmark = pytest.mark.usefixtures("home")


def test_a_flow_may_end_itself_as_cancelled():
    seen = []

    @flow(on_cancellation=[lambda f, r, s: seen.append(s.name)])
    def ends(state_of):
        return state_of(message="enough")

    with pytest.raises(CancelledRun, match="enough"):
        ends(Cancelled)
    assert flow_run_of(ends(Cancelled, return_state=True)).state.is_cancelled()
    assert seen == []  # the hooks are for CANCELLING


def test_a_flow_that_returns_cancelling_runs_its_hooks():
    seen = []

    @flow(on_cancellation=[lambda f, r, s: seen.append(s.name)])
    def ends():
        return Cancelling()

    with pytest.raises(UnfinishedRun):
        ends()
    assert seen == ["Cancelling"]


def test_a_cancelled_task_gives_its_state():
    @task
    def ends():
        return Cancelled(message="enough")

    assert ends().is_cancelled()

    @flow
    def parent():
        with pytest.raises(CancelledRun):
            ends.submit().result()
        return ends(return_state=True)

    assert parent(return_state=True).is_cancelled()


def test_a_run_that_is_being_cancelled_does_not_begin():
    from prefect.flow_engine import run_flow

    called = []

    @flow
    def never():
        called.append(1)

    with get_client(sync_client=True) as client:
        run = client.create_flow_run(never, state=Pending())
        client.set_flow_run_state(run.id, Cancelling(), force=True)
        with pytest.raises((UnfinishedRun, CancelledRun, Abort)):
            run_flow(never, flow_run=client.read_flow_run(run.id))
    assert called == []
    assert "Running" not in flow_run_states(run.id)


def test_a_termination_signal_crashes_the_run_and_still_ends_the_process(tmp_path):
    script = tmp_path / "terminated.py"
    script.write_text(
        "import time\nfrom prefect import flow\n"
        "@flow(on_crashed=[lambda f, r, s: print('hook', s.name, flush=True)])\n"
        "def terminated():\n    print('ready', flush=True)\n    time.sleep(60)\nterminated()\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGTERM
    assert output == "hook Crashed\n"
    (run,) = flow_runs_named("terminated")
    assert run.state.is_crashed() and "signal" in run.state.message.lower()


async def test_runs_of_one_loop_leave_the_signal_as_it_was_whichever_ends_first():
    may_end = asyncio.Event()
    first_has_ended = asyncio.Event()

    @flow
    async def first():
        await may_end.wait()

    @flow
    async def second():
        may_end.set()
        await first_has_ended.wait()
        return signal.getsignal(signal.SIGTERM)

    async def run_first():
        await first()
        first_has_ended.set()

    before = signal.getsignal(signal.SIGTERM)
    _, while_second_goes = await asyncio.gather(run_first(), second())
    assert while_second_goes is not before
    assert signal.getsignal(signal.SIGTERM) is before


# -- waiting ---------------------------------------------------------------------------------------------------------


async def test_waiting_gives_the_finished_run_also_when_it_failed():
    @flow
    def fails():
        raise ValueError("on purpose")

    async with get_client() as client:
        run = await client.create_flow_run(fails, state=Pending())

        async def finish():
            await client.set_flow_run_state(run.id, Running())
            await client.set_flow_run_state(run.id, Cancelled(), force=True)

        waiting = asyncio.create_task(wait_for_flow_run(run.id, timeout=30))
        await finish()
        assert (await waiting).state.is_cancelled()


async def test_waiting_ends_with_an_error_when_time_is_up():
    async with get_client() as client:
        run = await client.create_flow_run(flow(lambda: None, name="waits"), state=Pending())
    with pytest.raises(FlowRunWaitTimeout):
        await wait_for_flow_run(run.id, timeout=0)


async def test_waiting_for_a_run_that_never_was():
    from prefect.exceptions import ObjectNotFound

    with pytest.raises(ObjectNotFound):
        await wait_for_flow_run(uuid4(), timeout=5)
