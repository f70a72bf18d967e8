"""Running flows: states, return values, exceptions, retries, timeouts, hooks, nesting (SDK section 3)."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.sdk._reading import flow_run_of, flow_run_states, flow_runs_named, logs_of, task_runs_of

from prefect import flow, get_run_logger, tags, task
from prefect.client.schemas.objects import StateType
from prefect.exceptions import CancelledRun, FailedRun, UnfinishedRun
from prefect.states import Cancelled, Completed, Failed
from prefect.utilities.annotations import quote


@task
def one():
    return 1


@task
def fail():
    raise ValueError("no")


def test_a_run_is_recorded_with_states_times_and_tags():
    @flow(name="recorded")
    def recorded(x):
        return x

    with tags("a", "b"):
        state = recorded(3, return_state=True)
    run = flow_run_of(state)
    assert flow_run_states(run.id) == ["Pending", "Running", "Completed"]
    assert run.run_count == 1
    assert sorted(run.tags) == ["a", "b"]
    assert run.parameters == {"x": 3}
    assert run.start_time <= run.end_time
    assert run.state.is_completed()
    assert logs_of(run.id)[0].startswith("Beginning flow run")
    assert logs_of(run.id)[-1] == "Finished in state Completed()"


def test_an_async_flow_creates_nothing_until_it_is_awaited(home):
    @flow(name="lazy")
    async def lazy():
        return 1

    coroutine = lazy()
    assert flow_runs_named("lazy") == []
    assert asyncio.run(coroutine) == 1
    assert len(flow_runs_named("lazy")) == 1


# -- return values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "type_", "raises"),
    [
        (Completed(message="fine", data=4), StateType.COMPLETED, None),
        (Failed(message="bad"), StateType.FAILED, FailedRun),
        (Cancelled(), StateType.CANCELLED, CancelledRun),
        (Completed(name="Skipped"), StateType.COMPLETED, None),
    ],
)
def test_a_state_made_by_hand_is_the_final_state(returned, type_, raises):
    @flow
    def by_hand():
        return returned.model_copy()

    state = by_hand(return_state=True)
    assert (state.type, state.name, state.message) == (type_, returned.name, returned.message)
    if raises:
        with pytest.raises(raises):
            by_hand()


def test_a_returned_future_gives_its_result_or_raises():
    @flow
    def good():
        return one.submit()

    @flow
    def bad():
        return fail.submit()

    assert good() == 1
    with pytest.raises(ValueError, match="no"):
        bad()
    assert bad(return_state=True).message == "1/1 states failed."


def test_a_collection_of_futures_aggregates_and_gives_states():
    @flow
    def mixed():
        return [one.submit(), fail.submit()]

    states = mixed()
    assert [state.type for state in states] == [StateType.COMPLETED, StateType.FAILED]
    final = mixed(return_state=True)
    assert (final.type, final.message) == (StateType.FAILED, "1/2 states failed.")

    @flow
    def fine():
        return one.submit(), one.submit()

    assert fine(return_state=True).message == "All states completed."


def test_futures_inside_other_containers_become_states_and_do_not_decide():
    @flow
    def nested():
        return {"a": fail.submit(), "b": 2}

    assert nested(return_state=True).is_completed()
    assert nested()["a"].is_failed()


def test_quote_keeps_a_value_from_being_read():
    @flow
    def quoted():
        return quote([one.submit().state])

    assert quoted(return_state=True).is_completed()


def test_a_returned_generator_is_the_list_that_was_stored():
    @flow
    def numbers():
        return (x for x in range(3))

    assert numbers() == [0, 1, 2]
    assert numbers(return_state=True).result() == [0, 1, 2]


def test_a_failed_task_that_nobody_looks_at_leaves_the_flow_completed():
    @flow
    def unbothered():
        fail.submit().wait()
        return "ok"

    assert unbothered() == "ok"


# -- exceptions --------------------------------------------------------------------------------------------------------


def test_the_same_exception_reaches_the_caller_and_the_record():
    error = KeyError("x")

    @flow
    def broken():
        raise error

    with pytest.raises(KeyError) as caught:
        broken()
    assert caught.value is error
    state = broken(return_state=True)
    assert state.message == "Flow run encountered an exception: KeyError: 'x'"
    run = flow_run_of(state)
    assert run.state.is_failed()
    with pytest.raises(FailedRun, match="KeyError"):
        run.state.result()


def test_a_traceback_shows_the_users_code_and_not_the_engine():
    @flow
    def broken():
        raise ValueError("mine")

    run = flow_run_of(broken(return_state=True))
    log = next(message for message in logs_of(run.id) if "Traceback" in message)
    assert "broken" in log
    assert "_engine" not in log


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "interrupt signal"),
        (SystemExit(1), "system exit"),
    ],
)
def test_base_exceptions_crash_the_run_and_are_raised_even_with_return_state(error, message):
    @flow(name=f"crash-{type(error).__name__}", retries=2)
    def crashing():
        raise error

    with pytest.raises(type(error)):
        crashing(return_state=True)
    run = flow_runs_named(crashing.name)[-1]
    assert run.state.is_crashed()
    assert message in run.state.message
    assert run.run_count == 1


def test_stop_iteration_of_the_user_is_an_exception_like_any_other():
    @flow
    def stops():
        raise StopIteration("x")

    assert stops(return_state=True).is_failed()

    @task
    def task_stops():
        raise StopIteration("x")

    assert task_stops(return_state=True).is_failed()


# -- retries -----------------------------------------------------------------------------------------------------------


def test_retries_call_the_function_again_in_the_same_run():
    calls = []

    @flow(retries=2)
    def flaky():
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return "ok"

    state = flaky(return_state=True)
    assert state.result() == "ok"
    run = flow_run_of(state)
    assert flow_run_states(run.id) == [
        "Pending", "Running", "AwaitingRetry", "Running", "AwaitingRetry", "Running", "Completed",
    ]  # fmt: skip
    assert run.run_count == 3


def test_retries_end_and_hooks_run_once():
    seen = []

    @flow(retries=1, on_failure=[lambda f, r, s: seen.append(s.type)], on_running=[lambda f, r, s: seen.append(s.name)])
    def always():
        raise ValueError("no")

    assert always(return_state=True).is_failed()
    assert seen == ["Running", "Running", StateType.FAILED]


def test_a_returned_failed_state_is_retried_too():
    calls = []

    @flow(retries=1)
    def returns_failure():
        calls.append(1)
        return Failed() if len(calls) == 1 else Completed()

    assert returns_failure(return_state=True).is_completed()
    assert len(calls) == 2


def test_a_retry_delay_takes_fractions_of_a_second():
    times = []

    @flow(retries=1, retry_delay_seconds=0.2)
    def slow_retry():
        times.append(time.monotonic())
        if len(times) == 1:
            raise ValueError("again")

    slow_retry()
    assert times[1] - times[0] >= 0.2


# -- timeouts ----------------------------------------------------------------------------------------------------------


def test_a_timeout_interrupts_a_blocking_flow():
    @flow(timeout_seconds=0.1)
    def sleeper():
        time.sleep(30)

    state = sleeper(return_state=True)
    assert (state.type, state.name) == (StateType.FAILED, "TimedOut")
    assert state.message == "Flow run exceeded timeout of 0.1 second(s)"
    with pytest.raises(TimeoutError):
        sleeper()


def test_a_timeout_cancels_an_async_flow_at_its_next_await():
    @flow(timeout_seconds=0.1)
    async def sleeper():
        await asyncio.sleep(30)

    assert asyncio.run(sleeper(return_state=True)).name == "TimedOut"


def test_a_flow_that_ends_in_time_stays_completed():
    @flow(timeout_seconds=5)
    def quick():
        return 1

    state = quick(return_state=True)
    assert flow_run_states(flow_run_of(state).id) == ["Pending", "Running", "Completed"]


# -- hooks -------------------------------------------------------------------------------------------------------------


def test_hooks_run_in_order_and_their_errors_change_nothing():
    seen = []

    def first(flow, flow_run, state):
        get_run_logger().info("from the hook")
        seen.append(("first", state.name))

    def broken(flow, flow_run, state):
        raise RuntimeError("hook")

    async def last(flow, flow_run, state):
        seen.append(("last", flow_run.name))

    @flow(on_completion=[first, broken, last])
    def hooked():
        return 1

    state = hooked(return_state=True)
    run = flow_run_of(state)
    assert seen == [("first", "Completed"), ("last", run.name)]
    assert state.is_completed()
    assert "from the hook" in logs_of(run.id)


def test_a_hook_may_be_added_with_a_decorator():
    @flow
    def decorated():
        raise ValueError("x")

    seen = []

    @decorated.on_failure
    def note(flow, flow_run, state):
        seen.append(state.type)

    decorated(return_state=True)
    assert seen == [StateType.FAILED]


# -- nested flows ------------------------------------------------------------------------------------------------------


@flow
def child(x):
    return x * 2


def test_a_nested_flow_is_a_run_linked_through_a_tracking_task():
    @flow
    def parent():
        return child(child(2))

    state = parent(return_state=True)
    assert state.result() == 8
    tracking = sorted(task_runs_of(flow_run_of(state).id), key=lambda run: run.name)
    assert [run.name for run in tracking] == ["child-0", "child-1"]
    assert all(run.state.is_completed() for run in tracking)
    inner = [run.state.state_details.child_flow_run_id for run in tracking]
    assert {str(run.parent_task_run_id) for run in flow_runs_named("child")} >= {str(run.id) for run in tracking}
    assert [flow_run_states(id) for id in inner] == [["Pending", "Running", "Completed"]] * 2


def test_a_failed_child_raises_unless_its_state_is_asked_for():
    @flow
    def bad_child():
        raise ValueError("child")

    @flow
    def raising():
        bad_child()

    @flow
    def careful():
        return bad_child(return_state=True).type

    assert raising(return_state=True).is_failed()
    assert careful() == StateType.FAILED


def test_a_child_whose_upstream_failed_does_not_run():
    @flow
    def parent():
        inner = child(fail.submit(), return_state=True)
        with pytest.raises(UnfinishedRun):
            child(fail.submit())
        return inner.type.value, inner.name

    assert parent() == ("PENDING", "NotReady")


def test_a_retried_parent_reuses_a_child_with_a_stored_result():
    calls = []

    @flow(persist_result=True)
    def stored_child():
        calls.append("child")
        return 5

    @flow(retries=1)
    def parent():
        value = stored_child()
        calls.append("parent")
        if calls.count("parent") == 1:
            raise ValueError("again")
        return value

    assert parent() == 5
    assert calls == ["child", "parent", "parent"]


def test_async_children_run_at_the_same_time():
    arrived = []

    @flow
    async def waits(i):
        arrived.append(i)
        while len(arrived) < 3:
            await asyncio.sleep(0.001)
        return i

    @flow
    async def parent():
        return await asyncio.gather(*(waits(i) for i in range(3)))

    assert asyncio.run(parent()) == [0, 1, 2]


# -- generator flows ---------------------------------------------------------------------------------------------------


def test_a_generator_flow_runs_while_it_is_consumed():
    @flow(name="generating")
    def numbers():
        yield 1
        yield 2
        return "done"

    generator = numbers()
    assert next(generator) == 1
    assert flow_runs_named("generating")[-1].state.is_running()
    assert next(generator) == 2
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert flow_runs_named("generating")[-1].state.is_completed()


def test_closing_a_generator_flow_early_completes_it():
    @flow(name="closed-early")
    def numbers():
        yield 1
        yield 2

    generator = numbers()
    next(generator)
    generator.close()
    assert flow_runs_named("closed-early")[-1].state.is_completed()


def test_an_error_in_a_generator_flow_fails_it():
    @flow(name="generator-error")
    def numbers():
        yield 1
        raise ValueError("x")

    with pytest.raises(ValueError):
        list(numbers())
    assert flow_runs_named("generator-error")[-1].state.is_failed()
    with pytest.raises(ValueError, match="return_state"):
        next(numbers(return_state=True))


def test_an_async_generator_flow():
    @flow
    async def numbers():
        yield 1
        yield 2

    async def consume():
        return [value async for value in numbers()]

    assert asyncio.run(consume()) == [1, 2]


# -- where flows run ---------------------------------------------------------------------------------------------------


def test_a_flow_runs_in_a_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(child(4)))
    thread.start()
    thread.join()
    assert results == [8]


async def test_a_sync_flow_runs_inside_a_running_loop():
    assert child(4) == 8


async def test_a_thousand_concurrent_tasks_of_an_async_flow():
    @task
    async def double(x):
        await asyncio.sleep(0)
        return 2 * x

    @flow
    async def wide():
        return sum(await asyncio.gather(*(double(i) for i in range(1000))))

    assert await wide() == 999_000


def test_an_unfinished_state_cannot_give_a_result():
    @flow
    def undecided():
        from prefect.states import Running

        return Running()

    with pytest.raises(UnfinishedRun):
        undecided()
