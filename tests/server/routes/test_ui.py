"""What the user interface asks of the API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.server.conftest import Api

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def scheduled(minutes: float) -> dict[str, Any]:
    return {"type": "SCHEDULED", "state_details": {"scheduled_time": at(minutes)}}


def ended_task_run(api: Api, flow_run_id: UUID, state: str, start: float, end: float) -> None:
    """Record a task run as a client does that sends only events."""
    api(
        "POST",
        "/events",
        [
            {
                "id": str(uuid4()),
                "occurred": at(end),
                "event": f"prefect.task-run.{state.title()}",
                "resource": {
                    "prefect.resource.id": f"prefect.task-run.{uuid4()}",
                    "prefect.orchestration": "client",
                },
                "related": [
                    {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"}
                ],
                "payload": {
                    "validated_state": {"type": state, "name": state.title()},
                    "task_run": {"task_key": "t", "dynamic_key": str(uuid4()), "start_time": at(start)},
                },
            }
        ],
    )


# -- flows and flow runs ---------------------------------------------------------------------------------------------


def test_deployments_of_flows_are_counted(api: Api):
    one, other = api.flow("one").id, api.flow("other").id
    for name in ("a", "b"):
        api.deployment(name, flow_id=one)
    unknown = uuid4()
    counts = api("POST", "/ui/flows/count-deployments", {"flow_ids": [str(id) for id in (one, other, unknown)]}).body
    assert counts == {one: 2, other: 0, unknown: 0}


def test_the_next_run_of_each_flow_is_found(api: Api):
    one, other = api.flow("one").id, api.flow("other").id
    api.flow_run(one, scheduled(60))
    sooner = api.flow_run(one, scheduled(30))
    api.flow_run(one, "RUNNING")
    api.flow_run(other, "PENDING")
    found = api("POST", "/ui/flows/next-runs", {"flow_ids": [str(one), str(other)]}).body
    assert found[other] is None
    next_run = found[one]
    assert (next_run.id, next_run.flow_id, next_run.name) == (sooner.id, one, sooner.name)
    assert (next_run.state_type.value, next_run.state_name) == ("SCHEDULED", "Scheduled")
    assert next_run.next_scheduled_start_time == NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/ui/flows/count-deployments", "flow_ids"),
        ("/ui/flows/next-runs", "flow_ids"),
        ("/ui/flow_runs/count-task-runs", "flow_run_ids"),
    ],
)
def test_lists_of_ids_may_be_empty_and_have_an_end(api: Api, path: str, key: str):
    assert api("POST", path, {key: []}).body == {}
    assert api.refused("POST", path, {key: [str(uuid4())] * 201}).status == 422
    assert api.refused("POST", path, {}).status == 422


def test_a_chart_of_flow_runs_shows_when_they_start_and_how_late(api: Api):
    early, late = api.flow_run(state=scheduled(0)), api.flow_run(state=scheduled(60))
    dots = api("POST", "/ui/flow_runs/history", {}).body
    assert [dot.id for dot in dots] == [late.id, early.id]
    assert [dot.timestamp for dot in dots] == [NOON + timedelta(minutes=60), NOON]
    assert all(dot.duration == 0.0 and dot.lateness > 0 for dot in dots)
    assert [dot.id for dot in api("POST", "/ui/flow_runs/history", {"sort": "ID_DESC", "limit": 1}).body] == [late.id]
    assert api("POST", "/ui/flow_runs/history", {"flow_runs": {"name": {"any_": ["nothing"]}}}).body == []
    assert api.refused("POST", "/ui/flow_runs/history", {"limit": 1001}).status == 422


def test_task_runs_that_track_subflows_are_not_counted(api: Api):
    run = api.flow_run()
    tracking = api.task_run(run.id, "subflow")
    api.task_run(run.id, "task")
    api.flow_run(parent_task_run_id=str(tracking.id))
    unknown = uuid4()
    asked = {"flow_run_ids": [str(run.id), str(unknown)]}
    assert api("POST", "/ui/flow_runs/count-task-runs", asked).body == {run.id: 1, unknown: 0}


# -- task runs -------------------------------------------------------------------------------------------------------


def test_outcomes_of_task_runs_are_counted_by_when_they_started(api: Api):
    run = api.flow_run().id
    for state, start, end in [
        ("COMPLETED", 10, 11),
        ("FAILED", 30, 55),
        ("CRASHED", 30, 35),
        ("CANCELLED", 59, 60),
        ("COMPLETED", -10, 50),
        ("RUNNING", 20, 20),
    ]:
        ended_task_run(api, run, state, start, end)

    def counts(**start_time: str) -> dict[int, tuple[int, int]]:
        asked = {"task_runs": {"start_time": start_time}}
        slices = api("POST", "/ui/task_runs/dashboard/counts", asked).body
        assert len(slices) == 20
        pairs = [(each["completed"], each["failed"]) for each in slices]
        return {number: pair for number, pair in enumerate(pairs) if pair != (0, 0)}

    assert counts(after_=at(0), before_=at(60)) == {3: (1, 0), 10: (0, 2), 19: (1, 0)}
    assert counts(after_=at(-40), before_=at(60)) == {6: (1, 0), 10: (1, 0), 14: (0, 2), 19: (1, 0)}
    assert counts(after_=at(60), before_=at(0)) == {}
    assert counts(after_=at(10)).keys() == {0}


def test_outcomes_need_a_time_to_start_from(api: Api):
    refusal = api.refused("POST", "/ui/task_runs/dashboard/counts", {"task_runs": {}})
    assert (refusal.status, refusal.body) == (422, {"detail": "task_runs.start_time.after_ is required"})
    assert api.refused("POST", "/ui/task_runs/dashboard/counts", {}).status == 422


def test_task_runs_are_counted_by_state(api: Api):
    run = api.flow_run().id
    for key, state in [("a", "RUNNING"), ("b", "RUNNING"), ("c", "PENDING")]:
        api.task_run(run, key, state)
    counts = api("POST", "/ui/task_runs/count", {}).body
    assert {name: count for name, count in dict(counts).items() if count} == {"RUNNING": 2, "PENDING": 1}
    named = {"task_runs": {"name": {"any_": ["a"]}}}
    assert api("POST", "/ui/task_runs/count", named).body.RUNNING == 1


def test_a_task_run_is_shown_with_the_name_of_its_flow_run(api: Api):
    run = api.flow_run()
    mine, alone = api.task_run(run.id), api.task_run(None)
    shown = api("GET", "/ui/task_runs/{id}", id=mine.id).body
    assert (shown.id, shown.flow_run_name, shown.state.type) == (mine.id, run.name, mine.state.type)
    assert api("GET", "/ui/task_runs/{id}", id=alone.id).body.flow_run_name is None
    assert api.refused("GET", "/ui/task_runs/{id}", id=uuid4()).status == 404


# -- values against a schema -----------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "integer"},
        "l": {"type": "array", "items": {"type": "string"}},
        "o": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    },
    "required": ["a"],
}


def checked(api: Api, values: Any, schema: Any = SCHEMA) -> Any:
    return api("POST", "/ui/schemas/validate", {"schema": schema, "values": values}).body.model_dump()


def jinja(template: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": template}


@pytest.mark.parametrize(
    "values", [{"a": 1}, {"a": jinja("{{ a }}")}, {"a": {"__prefect_kind": "json", "value": "1"}}, {"a": 1, "l": None}]
)
def test_values_fit(api: Api, values: Any):
    assert checked(api, values) == {"valid": True, "errors": []}


def test_what_does_not_fit_is_named_by_its_place(api: Api):
    assert checked(api, {"a": "x", "l": [1, "b"], "o": {}}) == {
        "valid": False,
        "errors": [
            {"property": "a", "errors": ["'x' is not of type 'integer'"]},
            {"property": "l", "errors": [{"index": 0, "errors": ["1 is not of type 'string'"]}]},
            {"property": "o", "errors": [{"property": "x", "errors": ["'x' is a required property"]}]},
        ],
    }


def test_values_that_cannot_be_had_are_errors(api: Api):
    api("POST", "/variables/", {"name": "text", "value": "x"})
    for value in (
        jinja("{{ a "),
        {"__prefect_kind": "json", "value": "[1"},
        {"__prefect_kind": "workspace_variable", "variable_name": "text"},
        {"__prefect_kind": "workspace_variable", "variable_name": "missing"},
    ):
        (error,) = checked(api, {"a": value})["errors"]
        assert (error["property"], len(error["errors"])) == ("a", 1)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": 1},
        {"properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"$ref": "#/definitions/A"}}},
        {"properties": {"a": {"$ref": "#/definitions/missing"}}},
        None,
        5,
    ],
)
def test_what_is_no_schema_is_refused(api: Api, schema: Any):
    assert api.refused("POST", "/ui/schemas/validate", {"schema": schema, "values": {"a": 1}}).status == 422
