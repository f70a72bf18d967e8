"""What workers are told to run: in which order, how much of it, and who gets it when many ask at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from tests.server.routes.work import POOL, QUEUES, poll, pool, queue, read_queue, run_of


def deployment_in(api, queue_name=None, pool_name="p", **fields):
    name = f"{pool_name}-{queue_name}"
    return api.deployment(name, work_pool_name=pool_name, work_queue_name=queue_name, **fields)


def test_runs_come_by_priority_and_then_by_time(api):
    made = pool(api)
    queue(api, "urgent", priority=1)
    normal, urgent = deployment_in(api), deployment_in(api, "urgent")
    second, first = run_of(api, normal, minutes_ago=1), run_of(api, normal, minutes_ago=9)
    ahead = run_of(api, urgent, minutes_ago=0.1)
    assert poll(api) == [ahead.id, first.id, second.id]
    assert poll(api, limit=2) == [ahead.id, first.id]
    assert poll(api, limit=0) == []
    assert poll(api, work_queue_names=[]) == [ahead.id, first.id, second.id]
    assert poll(api, work_queue_names=["default"]) == [first.id, second.id]
    (told,) = api("POST", POOL + "/get_scheduled_flow_runs", {"limit": 1}, name="p").body
    assert (told.work_pool_id, told.work_queue_id) == (made.id, read_queue(api, "urgent").id)
    assert told.flow_run == api.read("flow_run", ahead.id)


def test_only_runs_that_are_due_are_told(api):
    pool(api)
    deployment = deployment_in(api)
    due, ahead = run_of(api, deployment, minutes_ago=1), run_of(api, deployment, minutes_ago=-60)
    now = datetime.now(timezone.utc)
    assert poll(api) == [due.id, ahead.id]
    assert poll(api, scheduled_before=(now + timedelta(seconds=10)).isoformat()) == [due.id]
    assert poll(api, scheduled_after=now.isoformat()) == [ahead.id]
    api.set_state("flow_run", due.id, "PENDING")
    assert poll(api) == [ahead.id]


def test_a_run_that_waits_in_its_process_is_not_told(api):
    pool(api)
    run = run_of(api, deployment_in(api), empirical_policy={"retries": 1, "retry_delay": 0})
    for type in ("PENDING", "RUNNING", "FAILED"):
        api.set_state("flow_run", run.id, type)
    assert api.read("flow_run", run.id).state.name == "AwaitingRetry"
    assert poll(api) == []


def test_what_is_not_there_or_impossible_is_refused(api):
    pool(api)
    route = POOL + "/get_scheduled_flow_runs"
    assert api.refused("POST", route, {}, name="nope").status == 404
    assert api.refused("POST", route, {"work_queue_names": ["default", "nope"]}, name="p").status == 404
    for limit in (-1, 201):
        assert api.refused("POST", route, {"limit": limit}, name="p").status == 422


def test_nothing_comes_from_what_is_paused(api):
    pool(api)
    queue(api, "q")
    run_of(api, deployment_in(api, "q"))
    other = run_of(api, deployment_in(api))
    api("PATCH", QUEUES + "/{name}", {"is_paused": True}, work_pool_name="p", name="q")
    assert poll(api) == [other.id]
    api("PATCH", POOL, {"is_paused": True}, name="p")
    assert poll(api) == []


def test_limits_of_queues_and_of_the_pool_hold_runs_back(api):
    pool(api, concurrency_limit=3)
    queue(api, "narrow", priority=1, concurrency_limit=1)
    narrow, wide = deployment_in(api, "narrow"), deployment_in(api)
    first = [run_of(api, narrow, minutes_ago=1) for _ in range(2)]
    rest = [run_of(api, wide, minutes_ago=1 - i / 10) for i in range(4)]
    assert poll(api) == [first[0].id, rest[0].id, rest[1].id]
    api.set_state("flow_run", first[0].id, "PENDING")
    assert poll(api) == [rest[0].id, rest[1].id]
    for run in rest[:2]:
        api.set_state("flow_run", run.id, "PENDING")
    assert poll(api) == []
    api.set_state("flow_run", first[0].id, "COMPLETED", force=True)
    assert poll(api, limit=1) == [first[1].id]
    api("PATCH", POOL, {"concurrency_limit": 0}, name="p")
    assert poll(api) == []


def test_a_poll_makes_queues_and_their_deployments_ready(api):
    pool(api)
    queue(api, "q")
    asked, other = deployment_in(api), deployment_in(api, "q")
    poll(api, work_queue_names=["default"])
    assert read_queue(api, "default").status.value == "READY"
    assert read_queue(api, "q").status.value == "NOT_READY"
    assert api.read("deployment", asked.id).status.value == "READY"
    assert api.read("deployment", asked.id).last_polled is not None
    assert api.read("deployment", other.id).status.value == "NOT_READY"


@pytest.mark.parametrize("workers", [8])
def test_no_run_is_handed_to_two_workers(api, workers):
    pool(api)
    deployment = deployment_in(api)
    runs = [run_of(api, deployment, minutes_ago=1).id for _ in range(30)]

    def work(_):
        won = []
        while told := poll(api, limit=10):
            for id in told:
                if api.set_state("flow_run", id, "PENDING").status.value == "ACCEPT":
                    won.append(id)
        return won

    with ThreadPoolExecutor(workers) as threads:
        winners = Counter(id for won in threads.map(work, range(workers)) for id in won)
    assert winners == Counter(runs)


def test_a_run_without_a_slot_stays_scheduled(api):
    pool(api, concurrency_limit=1)
    deployment = deployment_in(api)
    first, second = run_of(api, deployment), run_of(api, deployment)
    assert api.set_state("flow_run", first.id, "PENDING").status.value == "ACCEPT"
    refused = api.set_state("flow_run", second.id, "PENDING")
    assert (refused.status.value, refused.state.type.value) == ("REJECT", "SCHEDULED")
    assert "'p'" in refused.details.reason
    assert api.set_state("flow_run", first.id, "PENDING", name="Submitting").status.value == "ACCEPT"
    api.set_state("flow_run", first.id, "RUNNING")
    api.set_state("flow_run", first.id, "COMPLETED")
    assert api.set_state("flow_run", second.id, "PENDING").status.value == "ACCEPT"


def test_a_run_without_a_slot_takes_none_of_its_deployment(api):
    pool(api)
    queue(api, "q", concurrency_limit=1)
    deployment = deployment_in(api, "q", concurrency_limit=2)
    first, second = run_of(api, deployment), run_of(api, deployment)
    api.set_state("flow_run", first.id, "PENDING")
    assert "'q'" in api.set_state("flow_run", second.id, "PENDING").details.reason
    limit = api("GET", "/v2/concurrency_limits/{id_or_name}", id_or_name=f"deployment:{deployment.id}").body
    assert limit.active_slots == 1


@pytest.mark.parametrize("pool_limit, queue_limit", [(2, None), (None, 2), (3, 2)])
def test_limits_are_exact_when_many_workers_ask_at_once(api, pool_limit, queue_limit):
    pool(api, concurrency_limit=pool_limit)
    queue(api, "q", concurrency_limit=queue_limit)
    runs = [run_of(api, deployment_in(api, "q"), minutes_ago=1).id for _ in range(12)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda id: api.set_state("flow_run", id, "PENDING").status.value, runs))
    assert Counter(results) == {"ACCEPT": 2, "REJECT": 10}


def test_queues_that_many_make_at_once_have_priorities_of_their_own(api):
    pool(api)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda i: queue(api, f"q{i % 12}", priority=1) if i < 12 else None, range(12)))
    found = api("POST", QUEUES + "/filter", {}, work_pool_name="p").body
    assert sorted(each.priority for each in found) == list(range(1, 14))
    assert len(made) == 12
