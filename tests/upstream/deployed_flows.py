"""Flows that the sessions deploy, serve and let workers run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from prefect import flow, task
from prefect.deployments import run_deployment
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run as this_run

MARK = os.environ["SESSION_MARK"]
"""As of the session, whose processes load this file."""
FOLDER = Path(__file__).parent


class Answer(RunInput):
    word: str
    times: int = 1


def note(hook: str):
    """A hook that writes down that it has run, for which run and in which state."""

    def hooked(flow, flow_run, state) -> None:  # runners give them by these names
        with (FOLDER / f"hooks-{flow_run.id}").open("a") as file:
            file.write(f"{hook} {state.type.value}\n")

    return hooked


@task
def double(x: int) -> int:
    return 2 * x


@flow(name=f"plain-{MARK}", version="3", log_prints=True, on_completion=[note("completion")])
def plain(x: int = 1, words: list[str] | None = None) -> int:
    """Doubles a number."""
    print("doubled to", double(x))
    return 2 * x


@flow(name=f"fails-{MARK}", on_failure=[note("failure")])
def fails(until: int = 10) -> int:
    if this_run.run_count < until:
        raise ValueError("not yet")
    return this_run.run_count


@flow(name=f"retried-{MARK}", retries=1, retry_delay_seconds=0)
def retried() -> int:
    if this_run.run_count < 2:
        raise ValueError("not yet")
    return this_run.run_count


@flow(name=f"waits-{MARK}", on_cancellation=[note("cancellation")], on_crashed=[note("crash")])
def waits() -> None:
    (FOLDER / f"started-{this_run.id}").touch()
    time.sleep(300)


@flow(name=f"crashes-{MARK}", on_crashed=[note("crash")])
def crashes() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@flow(name=f"asks-{MARK}")
def asks() -> str:
    answer = suspend_flow_run(wait_for_input=Answer, timeout=120, key="asks")
    (FOLDER / f"answer-{this_run.id}").write_text(answer.word * answer.times)
    return answer.word * answer.times


@flow(name=f"starts-{MARK}")
def starts(name: str, as_subflow: bool = True, timeout: float | None = 0) -> str:
    run = run_deployment(name, parameters={"x": 5}, timeout=timeout, as_subflow=as_subflow, tags=["started"])
    return str(run.id)
