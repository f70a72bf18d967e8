"""Flow runs through the API: made, read, changed, deleted."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from prefect.server.routes import Caller

NOWHERE = uuid4()


# -- making ----------------------------------------------------------------------------------------------------------


def test_a_run_is_made_with_what_it_was_given(api):
    flow = api.flow("a", labels={"team": "blue", "tier": 1})
    created = api(
        "POST",
        "/flow_runs/",
        {
            "flow_id": str(flow.id),
            "name": "first",
            "parameters": {"x": [1, {"y": None}]},
            "context": {"c": 1},
            "tags": ["t"],
            "labels": {"tier": 2},
            "flow_version": "v1",
            "job_variables": {"cpu": 1},
            "state": {"type": "SCHEDULED", "message": "soon"},
        },
    )
    run = api.read("flow_run", created.body.id)
    assert created.status == 201
    assert run == created.body
    assert (run.name, run.parameters, run.context, run.tags) == ("first", {"x": [1, {"y": None}]}, {"c": 1}, ["t"])
    assert run.labels == {"team": "blue", "tier": 2, "prefect.flow.id": str(flow.id)}
    assert (run.flow_version, run.job_variables) == ("v1", {"cpu": 1})
    assert (run.state.name, run.state.message, run.state.state_details.flow_run_id) == ("Scheduled", "soon", run.id)


def test_a_run_of_a_deployment_says_so_in_its_labels(api):
    deployment_id = uuid4()
    run = api.flow_run(deployment_id=str(deployment_id))
    assert run.labels["prefect.deployment.id"] == str(deployment_id)


def test_a_run_without_name_and_state_gets_some(api):
    run = api.flow_run(state=None)
    assert run.name
    assert (run.state.name, run.job_variables) == ("Pending", {})


def test_a_key_makes_a_run_once_for_each_flow(api):
    one, other = api.flow("one"), api.flow("other")
    first = api("POST", "/flow_runs/", {"flow_id": one.id, "idempotency_key": "k"})
    again = api("POST", "/flow_runs/", {"flow_id": one.id, "idempotency_key": "k", "state": {"type": "RUNNING"}})
    elsewhere = api("POST", "/flow_runs/", {"flow_id": other.id, "idempotency_key": "k"})
    assert (first.status, again.status, elsewhere.status) == (201, 200, 201)
    assert (again.body.id, again.body.state_name) == (first.body.id, "Pending")
    assert len(api("GET", "/flow_run_states/", query={"flow_run_id": first.body.id}).body) == 1


def test_runs_without_key_are_made_each_time(api):
    flow = api.flow()
    assert api.flow_run(flow.id).id != api.flow_run(flow.id).id


def test_an_automation_that_asks_is_remembered(api):
    automation_id = uuid4()
    caller = Caller(automation_id=automation_id, automation_name="nightly")
    created = api("POST", "/flow_runs/", {"flow_id": api.flow().id}, caller=caller).body
    by = api.read("flow_run", created.id).created_by
    assert (by.type, by.id, by.display_value) == ("AUTOMATION", automation_id, "nightly")


def test_parameters_have_a_largest_size(api):
    body = {"flow_id": api.flow().id, "parameters": {"x": "a" * 600_000}}
    refusal = api.refused("POST", "/flow_runs/", body)
    assert refusal.status == 422
    assert refusal.body["exception_detail"][0]["loc"] == ["body", "parameters"]


def test_a_pool_that_is_not_there_is_not_found(api):
    assert api.refused("POST", "/flow_runs/", {"flow_id": api.flow().id, "work_pool_name": "p"}).status == 404


# -- reading ---------------------------------------------------------------------------------------------------------


def test_unknown_runs_are_not_found(api):
    detail = [("GET", "/flow_runs/{id}", None), ("DELETE", "/flow_runs/{id}", None), ("PATCH", "/flow_runs/{id}", {})]
    for method, template, body in detail:
        refusal = api.refused(method, template, body, id=NOWHERE)
        assert (refusal.status, list(refusal.body)) == (404, ["detail"])
    bare = [
        ("POST", "/flow_runs/{id}/set_state", {"state": {"type": "RUNNING"}}),
        ("POST", "/flow_runs/{id}/resume", {}),
        ("PATCH", "/flow_runs/{id}/labels", {}),
        ("GET", "/flow_runs/{id}/graph", None),
        ("GET", "/flow_runs/{id}/graph-v2", None),
    ]
    for method, template, body in bare:
        refusal = api.refused(method, template, body, id=NOWHERE)
        assert (refusal.status, list(refusal.body)) == (404, ["exception_message"])


def test_estimates_are_made_when_a_run_is_read(api):
    late = api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2020-01-01T00:00:00Z"}})
    assert late.estimated_start_time_delta > timedelta(days=365)
    api.set_state("flow_run", late.id, "RUNNING")
    running = api.read("flow_run", late.id)
    assert running.estimated_run_time > running.total_run_time == timedelta(0)
    assert running.estimated_start_time_delta == running.start_time - running.expected_start_time


def test_a_new_state_is_answered_with_201_and_the_old_one_with_200(api):
    run = api.flow_run()
    path = "/flow_runs/{id}/set_state"
    assert api("POST", path, {"state": {"type": "RUNNING"}}, id=run.id).status == 201
    assert api("POST", path, {"state": {"type": "PENDING"}}, id=run.id).status == 200


def test_the_states_of_a_run_are_its_history(api):
    run = api.flow_run()
    running = api.set_state("flow_run", run.id, "RUNNING", message="go").state
    history = api("GET", "/flow_run_states/", query={"flow_run_id": str(run.id)}).body
    assert [state.id for state in history] == [run.state.id, running.id]
    assert api("GET", "/flow_run_states/{id}", id=running.id).body == running
    assert api.refused("GET", "/flow_run_states/{id}", id=NOWHERE).status == 404
    assert api.refused("GET", "/flow_run_states/").status == 422


@pytest.mark.parametrize("data", [1, "text", [1], {"a": {"b": None}}, True, 0, ""])
def test_the_data_of_a_state_comes_back(api, data):
    run = api.flow_run()
    api.set_state("flow_run", run.id, "COMPLETED", data=data)
    assert api.read("flow_run", run.id).state.data == data


# -- changing --------------------------------------------------------------------------------------------------------


def test_an_update_changes_only_what_it_mentions(api):
    run = api.flow_run(name="a", tags=["t"], parameters={"x": 1}, flow_version="v")
    body = {"tags": ["u"], "infrastructure_pid": "host:1", "flow_version": None, "empirical_policy": {"retries": 3}}
    assert api("PATCH", "/flow_runs/{id}", body, id=run.id).status == 204
    changed = api.read("flow_run", run.id)
    assert (changed.tags, changed.infrastructure_pid, changed.flow_version) == (["u"], "host:1", None)
    assert (changed.name, changed.parameters, changed.empirical_policy.retries) == ("a", {"x": 1}, 3)
    assert changed.updated > run.updated


def test_an_empty_name_is_replaced(api):
    run = api.flow_run(name="a")
    api("PATCH", "/flow_runs/{id}", {"name": ""}, id=run.id)
    assert api.read("flow_run", run.id).name not in ("", "a")


def test_job_variables_change_only_before_a_deployed_run_starts(api):
    body = {"job_variables": {"a": 1}}
    assert api.refused("PATCH", "/flow_runs/{id}", body, id=api.flow_run(state="RUNNING").id).status == 400
    assert api.refused("PATCH", "/flow_runs/{id}", body, id=api.flow_run(state="SCHEDULED").id).status == 400


def test_labels_are_merged(api):
    run = api.flow_run(labels={"a": 1, "b": 2})
    assert api("PATCH", "/flow_runs/{id}/labels", {"b": 3.5, "c": "x"}, id=run.id).status == 204
    labels = api.read("flow_run", run.id).labels
    assert {key: labels[key] for key in "abc"} == {"a": 1, "b": 3.5, "c": "x"}
    assert api.refused("PATCH", "/flow_runs/{id}/labels", {"a": {"no": "label"}}, id=run.id).status == 422


# -- deleting --------------------------------------------------------------------------------------------------------


def test_a_deleted_run_takes_what_belongs_to_it_along(api, store):
    run, kept = api.flow_run(), api.flow_run()
    task_run = api.task_run(run.id)
    subflow_run = api.flow_run(parent_task_run_id=task_run.id)
    api("POST", "/flow_runs/{id}/input", {"key": "k", "value": "v"}, id=run.id)
    api("POST", "/logs/", [log_of(run.id), log_of(run.id, task_run.id), log_of(kept.id)])

    assert api("DELETE", "/flow_runs/{id}", id=run.id).status == 204

    assert api.read("flow_run", subflow_run.id).parent_task_run_id is None
    left = {
        table: store.read(lambda tx, table=table: tx.fetch_one(f"SELECT COUNT(*) AS number FROM {table}")["number"])
        for table in ("flow_run_state", "task_run", "task_run_state", "flow_run_input", "log")
    }
    assert left == {"flow_run_state": 2, "task_run": 0, "task_run_state": 0, "flow_run_input": 0, "log": 1}


def log_of(flow_run_id, task_run_id=None):
    at = "2026-01-01T00:00:00Z"
    return {
        "name": "n", "level": 20, "message": "m", "timestamp": at,
        "flow_run_id": flow_run_id, "task_run_id": task_run_id,
    }  # fmt: skip


def test_runs_are_deleted_by_filter(api):
    runs = [api.flow_run(tags=["x"]), api.flow_run(tags=["x"]), api.flow_run()]
    deleted = api("POST", "/flow_runs/bulk_delete", {"flow_runs": {"tags": {"all_": ["x"]}}}).body["deleted"]
    assert sorted(deleted) == sorted([runs[0].id, runs[1].id])
    assert api("POST", "/flow_runs/count", {}).body == 1


def test_a_state_is_proposed_to_each_run_of_a_filter(api):
    ended, running = api.flow_run(state="COMPLETED"), api.flow_run(state="RUNNING")
    body = {"state": {"type": "PAUSED"}, "flow_runs": {"id": {"any_": [str(ended.id), str(running.id)]}}}
    results = api("POST", "/flow_runs/bulk_set_state", body).body["results"]
    by_run = {each["flow_run_id"]: (each["status"].value, each["state"].type.value) for each in results}
    assert by_run == {ended.id: ("ABORT", "COMPLETED"), running.id: ("ACCEPT", "PAUSED")}
    forced = api("POST", "/flow_runs/bulk_set_state", {**body, "force": True}).body["results"]
    assert {each["status"].value for each in forced} == {"ACCEPT"}
    assert all(isinstance(each["flow_run_id"], UUID) for each in results)
