"""One session of plain SDK code, which prints as JSON what it saw. It runs with either SDK, on any API.

Names, states, counts and values are reported; ids, instants and generated names are not, because no two runs share them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from parts import MARK, asked, eventually, flow_run, run_id, task_runs, tell

from prefect import flow, get_client, get_run_logger, task, unmapped
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.blocks.system import Secret
from prefect.cache_policies import INPUTS
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.filters import FlowRunFilter, LogFilter, LogFilterFlowRunId
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.context import get_run_context
from prefect.events import emit_event
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import pause_flow_run, resume_flow_run
from prefect.runtime import flow_run as runtime_flow_run
from prefect.runtime import task_run as runtime_task_run
from prefect.states import Cancelled, Completed, Failed
from prefect.transactions import transaction
from prefect.variables import Variable

# -- the parts of the session ------------------------------------------------------------------------------------------


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task(tags=["labelled"], retries=2, retry_delay_seconds=0)
def fails_twice(log: list[int]) -> int:
    log.append(runtime_task_run.run_count)
    if len(log) < 3:
        raise ValueError(f"attempt {len(log)}")
    return len(log)


@task
def breaks() -> None:
    raise RuntimeError("broken")


def hello() -> Any:
    @flow(name=f"hello-{MARK}", version="7", log_prints=True)
    def hello(name: str = "world") -> str:
        get_run_logger().info("from the logger")
        print("from print")
        assert runtime_flow_run.flow_name == f"hello-{MARK}"
        assert get_run_context().flow_run is not None
        return f"Hello {name}!"

    state = hello(name="you", return_state=True)

    def lines() -> list[str]:
        with get_client(sync_client=True) as client:
            logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id(state)])))
        return [log.message for log in logs if log.message.startswith("from")]

    return {
        "result": state.result(),
        "run": flow_run(run_id(state)),
        "logs": eventually(lines, lambda found: len(found) == 2),
    }


def tasks() -> Any:
    log: list[int] = []

    @flow(name=f"tasks-{MARK}")
    def many() -> Any:
        first = add.submit(1)
        second = add.submit(first, y=first)
        mapped = add.map([1, 2, 3], y=unmapped(10))
        retried = fails_twice(log)
        failed = breaks(return_state=True)
        late = add.submit(1, wait_for=[second])
        return [second.result(), mapped.result(), retried, failed.name, failed.message, late.result()]

    state = many(return_state=True)
    return {
        "result": state.result(),
        "attempts": log,
        "run": flow_run(run_id(state)),
        "tasks": task_runs(run_id(state), 8),
    }


def nested() -> Any:
    @flow(name=f"child-{MARK}")
    def child(x: int) -> int:
        if x < 0:
            raise ValueError("negative")
        return add(x)

    @flow(name=f"parent-{MARK}")
    def parent() -> Any:
        failed = child(-1, return_state=True)
        return [child(1), failed.type.value, failed.message]

    state = parent(return_state=True)
    with get_client(sync_client=True) as client:
        children = client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [str(run_id(state))]}})
        )
    return {
        "result": state.result(),
        "children": sorted(f"{run.state.type.value} {run.parameters}" for run in children),
        "tasks": [run["state"] for run in task_runs(run_id(state), 2)],
    }


def retries() -> Any:
    log: list[int] = []

    @flow(name=f"retries-{MARK}", retries=1)
    def flaky() -> int:
        log.append(runtime_flow_run.run_count)
        if len(log) == 1:
            raise ValueError("again")
        return len(log)

    state = flaky(return_state=True)

    @flow(name=f"fails-{MARK}")
    def fails() -> None:
        raise ValueError("no")

    failed = fails(return_state=True)
    return {"attempts": log, "run": flow_run(run_id(state)), "failed": [failed.message, flow_run(run_id(failed))]}


def _giver(made: Any) -> Callable[[], Any]:
    def gives() -> Any:
        return made

    return gives


def returned_states() -> Any:
    seen = {}
    for name, made in {
        "completed": Completed(message="fine", name="Fine"),
        "failed": Failed(message="on purpose"),
        "cancelled": Cancelled(message="enough"),
    }.items():
        state = flow(name=f"returns-{name}-{MARK}")(_giver(made))(return_state=True)
        run = flow_run(run_id(state))
        seen[name] = [state.name, state.message, run["state"], run["history"]]
    return seen


def pauses() -> Any:
    @flow(name=f"pauses-{MARK}")
    def asks() -> Any:
        return [
            pause_flow_run(wait_for_input=int, timeout=60, poll_interval=1),
            pause_flow_run(timeout=60, poll_interval=1, key="second"),
        ]

    with get_client(sync_client=True) as client:
        run = client.create_flow_run(asks)
    resumed: list[str] = []

    def resume() -> None:
        for given in ({"run_input": {"value": 41}}, {}):
            eventually(lambda: flow_run(run.id)["state"], lambda state: state == "PAUSED/Paused")
            if given:
                asked(run.id, "paused")
            resume_flow_run(run.id, **given)
            resumed.append("resumed")
            eventually(lambda: flow_run(run.id)["state"], lambda state: state != "PAUSED/Paused")

    helper = threading.Thread(target=resume)
    helper.start()
    from prefect.flow_engine import run_flow

    result = run_flow(asks, flow_run=run)
    helper.join()
    return {"result": [getattr(value, "value", value) for value in result], "resumed": resumed, "run": flow_run(run.id)}


def artifacts() -> Any:
    key = f"notes-{MARK}"

    @flow(name=f"artifacts-{MARK}")
    def makes() -> None:
        create_markdown_artifact("# one", key=key, description="first")
        create_markdown_artifact("# two", key=key)
        create_link_artifact("https://example.org", key=f"link-{MARK}", link_text="there")
        create_table_artifact([{"a": 1}, {"a": 2}], key=f"table-{MARK}")

    makes()
    with get_client(sync_client=True) as client:
        found = [item for item in client.read_artifacts() if item.key and MARK in item.key]
        latest = [item for item in client.read_latest_artifacts() if item.key and MARK in item.key]
    return {
        "all": sorted([item.key.replace(MARK, ""), item.type, str(item.data), str(item.description)] for item in found),
        "latest": sorted([item.key.replace(MARK, ""), item.type, str(item.data)] for item in latest),
    }


def variables() -> Any:
    name = f"variable_{MARK}"
    Variable.set(name, {"a": [1, 2]}, tags=["x"])
    seen = [Variable.get(name), Variable.get(f"none_{MARK}", default="default")]
    try:
        Variable.set(name, 2)
    except ValueError as error:
        seen.append(type(error).__name__)
    Variable.set(name, 3, overwrite=True)
    seen.append(Variable.get(name))
    seen.append([Variable.unset(name), Variable.unset(name)])
    return seen


def blocks() -> Any:
    name = f"secret-{MARK}"
    Secret(value="hidden").save(name)
    loaded = Secret.load(name)
    with get_client(sync_client=True) as client:
        shown = client.read_block_document_by_name(name, "secret", include_secrets=False)
    Secret(value="other").save(name, overwrite=True)
    seen = [loaded.get(), str(shown.data["value"]), Secret.load(name).get()]
    Secret.delete(name)
    try:
        Secret.load(name)
    except ValueError as error:
        seen.append(type(error).__name__)
    return seen


def limits() -> Any:
    name, slow = f"limit-{MARK}", f"rate-{MARK}"
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=2))
        client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=slow, limit=5, slot_decay_per_second=5.0)
        )
        client.create_concurrency_limit(tag=f"tag-{MARK}", concurrency_limit=1)
    active: list[int] = []
    most: list[int] = []

    @task(tags=[f"tag-{MARK}"])
    def one_at_a_time() -> None:
        active.append(1)
        most.append(len(active))
        time.sleep(0.1)
        active.pop()

    @flow(name=f"limits-{MARK}")
    def limited() -> int:
        with concurrency(name, occupy=2):
            with get_client(sync_client=True) as client:
                taken = client.read_global_concurrency_limit_by_name(name).active_slots
        rate_limit(slow)
        for future in [one_at_a_time.submit() for _ in range(2)]:
            future.wait()
        return taken

    taken = limited()
    with get_client(sync_client=True) as client:
        free = client.read_global_concurrency_limit_by_name(name).active_slots
        holders = client.read_concurrency_limit_by_tag(f"tag-{MARK}").active_slots
    return {"taken": taken, "free": free, "most at once": max(most), "holders": len(holders)}


def events() -> Any:
    name = f"session.{MARK}"

    @flow(name=f"events-{MARK}")
    def emits() -> None:
        emit_event(name, resource={"prefect.resource.id": f"thing.{MARK}"}, payload={"n": 1})

    emits()

    def read() -> list[Any]:
        with get_client(sync_client=True) as client:
            # Upstream's default page is larger than its server allows.
            return list(client.read_events(filter=EventFilter(event=EventNameFilter(name=[name])), limit=50).events)

    found = eventually(read, bool)
    return [
        {
            "payload": event.payload,
            "resource": dict(event.resource.root).keys() == {"prefect.resource.id"},
            "related": sorted({related.role for related in event.related}),
        }
        for event in found
    ]


def caching() -> Any:
    calls: list[int] = []

    @task(cache_policy=INPUTS, persist_result=True, name=f"cached-{MARK}")
    def cached(x: int, salt: str) -> int:
        calls.append(x)
        return x * 2

    @task
    def writes() -> str:
        return "written"

    undone: list[str] = []

    @writes.on_rollback
    def undo(txn: Any) -> None:
        undone.append("rolled back")

    @flow(name=f"caching-{MARK}", persist_result=True)
    def caches() -> Any:
        states = [
            cached(2, MARK, return_state=True),
            cached(2, MARK, return_state=True),
            cached(3, MARK, return_state=True),
        ]
        try:
            with transaction():
                writes()
                raise ValueError("undo")
        except ValueError:
            pass
        return [[state.name, state.result()] for state in states]

    state = caches(return_state=True)
    return {
        "result": state.result(),
        "calls": calls,
        "undone": undone,
        "tasks": [run["state"] for run in task_runs(run_id(state), 4)],
    }


def cancelling() -> Any:
    @flow(name=f"cancelled-{MARK}")
    def never() -> None: ...

    with get_client(sync_client=True) as client:
        run = client.create_flow_run(never)
        answer = client.set_flow_run_state(run.id, Cancelled(message="not wanted"))
        again = client.set_flow_run_state(run.id, Completed())
    seen = flow_run(run.id)
    with get_client(sync_client=True) as client:
        client.delete_flow_run(run.id)
        try:
            client.read_flow_run(run.id)
        except ObjectNotFound as error:
            gone = type(error).__name__
    return [answer.status.value, again.status.value, seen["state"], gone]


def asynchronous() -> Any:
    @task
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    @flow(name=f"async-{MARK}")
    async def doubles() -> Any:
        futures = [double.submit(x) for x in range(3)]
        return [await double(5), [future.result() for future in futures]]

    state = asyncio.run(doubles(return_state=True))
    return {"result": asyncio.run(_result(state)), "tasks": [run["state"] for run in task_runs(run_id(state), 4)]}


async def _result(state: Any) -> Any:
    found = state.result(raise_on_failure=False)
    return await found if hasattr(found, "__await__") else found


PARTS = [
    hello, tasks, nested, retries, returned_states, pauses, artifacts, variables, blocks, limits, events, caching,
    cancelling, asynchronous,
]  # fmt: skip

if __name__ == "__main__":
    tell(PARTS)
