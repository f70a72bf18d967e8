"""The route table: what it declares, what it checks, and how it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from prefect.client.schemas.actions import FlowCreate, StateCreate
from prefect.client.schemas.objects import StateType
from prefect.server.routes import NotFound, find_route

ROUTES = json.loads((Path(__file__).parents[2] / "contract" / "run_routes.json").read_text())


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_is_what_the_api_description_says(name):
    expected = ROUTES[name]
    route = find_route(*name.split(" "))
    by_source = {source: [] for source in ("path", "query", "body", "whole", "caller")}
    for parameter in route.parameters:
        by_source[parameter.source].append(parameter)
    assert route.operation_id == expected["operation_id"]
    assert list(route.tags) == expected["tags"]
    assert route.status == expected["status"]
    assert sorted(each.wire_name for each in by_source["query"]) == expected["query"]
    assert sorted(each.wire_name for each in by_source["body"]) == expected.get("body", [])
    assert sorted(each.wire_name for each in by_source["body"] if each.is_required) == expected.get("required", [])
    assert bool(by_source["whole"]) == expected.get("whole_body", False)


def test_models_travel_as_they_are_and_json_is_read(api):
    as_model = api("POST", "/flows/", FlowCreate(name="same", tags=["a"]))
    as_json = api("POST", "/flows/", {"name": "same", "tags": ["a"]})
    assert (as_model.status, as_json.status) == (201, 200)
    assert as_json.body == as_model.body


def test_a_proposed_state_is_left_as_it_was(api):
    wanted = StateCreate(type=StateType.RUNNING)
    before = wanted.model_copy(deep=True)
    api("POST", "/flow_runs/{id}/set_state", {"state": wanted}, id=api.flow_run().id)
    assert wanted == before


def test_an_id_that_is_no_uuid_is_not_found(api):
    refusal = api.refused("GET", "/flows/{id}", id="not-a-uuid")
    assert (refusal.status, refusal.body) == (404, {"detail": "Not Found"})


def test_an_unknown_route_is_not_found():
    with pytest.raises(NotFound):
        find_route("GET", "/no/such/route")


def test_a_missing_body_key_is_named(api):
    refusal = api.refused("POST", "/flow_runs/{id}/set_state", {"force": True}, id=uuid4())
    assert refusal.status == 422
    assert refusal.body["request_body"] == {"force": True}
    assert [problem["loc"] for problem in refusal.body["exception_detail"]] == [["body", "state"]]
    assert refusal.body["exception_detail"][0]["type"] == "missing"


def test_every_problem_of_a_request_is_told(api):
    body = {"limit": "many", "offset": -1, "flows": {"bogus": 1}}
    refusal = api.refused("POST", "/flows/filter", body)
    assert sorted(problem["loc"][1:] for problem in refusal.body["exception_detail"]) == [
        ["flows", "bogus"],
        ["limit"],
        ["offset"],
    ]
    json.dumps(refusal.body)


def test_a_body_that_is_no_object_is_refused(api):
    assert api.refused("POST", "/flows/filter", [1]).status == 422
    assert api.refused("POST", "/flows/", None).status == 422


def test_unknown_keys_beside_filters_are_ignored_and_inside_them_refused(api):
    assert api("POST", "/flows/filter", {"surprise": 1}).body == []
    assert api.refused("POST", "/flows/filter", {"flows": {"surprise": 1}}).status == 422
    assert api.refused("POST", "/flows/", {"name": "a", "surprise": 1}).status == 422


def test_what_contradicts_the_database_is_a_conflict(api):
    refusal = api.refused("POST", "/flow_runs/", {"flow_id": str(uuid4())})
    assert refusal.status == 409
    assert list(refusal.body) == ["detail"]


def test_a_refused_request_leaves_nothing_behind(api):
    api.refused("POST", "/flow_runs/", {"flow_id": str(uuid4()), "state": {"type": "RUNNING"}})
    assert api("POST", "/flow_runs/count", {}).body == 0
    assert api("POST", "/events/filter", {}).body["total"] == 0


@pytest.mark.parametrize("limit, answer", [(0, 200), (200, 200), (-1, 422), (201, 422)])
def test_limits_have_bounds(api, limit, answer):
    if answer == 200:
        assert api("POST", "/flows/filter", {"limit": limit}).body == []
    else:
        refusal = api.refused("POST", "/flows/filter", {"limit": limit})
        assert refusal.status == answer
        assert refusal.body["detail"].startswith("Invalid limit: ")


def test_numbers_that_no_database_holds_are_refused(api):
    assert api.refused("POST", "/flows/filter", {"offset": 10**30}).status == 422
    log = {"name": "n", "level": 10**30, "message": "m", "timestamp": "2026-01-01T00:00:00Z"}
    assert api.refused("POST", "/logs/", [log]).status == 422
    far = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
    body = {"filter": {"occurred": far}, "time_unit": "week", "time_interval": 10**6}
    assert api.refused("POST", "/events/count-by/{countable}", body, countable="time").status == 422


def test_a_route_loads_only_what_it_needs():
    script = (
        "import json, sys; from prefect.server.routes import find_route; find_route('POST', '/flows/'); "
        "find_route('POST', '/flow_runs/'); find_route('POST', '/flow_runs/{id}/set_state'); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    ours = [
        name for name in loaded if name.startswith("prefect.server.routes.") and not name.split(".")[3].startswith("_")
    ]
    assert ours == ["prefect.server.routes.flow_runs", "prefect.server.routes.flows"]
    heavy = {"fastapi", "starlette", "httpx", "jinja2", "jsonschema", "anyio", "asyncio", "psycopg"}
    assert heavy.isdisjoint(loaded)
    assert "prefect.client.schemas.filters" not in loaded
