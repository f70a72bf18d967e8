"""Futures and task runners (SDK section 9)."""

from __future__ import annotations

import threading
import time

import pytest
from tests.sdk._reading import flow_run_of, task_runs_of

from prefect import flow, task
from prefect.futures import as_completed, resolve_futures_to_results, resolve_futures_to_states, wait
from prefect.task_runners import ConcurrentTaskRunner, ProcessPoolTaskRunner, ThreadPoolTaskRunner


@task
def double(x):
    return 2 * x


@task
def fail():
    raise ValueError("no")


@task
def wait_for(event, timeout=30):
    return event.wait(timeout)


def test_wait_tells_done_from_not_done_and_never_raises():
    release = threading.Event()

    @flow
    def waits():
        quick, slow, bad = double.submit(1), wait_for.submit(release), fail.submit()
        quick.wait()
        bad.wait()
        done, not_done = wait([quick, slow, bad], timeout=0.05)
        release.set()
        return done == {quick, bad}, not_done == {slow}

    assert waits() == (True, True)
    with pytest.raises(ValueError, match="timeout"):
        wait([], timeout=-1)


def test_as_completed_yields_in_the_order_of_completion():
    first, second = threading.Event(), threading.Event()

    @flow
    def ordered():
        slow, quick = wait_for.submit(second), wait_for.submit(first)
        seen = []
        first.set()
        for future in as_completed([slow, quick, slow]):
            seen.append(future)
            second.set()
        return seen == [quick, slow]

    assert ordered() is True


def test_as_completed_times_out_after_what_is_done():
    never = threading.Event()

    @flow
    def times_out():
        quick, slow = double.submit(1), wait_for.submit(never)
        quick.wait()
        seen = []
        with pytest.raises(TimeoutError, match=r"1 \(of 2\) futures unfinished"):
            for future in as_completed([quick, slow], timeout=0):
                seen.append(future)
        never.set()
        return seen == [quick]

    assert times_out() is True


def test_result_of_a_future():
    never = threading.Event()

    @flow
    def results():
        slow = wait_for.submit(never)
        with pytest.raises(TimeoutError):
            slow.result(timeout=0.01)
        never.set()
        with pytest.raises(ValueError, match="no"):
            fail.submit().result()
        return repr(fail.submit().result(raise_on_failure=False))

    assert results() == "ValueError('no')"


def test_a_list_of_futures_fails_fast():
    never = threading.Event()

    @flow
    def fails_fast():
        slow, bad = wait_for.submit(never), fail.submit()
        from prefect.futures import PrefectFutureList

        with pytest.raises(ValueError, match="no"):
            PrefectFutureList([slow, bad]).result(timeout=20)
        never.set()
        return True

    assert fails_fast() is True


def test_callbacks_get_the_future():
    seen = []

    @flow
    def called_back():
        future = double.submit(1)
        future.add_done_callback(seen.append)
        future.wait()
        late = double.submit(2)
        late.wait()
        late.add_done_callback(seen.append)
        return [future, late] == seen

    assert called_back() is True


def test_resolving_structures():
    @flow
    def resolved():
        structure = {"a": [double.submit(1)], "b": 3}
        return resolve_futures_to_results(structure), resolve_futures_to_states(structure)["a"][0].type.value

    assert resolved() == ({"a": [2], "b": 3}, "COMPLETED")


# -- threads -----------------------------------------------------------------------------------------------------------


def test_the_concurrent_runner_is_the_thread_runner():
    assert ConcurrentTaskRunner is ThreadPoolTaskRunner
    assert ThreadPoolTaskRunner(3) == ThreadPoolTaskRunner(3).duplicate()
    assert ThreadPoolTaskRunner(3) != ThreadPoolTaskRunner(4)


def test_using_a_runner_out_of_turn_is_an_error():
    runner = ThreadPoolTaskRunner()
    with pytest.raises(RuntimeError, match="not started"):
        runner.submit(double, {"x": 1})
    with runner, pytest.raises(RuntimeError, match="started already"):
        runner.__enter__()
    with pytest.raises(ValueError, match="max_workers"):
        ThreadPoolTaskRunner(max_workers=0)


def test_without_a_limit_all_tasks_that_wait_for_each_other_run_at_once():
    barrier = threading.Barrier(60)

    @task
    def meet():
        barrier.wait(timeout=30)

    @flow
    def together():
        futures = [meet.submit() for _ in range(60)]
        return len([future.result() for future in futures])

    assert together() == 60


def test_a_limit_holds():
    running, most, lock = [], [], threading.Lock()

    @task
    def counted():
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.005)
        with lock:
            running.pop()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=3))
    def limited():
        wait([counted.submit() for _ in range(20)])

    limited()
    assert max(most) <= 3


def test_tasks_that_wait_for_their_own_submits_finish_in_a_small_pool():
    @task
    def tree(depth):
        if depth == 0:
            return 1
        return sum(future.result() for future in [tree.submit(depth - 1), tree.submit(depth - 1)])

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def grow():
        return tree.submit(4).result()

    assert grow() == 16


def test_a_task_waiting_for_upstreams_takes_no_worker():
    release = threading.Event()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def chain():
        slow = wait_for.submit(release)
        dependents = [double.submit(slow) for _ in range(5)]
        free = double.submit(21).result(timeout=20)
        release.set()
        return free, [future.result() for future in dependents]

    assert chain() == (42, [2] * 5)


def test_what_is_submitted_and_forgotten_still_finishes():
    done = []

    @task
    def slowly(i):
        time.sleep(0.01)
        done.append(i)

    @flow
    def forgets():
        first = slowly.submit(0)
        for i in range(1, 20):
            slowly.submit(i)
        slowly.submit(99, wait_for=[first])

    forgets()
    assert sorted(done) == [*range(20), 99]


def test_what_a_bounded_pool_never_started_is_recorded_as_cancelled():
    started, release = threading.Event(), threading.Event()

    @task
    def blocks():
        started.set()
        release.wait(30)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=1))
    def leaves():
        blocks.submit()
        double.submit(1)
        started.wait(30)
        threading.Timer(0.05, release.set).start()

    state = leaves(return_state=True)
    runs = {run.name.split("-")[0]: run.state.name for run in task_runs_of(flow_run_of(state).id)}
    assert runs == {"blocks": "Completed", "double": "Cancelled"}


# -- processes ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_processes_run_tasks_and_send_their_records_back():
    import os

    @task
    def where(x):
        return os.getpid(), x

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=2))
    def in_processes():
        doubled = double.submit(2)
        pids = {pid for pid, _ in where.map(range(4)).result()}
        after = double.submit(doubled).result()
        bad = repr(fail.submit().result(raise_on_failure=False))
        refused = double.submit(threading.Lock()).state
        return os.getpid() not in pids, after, bad, refused

    state = in_processes(return_state=True)
    own, after, bad, _ = state.result()
    assert (own, after, bad) == (True, 8, "ValueError('no')")
    names = sorted(run.state.name for run in task_runs_of(flow_run_of(state).id))
    assert names == ["Completed"] * 6 + ["Failed"] * 2
