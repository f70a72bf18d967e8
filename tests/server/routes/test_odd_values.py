"""Values that databases and JSON find hard: stored and read back unchanged, or refused by name, never half-written."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.server.conftest import Api

from prefect.server.routes import ApiError


def nested(depth: int) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        value = [value]
    return value


ODD: list[Any] = [
    "a\0b",
    "\0",
    2**63,
    2**64 + 1,
    -(2**63) - 1,
    10**40,
    {"n\0": {"big": 2**70, "text": "\\u0000 \0"}},
    1e308,
    5e-324,
    "𝄞 \u2028 \ufffe",
    nested(150),
]
SURROGATE = "a\ud800b"


def odd_event(payload: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": "2026-01-31T12:00:00Z",
        "event": "thing.happened",
        "resource": {"prefect.resource.id": "thing.1"},
        "payload": payload,
        **fields,
    }


def found_events(api: Api) -> list[Any]:
    return api("POST", "/events/filter", {"filter": {"occurred": {"since": "2026-01-01T00:00:00Z"}}}).body["events"]


def read_payload(api: Api, value: Any) -> Any:
    api("POST", "/events", [odd_event({"v": value})])
    return found_events(api)[0].payload["v"]


def read_parameter(api: Api, value: Any) -> Any:
    return api.read("flow_run", api.flow_run(parameters={"v": value}).id).parameters["v"]


def read_context(api: Api, value: Any) -> Any:
    return api.read("flow_run", api.flow_run(context={"v": value}).id).context["v"]


def read_job_variable(api: Api, value: Any) -> Any:
    return api.read("flow_run", api.flow_run(job_variables={"v": value}).id).job_variables["v"]


def read_state_data(api: Api, value: Any) -> Any:
    run = api.flow_run()
    api.set_state("flow_run", run.id, "COMPLETED", data={"v": value})
    return api.read("flow_run", run.id).state.data["v"]


def read_task_state_data(api: Api, value: Any) -> Any:
    run = api.task_run(api.flow_run().id)
    api.set_state("task_run", run.id, "RUNNING")
    api.set_state("task_run", run.id, "COMPLETED", data={"v": value})
    return api.read("task_run", run.id).state.data["v"]


def read_artifact(api: Api, value: Any) -> Any:
    id = api("POST", "/artifacts/", {"key": "k", "data": {"v": value}}).body.id
    return api("GET", "/artifacts/{id}", id=id).body.data["v"]


def read_variable(api: Api, value: Any) -> Any:
    id = api("POST", "/variables/", {"name": "n", "value": {"v": value}}).body.id
    return api("GET", "/variables/{id}", id=id).body.value["v"]


def read_deployment_parameter(api: Api, value: Any) -> Any:
    id = api.deployment(parameters={"v": value}).id
    run = api("POST", "/deployments/{id}/create_flow_run", {}, id=id).body
    return api.read("flow_run", run.id).parameters["v"]


def read_automation(api: Api, value: Any) -> Any:
    action = {"type": "run-deployment", "source": "inferred", "parameters": {"v": value}}
    trigger = {"type": "event", "posture": "Reactive"}
    id = api("POST", "/automations/", {"name": "a", "trigger": trigger, "actions": [action]}).body.id
    return api("GET", "/automations/{id}", id=id).body.actions[0].parameters["v"]


PLACES = [
    read_payload,
    read_parameter,
    read_context,
    read_job_variable,
    read_state_data,
    read_task_state_data,
    read_artifact,
    read_variable,
    read_deployment_parameter,
    read_automation,
]


@pytest.mark.parametrize("place", PLACES)
def test_any_json_value_is_read_back_unchanged(api: Api, place: Any):
    for value in ODD:
        if place is read_variable and len(str(value)) > 300:
            continue  # a variable is short
        found = place(api, value)
        assert (found, type(found)) == (value, type(value))
        api.store.write(lambda tx: tx.execute("DELETE FROM variable"))
        api.store.write(lambda tx: tx.execute("DELETE FROM event"))


@pytest.mark.parametrize("place", PLACES)
def test_text_that_is_no_unicode_is_refused(api: Api, place: Any):
    with pytest.raises(Exception) as caught:
        place(api, SURROGATE)
    assert getattr(caught.value, "status", None) == 422
    assert "surrogate" in str(caught.value) or "(at body.value)" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"event": "a\0b"}, "body.0.event"),
        ({"resource": {"prefect.resource.id": "a\0b"}}, "body.0.resource.prefect.resource.id"),
        ({"resource": {"prefect.resource.id": "a", "x\0": "y"}}, "body.0.resource"),
        (
            {"related": [{"prefect.resource.id": "a", "prefect.resource.role": "b", "c": "d\0"}]},
            "body.0.related.0.c",
        ),
    ],
)
def test_names_and_labels_of_events_hold_no_nul(api: Api, fields: dict[str, Any], where: str):
    refusal = api.refused("POST", "/events", [odd_event({}, **fields)])
    assert refusal.status == 422
    assert where in str(refusal)
    assert found_events(api) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "where"),
    [
        ("POST", "/flows/", {"name": "f", "tags": ["x", SURROGATE]}, "body.tags.1"),
        ("POST", "/flows/", {"name": SURROGATE}, "body.name"),
        ("POST", "/variables/", {"name": "v", "value": {"a": [{SURROGATE: 1}]}}, "body.value"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_place(api: Api, method: str, path: str, body: Any, where: str):
    refusal = api.refused(method, path, body)
    assert refusal.status == 422
    assert where in str(refusal)


@pytest.mark.parametrize("kind", ["flow_run", "task_run"])
def test_a_run_fails_whatever_its_message_holds(api: Api, kind: str):
    run = api.flow_run() if kind == "flow_run" else api.task_run(api.flow_run().id)
    api.set_state(kind, run.id, "RUNNING")
    result = api.set_state(kind, run.id, "FAILED", message="a\0b")
    assert result.status.value == "ACCEPT"
    assert api.read(kind, run.id).state.message == "ab"


@pytest.mark.parametrize(
    "instant",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
)
def test_instants_at_the_ends_of_time_are_stored_or_refused(api: Api, instant: str):
    run = api.flow_run()
    requests: list[tuple[str, str, Any, UUID | None]] = [
        ("POST", "/events", [odd_event({}, occurred=instant)], None),
        ("POST", "/events/filter", {"filter": {"occurred": {"since": instant, "until": instant}}}, None),
        ("POST", "/logs/", [{"name": "n", "level": 20, "message": "m", "timestamp": instant}], None),
        ("POST", "/flow_runs/filter", {"flow_runs": {"start_time": {"after_": instant}}}, None),
        (
            "POST",
            "/flow_runs/history",
            {"history_start": instant, "history_end": "2026-01-01T00:00:00Z", "history_interval_seconds": 9e9},
            None,
        ),
        ("POST", "/events/count-by/day", {"filter": {"occurred": {"since": instant, "until": instant}}}, None),
        (
            "POST",
            "/flow_runs/{id}/set_state",
            {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": instant}}, "force": True},
            run.id,
        ),
        ("POST", "/ui/task_runs/dashboard/counts", {"task_runs": {"start_time": {"after_": instant}}}, None),
        ("GET", "/flow_runs/{id}", None, run.id),
    ]
    for method, path, body, id in requests:
        outcome = answer(api, method, path, body, id)
        assert outcome < 500, (path, outcome)


def answer(api: Api, method: str, path: str, body: Any, id: UUID | None) -> int:
    """The status, refusals included."""
    try:
        return api(method, path, body, **({} if id is None else {"id": id})).status
    except ApiError as error:
        return error.status


def test_the_ends_of_time_are_read_back(api: Api):
    first, last = datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, 23, 59, 59, 999999, timezone.utc)
    for instant in (first, last):
        api("POST", "/events", [odd_event({}, occurred=instant.isoformat())])
    wanted = {"occurred": {"since": first.isoformat(), "until": last.isoformat()}, "order": "ASC"}
    found = api("POST", "/events/filter", {"filter": wanted}).body["events"]
    assert [event.occurred for event in found] == [first, last]


@pytest.mark.parametrize("policy", [{"retries": 2**63}, {"max_retries": -(10**40)}, {"max_retries": [1]}])
def test_numbers_of_retries_that_nothing_can_hold_are_refused(api, policy):
    flow = api.flow()
    for template, run in (
        ("/task_runs/", {"task_key": "t", "dynamic_key": "0", "flow_run_id": None}),
        ("/flow_runs/", {"flow_id": flow.id}),
    ):
        assert api.refused("POST", template, {**run, "empirical_policy": policy}).status == 422


def test_a_delay_of_any_length_is_stored(api):
    policy = {"retry_delay_seconds": 1e300}
    run = api.task_run(None, empirical_policy=policy)
    assert api.read("task_run", run.id).empirical_policy.retry_delay == 1e300
    flow_run = api.flow_run(empirical_policy=policy)
    assert api.read("flow_run", flow_run.id).empirical_policy.retry_delay == 1e300
