"""Requests that would leave something behind that cannot be read again, on both databases."""

from __future__ import annotations

import pytest

NOW = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("by", ["deployment", "run", "update"])
def test_a_queue_whose_name_no_queue_can_have_is_not_made(api, by: str):
    api("POST", "/work_pools/", {"name": "pool", "type": "process"})
    if by == "deployment":
        body = {"name": "d", "flow_id": api.flow().id, "work_pool_name": "pool", "work_queue_name": "team/etl"}
        refusal = api.refused("POST", "/deployments/", body)
    else:
        id = api.deployment(work_pool_name="pool").id
        method, path = ("POST", "/deployments/{id}/create_flow_run") if by == "run" else ("PATCH", "/deployments/{id}")
        refusal = api.refused(method, path, {"work_queue_name": "team/etl"}, id=id)
    assert refusal.status == 422 and "'team/etl'" in str(refusal)
    assert [queue.name for queue in api("POST", "/work_queues/filter", {}).body] == ["default"]


def test_an_empty_name_of_a_queue_stands_for_the_default_one(api):
    api("POST", "/work_pools/", {"name": "pool", "type": "process"})
    assert api.deployment(work_pool_name="pool", work_queue_name="").work_queue_name == "default"


def test_a_log_of_a_level_that_cannot_be_stored_is_refused(api):
    refusal = api.refused("POST", "/logs/", [{"name": "l", "level": 2**63, "message": "m", "timestamp": NOW}])
    assert refusal.status == 422 and str(2**63) in str(refusal.body)
    assert api("POST", "/logs/filter", {}).body == []


@pytest.mark.parametrize("rrule", ["FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=HOURLY;interval=00;COUNT=3"])
def test_a_rule_that_never_gets_on_is_refused(api, rrule: str):
    refusal = api.refused(
        "POST", "/deployments/", {"name": "d", "flow_id": api.flow().id, "schedules": [{"schedule": {"rrule": rrule}}]}
    )
    assert refusal.status == 422 and "INTERVAL must be at least 1" in str(refusal.body)


def test_the_task_run_of_a_subflow_that_begins_at_once_has_begun_once(api):
    parent = api.flow_run(state="RUNNING")
    tracking = api.task_run(parent.id)
    api.flow_run(state="RUNNING", parent_task_run_id=tracking.id)
    assert api("GET", "/task_runs/{id}", id=tracking.id).body.run_count == 1


def test_a_negative_number_of_inputs_is_refused(api):
    refusal = api.refused("POST", "/flow_runs/{id}/input/filter", {"prefix": "x", "limit": -1}, id=api.flow_run().id)
    assert refusal.status == 422 and "-1" in str(refusal)
