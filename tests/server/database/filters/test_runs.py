"""Filters of flows, flow runs and task runs, asked of a small world of runs."""

from __future__ import annotations

from uuid import UUID

import pytest

from prefect.server.routes import Caller

NOBODY, DEPLOYMENT, AUTOMATION = str(UUID(int=1)), UUID(int=2), UUID(int=3)


@pytest.fixture
def world(api):
    """Three flows: `etl` with runs and tasks, `report` with one run of a deployment, `idle` without any."""
    etl = api.flow("etl", tags=["data", "prod"])
    report = api.flow("Report", tags=["data"])
    idle = api.flow("idle")
    good = api.flow_run(etl.id, "COMPLETED", name="good", tags=["nightly", "prod"], flow_version="1")
    bad = api.flow_run(
        etl.id, {"type": "FAILED", "name": "Odd"}, name="bad", tags=["nightly"], flow_version="2", idempotency_key="k"
    )
    caller = Caller(automation_id=AUTOMATION, automation_name="auto")
    planned = api(
        "POST",
        "/flow_runs/",
        {
            "flow_id": report.id,
            "name": "planned",
            "deployment_id": str(DEPLOYMENT),
            "work_queue_name": "q",
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2030-01-01T00:00:00Z"}},
        },
        caller=caller,
    ).body
    load = api.task_run(good.id, "load", "COMPLETED", tags=["io"])
    crunch = api.task_run(good.id, "crunch", "FAILED")
    other = api.task_run(bad.id, "load", "RUNNING")
    alone = api.task_run(None, "alone")
    child = api.flow_run(idle.id, "RUNNING", name="child", parent_task_run_id=crunch.id)
    api.set_state("task_run", crunch.id, "FAILED", force=True)  # it follows its subflow run until here
    return {each.name: each for each in (etl, report, idle, good, bad, planned, crunch, alone, child)} | {
        "load": load,
        "other load": other,
    }


def found(api, kind, filters):
    listed = [each.name for each in api("POST", f"/{kind}/filter", {"sort": "NAME_ASC", **filters}).body]
    assert api("POST", f"/{kind}/count", filters).body == len(listed)
    return sorted(listed)


