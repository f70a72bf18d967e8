"""The foreman: pools, queues and deployments that nobody serves any more are not ready, and that is told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from tests.server.routes.work import POOL, events_of, heartbeat, poll, pool, queue, read_pool, read_queue

from prefect.server.services import foreman
from prefect.server.services.table import SERVICES


@pytest.fixture
def look(store):
    """A round of the foreman so many seconds from now; how much it has marked."""

    def look(seconds):
        at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        return store.write(lambda tx: foreman.run_once(tx, at))

    return look


def test_a_pool_whose_workers_are_silent_is_not_ready(api, look):
    made = pool(api)
    heartbeat(api)
    assert look(80) == 0
    assert read_pool(api).status.value == "READY"
    assert look(100) == 1
    assert look(100) == 0
    assert read_pool(api).status.value == "NOT_READY"
    heartbeat(api)
    assert read_pool(api).status.value == "READY"
    assert events_of(api, "work-pool", made.id) == ["created", "not-ready", "ready", "not-ready", "ready"]


def test_the_interval_of_the_worker_counts(api, look):
    pool(api)
    heartbeat(api, heartbeat_interval_seconds=100)
    assert look(290) == 0
    assert look(310) == 1


def test_one_worker_is_enough(api, look):
    pool(api)
    heartbeat(api, "quick", heartbeat_interval_seconds=1)
    heartbeat(api, "slow", heartbeat_interval_seconds=1000)
    assert look(100) == 0


def test_a_queue_and_its_deployments_that_nobody_polls_are_not_ready(api, look):
    pool(api)
    made = queue(api, "q")
    deployment = api.deployment(work_pool_name="p", work_queue_name="q")
    poll(api, work_queue_names=["q"])
    assert look(55) == 0
    assert look(65) == 2
    assert look(65) == 0
    assert read_queue(api, "q").status.value == "NOT_READY"
    assert api.read("deployment", deployment.id).status.value == "NOT_READY"
    assert events_of(api, "work-queue", made.id) == ["created", "ready", "not-ready"]
    assert events_of(api, "deployment", deployment.id)[-2:] == ["ready", "not-ready"]


def test_a_deployment_that_a_runner_polls_is_looked_at_by_itself(api, look):
    deployment = api.deployment()
    api("POST", "/deployments/get_scheduled_flow_runs", {"deployment_ids": [str(deployment.id)]})
    assert look(55) == 0
    assert look(65) == 1
    assert api.read("deployment", deployment.id).status.value == "NOT_READY"


def test_what_is_paused_stays_so(api, look):
    pool(api)
    heartbeat(api)
    poll(api)
    api("PATCH", POOL, {"is_paused": True}, name="p")
    look(1000)
    assert read_pool(api).status.value == "PAUSED"


def test_several_foremen_tell_it_once(api, store, look):
    made = pool(api)
    heartbeat(api)
    poll(api)
    with ThreadPoolExecutor(4) as foremen:
        assert sum(foremen.map(lambda _: look(1000), range(4))) == 2
    assert events_of(api, "work-pool", made.id) == ["created", "not-ready", "ready", "not-ready"]


def test_the_runner_knows_it():
    entry = next(entry for entry in SERVICES if entry.name == "foreman")
    assert entry.load() is foreman
