"""Deployments through the API: made, upserted, read, changed, paused, deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest

from prefect.server.routes import Caller

NOWHERE = uuid4()
INTERVAL = {"interval": 3600}
X_IS_A_NUMBER = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "string"}},
    "required": ["x"],
}


def events_of(api, id, name=None):
    """The events about a deployment, the oldest first."""
    chosen = {"resource": {"id": [f"prefect.deployment.{id}"]}, "order": "ASC"}
    if name:
        chosen["event"] = {"name": [f"prefect.deployment.{name}"]}
    return api("POST", "/events/filter", {"filter": chosen}).body["events"]


# -- making ----------------------------------------------------------------------------------------------------------


def test_a_deployment_is_made_with_what_it_was_given(api):
    flow = api.flow("etl", labels={"team": "blue", "tier": 1})
    created = api(
        "POST",
        "/deployments/",
        {
            "name": "nightly",
            "flow_id": str(flow.id),
            "version": "1",
            "description": "d",
            "tags": ["t"],
            "labels": {"tier": 2},
            "parameters": {"x": 1},
            "parameter_openapi_schema": X_IS_A_NUMBER,
            "pull_steps": [{"step": {"a": 1}}],
            "path": "/opt",
            "entrypoint": "f.py:f",
            "job_variables": {"cpu": 2},
            "schedules": [{"schedule": INTERVAL, "slug": "hourly", "parameters": {"x": 2}}],
        },
    )
    deployment = created.body
    assert created.status == 201
    assert api.read("deployment", deployment.id) == deployment
    assert (
        api("GET", "/deployments/name/{flow_name}/{deployment_name}", flow_name="etl", deployment_name="nightly").body
        == deployment
    )
    assert (deployment.name, deployment.version, deployment.description, deployment.tags) == (
        "nightly",
        "1",
        "d",
        ["t"],
    )
    assert deployment.labels == {"team": "blue", "tier": 2, "prefect.flow.id": str(flow.id)}
    assert (deployment.parameters, deployment.parameter_openapi_schema) == ({"x": 1}, X_IS_A_NUMBER)
    assert (deployment.pull_steps, deployment.path, deployment.entrypoint) == ([{"step": {"a": 1}}], "/opt", "f.py:f")
    assert deployment.job_variables == {"cpu": 2}
    [schedule] = deployment.schedules
    assert (schedule.slug, schedule.active, schedule.parameters) == ("hourly", True, {"x": 2})
    assert schedule.schedule.interval.total_seconds() == 3600
    assert schedule.deployment_id == deployment.id


def test_what_is_not_given_has_defaults(api):
    deployment = api.deployment()
    assert (deployment.paused, deployment.enforce_parameter_schema, deployment.tags) == (False, True, [])
    assert (deployment.parameters, deployment.job_variables, deployment.schedules) == ({}, {}, [])
    assert deployment.parameter_openapi_schema == {"type": "object", "properties": {}}
    assert (deployment.status.value, deployment.last_polled) == ("NOT_READY", None)
    assert (deployment.work_pool_name, deployment.work_queue_name, deployment.created_by) == (None, None, None)


def test_a_second_request_of_the_name_changes_what_it_mentions(api):
    flow = api.flow()
    first = api.deployment("d", flow.id, tags=["t"], description="d", labels={"a": 1}, parameters={"x": 1}, version="1")
    again = api("POST", "/deployments/", {"name": "d", "flow_id": flow.id, "version": "2"})
    assert (again.status, again.body.id) == (200, first.id)
    assert (again.body.version, again.body.tags, again.body.description) == ("2", ["t"], "d")
    assert again.body.labels["a"] == 1


def test_a_second_request_of_the_name_replaces_parameters_and_schedules(api):
    flow = api.flow()
    api.deployment("d", flow.id, parameters={"x": 1}, schedules=[{"schedule": INTERVAL}])
    again = api.deployment("d", flow.id)
    assert (again.parameters, again.schedules) == ({}, [])


def test_names_are_unique_for_each_flow_only(api):
    one, other = api.flow("one"), api.flow("other")
    assert api.deployment("d", one.id).id != api.deployment("d", other.id).id


def test_an_automation_that_asks_is_remembered(api):
    caller = Caller(automation_id=uuid4(), automation_name="bot")
    flow = api.flow()
    made = api("POST", "/deployments/", {"name": "d", "flow_id": flow.id}, caller=caller).body
    other = Caller(automation_id=uuid4(), automation_name="other")
    again = api("POST", "/deployments/", {"name": "d", "flow_id": flow.id}, caller=other).body
    assert (made.created_by.display_value, made.updated_by) == ("bot", None)
    assert (again.created_by.display_value, again.updated_by.display_value) == ("bot", "other")


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"flow_id": str(uuid4())}, 409),
        ({"storage_document_id": str(uuid4())}, 409),
        ({"infrastructure_document_id": str(uuid4())}, 409),
        ({"global_concurrency_limit_id": str(uuid4())}, 404),
        ({"work_pool_name": "nowhere"}, 404),
        ({"concurrency_limit": 1, "global_concurrency_limit_id": str(uuid4())}, 422),
        ({"concurrency_limit": 0}, 422),
        ({"concurrency_limit": 2**40}, 422),
        ({"name": "a/b"}, 422),
        ({"surprise": 1}, 422),
        ({"schedules": [{"schedule": {"interval": 0}}]}, 422),
        ({"schedules": [{"schedule": {"cron": "nope"}}]}, 422),
        ({"schedules": [{"schedule": {"cron": "0 0 * * *", "timezone": "Nowhere/Land"}}]}, 422),
        ({"schedules": [{"schedule": INTERVAL, "max_scheduled_runs": 51}]}, 422),
        ({"schedules": [{"schedule": INTERVAL, "slug": "a"}, {"schedule": INTERVAL, "slug": "a"}]}, 409),
        ({"parameter_openapi_schema": {"type": "nope"}}, 422),
        ({"parameter_openapi_schema": X_IS_A_NUMBER, "parameters": {"x": "a"}}, 422),
        ({"parameters": {"x": "a" * 600_000}}, 422),
        ({"concurrency_options": {"collision_strategy": "ENQUEUE", "grace_period_seconds": 59}}, 422),
    ],
)
def test_a_bad_deployment_is_refused_and_leaves_nothing_behind(api, fields, status):
    body = {"name": "d", "flow_id": str(api.flow().id), **fields}
    assert api.refused("POST", "/deployments/", body).status == status
    assert api("POST", "/deployments/count", {}).body == 0
    assert limits(api) == {}


def test_required_parameters_may_be_missing_from_a_deployment(api):
    deployment = api.deployment(parameter_openapi_schema=X_IS_A_NUMBER, parameters={"y": "a"})
    assert deployment.parameters == {"y": "a"}


def test_parameters_are_not_checked_where_that_is_not_wanted(api):
    fields = {"parameter_openapi_schema": X_IS_A_NUMBER, "parameters": {"x": "a"}, "enforce_parameter_schema": False}
    assert api.deployment(**fields).parameters == {"x": "a"}


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method, template, body",
    [
        ("GET", "/deployments/{id}", None),
        ("PATCH", "/deployments/{id}", {}),
        ("DELETE", "/deployments/{id}", None),
        ("POST", "/deployments/{id}/pause_deployment", None),
        ("POST", "/deployments/{id}/resume_deployment", None),
        ("POST", "/deployments/{id}/create_flow_run", {}),
        ("POST", "/deployments/{id}/create_flow_run/bulk", []),
        ("GET", "/deployments/{id}/schedules", None),
        ("POST", "/deployments/{id}/schedules", []),
        ("GET", "/deployments/{id}/work_queue_check", None),
    ],
)
def test_unknown_deployments_are_not_found(api, method, template, body):
    refusal = api.refused(method, template, body, id=NOWHERE)
    assert (refusal.status, list(refusal.body)) == (404, ["detail"])


def test_unknown_names_are_not_found(api):
    api.deployment("d")
    path = "/deployments/name/{flow_name}/{deployment_name}"
    assert api.refused("GET", path, flow_name="flow", deployment_name="x").status == 404
    assert api.refused("GET", path, flow_name="x", deployment_name="d").status == 404


def test_no_work_queue_chooses_deployments_by_tags(api):
    assert api("GET", "/deployments/{id}/work_queue_check", id=api.deployment().id).body == []


@pytest.fixture
def several(api):
    """Three deployments of two flows: daily and hourly of sales, hourly of stock."""
    sales, stock = api.flow("sales", tags=["flow-tag"]), api.flow("stock")
    api.deployment("daily", sales.id, tags=["a", "b"])
    api.deployment("hourly", sales.id, tags=["b"], paused=True)
    hourly = api.deployment("hourly", stock.id)
    api("POST", "/deployments/{id}/create_flow_run", {"name": "taken"}, id=hourly.id)
    return api


@pytest.mark.parametrize(
    "filters, expected",
    [
        ({}, 3),
        ({"deployments": {}}, 3),
        ({"deployments": {"name": {"any_": ["hourly"]}}}, 2),
        ({"deployments": {"name": {"like_": "DAI"}}}, 1),
        ({"deployments": {"flow_or_deployment_name": {"like_": "SAL"}}}, 2),
        ({"deployments": {"flow_or_deployment_name": {"like_": "hour"}}}, 2),
        ({"deployments": {"paused": {"eq_": True}}}, 1),
        ({"deployments": {"paused": {"eq_": False}}}, 2),
        ({"deployments": {"tags": {"all_": ["a", "b"]}}}, 1),
        ({"deployments": {"tags": {"any_": ["b"]}}}, 2),
        ({"deployments": {"tags": {"is_null_": True}}}, 1),
        ({"deployments": {"concurrency_limit": {"ge_": 5}}}, 3),
        ({"deployments": {"work_queue_name": {"any_": ["q"]}}}, 0),
        ({"deployments": {"operator": "or_", "name": {"any_": ["daily"]}, "paused": {"eq_": True}}}, 2),
        ({"flows": {"name": {"any_": ["sales"]}}}, 2),
        ({"flows": {"name": {"any_": ["sales"]}}, "deployments": {"name": {"any_": ["hourly"]}}}, 1),
        ({"flow_runs": {"name": {"any_": ["taken"]}}}, 1),
        ({"flow_runs": {"name": {"any_": ["other"]}}}, 0),
        ({"task_runs": {}}, 0),
        ({"work_pools": {"name": {"any_": ["p"]}}}, 0),
    ],
)
def test_deployments_are_found_by_filters(several, filters, expected):
    assert several("POST", "/deployments/count", filters).body == expected
    assert len(several("POST", "/deployments/filter", filters).body) == expected
    assert several("POST", "/deployments/paginate", filters).body["count"] == expected


@pytest.mark.parametrize(
    "path, filters, expected",
    [
        ("/flows/count", {"deployments": {"name": {"any_": ["daily"]}}}, 1),
        ("/flows/count", {"flows": {"deployment": {"is_null_": False}}}, 2),
        ("/flows/count", {"flows": {"deployment": {"is_null_": True}}}, 1),
        ("/flow_runs/count", {"deployments": {"name": {"any_": ["hourly"]}}}, 1),
        ("/flow_runs/count", {"deployments": {"name": {"any_": ["daily"]}}}, 0),
        ("/flow_runs/count", {"deployments": {}}, 1),
        ("/task_runs/count", {"deployments": {"name": {"any_": ["hourly"]}}}, 1),
        ("/task_runs/count", {"deployments": {"name": {"any_": ["daily"]}}}, 0),
    ],
)
def test_other_things_are_found_by_their_deployment(several, path, filters, expected):
    several.flow("bare")
    [run] = several("POST", "/flow_runs/filter", {"deployments": {}}).body
    several.task_run(run.id)
    several.task_run(several.flow_run(several.flow("bare").id).id)
    assert several("POST", path, filters).body == expected


def test_deployments_come_in_the_wanted_order_and_in_pages(several):
    def names(**body):
        return [each.name for each in several("POST", "/deployments/filter", body).body]

    assert names() == ["daily", "hourly", "hourly"]
    assert names(sort="NAME_DESC") == ["hourly", "hourly", "daily"]
    assert names(limit=1, offset=1) == ["hourly"]
    assert names(limit=0) == []
    page = several("POST", "/deployments/paginate", {"limit": 2, "page": 2}).body
    assert ([each.name for each in page["results"]], page["pages"]) == (["hourly"], 2)
    assert several.refused("POST", "/deployments/filter", {"limit": 201}).status == 422


# -- changing --------------------------------------------------------------------------------------------------------


def test_an_update_changes_only_what_it_mentions(api):
    deployment = api.deployment(tags=["t"], version="1", description="d", parameters={"x": 1})
    assert api("PATCH", "/deployments/{id}", {"version": "2", "description": None}, id=deployment.id).status == 204
    changed = api.read("deployment", deployment.id)
    assert (changed.version, changed.description, changed.tags, changed.parameters) == ("2", None, ["t"], {"x": 1})
    assert changed.updated > deployment.updated


@pytest.mark.parametrize(
    "changes, status",
    [
        ({"surprise": 1}, 422),
        ({"parameters": {"x": "a"}}, 409),
        ({"parameters": {"x": {"__prefect_kind": "json", "value": "{"}}}, 400),
        ({"parameters": {"x": 1}, "parameter_openapi_schema": None}, 409),
        ({"parameter_openapi_schema": {"type": "nope"}}, 422),
        ({"storage_document_id": str(uuid4())}, 409),
        ({"global_concurrency_limit_id": str(uuid4())}, 404),
        ({"concurrency_limit": 0}, 422),
        ({"work_pool_name": "nowhere"}, 404),
        ({"schedules": [{"active": False}]}, 422),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(api, changes, status):
    deployment = api.deployment(parameter_openapi_schema=X_IS_A_NUMBER, parameters={"x": 1})
    assert api.refused("PATCH", "/deployments/{id}", {"tags": ["new"], **changes}, id=deployment.id).status == status
    assert api.read("deployment", deployment.id) == deployment


def test_parameters_of_an_update_are_filled_in_before_they_are_stored(api):
    api("POST", "/variables/", {"name": "size", "value": 7})
    deployment = api.deployment(parameter_openapi_schema=X_IS_A_NUMBER)
    wanted = {
        "x": {"__prefect_kind": "workspace_variable", "variable_name": "size"},
        "y": {"__prefect_kind": "jinja", "template": "a{{ 1 + 1 }}"},
    }
    api("PATCH", "/deployments/{id}", {"parameters": wanted}, id=deployment.id)
    assert api.read("deployment", deployment.id).parameters == {"x": 7, "y": "a2"}


def test_a_deployment_is_paused_and_resumed(api):
    id = api.deployment().id
    assert api("POST", "/deployments/{id}/pause_deployment", id=id).status == 200
    assert api.read("deployment", id).paused
    api("POST", "/deployments/{id}/resume_deployment", id=id)
    assert not api.read("deployment", id).paused


# -- the limit -------------------------------------------------------------------------------------------------------


def limits(api):
    return {each.name: each.limit for each in api("POST", "/v2/concurrency_limits/filter", {}).body}


def test_a_deployment_has_a_limit_of_its_own(api):
    deployment = api.deployment(concurrency_limit=2, concurrency_options={"collision_strategy": "CANCEL_NEW"})
    name = f"deployment:{deployment.id}"
    assert (deployment.global_concurrency_limit.name, deployment.global_concurrency_limit.limit) == (name, 2)
    assert deployment.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    api("PATCH", "/deployments/{id}", {"concurrency_limit": 5}, id=deployment.id)
    assert limits(api) == {name: 5}
    api("PATCH", "/deployments/{id}", {"tags": ["kept"]}, id=deployment.id)
    assert limits(api) == {name: 5}
    api("PATCH", "/deployments/{id}", {"concurrency_limit": None}, id=deployment.id)
    assert limits(api) == {}
    assert api.read("deployment", deployment.id).global_concurrency_limit is None


def test_a_deployment_may_share_a_limit(api):
    shared = api("POST", "/v2/concurrency_limits/", {"name": "shared", "limit": 3}).body
    deployment = api.deployment(concurrency_limit=2)
    api("PATCH", "/deployments/{id}", {"global_concurrency_limit_id": str(shared.id)}, id=deployment.id)
    assert api.read("deployment", deployment.id).global_concurrency_limit.id == shared.id
    assert limits(api) == {"shared": 3}
    api("DELETE", "/deployments/{id}", id=deployment.id)
    assert limits(api) == {"shared": 3}


def test_a_deleted_limit_limits_no_deployment(api):
    deployment = api.deployment(concurrency_limit=2)
    api("DELETE", "/v2/concurrency_limits/{id_or_name}", id_or_name=f"deployment:{deployment.id}")
    assert api.read("deployment", deployment.id).global_concurrency_limit is None


# -- deleting --------------------------------------------------------------------------------------------------------


def test_a_deleted_deployment_takes_its_unstarted_runs_and_its_limit_along(api):
    deployment = api.deployment(concurrency_limit=2, schedules=[{"schedule": INTERVAL}])
    api("POST", "/deployments/{id}/schedule", {}, id=deployment.id)
    asked_for = api("POST", "/deployments/{id}/create_flow_run", {}, id=deployment.id).body
    started = api("POST", "/deployments/{id}/create_flow_run", {}, id=deployment.id).body
    api.set_state("flow_run", started.id, "RUNNING")

    assert api("DELETE", "/deployments/{id}", id=deployment.id).status == 204

    assert api.refused("GET", "/deployments/{id}", id=deployment.id).status == 404
    assert api.refused("GET", "/flow_runs/{id}", id=asked_for.id).status == 404
    assert [run.id for run in api("POST", "/flow_runs/filter", {}).body] == [started.id]
    assert api.read("flow_run", started.id).deployment_id == deployment.id
    assert limits(api) == {}


def test_deployments_are_deleted_by_filter(several):
    [paused] = several("POST", "/deployments/filter", {"deployments": {"paused": {"eq_": True}}}).body
    answer = several("POST", "/deployments/bulk_delete", {"deployments": {"paused": {"eq_": True}}}).body
    assert answer["deleted"] == [paused.id]
    assert several("POST", "/deployments/count", {}).body == 2


def test_a_deleted_flow_takes_its_deployments_along(api):
    deployment = api.deployment(concurrency_limit=1, schedules=[{"schedule": INTERVAL}])
    api("DELETE", "/flows/{id}", id=deployment.flow_id)
    assert api("POST", "/deployments/count", {}).body == 0
    assert limits(api) == {}
    assert [event.event for event in events_of(api, deployment.id)] == [
        "prefect.deployment.created",
        "prefect.deployment.deleted",
    ]


# -- events ----------------------------------------------------------------------------------------------------------


def test_events_tell_of_a_deployment(api):
    deployment = api.deployment("d", tags=["a"], concurrency_limit=1)
    api("PATCH", "/deployments/{id}", {"tags": ["b"], "job_variables": {"cpu": 1}}, id=deployment.id)
    api("PATCH", "/deployments/{id}", {"tags": ["b"]}, id=deployment.id)
    api("DELETE", "/deployments/{id}", id=deployment.id)
    created, updated, deleted = events_of(api, deployment.id)
    assert [each.event.rpartition(".")[2] for each in (created, updated, deleted)] == ["created", "updated", "deleted"]
    assert created.resource.root["prefect.resource.name"] == "d"
    assert [each.role for each in created.related] == ["flow", "concurrency-limit"]
    assert created.related[0].id == f"prefect.flow.{deployment.flow_id}"
    assert updated.payload == {
        "updated_fields": ["infra_overrides", "tags"],
        "updates": {"infra_overrides": {"from": {}, "to": {"cpu": 1}}, "tags": {"from": ["a"], "to": ["b"]}},
    }


def test_deployments_are_sorted_by_their_limit_those_without_one_last(api):
    flow = api.flow()
    for name, limit in (("two", 2), ("none", None), ("one", 1)):
        api.deployment(name, flow.id, concurrency_limit=limit)

    def names(sort):
        return [each.name for each in api("POST", "/deployments/filter", {"sort": sort}).body]

    assert names("CONCURRENCY_LIMIT_ASC") == ["one", "two", "none"]
    assert names("CONCURRENCY_LIMIT_DESC") == ["two", "one", "none"]


def test_a_deployment_that_says_nothing_of_steps_has_none(api):
    flow_id = str(api.flow().id)
    assert api("POST", "/deployments/", {"name": "silent", "flow_id": flow_id}).body.pull_steps == []
    assert (
        api("POST", "/deployments/", {"name": "null", "flow_id": flow_id, "pull_steps": None}).body.pull_steps is None
    )
