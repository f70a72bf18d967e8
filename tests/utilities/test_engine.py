"""What task runners of other packages use of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.sdk._reading import task_run_states, task_runs_of

from prefect import allow_failure, flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import RunType, TaskRunResult
from prefect.context import serialize_context
from prefect.exceptions import UpstreamTaskError
from prefect.futures import PrefectWrappedFuture
from prefect.states import Completed, Failed
from prefect.task_engine import run_task_async, run_task_sync
from prefect.task_runners import TaskRunner
from prefect.utilities.collections import visit_collection
from prefect.utilities.engine import (
    check_api_reachable,
    collect_task_run_inputs,
    collect_task_run_inputs_sync,
    link_state_to_task_run_result,
    resolve_to_final_result,
)

pytestmark = pytest.mark.usefixtures("home")


class ForeignFuture(PrefectWrappedFuture[Any, Future]):
    def wait(self, timeout: float | None = None) -> None:
        self._final_state = self._wrapped_future.result(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        self.wait(timeout)
        return self._final_state.result(raise_on_failure=raise_on_failure, _sync=True)


class Ticket(Future):
    """The handle of another library; carries the id of its task run, as integration packages do."""


class ForeignRunner(TaskRunner[ForeignFuture]):
    """Does what runners of other packages do: sends tasks away with what the engine needs there."""

    def duplicate(self):
        return ForeignRunner()

    def __enter__(self):
        super().__enter__()
        self._pool = ThreadPoolExecutor(2)
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown()
        super().__exit__(*exc)

    def submit(self, task: Any, parameters: dict, wait_for: Iterable | None = None, dependencies: Any = None):
        run_id = uuid4()
        resolved = {name: self._handed_over(value) for name, value in parameters.items()}
        found = {name: collect_task_run_inputs_sync(value, future_cls=Future) for name, value in resolved.items()}
        context = serialize_context(
            {"task": task, "task_run_id": run_id, "task_inputs": found, "copy_to_child_ctx": True}
        )
        ticket = Ticket()
        ticket.task_run_id = run_id
        run = self._pool.submit(self._run, task, run_id, resolved, wait_for, found, context)
        run.add_done_callback(lambda done: ticket.set_result(done.result()))
        return ForeignFuture(run_id, ticket)

    @staticmethod
    def _handed_over(value: Any) -> Any:
        return value.wrapped_future if isinstance(value, ForeignFuture) else value

    @staticmethod
    def _run(task: Any, run_id: UUID, parameters: dict, wait_for: Any, found: Any, context: Any) -> Any:
        import asyncio

        arrived = {
            name: value.result().result(_sync=True) if isinstance(value, Ticket) else value
            for name, value in parameters.items()
        }
        options = {"task_run_id": run_id, "parameters": arrived, "wait_for": wait_for, "return_type": "state",
                   "dependencies": found, "context": context}  # fmt: skip
        return asyncio.run(run_task_async(task, **options)) if task.isasync else run_task_sync(task, **options)


def test_a_runner_of_another_package_runs_tasks():
    @task
    def one():
        return 1

    @task
    async def plus(x, y=10):
        return x + y

    @flow(task_runner=ForeignRunner())
    def pipeline():
        first = one.submit()
        second = plus.submit(first)
        return first.task_run_id, second.task_run_id, second.result(), plus.map([1, 2]).result()

    state = pipeline(return_state=True)
    first, second, value, mapped = state.result()
    assert (value, mapped) == (11, [11, 12])
    runs = {run.id: run for run in task_runs_of(state.state_details.flow_run_id)}
    assert [item.id for item in runs[second].task_inputs["x"]] == [first]
    assert runs[first].task_inputs == {}
    assert task_run_states(second) == ["Pending", "Running", "Completed"]


async def test_what_a_value_comes_from():
    ticket = Ticket()
    ticket.task_run_id = uuid4()
    assert collect_task_run_inputs_sync({"deep": [ticket]}, future_cls=Future) == {TaskRunResult(id=ticket.task_run_id)}
    assert collect_task_run_inputs_sync([ticket], future_cls=Future, max_depth=0) == set()
    assert collect_task_run_inputs_sync([Future()], future_cls=Future) == set()
    state = Completed(state_details={"task_run_id": uuid4()})
    assert await collect_task_run_inputs([state]) == {state.state_details.to_run_result(RunType.TASK_RUN)}


def test_an_object_may_be_linked_by_hand():
    made = object()
    state = Completed(state_details={"task_run_id": uuid4()})
    found = []

    @flow
    def links():
        link_state_to_task_run_result(state, made)
        found.append(collect_task_run_inputs_sync(made))

    links()
    link_state_to_task_run_result(state, made)  # outside of flows there is nothing to remember it for
    assert found == [{TaskRunResult(id=state.state_details.task_run_id)}]


def test_states_become_values_in_a_visit():
    def resolved(value):
        return visit_collection(value, resolve_to_final_result, return_data=True, context={}, remove_annotations=True)

    assert resolved({"a": [Completed(data=1)], "b": 2}) == {"a": [1], "b": 2}
    failed = Failed(data=ValueError("boo"))
    with pytest.raises(UpstreamTaskError):
        resolved([failed])
    (error,) = resolved([allow_failure(failed)])
    assert isinstance(error, ValueError)


async def test_the_api_is_reachable():
    async with get_client() as client:
        await check_api_reachable(client, "It is away")
