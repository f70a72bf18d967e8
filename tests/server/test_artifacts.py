"""Artifacts, and the collections of those that share a key."""

from __future__ import annotations

from uuid import uuid4

import orjson
import pytest

from prefect.server.models.artifacts import repair_collections


def make(api, key=None, data="x", **fields):
    return api("POST", "/artifacts/", {"key": key, "data": data, **fields}).body


def latest(api, **body):
    return api("POST", "/artifacts/latest/filter", body).body


def collection_events(api):
    rows = api.store.read(lambda tx: tx.fetch_all("SELECT event, payload FROM event ORDER BY id"))
    return [(row["event"].rpartition(".")[2], orjson.loads(row["payload"])["data"]) for row in rows]


@pytest.mark.parametrize("data", ["text", 3, None, {"a": [1, None]}, [["a"], ["\u0000"]]])
def test_an_artifact_keeps_what_it_was_given(api, data):
    reply = api("POST", "/artifacts/", {"type": "table", "data": data, "description": "*d*", "metadata_": {"k": "v"}})

    assert reply.status == 201
    assert reply.body.data == data
    assert api("GET", "/artifacts/{id}", id=reply.body.id).body == reply.body


def test_long_metadata_is_cut(api):
    artifact = make(api, metadata_={"a": "b" * 600})

    assert artifact.metadata_ == {"a": "b" * 500 + "..."}


def test_a_key_has_a_form(api):
    assert api.refused("POST", "/artifacts/", {"key": "Not a key"}).status == 422


def test_the_newest_version_of_a_key_is_the_latest(api):
    first = make(api, "report", "one")
    second = make(api, "report", "two", type="markdown")

    assert api("GET", "/artifacts/{key}/latest", key="report").body == second
    [collection] = latest(api)
    assert (collection.key, collection.latest_id, collection.data, collection.type) == (
        "report",
        second.id,
        "two",
        "markdown",
    )
    assert collection.created == first.created and collection.updated == second.updated
    assert api("POST", "/artifacts/count").body == 2
    assert api("POST", "/artifacts/latest/count").body == 1
    assert collection_events(api) == [("created", "one"), ("updated", "two")]


def test_an_update_of_the_latest_shows_in_the_collection(api):
    first, second = make(api, "report", "one", description="d"), make(api, "report", "two")

    assert api("PATCH", "/artifacts/{id}", {"data": {"n": 2}}, id=second.id).status == 204
    api("PATCH", "/artifacts/{id}", {"data": "changed"}, id=first.id)

    [collection] = latest(api)
    assert collection.data == {"n": 2}
    assert api("GET", "/artifacts/{id}", id=first.id).body.description == "d"
    assert [data for _, data in collection_events(api)] == ["one", "two", {"n": 2}]
    assert api.refused("PATCH", "/artifacts/{id}", {"data": 1}, id=uuid4()).status == 404


def test_deleting_the_latest_points_the_collection_at_the_version_before(api):
    versions = [make(api, "report", number) for number in range(3)]

    api("DELETE", "/artifacts/{id}", id=versions[1].id)
    assert latest(api)[0].data == 2
    api("DELETE", "/artifacts/{id}", id=versions[2].id)
    assert latest(api)[0].latest_id == versions[0].id
    api("DELETE", "/artifacts/{id}", id=versions[0].id)

    assert latest(api) == []
    assert api.refused("GET", "/artifacts/{key}/latest", key="report").status == 404
    assert api.refused("DELETE", "/artifacts/{id}", id=versions[0].id).status == 404
    assert collection_events(api)[3:] == [("updated", 0), ("deleted", 0)]


def test_a_collection_whose_latest_was_lost_is_mended(api):
    kept, lost = make(api, "report", "kept"), make(api, "report", "lost")
    make(api, "gone", "gone")
    api.store.write(lambda tx: tx.execute("DELETE FROM artifact WHERE id = ? OR key = 'gone'", (lost.id,)))

    assert latest(api) == []
    assert api.store.write(lambda tx: repair_collections(tx, 10)) == 2

    assert [each.latest_id for each in latest(api)] == [kept.id]


