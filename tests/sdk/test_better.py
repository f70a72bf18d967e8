"""What is done better than upstream does it, a test an entry (SDK section 33). The numbers are those of its entries."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial

import pytest
from tests.sdk._reading import flow_run_of, flow_run_states, logs_of, task_run_states, task_runs_of

from prefect import flow, task
from prefect.exceptions import MissingResult, ParameterBindError, UnfinishedRun, UpstreamTaskError
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.transactions import transaction

pytestmark = pytest.mark.usefixtures("home")


@task
def fails():
    raise ValueError("on purpose")


@task
def takes(x):
    return x


def test_1_a_direct_call_with_a_failed_upstream_raises():
    @flow
    def parent():
        with pytest.raises(UpstreamTaskError, match="did not reach a 'COMPLETED' state"):
            takes(fails.submit())
        return takes(fails.submit(), return_state=True).name

    assert parent() == "NotReady"


def test_2_the_cause_of_a_run_that_was_not_ready_is_reachable():
    @flow
    def parent():
        with pytest.raises(UnfinishedRun) as caught:
            takes.submit(fails.submit()).result()
        return caught.value

    error = parent()
    assert isinstance(error.__cause__, UpstreamTaskError)
    assert isinstance(error.__cause__.__cause__, ValueError)


def test_3_returned_generators_are_the_list_that_was_stored():
    def numbers():
        yield from range(3)

    @task
    def from_task():
        return numbers()

    @flow
    def parent():
        assert from_task() == [0, 1, 2]
        assert from_task.submit().result() == [0, 1, 2]
        return numbers()

    assert parent() == [0, 1, 2]


class Condition:
    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, task, run, state) -> bool:
        self.asked += 1
        return True

    def method(self, task, run, state) -> bool:
        return self(task, run, state)

    async def async_method(self, task, run, state) -> bool:
        return self(task, run, state)


@pytest.mark.parametrize("form", ["object", "method", "async method", "partial"])
def test_4_any_callable_decides_on_retries(form):
    condition = Condition()
    made = {
        "object": condition, "method": condition.method, "async method": condition.async_method,
        "partial": partial(condition),
    }[form]  # fmt: skip
    assert fails.with_options(retries=2, retry_condition_fn=made)(return_state=True).is_failed()
    assert condition.asked == 2


def test_5_a_retried_attempt_does_not_roll_its_group_back():
    said, attempts = [], []

    @task(retries=1)
    def flaky():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")

    @task
    def first(): ...

    first.on_rollback(lambda txn: said.append("rolled back"))
    first.on_commit(lambda txn: said.append("committed"))

    @flow
    def parent():
        with transaction():
            first()
            flaky()

    parent()
    assert said == ["committed"]


def test_6_a_failed_commit_can_be_seen_on_the_run():
    @task(persist_result=True)
    def stores(): ...

    @stores.on_commit
    def breaks(txn):
        raise RuntimeError("cannot commit")

    state = stores(return_state=True)
    assert state.is_completed()
    assert task_run_states(state.state_details.task_run_id)[-1] == "RolledBack"


def test_7_bound_handles_do_not_share_their_instance():
    class Counter:
        def __init__(self, start):
            self.start = start

        @flow
        def as_flow(self):
            return self.start

        @task
        def as_task(self):
            return self.start

    first, second = Counter(1), Counter(2)
    a, b, c, d = first.as_flow, second.as_flow, first.as_task, second.as_task
    assert (a(), b(), c(), d()) == (1, 2, 1, 2)


def test_8_fractions_of_seconds_count_before_a_flow_is_retried():
    attempts = []

    @flow(retries=1, retry_delay_seconds=0.3)
    def flaky():
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise ValueError("once")

    flaky()
    assert attempts[1] - attempts[0] >= 0.25


@pytest.mark.parametrize("kind", ["flow", "task"])
def test_9_a_wrong_name_template_fails_the_run(kind):
    if kind == "flow":
        runnable = flow(flow_run_name="{nothing}")(lambda: None)
    else:
        runnable = task(task_run_name="{nothing}")(lambda: None)
    state = runnable(return_state=True)
    assert state.is_failed() and "nothing" in state.message
    read = flow_run_states if kind == "flow" else task_run_states
    id = state.state_details.flow_run_id if kind == "flow" else state.state_details.task_run_id
    assert read(id)[-1] == "Failed"


def test_10_ctrl_c_is_quick_and_the_run_is_recorded(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(
        "import signal, time\nfrom prefect import flow\n"
        "@flow\ndef waits():\n    print('ready', flush=True)\n    time.sleep(60)\nwaits()\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert errors.count("Traceback") == 1  # Python's own
    from tests.sdk._reading import flow_runs_named

    (run,) = flow_runs_named("waits")
    assert run.state.is_crashed()


async def test_13_a_coroutine_that_nobody_awaited_explains_itself():
    from prefect.variables import Variable

    with pytest.warns(RuntimeWarning, match="in async code it must be awaited"):
        Variable.get("nothing")
        import gc

        gc.collect()


def test_14_what_never_ran_has_a_final_state():
    gate = threading.Event()

    @task
    def blocks():
        gate.wait(30)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=1))
    def drops():
        futures = [blocks.submit() for _ in range(3)]
        threading.Timer(0.05, gate.set).start()
        return [str(future.task_run_id) for future in futures]

    state = drops(return_state=True)
    assert all(run.state.is_final() for run in task_runs_of(state.state_details.flow_run_id))


def test_15_a_bounded_pool_does_not_deadlock_on_children():
    @task
    def child(x):
        return x

    @task
    def parent_task(x):
        return child.submit(x).result()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=1))
    def parent():
        return parent_task.map([1, 2, 3]).result()

    assert parent() == [1, 2, 3]


def test_16_equal_objects_are_not_taken_for_one_another():
    @task
    def makes():
        return "".join(["long enough ", "to be made anew"])

    @flow
    def parent():
        made = makes()
        return takes.submit(made).task_run_id, takes.submit("".join(["long enough ", "to be made anew"])).task_run_id

    state = parent(return_state=True)
    own, other = state.result()
    runs = {run.id: run for run in task_runs_of(state.state_details.flow_run_id)}
    assert len(runs[own].task_inputs["x"]) == 1
    assert runs[other].task_inputs["x"] == []


@dataclass
class Counted:
    value: object
    made: list = field(default_factory=list)

    def __post_init__(self) -> None:
        self.made.append(1)


def test_17_dataclasses_are_rebuilt_without_their_initialisers():
    @task
    def one():
        return 1

    @flow
    def parent():
        return takes(Counted(one.submit()))

    found = parent()
    assert (found.value, found.made) == (1, [1])


def test_20_binding_errors_come_before_any_run_and_others_after():
    @flow
    def binds(x: int): ...

    with pytest.raises(ParameterBindError):
        binds(return_state=True)
    assert binds("no number", return_state=True).is_failed()


def test_22_a_failing_cache_key_is_warned_of_once_a_task(caplog):
    @task(persist_result=True)
    def unhashable(lock):
        return 1

    @flow
    def parent():
        for _ in range(3):
            unhashable(threading.Lock())

    with caplog.at_level(logging.WARNING):
        parent()
    said = [record for record in caplog.records if "cache key" in record.getMessage().lower()]
    assert len(said) == 1 and said[0].exc_info is None
    assert "lock" in said[0].getMessage()


def test_25_a_missing_result_says_what_would_have_stored_it():
    @flow
    def forgotten():
        return 1

    stored = flow_run_of(forgotten(return_state=True)).state
    with pytest.raises(MissingResult, match="persist_result"):
        stored.result()


def test_26_a_failed_flow_writes_no_file_unless_asked(home):
    @flow
    def breaks():
        raise ValueError("on purpose")

    breaks(return_state=True)
    assert not (home / "storage").exists() or not list((home / "storage").iterdir())


@pytest.mark.parametrize("kind", ["on_running", "on_completion", "on_failure"])
def test_27_the_run_logger_and_runtime_work_in_every_hook_of_a_flow(kind):
    seen = []

    def hook(flow, run, state):
        get_run_logger().info("from the hook")
        seen.append(flow_run.id == str(run.id))

    @flow(**{kind: [hook]})
    def hooked():
        if kind == "on_failure":
            raise ValueError("on purpose")

    state = hooked(return_state=True)
    assert seen == [True]
    assert "from the hook" in logs_of(state.state_details.flow_run_id)


def test_27_the_run_logger_works_in_the_hook_of_a_failed_validation():
    seen = []

    def hook(flow, run, state):
        get_run_logger().info("from the hook")
        seen.append(state.name)

    @flow(on_failure=[hook])
    def validated(x: int): ...

    state = validated("no number", return_state=True)
    assert seen == ["Failed"]
    assert "from the hook" in logs_of(state.state_details.flow_run_id)


def test_33_prints_of_other_threads_are_left_alone(capsys, caplog):
    printed, logging_on = threading.Event(), threading.Event()

    def outside():
        assert logging_on.wait(30)
        print("from outside")
        printed.set()

    thread = threading.Thread(target=outside)
    thread.start()

    @flow(log_prints=True)
    def logs():
        logging_on.set()
        assert printed.wait(30)
        print("from inside")

    with caplog.at_level(logging.INFO):
        logs()
    thread.join()
    assert "from outside" in capsys.readouterr().out
    messages = [record.getMessage() for record in caplog.records]
    assert "from inside" in messages and "from outside" not in messages


def test_34_logs_of_a_task_outside_flows_belong_to_its_run(recwarn):
    from prefect._recorder import get_recorder
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterTaskRunId

    @task
    def alone():
        get_run_logger().info("alone in the world")

    state = alone(return_state=True)
    get_recorder().flush(10)
    wanted = LogFilter(task_run_id=LogFilterTaskRunId(any_=[state.state_details.task_run_id]))
    with get_client(sync_client=True) as client:
        assert "alone in the world" in [log.message for log in client.read_logs(wanted)]
    assert not [warning for warning in recwarn if "flow run" in str(warning.message)]


def test_35_there_is_no_address_without_an_api():
    @flow
    def looks():
        return flow_run.api_url

    assert looks() is None


def test_39_base_exceptions_and_binding_errors_are_raised_whatever_is_asked():
    @flow
    def exits():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exits(return_state=True)
    with pytest.raises(ParameterBindError):
        takes(return_state=True)


def test_41_the_timeout_of_a_flow_covers_its_body_only():
    gate = threading.Event()

    @task
    def slow():
        gate.wait(30)

    @flow(timeout_seconds=0.5)
    def returns_at_once():
        slow.submit()
        threading.Timer(0.8, gate.set).start()

    state = returns_at_once(return_state=True)
    assert state.is_completed()
    assert flow_run_states(state.state_details.flow_run_id) == ["Pending", "Running", "Completed"]


def test_42_a_returned_failed_state_is_retried_like_an_exception():
    calls = []

    @flow(retries=1)
    def returns():
        calls.append(1)
        return Failed(message="no luck") if len(calls) == 1 else 5

    assert (returns(), len(calls)) == (5, 2)


async def test_12_async_tasks_called_in_sync_flows_are_explained():
    @task
    async def later():
        await asyncio.sleep(0)

    @flow
    async def also_later(): ...

    @flow
    def parent():
        later()
        also_later()

    with pytest.warns(RuntimeWarning) as caught:
        await asyncio.to_thread(parent)
        import gc

        gc.collect()
    said = " ".join(str(warning.message) for warning in caught)
    assert re.search(r"later \(an async task called from sync code: use later\.submit\(\)", said)
    assert "also-later (an async flow called from sync code" in said