def with_ids(world, value):
    """A filter with the names of the world's members, written `<name>`, replaced by their ids."""
    if isinstance(value, dict):
        return {key: with_ids(world, each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_ids(world, each) for each in value]
    if isinstance(value, str) and value.startswith("<"):
        return str(world[value[1:-1]].id)
    return value


ALL = ["bad", "child", "good", "planned"]
FLOW_RUNS = [
    ({}, ALL),
    ({"id": {"any_": ["<good>", "<bad>", NOBODY]}}, ["bad", "good"]),
    ({"id": {"any_": []}}, []),
    ({"id": {"not_any_": []}}, ALL),
    ({"id": {"not_any_": ["<good>"]}}, ["bad", "child", "planned"]),
    ({"id": {"any_": ["<good>", "<bad>"], "not_any_": ["<good>"]}}, ["bad"]),
    ({"name": {"any_": ["good"]}}, ["good"]),
    ({"name": {"like_": "OO"}}, ["good"]),
    ({"name": {"like_": "b%d"}}, ["bad"]),
    ({"name": {"like_": ""}}, ALL),
    ({"tags": {"all_": ["nightly"]}}, ["bad", "good"]),
    ({"tags": {"all_": ["nightly", "prod"]}}, ["good"]),
    ({"tags": {"all_": []}}, ALL),
    ({"tags": {"any_": ["prod", "x"]}}, ["good"]),
    ({"tags": {"any_": []}}, []),
    ({"tags": {"is_null_": True}}, ["child", "planned"]),
    ({"tags": {"is_null_": False}}, ["bad", "good"]),
    ({"tags": {"operator": "or_", "all_": ["prod"], "is_null_": True}}, ["child", "good", "planned"]),
    ({"state": {"type": {"any_": ["FAILED", "RUNNING"]}}}, ["bad", "child"]),
    ({"state": {"type": {"any_": ["FAILED", "RUNNING"], "not_any_": ["FAILED"]}}}, ["child"]),
    ({"state": {"name": {"any_": ["Odd"]}}}, ["bad"]),
    ({"state": {"name": {"any_": ["odd"]}}}, []),
    ({"state": {"name": {"not_any_": ["Odd", "Running"]}}}, ["good", "planned"]),
    ({"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["Odd"]}}}, ["bad", "child"]),
    ({"state": {"type": {"any_": ["RUNNING"]}, "name": {"any_": ["Odd"]}}}, []),
    ({"flow_version": {"any_": ["2", "3"]}}, ["bad"]),
    ({"idempotency_key": {"any_": ["k"]}}, ["bad"]),
    ({"deployment_id": {"any_": [str(DEPLOYMENT)]}}, ["planned"]),
    ({"deployment_id": {"is_null_": True}}, ["bad", "child", "good"]),
    ({"work_queue_name": {"any_": ["q"]}}, ["planned"]),
    ({"work_queue_name": {"is_null_": True}}, ["bad", "child", "good"]),
    ({"parent_task_run_id": {"any_": ["<crunch>"]}}, ["child"]),
    ({"parent_task_run_id": {"is_null_": True}}, ["bad", "good", "planned"]),
    ({"parent_flow_run_id": {"any_": ["<good>"]}}, ["child"]),
    ({"parent_flow_run_id": {"any_": ["<bad>"]}}, []),
    ({"parent_flow_run_id": {}}, ALL),
    ({"created_by": {"id_": [str(AUTOMATION)]}}, ["planned"]),
    ({"created_by": {"type_": ["AUTOMATION", "SCHEDULE"]}}, ["planned"]),
    ({"created_by": {"type_": ["SCHEDULE"]}}, []),
    ({"created_by": {"is_null_": True}}, ["bad", "child", "good"]),
    ({"start_time": {"after_": "2029-01-01T00:00:00Z"}}, ["planned"]),
    ({"start_time": {"before_": "2029-01-01T00:00:00Z"}}, ["bad", "child", "good"]),
    ({"start_time": {"is_null_": True}}, ["planned"]),
    ({"end_time": {"is_null_": False}}, ["bad", "good"]),
    ({"end_time": {"before_": "2029-01-01T00:00:00Z"}}, ["bad", "good"]),
    ({"expected_start_time": {"after_": "2030-01-01T00:00:00Z"}}, ["planned"]),
    ({"next_scheduled_start_time": {"before_": "2030-01-01T00:00:00Z"}}, ["planned"]),
    ({"operator": "or_", "name": {"any_": ["good"]}, "state": {"type": {"any_": ["SCHEDULED"]}}}, ["good", "planned"]),
    ({"operator": "or_", "name": {"any_": ["good"]}, "tags": {}}, ALL),
    ({"name": {"any_": ["good", "bad"]}, "tags": {"all_": ["prod"]}}, ["good"]),
]


@pytest.mark.parametrize("wanted, expected", FLOW_RUNS, ids=str)
def test_flow_runs_are_filtered(api, world, wanted, expected):
    assert found(api, "flow_runs", {"flow_runs": with_ids(world, wanted)}) == expected


FLOWS = [
    ({}, ["Report", "etl", "idle"]),
    ({"id": {"any_": ["<etl>"]}}, ["etl"]),
    ({"id": {"not_any_": ["<etl>"]}}, ["Report", "idle"]),
    ({"name": {"any_": ["etl", "idle"]}}, ["etl", "idle"]),
    ({"name": {"like_": "REPORT"}}, ["Report"]),
    ({"tags": {"all_": ["data", "prod"]}}, ["etl"]),
    ({"tags": {"is_null_": True}}, ["idle"]),
    ({"operator": "or_", "name": {"any_": ["idle"]}, "tags": {"all_": ["prod"]}}, ["etl", "idle"]),
    ({"deployment": {"is_null_": True}}, ["Report", "etl", "idle"]),
    ({"deployment": {"is_null_": False}}, []),
]


@pytest.mark.parametrize("wanted, expected", FLOWS, ids=str)
def test_flows_are_filtered(api, world, wanted, expected):
    assert found(api, "flows", {"flows": with_ids(world, wanted)}) == expected


TASKS = ["alone", "crunch", "load", "load"]
TASK_RUNS = [
    ({}, TASKS),
    ({"id": {"any_": ["<crunch>", "<alone>"]}}, ["alone", "crunch"]),
    ({"name": {"any_": ["load"]}}, ["load", "load"]),
    ({"name": {"like_": "RUN"}}, ["crunch"]),
    ({"tags": {"all_": ["io"]}}, ["load"]),
    ({"tags": {"is_null_": False}}, ["load"]),
    ({"state": {"type": {"any_": ["COMPLETED", "FAILED"]}}}, ["crunch", "load"]),
    ({"state": {"name": {"any_": ["Running"]}}}, ["load"]),
    ({"flow_run_id": {"any_": ["<good>"]}}, ["crunch", "load"]),
    ({"flow_run_id": {}}, ["crunch", "load", "load"]),
    ({"flow_run_id": {"is_null_": True}}, ["alone"]),
    ({"flow_run_id": {"is_null_": None}}, TASKS),
    ({"subflow_runs": {"exists_": True}}, ["crunch"]),
    ({"subflow_runs": {"exists_": False}}, ["alone", "load", "load"]),
    ({"subflow_runs": {}}, TASKS),
    ({"start_time": {"is_null_": True}}, ["alone"]),
    ({"start_time": {"after_": "2029-01-01T00:00:00Z"}}, []),
    ({"end_time": {"is_null_": False}}, ["crunch", "load"]),
    ({"expected_start_time": {"before_": "2029-01-01T00:00:00Z"}}, TASKS),
    ({"operator": "or_", "name": {"any_": ["alone"]}, "tags": {"all_": ["io"]}}, ["alone", "load"]),
]


@pytest.mark.parametrize("wanted, expected", TASK_RUNS, ids=str)
def test_task_runs_are_filtered(api, world, wanted, expected):
    assert found(api, "task_runs", {"task_runs": with_ids(world, wanted)}) == expected


RELATED = [
    ("flows", {"flow_runs": {}}, ["Report", "etl", "idle"]),
    ("flows", {"flow_runs": {"tags": {"all_": ["nightly"]}}}, ["etl"]),
    ("flows", {"task_runs": {}}, ["etl"]),
    ("flows", {"task_runs": {"name": {"any_": ["crunch"]}}, "flow_runs": {"name": {"any_": ["good"]}}}, ["etl"]),
    # No single run of the flow has both the name and the task run.
    ("flows", {"task_runs": {"name": {"any_": ["crunch"]}}, "flow_runs": {"name": {"any_": ["bad"]}}}, []),
    ("flows", {"deployments": {}}, []),
    ("flows", {"work_pools": {}}, []),
    ("flow_runs", {"flows": {"tags": {"all_": ["data"]}}}, ["bad", "good", "planned"]),
    ("flow_runs", {"task_runs": {}}, ["bad", "good"]),
    ("flow_runs", {"task_runs": {"state": {"type": {"any_": ["FAILED"]}}}}, ["good"]),
    ("flow_runs", {"flows": {"name": {"any_": ["etl"]}}, "flow_runs": {"name": {"any_": ["child"]}}}, []),
    ("flow_runs", {"deployments": {}}, []),
    ("flow_runs", {"deployments": {"name": {"any_": ["d"]}}}, []),
    ("flow_runs", {"work_pools": {"name": {"any_": ["p"]}}}, []),
    ("flow_runs", {"work_pool_queues": {"name": {"any_": ["q"]}}}, []),
    ("task_runs", {"flow_runs": {"name": {"any_": ["bad"]}}}, ["load"]),
    ("task_runs", {"flow_runs": {}}, ["crunch", "load", "load"]),
    ("task_runs", {"flows": {"name": {"any_": ["etl"]}}}, ["crunch", "load", "load"]),
    ("task_runs", {"flows": {"name": {"any_": ["idle"]}}}, []),
    ("task_runs", {"deployments": {}}, []),
]


@pytest.mark.parametrize("kind, filters, expected", RELATED, ids=str)
def test_a_filter_of_another_kind_wants_something_related(api, world, kind, filters, expected):
    assert found(api, kind, filters) == expected


@pytest.mark.parametrize(
    "sort, expected",
    [
        ("ID_DESC", ["child", "planned", "bad", "good"]),
        ("NAME_ASC", ["bad", "child", "good", "planned"]),
        ("NAME_DESC", ["planned", "good", "child", "bad"]),
        ("START_TIME_ASC", ["good", "bad", "child", "planned"]),
        ("START_TIME_DESC", ["planned", "child", "bad", "good"]),
        ("EXPECTED_START_TIME_ASC", ["good", "bad", "child", "planned"]),
        ("EXPECTED_START_TIME_DESC", ["planned", "child", "bad", "good"]),
        ("NEXT_SCHEDULED_START_TIME_ASC", ["planned", "good", "bad", "child"]),
        ("END_TIME_DESC", ["bad", "good", "planned", "child"]),
    ],
)
def test_flow_runs_come_in_the_order_asked_for(api, world, sort, expected):
    listed = [run.name for run in api("POST", "/flow_runs/filter", {"sort": sort}).body]
    assert listed == expected
    page = api("POST", "/flow_runs/paginate", {"sort": sort, "limit": 3, "page": 2}).body
    assert [run.name for run in page["results"]] == expected[3:]
    assert (page["count"], page["pages"]) == (4, 2)


@pytest.mark.parametrize("text", ["'; DROP TABLE flow; --", '"', "\\", "%", "?", ":name"])
def test_values_never_become_part_of_a_statement(api, world, text):
    filters = {"flow_runs": {"name": {"any_": [text]}, "tags": {"any_": [text]}, "idempotency_key": {"any_": [text]}}}
    assert found(api, "flow_runs", filters) == []
    assert api("POST", "/flows/count", {}).body == 3
