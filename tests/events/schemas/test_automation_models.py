"""Triggers, actions and automations: defaults, what is refused, and how they are described."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

import prefect.events
from prefect.events import actions
from prefect.events.actions import ActionTypes, CallWebhook, ChangeFlowRunState, DoNothing, RunDeployment
from prefect.events.schemas.automations import (
    Automation,
    AutomationCore,
    CompoundTrigger,
    EventTrigger,
    MetricTrigger,
    SequenceTrigger,
    trigger_discriminator,
)
from prefect.events.schemas.deployment_triggers import (
    DeploymentCompoundTrigger,
    DeploymentEventTrigger,
    DeploymentSequenceTrigger,
    DeploymentTriggerTypes,
)

ID = UUID(int=5)
TRIGGER = EventTrigger(expect={"a"}, threshold=2, within=10)
METRIC = {"name": "duration", "threshold": 1, "operator": ">"}


# -- event triggers --------------------------------------------------------------------------------------------------


def test_an_event_trigger_in_json():
    assert EventTrigger(match={"a": "b"}, within=timedelta(minutes=1)).model_dump(mode="json") == {
        "type": "event",
        "match": {"a": "b"},
        "match_related": {},
        "after": [],
        "expect": [],
        "for_each": [],
        "posture": "Reactive",
        "threshold": 1,
        "within": 60.0,
    }


def test_related_resources_are_matched_by_one_specification_or_by_several():
    assert EventTrigger(match_related={"a": "b"}).match_related.matches_every_resource() is False
    several = EventTrigger(match_related=[{"a": "b"}, {"c": ["d"]}])
    assert [len(each) for each in several.match_related] == [1, 1]
    assert several.model_dump(mode="json")["match_related"] == [{"a": "b"}, {"c": ["d"]}]


@pytest.mark.parametrize("within", [None, 0])
def test_a_proactive_trigger_waits_ten_seconds_at_least(within: int | None):
    given = {} if within is None else {"within": within}
    assert EventTrigger(posture="Proactive", **given).within == timedelta(seconds=10)
    with pytest.raises(ValidationError, match="greater than or equal to 10 seconds"):
        EventTrigger(posture="Proactive", within=9.9)


@pytest.mark.parametrize("values", [{"within": -1}, {"within": None}, {"posture": "Metric"}, {"expect": "a"}])
def test_event_triggers_that_make_no_sense(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        EventTrigger(**values)


@pytest.mark.parametrize("key", ["range", "firing_for"])
def test_metrics_are_measured_over_five_minutes_at_least(key: str):
    assert MetricTrigger(metric=METRIC).metric.range == timedelta(minutes=5)
    with pytest.raises(ValidationError, match="300 seconds"):
        MetricTrigger(metric={**METRIC, key: 299})


# -- triggers made of triggers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("require", [1, 2, "any", "all"])
def test_a_compound_trigger_requires_some_of_its_triggers(require: Any):
    assert CompoundTrigger(require=require, triggers=[TRIGGER, TRIGGER]).require == require


@pytest.mark.parametrize(("require", "message"), [(0, "at least 1"), (3, "there are 2"), ("most", "'any' or 'all'")])
def test_a_compound_trigger_requires_what_it_has(require: Any, message: str):
    with pytest.raises(ValidationError, match=message):
        CompoundTrigger(require=require, triggers=[TRIGGER, TRIGGER])


def test_triggers_are_nested():
    nested = {
        "type": "compound",
        "require": "any",
        "triggers": [{"triggers": [{"expect": ["a"]}]}, {"posture": "Metric", "metric": METRIC}],
    }
    trigger = SequenceTrigger(triggers=[nested, TRIGGER])
    inner = trigger.triggers[0]
    assert isinstance(inner, CompoundTrigger)
    assert [type(each) for each in inner.triggers] == [SequenceTrigger, MetricTrigger]
    assert SequenceTrigger.model_validate_json(trigger.model_dump_json()) == trigger


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"type": "event"}, "event"),
        ({}, "event"),
        ({"triggers": [], "require": 1}, "compound"),
        ({"triggers": []}, "sequence"),
        ({"posture": "Metric"}, "metric"),
        (TRIGGER, "event"),
    ],
)
def test_the_kind_of_a_trigger_shows_in_its_keys(value: Any, kind: str):
    assert trigger_discriminator(value) == kind


@pytest.mark.parametrize(
    ("trigger", "description"),
    [
        (EventTrigger(expect={"b", "a"}, threshold=3), "Reactive: expecting 3 of a, b"),
        (EventTrigger(), "Reactive: expecting 1 of any event"),
        (EventTrigger(posture="Proactive", expect={"a"}), "Proactive: expecting 1 of a within 0:00:10"),
        (MetricTrigger(metric=METRIC), "Metric: duration > 1.0 for 0:05:00"),
        (SequenceTrigger(triggers=[TRIGGER]), "In this order:\n  Reactive: expecting 2 of a"),
        (
            CompoundTrigger(require="all", triggers=[CompoundTrigger(require=1, triggers=[TRIGGER])]),
            "All of:\n  1 of:\n    Reactive: expecting 2 of a",
        ),
    ],
)
def test_triggers_are_described(trigger: Any, description: str):
    assert trigger.describe_for_cli() == description


# -- actions ---------------------------------------------------------------------------------------------------------

SELECTING = [
    (getattr(actions, f"{verb}{noun}"), f"{key}_id")
    for verb in ("Pause", "Resume")
    for noun, key in (("Deployment", "deployment"), ("WorkPool", "work_pool"), ("WorkQueue", "work_queue"), ("Automation", "automation"))
] + [(RunDeployment, "deployment_id")]  # fmt: skip


@pytest.mark.parametrize(("action", "key"), SELECTING)
def test_what_is_selected_is_named_and_what_is_inferred_is_not(action: Any, key: str):
    assert action(**{key: ID}).source == "selected"
    assert getattr(action(source="inferred"), key) is None
    with pytest.raises(ValidationError, match=f"{key} is required"):
        action()
    with pytest.raises(ValidationError, match=f"{key} is not allowed"):
        action(source="inferred", **{key: ID})


def test_runs_are_started_now_or_later():
    assert RunDeployment(deployment_id=ID, schedule_after=5).model_dump(mode="json")["schedule_after"] == 5.0
    assert RunDeployment(deployment_id=ID, schedule_after="PT5M").schedule_after == timedelta(minutes=5)
    with pytest.raises(ValidationError, match="non-negative"):
        RunDeployment(deployment_id=ID, schedule_after=-1)


def test_objects_are_sent_to_webhooks_as_text():
    assert CallWebhook(block_document_id=ID, payload={"a": [1]}).payload == '{\n  "a": [\n    1\n  ]\n}'
    assert CallWebhook(block_document_id=ID, payload="{{ event.id }}").payload == "{{ event.id }}"
    assert CallWebhook(block_document_id=ID).payload == ""


def test_states_of_runs_are_changed_to_known_types():
    assert ChangeFlowRunState(state="FAILED").model_dump(mode="json") == {
        "type": "change-flow-run-state",
        "name": None,
        "state": "FAILED",
        "message": None,
        "force": False,
    }
    with pytest.raises(ValidationError):
        ChangeFlowRunState(state="DONE")


def test_actions_are_told_apart_by_their_type():
    adapter: TypeAdapter[Any] = TypeAdapter(ActionTypes)
    assert adapter.validate_python({"type": "do-nothing"}) == DoNothing()
    assert adapter.validate_python(DoNothing()) == DoNothing()
    with pytest.raises(ValidationError, match="'dance' found using 'type'"):
        adapter.validate_python({"type": "dance"})


def test_actions_are_described():
    assert RunDeployment(source="inferred").describe_for_cli() == "Run deployment"
    assert ChangeFlowRunState(state="FAILED").describe_for_cli() == "Change flow run state"


# -- automations -----------------------------------------------------------------------------------------------------


def test_an_automation_says_what_it_does():
    automation = AutomationCore(name="a", trigger={"expect": ["x"]}, actions=[{"type": "do-nothing"}])
    assert isinstance(automation.trigger, EventTrigger)
    assert automation.enabled
    assert (automation.description, automation.tags, automation.owner_resource) == ("", [], None)
    with pytest.raises(ValidationError, match="actions"):
        AutomationCore(name="a", trigger=TRIGGER)
    with pytest.raises(ValidationError, match="id"):
        Automation(name="a", trigger=TRIGGER, actions=[])
    stored = Automation(id=ID, name="a", trigger=TRIGGER, actions=[DoNothing()])
    assert Automation.model_validate_json(stored.model_dump_json()) == stored


# -- triggers of deployments -----------------------------------------------------------------------------------------


def test_a_trigger_of_a_deployment_becomes_an_automation():
    trigger = DeploymentEventTrigger(
        name="n", description="d", enabled=False, expect={"a"}, parameters={"p": 1}, job_variables={"j": 1}, schedule_after=5
    )  # fmt: skip
    trigger.set_deployment_id(ID)
    automation = trigger.as_automation()
    assert (automation.name, automation.description, automation.enabled) == ("n", "d", False)
    assert automation.owner_resource == trigger.owner_resource() == f"prefect.deployment.{ID}"
    assert automation.trigger == EventTrigger(expect={"a"})
    assert type(automation.trigger) is EventTrigger
    assert [action.model_dump(mode="json") for action in automation.actions] == [
        {
            "type": "run-deployment",
            "source": "selected",
            "deployment_id": str(ID),
            "parameters": {"p": 1},
            "job_variables": {"j": 1},
            "schedule_after": 5.0,
        }
    ]


def test_composite_triggers_of_deployments_become_automations():
    compound = DeploymentCompoundTrigger(require="all", within=3, triggers=[TRIGGER, {"triggers": [TRIGGER]}])
    sequence = DeploymentSequenceTrigger(triggers=[TRIGGER])
    for trigger, kind in ((compound, CompoundTrigger), (sequence, SequenceTrigger)):
        trigger.set_deployment_id(ID)
        automation = trigger.as_automation()
        assert type(automation.trigger) is kind
        assert automation.trigger.triggers == trigger.triggers
        assert automation.name == f"Automation for deployment {ID}"


def test_plain_triggers_run_deployments_too():
    trigger = EventTrigger(expect={"a"})
    with pytest.raises(ValueError, match="belongs to no deployment"):
        trigger.as_automation()
    assert trigger.owner_resource() is None
    trigger.set_deployment_id(ID)
    assert trigger.as_automation().actions == [RunDeployment(deployment_id=ID)]


def test_triggers_of_deployments_are_told_apart_by_their_keys():
    adapter: TypeAdapter[Any] = TypeAdapter(list[DeploymentTriggerTypes])
    given = [
        {"expect": ["a"]},
        {"triggers": [], "require": "all"},
        {"triggers": []},
        {"posture": "Metric", "metric": METRIC},
    ]
    names = [type(trigger).__name__ for trigger in adapter.validate_python(given)]
    assert names == [
        "DeploymentEventTrigger",
        "DeploymentCompoundTrigger",
        "DeploymentSequenceTrigger",
        "DeploymentMetricTrigger",
    ]


def test_the_package_offers_the_models():
    assert prefect.events.EventTrigger is EventTrigger
    assert prefect.events.DoNothing is DoNothing
    with pytest.raises(AttributeError, match="Nothing"):
        _ = prefect.events.Nothing
