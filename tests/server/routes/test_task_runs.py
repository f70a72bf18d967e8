"""Task runs through the API."""

from __future__ import annotations

from uuid import uuid4

import pytest


def test_a_task_run_is_made_once_for_each_key(api):
    flow_run = api.flow_run()
    body = {"flow_run_id": flow_run.id, "task_key": "k", "dynamic_key": "0"}
    first = api("POST", "/task_runs/", body)
    again = api("POST", "/task_runs/", {**body, "state": {"type": "RUNNING"}})
    other = api("POST", "/task_runs/", {**body, "dynamic_key": "1"})
    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert (again.body.id, again.body.state_name) == (first.body.id, "Pending")


def test_a_task_run_without_flow_run_is_made_once_too(api):
    body = {"task_key": "k", "dynamic_key": "0"}
    assert api("POST", "/task_runs/", body).body.id == api("POST", "/task_runs/", body).body.id


def test_a_client_may_choose_the_id(api):
    id = uuid4()
    run = api.task_run(None, id=str(id))
    assert run.id == id
    assert api("POST", "/task_runs/", {"id": id, "task_key": "other", "dynamic_key": "9"}).status == 200


def test_a_task_run_has_the_labels_of_its_flow_run(api):
    flow_run = api.flow_run(labels={"team": "blue", "tier": 1})
    run = api.task_run(flow_run.id, labels={"tier": 2})
    assert run.labels == {**flow_run.labels, "tier": 2, "prefect.flow-run.id": str(flow_run.id)}


def test_what_a_task_run_was_given_comes_back(api):
    given = {
        "task_inputs": {
            "x": [{"input_type": "task_run", "id": str(uuid4())}, {"input_type": "constant", "type": "int"}]
        },
        "empirical_policy": {"retries": 2, "retry_delay": [1, 2.5], "retry_jitter_factor": 0.5},
        "tags": ["t"],
        "task_version": "v",
        "cache_key": "c",
        "cache_expiration": "2030-01-01T00:00:00Z",
    }
    run = api.task_run(api.flow_run().id, **given)
    stored = api.read("task_run", run.id)
    assert stored.model_dump(mode="json") == run.model_dump(mode="json") | {
        "estimated_start_time_delta": stored.estimated_start_time_delta.total_seconds()
    }
    dumped = stored.model_dump(mode="json", include=set(given))
    assert dumped["task_inputs"] == given["task_inputs"]
    assert dumped["empirical_policy"]["retry_delay"] == [1, 2.5]


def test_unknown_task_runs_are_not_found(api):
    assert api.refused("GET", "/task_runs/{id}", id=uuid4()).status == 404
    assert api.refused("DELETE", "/task_runs/{id}", id=uuid4()).status == 404
    assert api.refused("PATCH", "/task_runs/{id}", {}, id=uuid4()).status == 404
    refusal = api.refused("POST", "/task_runs/{id}/set_state", {"state": {"type": "RUNNING"}}, id=uuid4())
    assert (refusal.status, list(refusal.body)) == (404, ["exception_message"])


def test_a_task_run_is_renamed(api):
    run = api.task_run(None)
    assert api("PATCH", "/task_runs/{id}", {"name": "new"}, id=run.id).status == 204
    assert api.read("task_run", run.id).name == "new"
    assert api("PATCH", "/task_runs/{id}", {}, id=run.id).status == 204
    assert api.read("task_run", run.id).name == "new"


def test_a_deleted_task_run_lets_go_of_its_subflow(api):
    run = api.task_run(api.flow_run().id)
    subflow_run = api.flow_run(parent_task_run_id=run.id)
    assert api("DELETE", "/task_runs/{id}", id=run.id).status == 204
    assert api.read("flow_run", subflow_run.id).parent_task_run_id is None
    assert api("GET", "/task_run_states/", query={"task_run_id": run.id}).body == []


def test_the_states_of_a_task_run_are_its_history(api):
    run = api.task_run(None)
    running = api.set_state("task_run", run.id, "RUNNING").state
    history = api("GET", "/task_run_states/", query={"task_run_id": run.id}).body
    assert [state.name for state in history] == ["Pending", "Running"]
    assert api("GET", "/task_run_states/{id}", id=running.id).body == running
    assert api.refused("GET", "/task_run_states/{id}", id=uuid4()).status == 404


def test_task_runs_come_in_pages(api):
    flow_run = api.flow_run()
    for name in "bca":
        api.task_run(flow_run.id, key=name)
    page = api("POST", "/task_runs/paginate", {"limit": 2, "page": 1, "sort": "NAME_ASC"}).body
    assert [run.name for run in page["results"]] == ["a", "b"]
    assert (page["count"], page["pages"]) == (3, 2)


@pytest.mark.parametrize(
    "sort, expected", [("ID_DESC", "acb"), ("NAME_DESC", "cba"), ("EXPECTED_START_TIME_ASC", "bca")]
)
def test_task_runs_come_in_the_order_asked_for(api, sort, expected):
    flow_run = api.flow_run()
    for name in "bca":
        api.task_run(flow_run.id, key=name)
    assert "".join(run.name for run in api("POST", "/task_runs/filter", {"sort": sort}).body) == expected
