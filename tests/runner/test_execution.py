"""One flow run in a process of its own: how it ends, how it is cancelled, and what its hooks see (server section 5.1)."""

from __future__ import annotations

import asyncio
import os
import signal
from uuid import uuid4

import pytest
from tests.runner.conftest import Flows, is_alive, run_now, set_state, until
from tests.sdk._reading import flow_run_states, flow_runs_named, logs_of

from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner, _supervisor
from prefect.states import Cancelling

pytestmark = pytest.mark.usefixtures("api")


async def execute(flows: Flows, name: str, **parameters):
    run = flows.run_of(name, **parameters)
    process = await Runner().execute_flow_run(run.id, entrypoint=flows.entrypoint(name))
    return run_now(run.id), process


async def test_a_run_is_executed_in_a_process_of_its_own(flows):
    run, process = await execute(flows, "acts", what="well")
    assert run.state.is_completed()
    assert process.returncode == 0 and process.pid != os.getpid()
    # The way to the supervisor is not for processes that the flow starts.
    assert flows.noted == [["acted", "well", "False"]]


@pytest.mark.parametrize(
    ("what", "code", "states", "message"),
    [
        ("fail", 1, ["Pending", "Running", "Failed"], "on purpose"),
        ("exit", 3, ["Pending", "Running", "Crashed"], "system exit"),
        ("terminate", -15, ["Pending", "Running", "Crashed"], "termination signal"),
        ("kill", -9, ["Pending", "Running", "Crashed"], "status code -9"),
        ("leave", 3, ["Pending", "Running", "Crashed"], "status code 3"),
    ],
)
async def test_a_run_ends_in_a_true_state_however_its_process_ends(flows, what, code, states, message):
    run, process = await execute(flows, "acts", what=what)
    assert process.returncode == code
    assert flow_run_states(run.id) == states
    assert message in run.state.message
    # Once, be it there or here.
    assert flows.noted == ([] if what == "fail" else [["crashed", "acts", "Crashed"]])


async def test_a_run_that_has_ended_by_itself_is_not_called_a_failure_of_its_process(flows):
    run, _ = await execute(flows, "acts", what="fail")
    assert not any("Process exited" in line for line in logs_of(run.id))


async def test_a_process_that_never_begins_its_run_does_not_leave_it_pending(flows):
    run = flows.run_of("waits")
    process = await Runner().execute_flow_run(run.id, command="true")
    assert process.returncode == 0
    assert run_now(run.id).state.is_crashed()


async def test_a_process_that_cannot_be_started_crashes_its_run(flows):
    run = flows.run_of("waits")
    with pytest.raises(OSError):
        await Runner().execute_flow_run(run.id, command="/no/such/program")
    state = run_now(run.id).state
    assert state.is_crashed() and "/no/such/program" in state.message


async def test_a_run_that_is_not_there_is_told(flows):
    with pytest.raises(ObjectNotFound):
        await Runner().execute_flow_run(uuid4())


async def test_the_environment_is_handed_on_and_changed(flows, monkeypatch, capfd):
    monkeypatch.setenv("HANDED_ON", "yes")
    monkeypatch.setenv("TAKEN_AWAY", "yes")
    script = flows.folder / "show.py"
    script.write_text("import os; print(*[os.environ.get(n) for n in os.environ['NAMES'].split()], os.getcwd())")
    names = "HANDED_ON TAKEN_AWAY GIVEN PREFECT__FLOW_RUN_ID PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
    run = flows.run_of("waits")
    runner = Runner(heartbeat_seconds=45)
    env = {"NAMES": names, "TAKEN_AWAY": None, "GIVEN": "yes"}
    await runner.execute_flow_run(run.id, command=f"python {script}", env=env, cwd=flows.folder)
    assert capfd.readouterr().out.split() == ["yes", "None", "yes", str(run.id), "45", str(flows.folder)]


async def test_output_goes_where_ours_goes_or_nowhere(flows, capfd):
    for stream_output in (True, False):
        run = flows.run_of("waits")
        await Runner().execute_flow_run(run.id, command="echo said", stream_output=stream_output)
    assert capfd.readouterr().out == "said\n"


async def test_output_reaches_a_stream_that_is_no_file(flows, capsys):
    await Runner().execute_flow_run(flows.run_of("waits").id, command="echo said")
    assert capsys.readouterr().out == "said\n"


# -- cancelling --------------------------------------------------------------------------------------------------------


async def cancelled(flows: Flows, name: str, word: str = "waits"):
    """A run that is cancelled once it has noted something; gives the run, its process, and the note."""
    run = flows.run_of(name)
    executing = asyncio.create_task(Runner().execute_flow_run(run.id, entrypoint=flows.entrypoint(name)))
    note = await flows.noted_by(word)
    set_state(run.id, Cancelling())
    process = await asyncio.wait_for(executing, 60)
    return run_now(run.id), process, note


@pytest.mark.parametrize("name", ["waits", "awaits"])
async def test_a_run_is_cancelled(flows, name):
    run, process, _ = await cancelled(flows, name)
    assert process.returncode == 0  # it was ended on purpose, and in order
    assert flow_run_states(run.id) == ["Pending", "Running", "Cancelling", "Cancelled"]
    assert [line[0::2] for line in flows.noted] == [["waits"], ["cancelled", "Cancelling"]]


