"""Background tasks over the embedded core (SDK section 5.11)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from tests.sdk._reading import task_run_states

from prefect import flow, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.futures import PrefectDistributedFuture
from prefect.settings import temporary_settings
from prefect.task_runs import TaskRunWaiter
from prefect.task_worker import TaskWorker, aserve, create_status_server, serve

pytestmark = pytest.mark.usefixtures("home")
PATIENCE = 60


def read(future):
    with get_client(sync_client=True) as client:
        return client.read_task_run(future.task_run_id)


async def serving(worker: TaskWorker, *futures: PrefectDistributedFuture):
    """Run a worker until the futures are final."""
    running = asyncio.create_task(worker.astart(timeout=PATIENCE))
    try:
        for future in futures:
            await future.wait_async(PATIENCE)
    finally:
        await worker.astop()
        await running


# -- submitting --------------------------------------------------------------------------------------------------------


def test_a_delayed_run_is_scheduled_and_deferred():
    @task(tags=["own"])
    def later(x): ...

    with tags("around"):
        future = later.delay(3)
    run = read(future)
    assert run.state.is_scheduled() and run.state.state_details.deferred
    assert run.state.state_details.task_parameters_id is not None
    assert set(run.tags) == {"own", "around"}
    assert future == PrefectDistributedFuture(run.id) and hash(future) == hash(PrefectDistributedFuture(run.id))
    assert not future.state.is_final()


def test_a_run_without_arguments_stores_none():
    @task
    def bare(): ...

    assert read(bare.delay()).state.state_details.task_parameters_id is None


def test_waiting_for_a_run_that_nobody_takes_times_out():
    @task
    def alone(): ...

    future = alone.delay()
    future.wait(0)
    with pytest.raises(TimeoutError, match="did not complete"):
        future.result(0)


# -- serving -----------------------------------------------------------------------------------------------------------


async def test_a_worker_runs_what_was_delayed():
    @task(log_prints=True)
    def adds(x, y=10):
        return x + y

    @task
    async def doubles(x):
        await asyncio.sleep(0)
        return 2 * x

    futures = [adds.delay(1), adds.apply_async((2,), {"y": 3}), doubles.delay(4)]
    await serving(TaskWorker(adds, doubles), *futures)
    assert [await future.result_async() for future in futures] == [11, 5, 8]
    assert task_run_states(futures[0].task_run_id) == ["Scheduled", "Pending", "Running", "Completed"]


async def test_failures_retries_and_hooks_work_as_usual():
    seen, attempts = [], []

    @task(retries=1, on_failure=[lambda t, r, s: seen.append(s.name)], task_run_name="named-{x}")
    def fails(x):
        attempts.append(x)
        raise ValueError("on purpose")

    future = fails.delay(7)
    await serving(TaskWorker(fails), future)
    assert (attempts, seen) == ([7, 7], ["Failed"])
    assert read(future).name == "named-7"
    with pytest.raises(ValueError, match="on purpose"):
        await future.result_async()
    assert isinstance(await future.result_async(raise_on_failure=False), ValueError)


async def test_results_are_stored_even_where_caching_was_off():
    @task(cache_policy=NO_CACHE, persist_result=False)
    def value():
        return {"a": 1}

    future = value.delay()
    await serving(TaskWorker(value), future)
    assert await future.result_async() == {"a": 1}


async def test_generators_are_exhausted():
    seen = []

    @task
    def numbers():
        for number in range(3):
            seen.append(number)
            yield number

    @task
    async def letters():
        for letter in "ab":
            seen.append(letter)
            yield letter

    await serving(TaskWorker(numbers, letters), numbers.delay(), letters.delay())
    assert sorted(map(str, seen)) == ["0", "1", "2", "a", "b"]


async def test_wait_for_holds_a_run_back_until_its_upstream_is_done():
    order = []

    @task
    def first():
        order.append("first")

    @task
    def second():
        order.append("second")

    upstream = first.delay()
    downstream = second.apply_async(wait_for=[upstream])
    await serving(TaskWorker(first, second), upstream, downstream)
    assert order == ["first", "second"]


async def test_a_run_delayed_in_a_flow_stays_linked_to_it():
    from prefect.context import TagsContext
    from prefect.runtime import flow_run

    seen = {}

    @task
    def looks():
        seen.update(id=flow_run.id, tags=TagsContext.get().current_tags)

    @flow
    def parent():
        with tags("inside"):
            return looks.delay().task_run_id, flow_run.id

    task_run_id, flow_run_id = await asyncio.to_thread(parent)
    future = PrefectDistributedFuture(task_run_id)
    await serving(TaskWorker(looks), future)
    assert seen == {"id": flow_run_id, "tags": {"inside"}}
    assert str(read(future).flow_run_id) == flow_run_id


async def test_a_map_may_be_deferred():
    @task
    def squares(x):
        return x * x

    futures = squares.map([1, 2, 3], deferred=True)
    await serving(TaskWorker(squares), *futures)
    assert [await future.result_async() for future in futures] == [1, 4, 9]


async def test_the_limit_bounds_what_runs_at_a_time():
    under_way, most = set(), []
    gate = threading.Event()

    @task
    def holds(number):
        under_way.add(number)
        most.append(len(under_way))
        if len(most) == 2:
            gate.set()
        assert gate.wait(PATIENCE)
        under_way.discard(number)

    futures = [holds.delay(number) for number in range(6)]
    worker = TaskWorker(holds, limit=2)
    assert (worker.limit, worker.current_tasks, worker.available_tasks) == (2, 0, 2)
    await serving(worker, *futures)
    assert max(most) == 2


async def test_one_bad_run_does_not_stop_the_worker():
    @task
    def good(x):
        return x

    @task
    def exits():
        raise SystemExit(3)

    bad, also_good = exits.delay(), good.delay(1)
    await serving(TaskWorker(good, exits), bad, also_good)
    assert bad.state.is_crashed()
    assert await also_good.result_async() == 1


@pytest.mark.parametrize("delete", [True, False])
async def test_a_run_whose_parameters_cannot_be_read_is_deleted_or_fails(delete, home):
    @task
    def reads(x):
        return x

    bad, good = reads.delay(1), reads.delay(2)
    identifier = read(bad).state.state_details.task_parameters_id
    (home / "storage" / "parameters" / str(identifier)).write_text("no record")
    with temporary_settings({"tasks.scheduling.delete_failed_submissions": delete}):
        await serving(TaskWorker(reads), good, *([] if delete else [bad]))
    if delete:
        with pytest.raises(ObjectNotFound):
            read(bad)
    else:
        assert "parameters could not be read" in bad.state.message


async def test_a_run_of_an_unknown_task_is_refused():
    @task
    def known(): ...

    @task
    def unknown(): ...

    future = unknown.delay()
    await TaskWorker(known).execute_task_run(read(future))
    with pytest.raises(ObjectNotFound):
        read(future)


async def test_a_given_run_is_run_once():
    calls = []

    @task
    def counts():
        calls.append(1)

    future = counts.delay()
    scheduled = read(future)
    async with TaskWorker(counts) as worker:
        assert worker.started and worker.started_at
        await asyncio.gather(worker.execute_task_run(scheduled), worker.execute_task_run(scheduled))
    assert calls == [1]
    assert worker.finished_task_runs == {counts.task_key: 1} and worker.in_flight_task_runs == {counts.task_key: {}}


async def test_two_workers_share_runs_without_running_one_twice():
    calls = []

    @task
    def counts(x):
        calls.append(x)

    futures = [counts.delay(x) for x in range(20)]
    one, two = TaskWorker(counts, limit=3), TaskWorker(counts, limit=3)
    await asyncio.gather(serving(one, *futures), serving(two, *futures))
    assert sorted(calls) == list(range(20))


def test_a_worker_ends_after_its_timeout():
    @task
    def idle(): ...

    began = time.monotonic()
    serve(idle, timeout=0.05)
    assert time.monotonic() - began < PATIENCE
    idle.serve  # noqa: B018 - the method stands for the same


async def test_a_worker_may_be_served_from_async_code():
    @task
    def idle(): ...

    await aserve(idle, timeout=0)


@pytest.mark.parametrize("ends_first", [0, 1])
async def test_two_workers_leave_signals_as_they_were_whichever_ends_first(ends_first):
    @task
    def idle(): ...

    def pass_over(number, frame): ...

    before = signal.signal(signal.SIGTERM, pass_over)
    workers = [TaskWorker(idle), TaskWorker(idle)]
    running = [asyncio.create_task(worker.astart(timeout=PATIENCE)) for worker in workers]
    while not all(worker.started for worker in workers):
        await asyncio.sleep(0)
    await workers[ends_first].astop()
    await running[ends_first]
    # The one that is left still ends in order.
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        await asyncio.wait_for(running[1 - ends_first], PATIENCE / 4)
    finally:
        left = signal.signal(signal.SIGTERM, before)
    assert left is pass_over


def test_what_cannot_be_served_is_refused():
    @task
    def one(): ...

    with pytest.raises(ValueError, match="at least one task"):
        TaskWorker()
    with pytest.raises(ValueError, match="at least 1"):
        TaskWorker(one, limit=0)
    with pytest.raises(TypeError, match="serves tasks"):
        TaskWorker(one.fn)


# -- knowing ---------------------------------------------------------------------------------------------------------


async def test_a_waiter_tells_when_a_run_is_done():
    @task
    def done(): ...

    future, told = done.delay(), threading.Event()
    assert await TaskRunWaiter.wait_for_task_run(future.task_run_id, timeout=0) is None
    TaskRunWaiter.instance().add_done_callback(future.task_run_id, told.set)
    await serving(TaskWorker(done), future)
    assert (await TaskRunWaiter.wait_for_task_run(future.task_run_id, timeout=PATIENCE)).is_completed()
    assert await asyncio.to_thread(told.wait, PATIENCE)
    assert TaskRunWaiter.instance() is TaskRunWaiter.instance()


async def test_the_status_page_tells_what_a_worker_does():
    @task
    def done(): ...

    worker = TaskWorker(done, limit=3)
    server = create_status_server(worker)
    port = await server.start(0)
    try:
        await serving(worker, done.delay())

        def get(path):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                return error.code, json.load(error)

        status, body = await asyncio.to_thread(get, "/status")
        assert status == 200
        assert (body["limit"], body["tasks"], body["client_id"]) == (3, [done.task_key], worker.client_id)
        assert body["finished_task_runs"] == {done.task_key: 1}
        assert (await asyncio.to_thread(get, "/other"))[0] == 404
    finally:
        await server.stop()


# -- the command -----------------------------------------------------------------------------------------------------

SCRIPT = """
from prefect import task

