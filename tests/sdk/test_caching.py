"""Caching: keys, hits, refreshing, expiry, policies and locks between processes (SDK section 8)."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta

import pytest
from tests.sdk._reading import logs_of, task_run_states, task_runs_of

from prefect import flow, task
from prefect.cache_policies import DEFAULT, FLOW_PARAMETERS, INPUTS, NO_CACHE, RUN_ID, TASK_SOURCE
from prefect.filesystems import LocalFileSystem
from prefect.locking.memory import MemoryLockManager
from prefect.results import ResultStore
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings
from prefect.tasks import task_input_hash
from prefect.transactions import IsolationLevel


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def calls() -> list:
    return []


def test_equal_inputs_hit_and_others_miss(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def add(x, y=1):
        calls.append((x, y))
        return x + y

    assert add(1) == 2
    state = add(1, y=1, return_state=True)
    assert (state.name, state.result()) == ("Cached", 2)
    assert task_run_states(state.state_details.task_run_id) == ["Pending", "Cached"]
    assert add(2) == 3
    assert calls == [(1, 1), (2, 1)]


def test_a_hit_runs_the_hooks_but_not_the_function(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def one(x):
        calls.append("body")

    @one.on_running
    def running(task, run, state):
        calls.append("running")

    @one.on_completion
    def completed(task, run, state):
        calls.append(f"completion {state.name}")

    one(1)
    one(1)
    assert calls == ["running", "body", "completion Completed", "running", "completion Cached"]


def test_by_default_a_key_lives_in_one_flow_run(home, calls):
    @task(persist_result=True)
    def one(x):
        calls.append(x)

    @flow
    def parent():
        one(1)
        one(1)
        one(2)

    parent()
    assert calls == [1, 2]
    parent()
    assert calls == [1, 2, 1, 2]


def test_without_persistence_nothing_is_cached(home, calls):
    @task
    def one(x):
        calls.append(x)

    @flow
    def parent():
        one(1)
        one(1)
        one.with_options(cache_policy=INPUTS, persist_result=False)(1)
        one.with_options(cache_policy=INPUTS, persist_result=False)(1)

    parent()
    assert calls == [1] * 4


def test_a_retried_flow_skips_the_tasks_that_are_stored(home, calls):
    @task(persist_result=True)
    def one():
        calls.append("one")

    @flow(retries=1)
    def parent():
        one()
        calls.append("flow")
        if calls.count("flow") == 1:
            raise ValueError

    parent()
    assert calls == ["one", "flow", "flow"]


def test_no_cache_runs_each_time(folder, calls):
    @task(cache_policy=NO_CACHE, persist_result=True, result_storage=folder)
    def one():
        calls.append(True)

    @flow
    def parent():
        one()
        one()

    parent()
    assert len(calls) == 2


def test_inputs_can_be_left_out(folder, calls):
    @task(cache_policy=INPUTS - "noise", result_storage=folder)
    def one(x, noise):
        calls.append((x, noise))

    one(1, "a")
    one(1, "b")
    one(2, "c")
    assert calls == [(1, "a"), (2, "c")]


def test_policies_combine(folder, calls):
    @task(cache_policy=TASK_SOURCE + INPUTS, result_storage=folder)
    def one(x):
        calls.append(("one", x))

    @task(cache_policy=TASK_SOURCE + INPUTS, result_storage=folder)
    def two(x):
        calls.append(("two", x))

    for step in (one, two, one, two):
        step(1)
    assert calls == [("one", 1), ("two", 1)]


def test_equal_keys_of_different_tasks_share_a_result(folder):
    @task(cache_policy=INPUTS, result_storage=folder)
    def one(x):
        return "of one"

    @task(cache_policy=INPUTS, result_storage=folder)
    def two(x):
        return "of two"

    assert (one(1), two(1)) == ("of one", "of one")


def test_the_run_and_the_flow_parameters_tell_runs_apart(folder, calls):
    @task(cache_policy=RUN_ID, result_storage=folder)
    def per_run():
        calls.append("run")

    @task(cache_policy=FLOW_PARAMETERS, result_storage=folder)
    def per_parameters():
        calls.append("parameters")

    @flow
    def parent(x):
        per_run()
        per_run()
        per_parameters()

    for x in (1, 1, 2):
        parent(x)
    assert calls.count("run") == 3
    assert calls.count("parameters") == 2


def test_refreshing_runs_again_and_overwrites(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def count(x):
        calls.append(x)
        return len(calls)

    assert count(0) == 1
    assert count.with_options(refresh_cache=True)(0) == 2
    assert count(0) == 2
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True}):
        assert count(0) == 3
        assert count.with_options(refresh_cache=False)(0) == 3


def test_an_expiry_ends_hits_for_every_reader(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder, cache_expiration=timedelta(days=-1))
    def past(x):
        calls.append(x)

    past(1)
    past(1)
    past.with_options(cache_expiration=timedelta(days=1))(1)
    past(1)
    past.with_options(cache_expiration=timedelta(days=-1))(1)
    assert calls == [1, 1, 1]


def test_the_run_tells_its_key_and_expiry(folder):
    @task(cache_key_fn=lambda context, parameters: "told", result_storage=folder, cache_expiration=timedelta(hours=1))
    def one():
        return 1

    @flow
    def parent():
        one()

    (run,) = task_runs_of(parent(return_state=True).state_details.flow_run_id)
    assert run.cache_key == "told"
    assert run.state.state_details.cache_key == "told"
    assert (
        timedelta(minutes=59) < run.state.state_details.cache_expiration - run.state.timestamp < timedelta(minutes=61)
    )


def test_a_key_function_gets_the_context_and_the_inputs_and_may_decline(folder, calls):
    given = []

    def key(context, parameters):
        given.append((context.task.name, context.task_run.name.split("-")[0], parameters))
        return "key" if parameters["x"] else None

    @task(cache_key_fn=key, result_storage=folder)
    def one(x, y=2):
        calls.append(x)

    one(1)
    one(1)
    one(0)
    one(0)
    assert calls == [1, 0, 0]
    assert given[0] == ("one", "one", {"x": 1, "y": 2})


def test_the_ready_made_key_function_goes_by_task_and_inputs(folder, calls):
    @task(cache_key_fn=task_input_hash, result_storage=folder)
    def one(x):
        calls.append(x)

    @task(cache_key_fn=task_input_hash, result_storage=folder)
    def two(x):
        calls.append(x)
        return 2

    for step in (one, one, two, two):
        step(1)
    assert calls == [1, 1]


def test_a_key_that_cannot_be_made_warns_and_the_task_runs_unstored(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def one(lock):
        calls.append(True)
        return 1

    @flow
    def parent():
        lock = threading.Lock()
        return [one(lock, return_state=True), one(lock, return_state=True)]

    state = parent(return_state=True)
    assert state.is_completed()
    assert len(calls) == 2
    assert not folder.exists()
    said = [line for line in logs_of(state.state_details.flow_run_id) if "lock" in line]
    assert len(said) == 1


def test_a_failing_key_function_does_not_fail_the_task(folder, calls):
    def key(context, parameters):
        raise ValueError("no key today")

    @task(cache_key_fn=key, result_storage=folder)
    def one():
        return 1

    @flow
    def parent():
        return one()

    state = parent(return_state=True)
    assert state.result() == 1
    assert any("no key today" in line for line in logs_of(state.state_details.flow_run_id))


def test_failures_and_generators_are_never_cached(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def failing(x):
        calls.append("failing")
        raise ValueError

    @task(cache_policy=INPUTS, result_storage=folder)
    def generating(x):
        calls.append("generating")
        yield x

    for _ in range(2):
        failing(1, return_state=True)
        assert list(generating(1)) == [1]
    assert calls == ["failing", "generating"] * 2


def test_resolved_inputs_and_defaults_make_the_key(folder, calls):
    @task
    def make(x):
        return {"x": x}

    @task(cache_policy=INPUTS, result_storage=folder)
    def use(value, by=2):
        calls.append(value)
        return value["x"] * by

    @flow
    def parent():
        assert use(make.submit(1)) == 2
        assert use({"x": 1}, 2) == 2
        assert use.submit(make(1)).result() == 2

    parent()
    assert len(calls) == 1


@dataclasses.dataclass
class Counter:
    n: int

    @task(cache_policy=INPUTS)
    def count(self):
        _counted.append(self.n)
        return self.n


_counted: list[int] = []


def test_methods_count_their_object_as_input(home):
    assert [Counter(n=1).count(), Counter(n=1).count(), Counter(n=2).count()] == [1, 1, 2]
    assert _counted == [1, 2]


def test_mapped_tasks_hit_too(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    def double(x):
        calls.append(x)
        return 2 * x

    @flow
    def parent():
        return double.map([1, 2, 3]).result()

    assert parent() == parent() == [2, 4, 6]
    assert sorted(calls) == [1, 2, 3]


async def test_async_tasks_hit_too(folder, calls):
    @task(cache_policy=INPUTS, result_storage=folder)
    async def double(x):
        calls.append(x)
        return 2 * x

    assert [await double(1), await double(1)] == [2, 2]
    state = await double(1, return_state=True)
    assert state.name == "Cached"
    assert calls == [1]


def test_another_storage_is_another_cache(tmp_path, calls):
    @task(cache_policy=INPUTS, result_storage=tmp_path / "a")
    def one(x):
        calls.append(x)

    @flow
    def parent():
        one(1)
        one.with_options(result_storage=tmp_path / "b")(1)
        one(1)

    parent()
    assert calls == [1, 1]


def test_the_default_policy_minus_an_input(home, calls):
    @task(persist_result=True, cache_policy=DEFAULT - "noise")
    def one(x, noise):
        calls.append(noise)

    @flow
    def parent():
        one(1, "a")
        one(1, "b")

    parent()
    assert calls == ["a"]


# -- locks -------------------------------------------------------------------------------------------------------------


def test_serializable_tasks_in_threads_run_once(folder, calls):
    policy = INPUTS.configure(isolation_level=IsolationLevel.SERIALIZABLE, lock_manager=MemoryLockManager())
    both = threading.Barrier(2)

    @task(cache_policy=policy, result_storage=folder)
    def one(x):
        calls.append(x)
        return len(calls)

    @task
    def start(x):
        both.wait()
        return one(x)

    @flow
    def parent():
        return start.map([7, 7]).result()

    assert parent() == [1, 1]
    assert calls == [7]


_PROGRAM = textwrap.dedent(
    """
    import os, sys, time
    from pathlib import Path
    from prefect import task
    from prefect.cache_policies import INPUTS
    from prefect.locking.filesystem import FileSystemLockManager
    from prefect.transactions import IsolationLevel

    root = Path(sys.argv[1])
    policy = INPUTS.configure(
        isolation_level=IsolationLevel.SERIALIZABLE, lock_manager=FileSystemLockManager(root / "locks")
    )

    @task(cache_policy=policy, result_storage=root / "results")
    def one(x):
        (root / f"ran-{os.getpid()}").touch()
        if len(list(root.glob("ready-*"))) == 1:  # alone so far: hold the lock until the other process has come
            while len(list(root.glob("ready-*"))) < 2:
                time.sleep(0.01)
        return os.getpid()

    (root / f"ready-{os.getpid()}").touch()
    print(one(1))
    """
)


def test_two_processes_with_one_key_run_the_task_once(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    processes = [
        subprocess.Popen(
            [sys.executable, str(program), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert len({out.strip() for out, _ in ends}) == 1
    assert len(list(tmp_path.glob("ran-*"))) == 1
    assert list((tmp_path / "locks").glob("*.lock")) == []


def test_readers_wait_for_the_writer_of_a_key(folder):
    store = ResultStore(
        result_storage=LocalFileSystem(basepath=str(folder)),
        lock_manager=MemoryLockManager(),
        cache_result_in_memory=False,
    )
    store.write("old", "waited-for")
    store.acquire_lock("waited-for", holder="writer")
    with pytest.raises(RuntimeError, match="waited-for"):
        store.write("mine", "waited-for")
    found, started = [], threading.Event()

    def read():
        started.set()
        found.append(store.read("waited-for").result)

    reader = threading.Thread(target=read)
    reader.start()
    started.wait()
    store.write("new", "waited-for", holder="writer")
    store.release_lock("waited-for", holder="writer")
    reader.join()
    assert found == ["new"]
