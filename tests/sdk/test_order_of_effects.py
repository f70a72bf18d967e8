"""The order of effects that code outside the engine can observe (SDK section 31)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.sdk._reading import flow_run_of, flow_run_states

from prefect import flow, task
from prefect._recorder import get_recorder
from prefect.assets import materialize
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.task_runners import ThreadPoolTaskRunner

pytestmark = pytest.mark.usefixtures("home")


class Listener(logging.Handler):
    """Notes the finish lines of runs among what else was noted."""

    def __init__(self, noted: list) -> None:
        super().__init__()
        self.noted = noted

    def emit(self, record: logging.LogRecord) -> None:
        if "Finished in state" in record.getMessage():
            self.noted.append("finish line")


@pytest.fixture
def noted():
    names: list = []
    listener = Listener(names)
    loggers = [logging.getLogger(name) for name in ("prefect.task_runs", "prefect.flow_runs")]
    for logger in loggers:
        logger.addHandler(listener)
    yield names
    for logger in loggers:
        logger.removeHandler(listener)


def files(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def slots_taken(name: str) -> int:
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(name).active_slots


def test_a_direct_call_of_a_task(noted, tmp_path):
    folder = tmp_path / "results"
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="tag:ordered", limit=1))

    def running(task, run, state):
        noted.append(("on_running", slots_taken("tag:ordered")))

    def completion(task, run, state):
        noted.append(("on_completion", files(folder), slots_taken("tag:ordered")))

    @task(tags=["ordered"], result_storage=folder, on_running=[running], on_completion=[completion])
    def ordered():
        noted.append(("body", files(folder)))
        return 1

    ordered.on_commit(lambda txn: noted.append(("on_commit", files(folder))))
    ordered()
    noted.append(("returned", slots_taken("tag:ordered")))
    assert noted == [
        ("on_running", 1), ("body", 0), ("on_commit", 0), ("on_completion", 1, 1), "finish line", ("returned", 0),
    ]  # fmt: skip


def test_asset_events_come_before_the_completion_hooks():
    seen = []

    def completion(task, run, state):
        get_recorder().flush(10)
        with get_client(sync_client=True) as client:
            page = client.read_events(EventFilter(event=EventNameFilter(prefix=["prefect.asset."])))
        seen.extend(event.event for event in page.events)

    @materialize("s3://bucket/ordered", on_completion=[completion])
    def makes(): ...

    @flow
    def parent():
        makes()

    parent()
    assert seen == ["prefect.asset.materialization.succeeded"]


def test_the_future_of_a_submitted_task_resolves_after_all_of_it(noted):
    @task(on_completion=[lambda task, run, state: noted.append("hook")])
    def submitted(): ...

    @flow
    def parent():
        submitted.submit().wait()
        noted.append("resolved")

    parent()
    assert noted[:3] == ["hook", "finish line", "resolved"]


def test_the_end_of_a_flow(noted, tmp_path):
    folder = tmp_path / "results"

    class Runner(ThreadPoolTaskRunner):
        def duplicate(self):
            return Runner()

        def __exit__(self, *exc: object) -> None:
            super().__exit__(*exc)
            noted.append("runner closed")

    def completion(flow, run, state):
        with get_client(sync_client=True) as client:
            stored = client.read_flow_run(run.id).state
        noted.append(("on_completion", stored.name, stored.data is not None, files(folder)))

    @flow(task_runner=Runner(), result_storage=folder, on_completion=[completion])
    def ends():
        noted.append("body")
        return 1

    ends()
    assert noted == ["body", ("on_completion", "Completed", True, 1), "runner closed", "finish line"]


def test_the_events_of_a_task_run_are_a_chain():
    @task(retries=1)
    def retried(attempts=[]):  # noqa: B006 - counts its calls
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")

    @flow
    def parent():
        retried()

    parent()
    get_recorder().flush(10)
    with get_client(sync_client=True) as client:
        page = client.read_events(EventFilter(event=EventNameFilter(prefix=["prefect.task-run."])))
    events = sorted(page.events, key=lambda event: event.occurred)
    assert [event.event.rpartition(".")[2] for event in events] == ["Pending", "Running", "Retrying", "Completed"]
    assert [event.follows for event in events] == [None, *(event.id for event in events[:-1])]


def test_a_flow_returns_after_its_state_is_stored():
    @flow
    def stored():
        return 1

    state = stored(return_state=True)
    assert flow_run_of(state).state.id == state.id
    assert flow_run_states(state.state_details.flow_run_id) == ["Pending", "Running", "Completed"]
