"""Runs of deployments through the API: made on request, one or many, and handed to runners."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.server.routes import Caller

CREATE = "/deployments/{id}/create_flow_run"
SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "string", "default": "why"}},
    "required": ["x"],
}


@pytest.fixture
def deployment(api):
    flow = api.flow("etl", labels={"team": "blue"}, tags=["flow-tag"])
    return api.deployment(
        "nightly",
        flow.id,
        version="7",
        tags=["t"],
        labels={"tier": 1},
        parameters={"x": 1},
        parameter_openapi_schema=SCHEMA,
        job_variables={"cpu": 1},
    )


def test_a_run_is_made_of_what_the_deployment_and_the_request_say(api, deployment):
    wanted = {
        "name": "first",
        "parameters": {"y": "z"},
        "tags": ["u", "t"],
        "labels": {"tier": 2},
        "context": {"c": 1},
        "job_variables": {"memory": 2},
        "empirical_policy": {"retries": 2},
    }
    answer = api("POST", CREATE, wanted, id=deployment.id)
    run = api.read("flow_run", answer.body.id)
    assert answer.status == 201
    assert run == answer.body
    assert (run.flow_id, run.deployment_id, run.deployment_version) == (deployment.flow_id, deployment.id, "7")
    assert (run.name, run.parameters, run.tags, run.context) == ("first", {"x": 1, "y": "z"}, ["t", "u"], {"c": 1})
    assert (run.job_variables, run.empirical_policy.retries, run.auto_scheduled) == ({"memory": 2}, 2, False)
    assert run.labels == {
        "team": "blue",
        "tier": 2,
        "prefect.flow.id": str(deployment.flow_id),
        "prefect.deployment.id": str(deployment.id),
    }
    assert (run.state.type.value, run.state.name) == ("SCHEDULED", "Scheduled")
    assert run.next_scheduled_start_time == run.state.state_details.scheduled_time


def test_a_run_starts_in_the_state_that_is_asked_for(api, deployment):
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": later.isoformat()}}
    run = api("POST", CREATE, {"name": "", "state": state}, id=deployment.id).body
    assert run.next_scheduled_start_time == later
    assert run.name


def test_a_key_makes_a_run_once(api, deployment):
    first = api("POST", CREATE, {"idempotency_key": "k"}, id=deployment.id)
    again = api("POST", CREATE, {"idempotency_key": "k", "parameters": {"x": 2}}, id=deployment.id)
    assert (first.status, again.status, again.body.id) == (201, 200, first.body.id)
    assert again.body.parameters == {"x": 1}


def test_an_automation_that_asks_is_remembered(api, deployment):
    caller = Caller(automation_id=uuid4(), automation_name="bot")
    run = api("POST", CREATE, {}, id=deployment.id, caller=caller).body
    assert (run.created_by.type, run.created_by.display_value) == ("AUTOMATION", "bot")


def test_a_run_may_be_the_subflow_of_a_task(api, deployment):
    tracking = api.task_run(api.flow_run(state="RUNNING").id)
    run = api("POST", CREATE, {"parent_task_run_id": str(tracking.id)}, id=deployment.id).body
    assert run.parent_task_run_id == tracking.id
    assert api.read("task_run", tracking.id).state.state_details.child_flow_run_id == run.id


@pytest.mark.parametrize(
    "given, stored",
    [
        ({"__prefect_kind": "json", "value": "3"}, 3),
        ({"__prefect_kind": "none", "value": 4}, 4),
        ({"__prefect_kind": "workspace_variable", "variable_name": "size"}, 7),
        ({"__prefect_kind": "json", "value": {"__prefect_kind": "jinja", "template": "{{ 2 + 3 }}"}}, 5),
    ],
)
def test_parameters_are_filled_in(api, deployment, given, stored):
    api("POST", "/variables/", {"name": "size", "value": 7})
    run = api("POST", CREATE, {"parameters": {"x": given}}, id=deployment.id).body
    assert run.parameters == {"x": stored}


def test_a_value_without_content_is_left_out(api, deployment):
    parameters = {"y": {"__prefect_kind": "json"}}
    assert api("POST", CREATE, {"parameters": parameters}, id=deployment.id).body.parameters == {"x": 1}


@pytest.mark.parametrize(
    "body, status, says",
    [
        ({"parameters": {"x": {"__prefect_kind": "json", "value": "{"}}}, 400, "Invalid JSON"),
        ({"parameters": {"x": {"__prefect_kind": "jinja", "template": "{{"}}}, 400, "Invalid jinja"),
        ({"parameters": {"x": {"__prefect_kind": "workspace_variable", "variable_name": "no"}}}, 400, "'no'"),
        ({"parameters": {"x": "a"}}, 409, "'x'"),
        ({"parameters": {"x": {"__prefect_kind": "json"}}}, 409, "'x'"),
        ({"work_queue_name": "q"}, 400, "'q'"),
        ({"surprise": 1}, 422, "surprise"),
        ({"parameters": {"y": "a" * 600_000}}, 422, "Parameters"),
    ],
)
def test_a_bad_run_is_refused_and_not_made(api, deployment, body, status, says):
    refusal = api.refused("POST", CREATE, body, id=deployment.id)
    assert refusal.status == status
    assert says in str(refusal.body)
    assert api("POST", "/flow_runs/count", {}).body == 0


def test_who_makes_a_run_may_switch_the_check_off_and_on(api):
    fields = {"parameter_openapi_schema": SCHEMA, "parameters": {"x": "a"}}
    lax = api.deployment("lax", enforce_parameter_schema=False, **fields)
    assert api("POST", CREATE, {}, id=lax.id).status == 201
    assert api.refused("POST", CREATE, {"enforce_parameter_schema": True}, id=lax.id).status == 409
    strict = api.deployment("strict", parameter_openapi_schema=SCHEMA)
    assert api.refused("POST", CREATE, {}, id=strict.id).status == 409
    assert api("POST", CREATE, {"enforce_parameter_schema": False}, id=strict.id).status == 201


def test_a_schema_that_checks_nothing_is_told_apart_from_parameters_that_do_not_fit(api, deployment):
    circular = {"type": "object", "properties": {"x": {"$ref": "#/definitions/A"}}}
    circular["definitions"] = {"A": {"$ref": "#/definitions/A"}}
    api("PATCH", "/deployments/{id}", {"parameter_openapi_schema": circular}, id=deployment.id)
    assert api.refused("POST", CREATE, {}, id=deployment.id).status == 422
    api("PATCH", "/deployments/{id}", {"parameter_openapi_schema": None}, id=deployment.id)
    assert api.refused("POST", CREATE, {}, id=deployment.id).status == 409


def test_a_paused_deployment_is_still_run_on_request(api, deployment):
    api("POST", "/deployments/{id}/pause_deployment", id=deployment.id)
    assert api("POST", CREATE, {}, id=deployment.id).status == 201


def test_job_variables_of_a_scheduled_run_change(api, deployment):
    run = api("POST", CREATE, {}, id=deployment.id).body
    api("PATCH", "/flow_runs/{id}", {"job_variables": {"a": 1}}, id=run.id)
    assert api.read("flow_run", run.id).job_variables == {"a": 1}


def test_events_of_a_run_name_its_deployment(api, deployment):
    run = api("POST", CREATE, {}, id=deployment.id).body
    chosen = {"filter": {"resource": {"id": [f"prefect.flow-run.{run.id}"]}}}
    [event] = api("POST", "/events/filter", chosen).body["events"]
    related = {each.id: each.root.get("prefect.resource.name") for each in event.related}
    assert related[f"prefect.deployment.{deployment.id}"] == "nightly"
    assert {"prefect.tag.t", "prefect.tag.flow-tag"} < set(related)


def test_a_suspended_run_of_a_deployment_is_scheduled_again_when_it_is_resumed(api, deployment):
    run = api("POST", CREATE, {}, id=deployment.id).body
    api.set_state("flow_run", run.id, "RUNNING")
    api.set_state("flow_run", run.id, "PAUSED", name="Suspended", state_details={"pause_reschedule": True})
    assert api("POST", "/flow_runs/{id}/resume", {}, id=run.id).status == 201
    assert api.read("flow_run", run.id).state.name == "Resuming"
    due = api("POST", "/deployments/get_scheduled_flow_runs", {"deployment_ids": [str(deployment.id)]}).body
    assert [each.id for each in due] == [run.id]


# -- many ------------------------------------------------------------------------------------------------------------


def test_many_runs_are_made_and_each_is_answered(api, deployment):
    wanted = [{"name": "a"}, {"parameters": {"x": "bad"}}, {"idempotency_key": "k"}, {"idempotency_key": "k"}]
    results = api("POST", f"{CREATE}/bulk", wanted, id=deployment.id).body["results"]
    assert [each["status"] for each in results] == ["CREATED", "FAILED", "CREATED", "CREATED"]
    assert results[2]["flow_run_id"] == results[3]["flow_run_id"]
    assert (results[1]["flow_run_id"], results[0]["error"]) == (None, None)
    assert "'x'" in results[1]["error"]
    assert api("POST", "/flow_runs/count", {}).body == 2


def test_many_runs_have_a_bound(api, deployment):
    assert api("POST", f"{CREATE}/bulk", [], id=deployment.id).body == {"results": []}
    assert api.refused("POST", f"{CREATE}/bulk", [{}] * 101, id=deployment.id).status == 400


# -- runners ---------------------------------------------------------------------------------------------------------


def test_a_runner_gets_the_due_runs_of_its_deployments_the_earliest_first(api, deployment):
    now = datetime.now(timezone.utc)

    def run_at(minutes, id):
        time = (now + timedelta(minutes=minutes)).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": time}}
        return api("POST", CREATE, {"state": state, "enforce_parameter_schema": False}, id=id).body.id

    other = api.deployment("other")
    late, early, future = run_at(-1, deployment.id), run_at(-5, deployment.id), run_at(60, deployment.id)
    run_at(-1, other.id)
    running = run_at(-9, deployment.id)
    api.set_state("flow_run", running, "RUNNING")
    path, ids = "/deployments/get_scheduled_flow_runs", [str(deployment.id)]

    def due(**body):
        return [run.id for run in api("POST", path, {"deployment_ids": ids, **body}).body]

    assert due(scheduled_before=now.isoformat()) == [early, late]
    assert due() == [early, late, future]
    assert due(limit=1) == [early]
    assert due(limit=0) == []
    assert api.refused("POST", path, {"deployment_ids": ids, "limit": 201}).status == 422
    assert api.refused("POST", path, {}).status == 422
    assert api("POST", path, {"deployment_ids": [str(uuid4())]}).body == []


def test_a_deployment_whose_runs_are_asked_for_is_ready(api, deployment):
    for _ in range(2):
        api("POST", "/deployments/get_scheduled_flow_runs", {"deployment_ids": [str(deployment.id)]})
    polled = api.read("deployment", deployment.id)
    assert polled.status.value == "READY"
    assert polled.last_polled is not None
    assert polled.updated == deployment.updated
    chosen = {"filter": {"event": {"name": ["prefect.deployment.ready"]}}}
    assert api("POST", "/events/filter", chosen).body["total"] == 1
