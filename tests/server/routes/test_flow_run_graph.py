"""The graph of a flow run, in both forms."""

from __future__ import annotations

from uuid import uuid4

import pytest


def result_of(*runs):
    return [{"input_type": "task_run", "id": str(run.id)} for run in runs]


@pytest.fixture
def flow_run(api):
    return api.flow_run(state="RUNNING")


def graph(api, run, **query):
    return api("GET", "/flow_runs/{id}/graph-v2", id=run.id, query=query).body


def edges(edges):
    return [edge["id"] for edge in edges]


def test_nodes_are_task_runs_joined_by_what_they_take(api, flow_run):
    first = api.task_run(flow_run.id, "first", "RUNNING")
    second = api.task_run(
        flow_run.id, "second", "RUNNING", task_inputs={"x": result_of(first, first), "y": result_of(first)}
    )
    inner = api.task_run(flow_run.id, "inner", "RUNNING", task_inputs={"__parents__": result_of(second)})

    found = graph(api, flow_run)
    nodes = dict(found["nodes"])

    assert [id for id, _ in found["nodes"]] == [first.id, second.id, inner.id]
    assert nodes[first.id]["kind"] == "task-run"
    assert (nodes[first.id]["label"], nodes[first.id]["state_type"]) == ("first", "RUNNING")
    assert edges(nodes[first.id]["children"]) == [second.id]
    assert edges(nodes[second.id]["parents"]) == [first.id]
    assert (edges(nodes[inner.id]["parents"]), edges(nodes[inner.id]["encapsulating"])) == ([], [second.id])
    assert found["root_node_ids"] == [first.id, inner.id]
    assert found["start_time"] == flow_run.start_time
    assert [state["name"] for state in found["states"]] == ["Running"]


def test_a_subflow_stands_in_the_place_of_the_task_run_that_tracks_it(api, flow_run):
    first = api.task_run(flow_run.id, "first", "COMPLETED")
    tracking = api.task_run(flow_run.id, "tracking", task_inputs={"x": result_of(first)})
    subflow_run = api.flow_run(api.flow("inner flow").id, "RUNNING", name="brave", parent_task_run_id=tracking.id)
    last = api.task_run(flow_run.id, "last", task_inputs={"x": result_of(tracking)})

    nodes = dict(graph(api, flow_run)["nodes"])

    assert set(nodes) == {first.id, subflow_run.id, last.id}
    node = nodes[subflow_run.id]
    assert (node["kind"], node["label"], node["state_type"]) == ("flow-run", "inner flow / brave", "RUNNING")
    assert (edges(node["parents"]), edges(node["children"])) == ([first.id], [last.id])
    assert edges(nodes[last.id]["parents"]) == [subflow_run.id]


def test_nodes_that_had_ended_before_an_instant_are_left_out(api, flow_run):
    ended = api.task_run(flow_run.id, "ended", "COMPLETED")
    running = api.task_run(flow_run.id, "running", "RUNNING")
    since = api.read("task_run", running.id).start_time
    assert [id for id, _ in graph(api, flow_run, since=since.isoformat())["nodes"]] == [running.id]
    assert [id for id, _ in graph(api, flow_run)["nodes"]] == [ended.id, running.id]


def test_artifacts_hang_on_their_nodes_but_for_results(api, store, flow_run):
    node = api.task_run(flow_run.id, "first", "RUNNING")

    def make(tx):
        rows = [
            ("00000000-0000-4000-8000-000000000001", "markdown", "k", None, '"text"'),
            ("00000000-0000-4000-8000-000000000002", "progress", None, node.id, "5"),
            ("00000000-0000-4000-8000-000000000003", "result", None, node.id, "{}"),
        ]
        for id, type, key, task_run_id, data in rows:
            tx.execute(
                "INSERT INTO artifact (id, created, updated, key, type, data, flow_run_id, task_run_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (id, tx.now, tx.now, key, type, data, flow_run.id, task_run_id),
            )

    store.write(make)
    found = graph(api, flow_run)
    assert [(a["type"], a["key"], a["data"], a["is_latest"]) for a in found["artifacts"]] == [
        ("markdown", "k", None, False)
    ]
    assert [(a["type"], a["data"], a["is_latest"]) for a in dict(found["nodes"])[node.id]["artifacts"]] == [
        ("progress", 5, True)
    ]


def test_a_graph_that_is_too_large_is_refused(api, store, flow_run):
    from prefect.server.models.errors import ApiError
    from prefect.server.models.flow_run_graph import read_flow_run_graph

    for number in range(3):
        api.task_run(flow_run.id, dynamic_key=str(number))
    since = flow_run.created
    with pytest.raises(ApiError) as caught:
        store.read(lambda tx: read_flow_run_graph(tx, flow_run.id, since, max_nodes=2, max_artifacts=1))
    assert caught.value.status == 400


def test_dependencies_name_each_run_once(api, flow_run):
    first = api.task_run(flow_run.id, "first")
    second = api.task_run(flow_run.id, "second", task_inputs={"x": result_of(first, first), "y": result_of(first)})
    found = {each["id"]: each for each in api("GET", "/flow_runs/{id}/graph", id=flow_run.id).body}
    assert [each.id for each in found[second.id]["upstream_dependencies"]] == [first.id]
    assert (found[first.id]["name"], found[first.id]["state"].name) == ("first", "Pending")
    assert api.refused("GET", "/flow_runs/{id}/graph-v2", id=uuid4()).status == 404
