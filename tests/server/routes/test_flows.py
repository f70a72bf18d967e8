"""Flows through the API."""

from __future__ import annotations

from uuid import uuid4

import pytest


def test_a_flow_is_registered_once(api):
    first = api("POST", "/flows/", {"name": "a", "tags": ["x"], "labels": {"team": "blue"}})
    again = api("POST", "/flows/", {"name": "a", "tags": ["other"]})
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert (again.body.tags, again.body.labels) == (["x"], {"team": "blue"})


@pytest.mark.parametrize("name", ["a/b", "a%b", "a&b", "a<b"])
def test_some_characters_do_not_go_into_names(api, name):
    assert api.refused("POST", "/flows/", {"name": name}).status == 422


def test_a_flow_is_read_by_id_and_by_name(api):
    flow = api.flow("a")
    assert api("GET", "/flows/{id}", id=str(flow.id)).body == flow
    assert api("GET", "/flows/name/{name}", name="a").body == flow


def test_unknown_flows_are_not_found(api):
    for method, template, arguments in [
        ("GET", "/flows/{id}", {"id": uuid4()}),
        ("DELETE", "/flows/{id}", {"id": uuid4()}),
        ("GET", "/flows/name/{name}", {"name": "none"}),
    ]:
        assert api.refused(method, template, **arguments).status == 404
    assert api.refused("PATCH", "/flows/{id}", {}, id=uuid4()).status == 404


def test_an_update_changes_what_it_mentions(api):
    flow = api.flow("a", tags=["x"])
    assert api("PATCH", "/flows/{id}", {}, id=flow.id).status == 204
    assert api.read("flow", flow.id).tags == ["x"]
    api("PATCH", "/flows/{id}", {"tags": ["y"]}, id=flow.id)
    assert api.read("flow", flow.id).tags == ["y"]


def test_a_deleted_flow_takes_its_runs_along(api):
    flow, other = api.flow("a"), api.flow("b")
    run, kept = api.flow_run(flow.id), api.flow_run(other.id)
    task_run = api.task_run(run.id)

    assert api("DELETE", "/flows/{id}", id=flow.id).status == 204

    assert api.refused("GET", "/flow_runs/{id}", id=run.id).status == 404
    assert api.refused("GET", "/task_runs/{id}", id=task_run.id).status == 404
    assert api.read("flow_run", kept.id).id == kept.id


def test_flows_are_deleted_by_filter(api):
    flows = [api.flow(name) for name in "abc"]
    wanted = {"name": {"any_": ["a", "b"]}}
    deleted = api("POST", "/flows/bulk_delete", {"flows": wanted}).body["deleted"]
    assert deleted == [flows[0].id, flows[1].id]
    assert api("POST", "/flows/count", {}).body == 1
    assert api.refused("POST", "/flows/bulk_delete", {"limit": 51}).status == 422


def test_flows_come_in_pages(api):
    for name in "cab":
        api.flow(name)
    page = api("POST", "/flows/paginate", {"limit": 2, "page": 2}).body
    assert [flow.name for flow in page["results"]] == ["c"]
    assert (page["count"], page["limit"], page["pages"], page["page"]) == (3, 2, 2, 2)
    beyond = api("POST", "/flows/paginate", {"limit": 2, "page": 9}).body
    assert beyond["results"] == []
    assert api("POST", "/flows/paginate", {"limit": 0}).body["pages"] == 0
    assert api.refused("POST", "/flows/paginate", {"page": 0}).status == 422


@pytest.mark.parametrize(
    "sort, expected",
    [("NAME_ASC", "abc"), ("NAME_DESC", "cba"), ("CREATED_DESC", "bac"), ("UPDATED_DESC", "cba")],
)
def test_flows_come_in_the_order_asked_for(api, sort, expected):
    flows = {name: api.flow(name) for name in "cab"}
    api("PATCH", "/flows/{id}", {"tags": ["x"]}, id=flows["c"].id)
    listed = api("POST", "/flows/filter", {"sort": sort}).body
    assert "".join(flow.name for flow in listed) == expected


def test_changes_of_flows_are_told_as_events(api):
    flow = api.flow("a", tags=["x"])
    api("PATCH", "/flows/{id}", {"tags": ["y"]}, id=flow.id)
    api("DELETE", "/flows/{id}", id=flow.id)
    events = api("POST", "/events/filter", {"filter": {"order": "ASC"}}).body["events"]
    assert [event.event for event in events] == ["prefect.flow.created", "prefect.flow.updated", "prefect.flow.deleted"]
    assert events[0].resource.root == {
        "prefect.resource.id": f"prefect.flow.{flow.id}",
        "prefect.resource.name": "a",
    }
    assert events[1].payload == {"name": "a", "tags": ["y"], "labels": {}}
