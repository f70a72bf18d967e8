"""`python -m prefect.engine`: runs that were created elsewhere, and how their processes end (SDK sections 15 and 30)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tests.sdk._reading import flow_run_states, logs_of

from prefect.client.orchestration import get_client
from prefect.engine import handle_engine_signals
from prefect.exceptions import Abort, Pause, TerminationSignal
from prefect.flow_engine import load_flow_and_flow_run, run_flow_in_subprocess
from prefect.flows import flow, load_flow_from_entrypoint
from prefect.states import Pending

SCRIPT = """
import os, signal, sys, asyncio
from prefect import flow, get_run_logger
from prefect.exceptions import Abort

@flow
def adds(x: int, y: int = 10):
    get_run_logger().info("sum is %s", x + y)
    return x + y

@flow
async def waits(x: int = 1):
    await asyncio.sleep(0)
    return x

@flow
def yields():
    yield 1
    yield 2

@flow
def fails():
    raise ValueError("on purpose")

@flow
def aborts():
    raise Abort("enough")

@flow
def terminated():
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):
        signal.pause()

def plain(x):
    print("plain says", x)
"""


@pytest.fixture
def script(tmp_path: Path, home):
    path = tmp_path / "engine_flows.py"
    path.write_text(SCRIPT)
    return path


def created(flow_, **parameters):
    with get_client(sync_client=True) as client:
        return client.create_flow_run(flow_, parameters=parameters, state=Pending()).id


def engine(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prefect.engine", *arguments],
        env={**os.environ, **env}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "code", "final"),
    [
        ("adds", {"x": 1}, 0, "Completed"),
        ("waits", {}, 0, "Completed"),
        ("yields", {}, 0, "Completed"),
        ("fails", {}, 1, "Failed"),
        ("adds", {"x": "no number"}, 1, "Failed"),
        ("aborts", {}, 0, "Running"),
        ("terminated", {}, -signal.SIGTERM, "Crashed"),
    ],
)
def test_a_run_is_run_in_its_own_process(script, name, parameters, code, final):
    entrypoint = f"{script}:{name}"
    run_id = created(load_flow_from_entrypoint(entrypoint), **parameters)
    done = engine(str(run_id), PREFECT__FLOW_ENTRYPOINT=entrypoint)
    assert done.returncode == code, done.stderr
    assert flow_run_states(run_id)[-1] == final
    if (name, code) == ("adds", 0):
        assert "sum is 11" in logs_of(run_id)


def test_the_run_may_be_named_by_the_environment_and_a_plain_function_serves(script):
    entrypoint = f"{script}:plain"
    run_id = created(flow(lambda x: None, name="plain"), x="hello")
    done = engine(PREFECT__FLOW_RUN_ID=str(run_id), PREFECT__FLOW_ENTRYPOINT=entrypoint)
    assert done.returncode == 0, done.stderr
    assert "plain says hello" in logs_of(run_id)


def test_a_run_whose_flow_does_not_load_does_not_stay_pending(script):
    run_id = created(flow(lambda: None, name="gone"))
    done = engine(str(run_id), PREFECT__FLOW_ENTRYPOINT=f"{script}:nothing")
    assert done.returncode == 1
    assert flow_run_states(run_id) == ["Pending", "Crashed"]


def test_a_run_without_deployment_says_what_to_set(script):
    run_id = created(flow(lambda: None, name="alone"))
    with pytest.raises(ValueError, match="PREFECT__FLOW_ENTRYPOINT"):
        load_flow_and_flow_run(run_id)


@pytest.mark.parametrize("arguments", [(), ("nonsense",)])
def test_what_is_no_id_is_told_in_one_line(arguments, home):
    done = engine(*arguments)
    assert done.returncode == 1
    assert "is not the id of a flow run" in done.stderr and "Traceback" not in done.stderr


def test_an_unknown_run_ends_with_1(home):
    assert engine(str(uuid4())).returncode == 1


@pytest.mark.parametrize(("raised", "code"), [(Abort("x"), 0), (Pause("x"), 0), (ValueError("x"), 1)])
def test_signals_become_exit_codes(raised, code):
    with pytest.raises(SystemExit) as ended, handle_engine_signals(uuid4()):
        raise raised
    assert ended.value.code == code


def test_interruptions_pass():
    with pytest.raises(KeyboardInterrupt), handle_engine_signals():
        raise KeyboardInterrupt


def test_a_termination_signal_is_passed_on():
    code = (
        "from prefect.engine import handle_engine_signals\nfrom prefect.exceptions import TerminationSignal\n"
        "with handle_engine_signals():\n    raise TerminationSignal(signal=15)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -signal.SIGTERM
    assert TerminationSignal(signal=15).signal == 15


def test_a_flow_may_be_run_in_a_process_of_its_own(home):
    import prefect

    @flow
    def elsewhere(x: int) -> str:
        seen = sorted(prefect.context.TagsContext.get().current_tags)
        Path(os.environ["TARGET"]).write_text(f"{x} {os.getpid()} {os.environ.get('GONE')} {seen}")

    target = home.parent / "target.txt"
    os.environ["GONE"] = "still here"
    try:
        with prefect.tags("carried"):
            process = run_flow_in_subprocess(elsewhere, parameters={"x": 3}, env={"TARGET": str(target), "GONE": None})
        process.join(60)
    finally:
        del os.environ["GONE"]
    assert process.exitcode == 0
    assert target.read_text() == f"3 {process.pid} None ['carried']"


def test_a_failure_in_a_process_of_its_own_is_its_exit_code(home):
    @flow
    def fails():
        raise ValueError("on purpose")

    run_id = created(fails)
    with get_client(sync_client=True) as client:
        process = run_flow_in_subprocess(fails, flow_run=client.read_flow_run(run_id))
    process.join(60)
    assert process.exitcode == 1
    assert flow_run_states(run_id)[-1] == "Failed"
