"""Automations and templates through the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.server.conftest import Api

WITHOUT_END = ["prefect.flow-run.Running"]
BLOCK = str(uuid4())


def a_trigger(**fields: Any) -> dict[str, Any]:
    return {"type": "event", "posture": "Reactive", "expect": ["oven.hot"], "threshold": 1, **fields}


def create(api: Api, name: str = "watch", **fields: Any) -> Any:
    return api("POST", "/automations/", body(name, **fields)).body


def body(name: str = "watch", **fields: Any) -> dict[str, Any]:
    return {"name": name, "trigger": a_trigger(), "actions": [{"type": "do-nothing"}], **fields}


def events_of(api: Api, id: UUID) -> list[tuple[str, dict[str, Any]]]:
    wanted = {"resource": {"id": [f"prefect.automation.{id}"]}, "order": "ASC"}
    page = api("POST", "/events/filter", {"filter": wanted}).body
    return [(event.event, event.payload) for event in page["events"]]


def names(api: Api, **wanted: Any) -> list[str]:
    return [each.name for each in api("POST", "/automations/filter", wanted).body]


# -- storing ---------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_read_back(api: Api):
    trigger = {"type": "compound", "require": "all", "within": 10, "triggers": [a_trigger(within=5), a_trigger()]}
    action = {"type": "call-webhook", "block_document_id": BLOCK, "payload": "{{ event.id | ui_url }} \u0000 é"}
    created = create(api, trigger=trigger, actions=[action], description="why", tags=["a", "b"], enabled=False)
    found = api("GET", "/automations/{id}", id=created.id).body
    assert found == created
    assert (found.description, found.tags, found.enabled) == ("why", ["a", "b"], False)
    assert found.actions[0].payload == action["payload"]
    assert [each.within.total_seconds() for each in found.triggers()] == [10, 5, 0]
    assert found.created == found.updated


def test_each_save_gives_the_triggers_new_ids(api: Api):
    created = create(api)
    api("PUT", "/automations/{id}", body("new", trigger={**a_trigger(), "id": str(created.trigger.id)}), id=created.id)
    found = api("GET", "/automations/{id}", id=created.id).body
    assert found.name == "new"
    assert found.trigger.id != created.trigger.id
    assert found.created == created.created < found.updated


def test_an_automation_rests_and_works_again(api: Api):
    created = create(api)
    api("PATCH", "/automations/{id}", {"enabled": False}, id=created.id)
    assert not api("GET", "/automations/{id}", id=created.id).body.enabled
    api("PATCH", "/automations/{id}", {}, id=created.id)
    assert api("GET", "/automations/{id}", id=created.id).body.enabled


def test_every_change_is_told_by_an_event(api: Api):
    created = create(api)
    api("PUT", "/automations/{id}", body("new"), id=created.id)
    api("PATCH", "/automations/{id}", {"enabled": False}, id=created.id)
    api("DELETE", "/automations/{id}", id=created.id)
    told = events_of(api, created.id)
    assert [event for event, _ in told] == [
        f"prefect.automation.{what}" for what in ("created", "updated", "updated", "deleted")
    ]
    assert [(payload["name"], payload["enabled"]) for _, payload in told] == [
        ("watch", True),
        ("new", True),
        ("new", False),
        ("new", False),
    ]
    payload = told[0][1]
    assert (payload["id"], payload["trigger"]["within"]) == (str(created.id), 0.0)
    assert payload["trigger"]["id"] == str(created.trigger.id)


@pytest.mark.parametrize(
    ("method", "sent"), [("GET", None), ("DELETE", None), ("PATCH", {"enabled": True}), ("PUT", body())]
)
def test_what_is_not_there_is_404(api: Api, method: str, sent: Any):
    refusal = api.refused(method, "/automations/{id}", sent, id=uuid4())
    assert (refusal.status, refusal.body) == (404, {"exception_message": "Automation not found"})


# -- finding ---------------------------------------------------------------------------------------------------------


def test_lists_are_filtered_and_sorted(api: Api):
    one = create(api, "one", tags=["x", "y"])
    create(api, "two", tags=["x"])
    create(api, "three")
    assert names(api) == ["one", "three", "two"]
    assert names(api, sort="NAME_DESC") == ["two", "three", "one"]
    assert names(api, sort="CREATED_DESC") == ["three", "two", "one"]
    assert names(api, limit=1, offset=1) == ["three"]
    for wanted, found in [
        ({"name": {"any_": ["two", "nothing"]}}, ["two"]),
        ({"id": {"any_": [str(one.id)]}}, ["one"]),
        ({"tags": {"all_": ["x", "y"]}}, ["one"]),
        ({"tags": {"any_": ["y", "z"]}}, ["one"]),
        ({"tags": {"is_null_": True}}, ["three"]),
        ({"created": {"before_": one.created.isoformat()}}, ["one"]),
        ({"operator": "or_", "name": {"any_": ["two"]}, "tags": {"is_null_": True}}, ["three", "two"]),
    ]:
        assert names(api, automations=wanted) == found
        assert api("POST", "/automations/count", {"automations": wanted}).body == len(found)


def test_automations_are_found_by_their_owner_and_by_what_they_act_on(api: Api):
    owner, deployment, pool = "prefect.deployment.9", uuid4(), uuid4()
    actions = [
        {"type": "run-deployment", "source": "selected", "deployment_id": str(deployment)},
        {"type": "pause-work-pool", "work_pool_id": str(pool)},
        {"type": "send-notification", "block_document_id": BLOCK, "body": "x"},
    ]
    created = create(api, actions=actions, owner_resource=owner)
    create(api, "other")

    def related(resource: str) -> list[str]:
        return [each.name for each in api("GET", "/automations/related-to/{resource_id}", resource_id=resource).body]

    named = [f"prefect.deployment.{deployment}", f"prefect.work-pool.{pool}", f"prefect.block-document.{BLOCK}"]
    assert [related(each) for each in (owner, *named, "prefect.deployment.0")] == [["watch"]] * 4 + [[]]
    api("PUT", "/automations/{id}", body(), id=created.id)
    assert [related(each) for each in (owner, *named)] == [["watch"], [], [], []]
    api("DELETE", "/automations/owned-by/{resource_id}", resource_id=named[0])
    assert related(owner) == ["watch"]
    assert api("DELETE", "/automations/owned-by/{resource_id}", resource_id=owner).status == 202
    assert names(api) == ["other"]
    assert events_of(api, created.id)[-1][0] == "prefect.automation.deleted"


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"unknown": 1}, ["body", "unknown"]),
        ({"actions": [{"type": "declare-incident"}]}, ["body", "actions", 0]),
        ({"trigger": {"type": "event", "expect": []}}, ["body", "trigger", "event", "posture"]),
        (
            {"trigger": a_trigger(posture="Proactive", within=5)},
            ["body", "trigger", "event"],
        ),
        (
            {"trigger": {"type": "compound", "require": "any", "triggers": []}},
            ["body", "trigger", "compound", "within"],
        ),
        (
            {"actions": [{"type": "call-webhook", "block_document_id": BLOCK, "payload": "{{ x "}]},
            ["body", "actions", 0, "payload"],
        ),
        (
            {"actions_on_trigger": [{"type": "send-notification", "block_document_id": BLOCK, "body": "{% if %}"}]},
            ["body", "actions_on_trigger", 0, "body"],
        ),
        (
            {"actions": [{"type": "run-deployment", "source": "inferred", "parameters": {"a": [{"b": "{{ x "}]}}]},
            ["body", "actions", 0, "parameters", "a", 0, "b"],
        ),
        (
            {
                "actions": [
                    {
                        "type": "run-deployment",
                        "source": "inferred",
                        "parameters": {"a": {"__prefect_kind": "jinja", "template": "{{ x "}},
                    }
                ]
            },
            ["body", "actions", 0, "parameters", "a", "template"],
        ),
    ],
)
def test_what_is_wrong_is_named(api: Api, fields: dict[str, Any], place: list[Any]):
    refusal = api.refused("POST", "/automations/", body(**fields))
    assert refusal.status == 422
    assert refusal.body["exception_detail"][0]["loc"] == place
    assert names(api) == []


SELECTED = {"type": "run-deployment", "source": "selected", "deployment_id": str(uuid4())}
INFERRED = {"type": "run-deployment", "source": "inferred"}


@pytest.mark.parametrize(
    ("trigger", "action"),
    [
        ({}, INFERRED),
        ({"match": {"prefect.resource.id": "prefect.flow-run.1"}}, INFERRED),
        ({"expect": ["prefect.flow-run.*"]}, INFERRED),
        ({}, SELECTED),
        ({"match": {"prefect.resource.id": "prefect.flow-run.*"}}, SELECTED),
    ],
)
def test_runs_must_not_start_runs_without_end(api: Api, trigger: dict[str, Any], action: dict[str, Any]):
    wanted = body(trigger=a_trigger(**{"expect": WITHOUT_END, **trigger}), actions=[action])
    assert api.refused("POST", "/automations/", wanted).status == 422
    resting = create(api, **{**wanted, "enabled": False})
    assert api.refused("PATCH", "/automations/{id}", {"enabled": True}, id=resting.id).status == 422


@pytest.mark.parametrize(
    ("trigger", "action"),
    [
        ({"match": {"prefect.resource.id": "prefect.flow-run.1"}}, SELECTED),
        ({"match_related": {"prefect.resource.id": "prefect.flow.1"}}, SELECTED),
        ({"expect": ["prefect.flow-run.Completed"]}, INFERRED),
    ],
)
def test_runs_may_start_other_runs(api: Api, trigger: dict[str, Any], action: dict[str, Any]):
    wanted = body(trigger=a_trigger(**{"expect": WITHOUT_END, **trigger}), actions=[action])
    assert api("POST", "/automations/", wanted).status == 201


def test_job_variables_are_those_of_a_deployment_that_exists(api: Api):
    action = {**SELECTED, "job_variables": {"a": "b"}}
    assert api.refused("POST", "/automations/", body(actions=[action])).status == 404
    deployment = api.deployment()
    assert create(api, actions=[{**action, "deployment_id": str(deployment.id)}]).actions[0].job_variables == {"a": "b"}


# -- templates -------------------------------------------------------------------------------------------------------

PATHS = ["/templates/validate", "/automations/templates/validate"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "template", [None, "", "plain", "{{ flow_run | ui_url }}", "{{ a.b.c }}\n{% if x %}{% endif %}"]
)
def test_a_template_is_valid(api: Api, path: str, template: str | None):
    reply = api("POST", path, template)
    assert (reply.status, reply.body) == (204, None)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{ x ", 1),
        ("a\n\n{% if %}", 3),
        ("{% for a in b %}{% endfor %}" * 11, 0),
        ("{% for a in b %}" * 3 + "{% endfor %}" * 3, 0),
    ],
)
def test_an_invalid_template_is_explained(api: Api, path: str, template: str, line: int):
    reply = api("POST", path, template)
    assert reply.status == 422
    error = reply.body["error"]
    assert (error["line"], error["source"]) == (line, template)
    assert error["message"]
