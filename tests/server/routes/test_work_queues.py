"""Work queues through the API: their order, their status, and the routes by id that agents knew."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.server.routes.work import QUEUES, events_of, poll, pool, priorities, queue, read_queue, run_of

QUEUE = QUEUES + "/{name}"


def change(api, name, **changes):
    return api("PATCH", QUEUE, changes, work_pool_name="p", name=name)


def test_queues_are_put_in_the_order_of_their_priorities(api):
    pool(api)
    assert queue(api, "second").priority == 2
    queue(api, "first", priority=1)
    assert priorities(api) == [("first", 1), ("default", 2), ("second", 3)]
    queue(api, "far", priority=6)
    queue(api, "gap")
    assert priorities(api)[-2:] == [("gap", 4), ("far", 6)]
    queue(api, "between", priority=3)
    assert priorities(api) == [("first", 1), ("default", 2), ("between", 3), ("second", 4), ("gap", 5), ("far", 6)]


def test_a_queue_moves_and_the_others_make_room(api):
    pool(api)
    for name in ("b", "c", "d"):
        queue(api, name)
    change(api, "d", priority=1)
    assert priorities(api) == [("d", 1), ("default", 2), ("b", 3), ("c", 4)]
    change(api, "d", priority=3)
    assert priorities(api) == [("default", 2), ("d", 3), ("b", 4), ("c", 5)]
    change(api, "d", priority=3)
    assert priorities(api) == [("default", 2), ("d", 3), ("b", 4), ("c", 5)]


def test_the_largest_priority_leaves_no_room(api):
    pool(api)
    queue(api, "last", priority=2**31 - 1)
    for priority in (2**31 - 1, 2**31, 2**70):
        body = {"name": "after", "priority": priority}
        assert api.refused("POST", QUEUES, body, work_pool_name="p").status == 422
    assert api.refused("POST", QUEUES, {"name": "zero", "priority": 0}, work_pool_name="p").status == 422
    assert priorities(api) == [("default", 1), ("last", 2**31 - 1)]


def test_names_are_unique_in_a_pool(api):
    pool(api)
    pool(api, "other")
    queue(api, "q")
    queue(api, "q", "other")
    refused = api.refused("POST", QUEUES, {"name": "q"}, work_pool_name="p")
    assert refused.status == 409
    assert "'q'" in refused.detail
    assert "'p'" in refused.detail
    refused = api.refused("PATCH", QUEUE, {"name": "default"}, work_pool_name="p", name="q")
    assert refused.status == 409


@pytest.mark.parametrize(
    "changes", [{"name": None}, {"priority": None}, {"name": "a/b"}, {"is_paused": None}, {"x": 1}]
)
def test_impossible_changes_are_refused(api, changes):
    pool(api)
    queue(api, "q")
    before = read_queue(api, "q")
    assert api.refused("PATCH", QUEUE, changes, work_pool_name="p", name="q").status == 422
    assert read_queue(api, "q") == before


def test_pausing_and_resuming_follow_the_polls(api):
    pool(api)
    made = queue(api, "q")
    change(api, "q", is_paused=True)
    assert read_queue(api, "q").status.value == "PAUSED"
    poll(api)
    paused = read_queue(api, "q")
    assert paused.status.value == "PAUSED"
    assert paused.last_polled is not None
    change(api, "q", is_paused=False)
    assert read_queue(api, "q").status.value == "READY"
    change(api, "q", is_paused=True)
    change(api, "q", is_paused=False, last_polled="2020-01-01T00:00:00Z")
    assert read_queue(api, "q").status.value == "NOT_READY"
    assert events_of(api, "work-queue", made.id) == ["created", "paused", "ready", "paused", "not-ready"]


def test_a_queue_that_is_made_paused_is_paused(api):
    pool(api)
    assert queue(api, "q", is_paused=True).status.value == "PAUSED"


def test_changes_are_told(api):
    pool(api)
    made = queue(api, "q")
    change(api, "q", description="d", concurrency_limit=3)
    chosen = {"resource": {"id": [f"prefect.work-queue.{made.id}"]}, "event": {"name": ["prefect.work-queue.updated"]}}
    (event,) = api("POST", "/events/filter", {"filter": chosen}).body["events"]
    assert event.payload["updates"] == {
        "description": {"from": "", "to": "d"},
        "concurrency_limit": {"from": None, "to": 3},
    }
    assert event.related[0].root["prefect.work-pool.type"] == "process"


def test_a_deleted_queue_leaves_its_runs(api):
    pool(api)
    made = queue(api, "q")
    run = run_of(api, api.deployment(work_pool_name="p", work_queue_name="q"))
    assert api("DELETE", QUEUE, work_pool_name="p", name="q").status == 204
    assert api.refused("GET", QUEUE, work_pool_name="p", name="q").status == 404
    assert api.read("flow_run", run.id).work_queue_id is None
    assert events_of(api, "work-queue", made.id)[-1] == "deleted"


def test_the_default_queue_stays(api):
    made = pool(api)
    assert api.refused("DELETE", QUEUE, work_pool_name="p", name="default").status == 409
    assert api.refused("DELETE", "/work_queues/{id}", id=made.default_queue_id).status == 409
    assert priorities(api) == [("default", 1)]


# -- by id, and as agents knew them ----------------------------------------------------------------------------------


def test_a_queue_without_a_pool_goes_to_that_of_the_agents(api):
    made = api("POST", "/work_queues/", {"name": "q", "filter": {"tags": ["a"]}})
    assert made.status == 201
    assert (made.body.work_pool_name, made.body.priority) == ("default-agent-pool", 2)
    found = api("GET", "/work_queues/name/{name}", name="q").body
    assert found == made.body
    assert api("GET", "/work_queues/{id}", id=found.id).body == found
    assert api.refused("POST", "/work_queues/", {"name": "q"}).status == 409
    api("PATCH", "/work_queues/{id}", {"concurrency_limit": 2}, id=found.id)
    assert api("GET", "/work_queues/{id}", id=found.id).body.active_slots == 0
    assert api("DELETE", "/work_queues/{id}", id=found.id).status == 204
    assert api.refused("GET", "/work_queues/name/{name}", name="q").status == 404


def test_a_queue_is_found_by_its_name_alone_that_of_the_agents_first(api):
    pool(api)
    api("POST", "/work_pools/{work_pool_name}/queues", {"name": "q"}, work_pool_name="p")
    assert api("GET", "/work_queues/name/{name}", name="q").body.work_pool_name == "p"
    api("POST", "/work_queues/", {"name": "q"})
    assert api("GET", "/work_queues/name/{name}", name="q").body.work_pool_name == "default-agent-pool"


def test_queues_of_all_pools_are_found_by_filters(api):
    pool(api, "p")
    pool(api, "other")
    queue(api, "Green", "p")
    queue(api, "blue", "other")

    def found(**wanted):
        return [each.name for each in api("POST", "/work_queues/filter", {"work_queues": wanted}).body]

    assert found() == sorted(["Green", "blue", "default", "default"])
    assert found(name={"startswith_": ["g", "b"]}) == ["Green", "blue"]
    assert found(name={"any_": ["blue"], "startswith_": ["g"]}) == []
    assert found(name={"any_": []}) == []


def test_the_health_of_a_queue_looks_at_polls_and_late_runs(api):
    made = pool(api)
    run = run_of(api, api.deployment(work_pool_name="p"), minutes_ago=1)

    def health():
        return api("GET", "/work_queues/{id}/status", id=made.default_queue_id).body

    assert (health().healthy, health().last_polled) == (False, None)
    poll(api)
    assert health().healthy
    api.set_state("flow_run", run.id, "SCHEDULED", name="Late")
    assert (health().healthy, health().late_runs_count) == (False, 1)
    assert health().health_check_policy.maximum_seconds_since_last_polled == 60


def test_the_runs_of_a_queue_by_id(api):
    made = pool(api)
    deployment = api.deployment(work_pool_name="p")
    early, late = run_of(api, deployment, minutes_ago=2), run_of(api, deployment, minutes_ago=1)

    def runs(**body):
        found = api("POST", "/work_queues/{id}/get_runs", body, id=made.default_queue_id).body
        return [each.id for each in found]

    assert runs() == [early.id, late.id]
    assert runs(limit=1) == [early.id]
    assert runs(scheduled_before="2020-01-01T00:00:00Z") == []
    assert read_queue(api, "default").status.value == "READY"


@pytest.mark.parametrize(
    "method, path",
    [("GET", ""), ("DELETE", ""), ("GET", "/status"), ("POST", "/get_runs"), ("POST", "/concurrency_status")],
)
def test_a_queue_that_is_not_there_is_not_found(api, method, path):
    assert api.refused(method, "/work_queues/{id}" + path, {} if method == "POST" else None, id=uuid4()).status == 404
    assert api.refused("PATCH", "/work_queues/{id}", {"priority": 2}, id=uuid4()).status == 404