def test_lists_are_filtered(api):
    run_id = uuid4()
    make(api, "a-1", type="markdown", flow_run_id=run_id)
    make(api, "b-1", type="table")
    make(api, type="table", data="plain")

    def found(where="filter", **wanted):
        return [each.key for each in api("POST", f"/artifacts/{where}", {"artifacts": wanted, "sort": "KEY_ASC"}).body]

    assert found(key={"exists_": True}) == ["a-1", "b-1"]
    assert found(key={"exists_": False}) == [None]
    assert found(key={"like_": "B-"}) == ["b-1"]
    assert found(type={"any_": ["markdown"]}) == ["a-1"]
    assert found(type={"not_any_": ["markdown"]}, key={"exists_": True}) == ["b-1"]
    assert found(flow_run_id={"any_": [run_id]}) == ["a-1"]
    assert found("latest/filter", type={"any_": ["table"]}) == ["b-1"]
    newest = latest(api, sort="ID_DESC")[0]
    assert found("latest/filter", latest_id={"any_": [newest.latest_id]}) == [newest.key]
    assert api("POST", "/artifacts/filter", {"artifacts": None, "limit": 1}).body[0].data == "plain"
    assert api.refused("POST", "/artifacts/filter", {"artifacts": {"latest_id": {}}}).status == 422


def test_artifacts_are_found_by_the_runs_that_made_them(api):
    run = api.flow_run(name="maker")
    task = api.task_run(run.id, key="step")
    make(api, "of-flow", flow_run_id=run.id)
    make(api, "of-task", flow_run_id=run.id, task_run_id=task.id)
    make(api, "of-nobody")

    def found(**filters):
        return sorted(each.key for each in api("POST", "/artifacts/filter", filters).body)

    assert found(flow_runs={"name": {"any_": ["maker"]}}) == ["of-flow", "of-task"]
    assert found(flows={"name": {"any_": ["flow"]}}) == ["of-flow", "of-task"]
    assert found(task_runs={"name": {"any_": ["step"]}}) == ["of-task"]
    assert found(flow_runs={"name": {"any_": ["other"]}}) == []
    assert api("POST", "/artifacts/latest/count", {"flow_runs": {"name": {"any_": ["maker"]}}}).body == 2


# -- results ---------------------------------------------------------------------------------------------------------


def results(api, **wanted):
    found = api("POST", "/artifacts/filter", {"artifacts": {"type": {"any_": ["result"]}, **wanted}}).body
    return [(each.key, each.data, each.flow_run_id, each.task_run_id) for each in found]


def test_the_stored_result_of_a_run_is_an_artifact_of_it(api):
    flow = api("POST", "/flows/", {"name": "f"}).body
    run = api("POST", "/flow_runs/", {"flow_id": flow.id}).body
    task = api("POST", "/task_runs/", {"flow_run_id": run.id, "task_key": "t", "dynamic_key": "0"}).body
    stored = {"storage_key": "/results/1", "expiration": None}
    for path, each in (("/flow_runs/{id}/set_state", run), ("/task_runs/{id}/set_state", task)):
        for type, data in (("RUNNING", None), ("COMPLETED", stored)):
            api("POST", path, {"state": {"type": type, "data": data}, "force": True}, id=each.id)

    assert results(api, flow_run_id={"any_": [run.id]}) == [
        (None, stored, run.id, task.id),
        (None, stored, run.id, None),
    ]


def test_a_result_that_is_not_stored_is_no_artifact(api):
    flow = api("POST", "/flows/", {"name": "f"}).body
    run = api("POST", "/flow_runs/", {"flow_id": flow.id}).body
    state = {"type": "COMPLETED", "data": {"type": "unpersisted"}}
    api("POST", "/flow_runs/{id}/set_state", {"state": state, "force": True}, id=run.id)

    assert results(api) == []
