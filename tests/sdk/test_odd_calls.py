"""Plausible calls that are easily forgotten: types of parameters, what is waited for, what stops a function, options."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typing_extensions import TypedDict

from prefect import allow_failure, flow, task
from prefect.transactions import get_transaction, transaction

pytestmark = pytest.mark.usefixtures("home")


@dataclass
class Config:
    rows: int


class Point(NamedTuple):
    x: int


class Row(TypedDict):
    a: int


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (Config, Config(3), Config(3)),
        (Config, {"rows": "3"}, Config(3)),
        (list[Config], [Config(3)], [Config(3)]),
        (Point, Point(1), Point(1)),
        (Row, {"a": "1"}, {"a": 1}),
    ],
)
def test_parameters_have_fields_of_their_own(type_: Any, given: Any, expected: Any):
    def takes(p0, other=2):
        return p0, other

    takes.__annotations__ = {"p0": type_}
    assert flow(takes)(given) == (expected, 2)


def itself() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def test_a_parameter_may_hold_itself():
    @flow
    def takes(x):
        return len(x)

    assert takes(itself()) == 1


# -- what is waited for ------------------------------------------------------------------------------------------------


@task
def one():
    return 1


@task
def fails():
    raise ValueError("no")


@pytest.mark.parametrize("start", ["call", "submit", "map"])
@pytest.mark.parametrize("upstream", ["alone", "several that may fail", "an iterator"])
def test_what_is_waited_for_needs_no_list(start: str, upstream: str):
    @task
    def after(x):
        return x

    @flow
    def waits():
        given = {
            "alone": lambda: one.submit(),
            "several that may fail": lambda: allow_failure([fails.submit(), one.submit()]),
            "an iterator": lambda: iter([one.submit()]),
        }[upstream]()
        if start == "call":
            return after(5, wait_for=given)
        if start == "submit":
            return after.submit(5, wait_for=given).result()
        return after.map([5], wait_for=given).result()[0]

    assert waits() == 5


# -- what a function raises --------------------------------------------------------------------------------------------


def test_a_function_may_raise_stop_iteration():
    @task
    def first(items):
        return next(iter(items))

    @flow
    def reads(direct):
        if direct:
            return next(iter([]))
        try:
            return first([])
        except StopIteration:
            return "caught"

    assert reads(False) == "caught"
    with pytest.raises(StopIteration):
        reads(True)
    state = first([], return_state=True)
    assert state.is_failed() and "StopIteration" in state.message and "generator" not in state.message


def test_a_task_that_fails_around_its_function_leaves_no_transaction_behind():
    @task(persist_result=True, result_storage_key="{parameters[missing]}")
    def badly_stored():
        return 1

    @task
    def commits():
        return 1

    commits.on_commit(lambda _: calls.append("committed"))
    calls: list[str] = []
    with pytest.raises(KeyError):
        badly_stored()
    with pytest.raises(OverflowError):
        expires_never()
    assert get_transaction() is None
    commits()
    assert calls == ["committed"]


def expires_never():
    @task(persist_result=True, cache_key_fn=lambda *_: "key", cache_expiration=timedelta.max)
    def stored():
        return 1

    return stored()


# -- other processes ---------------------------------------------------------------------------------------------------

IN_A_POOL = """
import sys, threading
from dataclasses import dataclass
from prefect import flow, task
from prefect.task_runners import ProcessPoolTaskRunner

class BadRow(Exception):
    pass

class NeedsTwo(Exception):
    def __init__(self, first, second):
        super().__init__("two")

@dataclass
class Row:
    x: int

@task
def raises():
    raise BadRow("x")

@task
def raises_what_cannot_come_back():
    raise NeedsTwo(1, 2)

@task
def gives():
    return Row(1)

@task
def gives_what_cannot_leave():
    return threading.Lock()

@task
def yields():
    yield from range(3)

@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def main():
    for each in (raises, raises_what_cannot_come_back, gives, gives_what_cannot_leave, yields):
        print(repr(each.submit().result(raise_on_failure=False))[:60])

if __name__ == "__main__":
    main()
"""


def test_what_only_the_program_knows_comes_back_from_a_process(tmp_path: Path):
    script = tmp_path / "program.py"
    script.write_text(IN_A_POOL)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    first, second, third, fourth, fifth = done.stdout.splitlines()
    assert (first, third, fifth) == ("BadRow('x')", "Row(x=1)", "[0, 1, 2]")
    assert second.startswith("TypeError(") and fourth.startswith(
        "TypeError(\"The result of task 'gives_what_cannot_leave'"
    )


# -- options -----------------------------------------------------------------------------------------------------------


def test_options_of_another_type_are_refused_where_they_are_given():
    with pytest.raises(TypeError, match=r"cache_expiration=3 of task 'one'.*timedelta"):
        task(cache_expiration=3)(one.fn)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"retry_delay_seconds=\[1, 2\] of flow 'f'.*a number of seconds"):
        flow(name="f", retries=2, retry_delay_seconds=[1, 2])(one.fn)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="commit_mode='eager'.*CommitMode.EAGER"), transaction(commit_mode="eager"):  # type: ignore[arg-type]
        pass
    assert get_transaction() is None


def test_locks_of_the_program_do_not_matter_to_threads():
    @task
    def gives():
        return threading.Lock()

    @flow
    def main():
        return type(gives.submit().result()).__name__

    assert main() == "lock"