@task
def writes(path, text):
    with open(path, "w") as file:
        file.write(text)

def plain(): ...

if __name__ == "__main__":
    import sys
    writes.delay(*sys.argv[1:])
"""


def command(*arguments: str, cwd: Path, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "task", "serve", *arguments],
        cwd=cwd, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [("background.py:writes",), ("--module", "background")])
@pytest.mark.parametrize("ends_by", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path, arguments, ends_by):
    (tmp_path / "background.py").write_text(SCRIPT)
    target = tmp_path / "written"
    serving = command(*arguments, cwd=tmp_path)
    try:
        submit = "import background, sys; background.writes.delay(*sys.argv[1:])"
        if arguments[0].endswith(":writes"):
            # The key of a task is the same however its file was loaded.
            submit = "import runpy, sys; runpy.run_path('background.py')['writes'].delay(*sys.argv[1:])"
        subprocess.run([sys.executable, "-c", submit, str(target), "hello"], cwd=tmp_path, check=True, timeout=PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not target.exists() or target.read_text() != "hello":
            assert time.monotonic() < deadline and serving.poll() is None, serving.stdout.read()
            time.sleep(0.02)
        serving.send_signal(ends_by)
        output, _ = serving.communicate(timeout=PATIENCE)
    finally:
        serving.kill()
    assert serving.returncode == 0, output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name the tasks"),
        (("background.py:plain",), "is not a task"),
        (("background.py:nothing",), "Cannot load a task"),
        (("nothing.py:task",), "Cannot load a task"),
        (("--module", "json"), "has no tasks"),
        (("--module", "no_such_module"), "Cannot import"),
        (("background.py:writes", "--limit", "0"), "at least 1"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, arguments, message):
    (tmp_path / "background.py").write_text(SCRIPT)
    failed = command(*arguments, cwd=tmp_path)
    output, _ = failed.communicate(timeout=PATIENCE)
    assert failed.returncode == 1 and message in " ".join(output.split())