async def test_code_that_holds_the_interpreter_is_cancelled_after_the_grace_period(flows, monkeypatch):
    monkeypatch.setattr(_supervisor, "GRACE_SECONDS", 1.0)
    run, process, _ = await cancelled(flows, "computes", "computes")
    assert process.returncode == -signal.SIGKILL
    assert run.state.is_cancelled()
    assert flows.noted[1:] == [["cancelled", "computes", "Cancelling"]]


async def test_what_a_flow_has_started_is_ended_with_it(flows):
    run, _, pids = await cancelled(flows, "starts", "starts")
    assert run.state.is_cancelled()
    assert not any(is_alive(pid) for pid in pids)


async def test_a_nested_run_is_cancelled_with_its_parent_and_runs_its_own_hooks(flows):
    known = {run.id for run in flow_runs_named("inner")}
    run, _, _ = await cancelled(flows, "nests")
    (inner,) = [run for run in flow_runs_named("inner") if run.id not in known]
    assert run.state.is_cancelled() and inner.state.is_cancelled()
    assert flows.noted[1:] == [["cancelled", "inner", "Cancelling"], ["cancelled", "outer", "Cancelling"]]


async def test_a_run_that_is_cancelled_before_it_starts_gets_no_process(flows):
    run = flows.run_of("waits")
    set_state(run.id, Cancelling())
    assert await Runner().execute_flow_run(run.id, entrypoint=flows.entrypoint("waits")) is None
    assert run_now(run.id).state.is_cancelled()
    assert flows.noted == []


async def test_an_old_wish_does_not_cancel_another_attempt(flows, caplog):
    from prefect.states import Scheduled

    caplog.set_level("DEBUG", logger="prefect.runner")
    run, _, _ = await cancelled(flows, "waits")
    # The stream of events begins with those of the last minute.
    set_state(run.id, Scheduled(), force=True)
    flows.journal.unlink()
    executing = asyncio.create_task(Runner().execute_flow_run(run.id, entrypoint=flows.entrypoint("waits")))
    (pid,) = await flows.noted_by("waits")
    await until(lambda: "an earlier attempt" in caplog.text, "the old wish is heard")
    os.kill(int(pid), signal.SIGKILL)
    process = await asyncio.wait_for(executing, 60)
    assert process.returncode == -signal.SIGKILL
    assert run_now(run.id).state.is_crashed()


async def test_a_cancellation_is_told_as_an_event(flows):
    from prefect.client._calls.logs import read_events
    from prefect.client._send import send
    from prefect.events.filters import EventFilter, EventNameFilter

    run, _, _ = await cancelled(flows, "waits")
    name = "prefect.runner.cancelled-flow-run"

    def told():
        page = send(read_events(EventFilter(event=EventNameFilter(name=[name]))))
        return next((e for e in page.events if any(str(run.id) in each.id for each in e.related)), None)

    event = await until(told, "the event is there")
    assert event.resource.id.startswith("prefect.runner.")
    assert {"flow", "flow-run"} <= {each.role for each in event.related}


async def test_all_runs_are_cancelled_when_their_runner_wants_it(flows):
    run = flows.run_of("waits")
    async with Runner() as runner:
        executing = asyncio.create_task(runner.execute_flow_run(run.id, entrypoint=flows.entrypoint("waits")))
        await flows.noted_by("waits")
        await runner.cancel_all()
        assert executing.done()
    state = run_now(run.id).state
    assert state.is_cancelled() and "shutting down" in state.message
    assert flows.noted[1:] == [["cancelled", "waits", "Cancelling"]]


# -- ending a process and not its run -------------------------------------------------------------------------------


async def ended(flows: Flows, how: str):
    run = flows.run_of("waits")
    async with Runner() as runner:
        executing = asyncio.create_task(runner.execute_flow_run(run.id, entrypoint=flows.entrypoint("waits")))
        await flows.noted_by("waits")
        getattr(runner, how)()
        process = await asyncio.wait_for(executing, 60)
    return run_now(run.id), process


async def test_a_run_is_handed_on_to_whoever_takes_it_next(flows):
    run, process = await ended(flows, "reschedule_current_flow_runs")
    assert (run.state.type.value, run.state.name) == ("SCHEDULED", "AwaitingRetry")
    assert process.returncode == 0
    assert len(flows.noted) == 1


async def test_a_run_is_left_as_it_is(flows):
    run, process = await ended(flows, "relinquish_current_flow_runs")
    assert run.state.is_running()
    assert not is_alive(process.pid)
    assert len(flows.noted) == 1


async def test_a_run_crashes_when_its_process_is_terminated(flows):
    run, process = await ended(flows, "terminate_current_flow_runs")
    assert run.state.is_crashed()
    assert process.returncode == -signal.SIGTERM
    assert flows.noted[1:] == [["crashed", "waits", "Crashed"]]


async def test_a_cancelled_execution_leaves_no_process(flows):
    run = flows.run_of("waits")
    executing = asyncio.create_task(Runner().execute_flow_run(run.id, entrypoint=flows.entrypoint("waits")))
    (pid,) = await flows.noted_by("waits")
    executing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await executing
    await until(lambda: not is_alive(pid), "the process is gone")
