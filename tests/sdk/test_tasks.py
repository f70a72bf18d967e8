"""Defining and running tasks: identity, inputs, states, retries, timeouts, map, hooks (SDK sections 4 and 5)."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import time

import pytest
from pydantic import BaseModel
from tests.sdk._reading import flow_run_of, logs_of, task_run_states, task_runs_of

from prefect import allow_failure, flow, get_run_logger, tags, task, unmapped
from prefect.cache_policies import DEFAULT, INPUTS, NO_CACHE
from prefect.client.schemas.objects import StateType
from prefect.exceptions import (
    MappingLengthMismatch,
    MappingMissingIterable,
    ParameterBindError,
    PrefectException,
    UnfinishedRun,
    UpstreamTaskError,
)
from prefect.futures import PrefectFutureList
from prefect.states import Completed, Failed
from prefect.tasks import Task, exponential_backoff
from prefect.utilities.annotations import opaque, quote


@task
def double(x):
    return 2 * x


@task
def fail(message="no"):
    raise ValueError(message)


# -- definition --------------------------------------------------------------------------------------------------------


def test_names_and_keys():
    class Caller:
        def __call__(self, x):
            return x

    assert double.name == "double"
    assert double.task_key.startswith("double-")
    assert len(double.task_key.split("-")[-1]) == 8
    assert task(Caller()).name == "Caller"
    assert double.version is None
    assert task(name="other")(double.fn).task_key == double.task_key


def test_bad_options_are_refused_with_what_to_do():
    with pytest.raises(TypeError, match="retry_condition_fn"):
        task(retry_condition_fn=3)(lambda: None)
    with pytest.raises(ValueError, match="retry_jitter_factor"):
        task(retries=1, retry_jitter_factor=-1)(lambda: None)
    with pytest.raises(ValueError, match="at most 50"):
        task(retries=60, retry_delay_seconds=[1] * 60)(lambda: None)
    with pytest.raises(TypeError, match="retry_delay_seconds"):
        task(retry_delay_seconds="soon")(lambda: None)
    with pytest.raises(TypeError, match="task_run_name"):
        task(task_run_name=3)(lambda: None)


def test_persistence_and_policy_follow_from_each_other():
    assert task(lambda: None).persist_result is None
    assert task(lambda: None).cache_policy is DEFAULT
    assert task(cache_policy=INPUTS)(lambda: None).persist_result is True
    assert task(cache_policy=NO_CACHE)(lambda: None).persist_result is None
    assert task(persist_result=False)(lambda: None).cache_policy == NO_CACHE
    assert task(result_storage_key="x")(lambda: None).cache_policy is None
    assert task(result_storage_key="x")(lambda: None).persist_result is True
    assert task(cache_key_fn=lambda c, p: "k")(lambda: None).persist_result is True


def test_with_options_keeps_and_unsets():
    @task(retries=3, retry_delay_seconds=[1, 2], tags=["a"], log_prints=True)
    def original(): ...

    copy = original.with_options(name="other", tags=[])
    assert (copy.name, copy.retries, copy.retry_delay_seconds, copy.tags) == ("other", 3, [1, 2], {"a"})
    assert copy.tags is not original.tags
    unset = original.with_options(retries=0, retry_delay_seconds=0, log_prints=None)
    assert (unset.retries, unset.retry_delay_seconds, unset.log_prints) == (0, 0, None)


def test_exponential_backoff_doubles():
    assert task(retries=4, retry_delay_seconds=exponential_backoff(2))(lambda: None).retry_delay_seconds == [
        2,
        4,
        8,
        16,
    ]


# -- running -----------------------------------------------------------------------------------------------------------


def test_a_task_runs_outside_of_flows_too():
    state = double(4, return_state=True)
    assert state.result() == 8
    assert task_run_states(state.state_details.task_run_id) == ["Pending", "Running", "Completed"]
    assert double(3) == 6


def test_a_task_run_is_recorded_with_name_tags_inputs_and_times():
    @flow
    def parent():
        with tags("outer"):
            a = double.with_options(tags=["own"]).submit(2)
        return double(a, return_state=True)

    state = parent(return_state=True)
    first, second = sorted(task_runs_of(flow_run_of(state).id), key=lambda run: run.created)
    assert first.name.startswith("double-")
    assert sorted(first.tags) == ["outer", "own"]
    assert first.run_count == 1
    assert first.start_time <= first.end_time
    assert [item.id for item in second.task_inputs["x"]] == [first.id]
    assert second.state.is_completed()


def test_a_result_object_carries_its_lineage():
    @task
    def make():
        return {"rows": [1, 2]}

    @task
    def use(data, items):
        return len(items)

    @flow
    def lineage():
        data = make()
        return use(data, [data["rows"]])

    runs = {run.name.split("-")[0]: run for run in task_runs_of(flow_run_of(lineage(return_state=True)).id)}
    assert [item.id for item in runs["use"].task_inputs["data"]] == [runs["make"].id]
    assert [item.id for item in runs["use"].task_inputs["items"]] == [runs["make"].id]


def test_equal_but_distinct_objects_are_not_linked():
    @task
    def make():
        return [1, 2, 3]

    @flow
    def unrelated():
        make()
        return double([1, 2, 3])

    runs = {run.name.split("-")[0]: run for run in task_runs_of(flow_run_of(unrelated(return_state=True)).id)}
    assert runs["double"].task_inputs["x"] == []


def test_submitting_outside_of_a_flow_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"\.delay\(\)"):
        double.submit(1)
    with pytest.raises(RuntimeError, match="flow"):
        double.map([1])


def test_binding_errors_are_raised_at_the_call():
    with pytest.raises(ParameterBindError):
        double()

    @flow
    def submits():
        double.submit(1, 2)

    with pytest.raises(ParameterBindError):
        submits()


def test_awaiting_submit_is_a_type_error():
    @task
    async def one():
        return 1

    @flow
    async def wrong():
        await one.submit()

    with pytest.raises(TypeError):
        asyncio.run(wrong())


def test_async_tasks_can_be_submitted_from_sync_flows():
    @task
    async def one(x):
        await asyncio.sleep(0)
        return x + 1

    @flow
    def sync_flow():
        return sum(one.map(range(5)).result())

    assert sync_flow() == 15


def test_a_state_made_by_hand_is_returned_by_the_call_and_unwrapped_by_the_future():
    @task
    def by_hand():
        return Failed(message="no")

    @flow
    def both():
        direct = by_hand()
        with pytest.raises(Exception, match="no"):
            by_hand.submit().result()
        return direct.message

    assert both() == "no"

    @task
    def skipped():
        return Completed(name="Skipped", data=3)

    assert skipped(return_state=True).name == "Skipped"
    assert skipped(return_state=True).result() == 3


def test_results_are_the_very_objects():
    thing = object()

    @task
    def give():
        return thing

    @flow
    def identity():
        return give() is thing and give.submit().result() is thing

    assert identity() is True


def test_base_exceptions_crash_a_task():
    @task
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(return_state=True)


# -- inputs ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Box:
    content: object
    opened: int = 0

    def __post_init__(self):
        self.opened += 1


class Model(BaseModel):
    content: object


def test_futures_are_resolved_at_any_depth_without_running_initialisers_again():
    @task
    def content(a, b, c):
        return a["k"][0], b.content, b.opened, c.content

    @flow
    def deep():
        future = double.submit(2)
        return content({"k": [future]}, Box(future), Model(content=(future,)))

    assert deep() == (4, 4, 1, (4,))


def test_unchanged_containers_are_passed_as_they_are():
    given = {"a": [1, 2]}

    @task
    def same(x):
        return x is given

    assert same(given)


def test_a_failed_upstream_keeps_a_task_from_running():
    ran = []

    @task
    def downstream(x):
        ran.append(x)

    @flow
    def blocked():
        upstream = fail.submit()
        future = downstream.submit(upstream)
        with pytest.raises(UnfinishedRun) as unfinished:
            future.result()
        assert isinstance(unfinished.value.__cause__, UpstreamTaskError)
        with pytest.raises(UpstreamTaskError, match="upstream"):
            downstream(upstream)
        return downstream(upstream, return_state=True).name

    assert blocked() == "NotReady"
    assert ran == []


def test_allow_failure_hands_the_exception_on():
    @task
    def tolerant(x):
        return repr(x)

    @flow
    def allowed():
        upstream = fail.submit()
        return tolerant(allow_failure(upstream)), double(1, wait_for=[allow_failure(upstream)])

    assert allowed() == ("ValueError('no')", 2)


def test_quote_and_opaque():
    @task
    def look(x):
        return x

    @flow
    def annotated():
        future = double.submit(1)
        return look(quote([1, 2])), look(opaque(future))

    assert annotated() == ([1, 2], 2)


def test_a_run_object_as_argument_is_refused():
    @flow
    def passes_run():
        from prefect.context import get_run_context

        return double(get_run_context().flow_run)

    with pytest.raises(PrefectException, match="opaque"):
        passes_run()


# -- retries -----------------------------------------------------------------------------------------------------------


def retried(fails: int, **options):
    calls = []

    @task(**options)
    def attempt():
        calls.append(time.monotonic())
        if len(calls) <= fails:
            raise ValueError(f"attempt {len(calls)}")
        return "ok"

    return attempt, calls


def test_retries_without_and_with_delay_differ_in_their_states():
    quick, _ = retried(1, retries=2)
    assert task_run_states(quick(return_state=True).state_details.task_run_id) == [
        "Pending", "Running", "Retrying", "Completed",
    ]  # fmt: skip
    slow, calls = retried(2, retries=2, retry_delay_seconds=[0.05, 0.1])
    state = slow(return_state=True)
    assert task_run_states(state.state_details.task_run_id) == [
        "Pending", "Running", "AwaitingRetry", "Retrying", "AwaitingRetry", "Retrying", "Completed",
    ]  # fmt: skip
    assert calls[1] - calls[0] >= 0.05
    assert calls[2] - calls[1] >= 0.1


def test_exhausted_retries_fail_once():
    never, calls = retried(5, retries=2)
    seen = []
    never.on_failure(lambda t, r, s: seen.append(r.run_count))

    @flow
    def exhausted():
        return never(return_state=True).is_failed()

    state = exhausted(return_state=True)
    assert state.result() is True
    assert len(calls) == 3
    assert seen == [3]
    assert any("Retries are exhausted" in message for message in logs_of(flow_run_of(state).id))


class Picky:
    def __init__(self):
        self.asked = []

    def __call__(self, task, task_run, state):
        self.asked.append((task.name, state.type))
        return "attempt 1" in state.message


def test_a_condition_decides_and_may_be_any_callable():
    picky = Picky()
    attempt, calls = retried(5, retries=4, retry_condition_fn=picky)
    with pytest.raises(ValueError, match="attempt 2"):
        attempt()
    assert len(calls) == 2
    assert picky.asked == [("attempt", StateType.FAILED)] * 2

    async def never(task, task_run, state):
        return False

    attempt, calls = retried(5, retries=4, retry_condition_fn=functools.partial(never))
    attempt(return_state=True)
    assert len(calls) == 1

    def broken(task, task_run, state):
        raise RuntimeError("condition")

    attempt, calls = retried(5, retries=4, retry_condition_fn=broken)
    assert attempt(return_state=True).is_failed()
    assert len(calls) == 1


def test_returned_failed_states_are_retried():
    calls = []

    @task(retries=1)
    def returns():
        calls.append(1)
        return Failed() if len(calls) == 1 else Completed(data=1)

    assert returns(return_state=True).is_completed()


# -- timeouts ----------------------------------------------------------------------------------------------------------


def test_a_timeout_interrupts_a_blocking_task():
    @task(timeout_seconds=0.1)
    def sleeper():
        time.sleep(30)

    state = sleeper(return_state=True)
    assert (state.type, state.name) == (StateType.FAILED, "TimedOut")
    assert state.message == "Task run exceeded timeout of 0.1 second(s)"


def test_each_attempt_has_its_own_timeout():
    calls = []

    @task(timeout_seconds=0.3, retries=1)
    async def sleeper():
        calls.append(1)
        await asyncio.sleep(30 if len(calls) == 1 else 0)
        return "ok"

    assert asyncio.run(sleeper()) == "ok"


# -- map ---------------------------------------------------------------------------------------------------------------


@task
def combine(x, y=10, *, z=0):
    return (x, y, z)


def test_map_takes_iterables_constants_and_defaults_apart():
    @flow
    def mapped():
        futures = combine.map([1, 2], 3, z=unmapped([7]))
        assert isinstance(futures, PrefectFutureList)
        return futures.result(), combine.map(x for x in "ab").result(), combine.map({"k": 1}, "text").result()

    assert mapped() == (
        [(1, 3, [7]), (2, 3, [7])],
        [("a", 10, 0), ("b", 10, 0)],
        [("k", "text", 0)],
    )


def test_map_resolves_futures_and_looks_through_annotations():
    @task
    def numbers():
        return [1, 2, 3]

    @flow
    def mapped():
        return (
            double.map(numbers.submit()).result(),
            double.map(double.map([1, 2])).result(),
            combine.map(quote([1, 2])).result(),
        )

    assert mapped() == ([2, 4, 6], [4, 8], [(1, 10, 0), (2, 10, 0)])


def test_bad_maps_are_refused_before_anything_is_submitted():
    @flow
    def missing():
        double.map(3)

    @flow
    def lengths():
        combine.map([1, 2], [1, 2, 3])

    @flow
    def empty():
        return double.map([])

    with pytest.raises(MappingMissingIterable):
        missing()
    with pytest.raises(MappingLengthMismatch, match="'x': 2"):
        lengths()
    assert empty() == []


def test_map_over_keyword_arguments():
    @task
    def keywords(**kwargs):
        return kwargs

    @flow
    def mapped():
        return keywords.map(a=[1, 2], b=3).result()

    assert mapped() == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]


def test_map_returns_states_when_asked():
    @flow
    def mapped():
        return [state.type for state in fail.map(["a", "b"], return_state=True)]

    assert mapped() == [StateType.FAILED] * 2


# -- hooks, generators, nesting ----------------------------------------------------------------------------------------


def test_task_hooks_run_inside_the_run():
    seen = []

    def hook(task, task_run, state):
        get_run_logger().info("task hook")
        seen.append((task.name, task_run.state.name, state.name))

    @task(on_completion=[hook], on_running=[hook])
    def hooked():
        return 1

    @flow
    def parent():
        hooked()

    state = parent(return_state=True)
    assert seen == [("hooked", "Running", "Running"), ("hooked", "Completed", "Completed")]
    assert logs_of(flow_run_of(state).id).count("task hook") == 2


def test_a_generator_task_yields_and_returns():
    @task
    def numbers(n):
        yield from range(n)
        return "end"

    @flow
    def consumes():
        values = list(numbers(3))
        return values, numbers.submit(3).result()

    assert consumes() == ([0, 1, 2], [0, 1, 2])


def test_an_async_generator_task():
    @task
    async def numbers(n):
        for i in range(n):
            yield i

    @flow
    async def consumes():
        return [x async for x in numbers(3)], numbers.submit(2).result()

    assert asyncio.run(consumes()) == ([0, 1, 2], [0, 1])


def test_tasks_nest_and_know_their_parent():
    @task
    def outer(x):
        return double(x) + double.submit(x).result()

    @flow
    def parent():
        return outer(2)

    state = parent(return_state=True)
    assert state.result() == 8
    runs = task_runs_of(flow_run_of(state).id)
    parent_run = next(run for run in runs if run.name.startswith("outer"))
    children = [run for run in runs if run.name.startswith("double")]
    assert len(children) == 2
    assert all([item.id for item in run.task_inputs["__parents__"]] == [parent_run.id] for run in children)


def test_task_objects_have_a_type_and_a_repr():
    assert isinstance(double, Task)
    assert repr(double) == "<Task 'double'>"
