"""What triggers of the server decide: which events they are about, and when they fire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from prefect.events.actions import DoNothing
from prefect.events.schemas import automations as shared
from prefect.events.schemas.events import ReceivedEvent
from prefect.server.events.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    CompoundTrigger,
    EventTrigger,
    Firing,
    SequenceTrigger,
    Trigger,
    TriggeredAction,
    TriggerState,
)

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)
EVENT = ReceivedEvent(
    occurred=NOW,
    event="x",
    resource={"prefect.resource.id": "r", "a": "1"},
    related=[{"prefect.resource.id": "s", "prefect.resource.role": "role", "b": "2"}],
    id=UUID(int=5),
    received=NOW,
)


def reactive(**values: Any) -> EventTrigger:
    return EventTrigger(posture="Reactive", **values)


def firing(trigger: Trigger, seconds: float = 0, **values: Any) -> Firing:
    at = NOW + timedelta(seconds=seconds)
    return Firing(trigger=trigger, trigger_states={"Triggered"}, triggered=at, **values)


# -- event triggers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "covered"),
    [
        (reactive(), True),
        (reactive(match={"a": "1"}), True),
        (reactive(match={"a": "2"}), False),
        (reactive(match_related={"b": "2"}), True),
        (reactive(match_related=[{"b": "2"}, {"prefect.resource.role": "role"}]), True),
        (reactive(match_related=[{"b": "2"}, {"b": "3"}]), False),
        (reactive(match={"a": "1"}, match_related={"b": "3"}), False),
        (reactive(match_related=[]), True),
    ],
)
def test_a_trigger_looks_at_certain_resources(trigger: EventTrigger, covered: bool):
    assert trigger.covers(EVENT) is covered


def test_a_trigger_waits_for_certain_events():
    trigger = reactive(expect={"a.*", "b"}, after={"c?"})
    assert [trigger.expects(name) for name in ("a.x", "b", "bb", "c1")] == [True, True, False, False]
    assert [trigger.starts_after(name) for name in ("c1", "c", "b")] == [True, False, False]
    assert [bool(trigger.event_pattern.match(name)) for name in ("a.x", "b", "c1", "bb")] == [True, True, True, False]


def test_a_trigger_that_names_no_events_waits_for_all():
    trigger = reactive()
    assert trigger.expects("anything")
    assert not trigger.starts_after("anything")
    assert trigger.event_pattern.match("anything")
    assert reactive(after={"a"}).event_pattern.match("anything")


def test_events_are_counted_apart_by_their_labels():
    assert reactive(for_each={"a", "related:role:b", "missing"}).bucketing_key(EVENT) == ("1", "", "2")
    assert reactive().bucketing_key(EVENT) == ()


def test_thresholds_are_reached_or_missed():
    proactive = EventTrigger(posture="Proactive", threshold=2)
    assert [reactive(threshold=2).meets_threshold(count) for count in (1, 2, 3)] == [False, True, True]
    assert [proactive.meets_threshold(count) for count in (1, 2, 3)] == [True, False, False]
    assert reactive().immediate
    assert not reactive(within=1).immediate
    assert not proactive.immediate


# -- triggers made of triggers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("require", "number"), [(2, 2), ("any", 1), ("all", 3)])
def test_a_compound_trigger_counts_the_triggers_that_fired(require: Any, number: int):
    trigger = CompoundTrigger(require=require, within=None, triggers=[reactive(), reactive(), reactive()])
    first, second, third = trigger.triggers
    assert trigger.num_expected_firings == number
    assert trigger.child_trigger_ids == [first.id, second.id, third.id]
    firings = [firing(first), firing(second), firing(third)]
    assert [trigger.ready_to_fire(firings[:count]) for count in range(4)] == [count >= number for count in range(4)]
    assert trigger.ready_to_fire([firing(first), firing(first), firing(first)]) is (number == 1)


def test_a_sequence_fires_in_its_order():
    trigger = SequenceTrigger(within=None, triggers=[reactive(), reactive()])
    first, second = trigger.triggers
    assert trigger.expected_firing_order == [first.id, second.id]
    assert trigger.ready_to_fire([firing(second, 2), firing(first, 1)])
    assert not trigger.ready_to_fire([firing(second, 1), firing(first, 2)])
    assert not trigger.ready_to_fire([firing(first, 1)])


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "event", "expect": ["x"]},
        {"type": "sequence", "triggers": []},
        {"type": "compound", "require": 1, "triggers": [{"type": "event", "posture": "Reactive"}]},
        {"type": "compound", "require": 2, "within": None, "triggers": [{"type": "event", "posture": "Reactive"}]},
        {"type": "metric", "posture": "Metric", "metric": {"name": "lateness", "threshold": 1, "operator": "<"}},
    ],
)
def test_triggers_that_the_server_refuses(trigger: dict[str, Any]):
    with pytest.raises(ValidationError):
        AutomationCreate(name="a", trigger=trigger, actions=[])


# -- automations -----------------------------------------------------------------------------------------------------


@pytest.fixture
def automation() -> Automation:
    trigger = CompoundTrigger(
        require="any", within=None, triggers=[reactive(expect={"x"}), SequenceTrigger(within=5, triggers=[reactive()])]
    )
    return Automation(name="n", trigger=trigger, actions=[DoNothing()])


def test_an_automation_knows_all_its_triggers(automation: Automation):
    top = automation.trigger
    event, sequence = top.triggers
    assert automation.triggers() == [top, event, sequence, *sequence.triggers]
    assert automation.triggers_of_type(EventTrigger) == [event, *sequence.triggers]
    assert automation.trigger_by_id(sequence.id) is sequence
    assert automation.trigger_by_id(UUID(int=1)) is None


def test_a_trigger_knows_what_it_is_part_of(automation: Automation):
    inner = automation.trigger.triggers[1].triggers[0]
    assert inner.parent is automation.trigger.triggers[1]
    assert inner.parent.parent is automation.trigger
    assert inner.automation is automation
    with pytest.raises(ValueError, match="part of no automation"):
        _ = reactive().parent


def test_what_a_trigger_is_part_of_makes_no_difference(automation: Automation):
    trigger = automation.trigger.triggers[0]
    assert trigger == EventTrigger.model_validate(trigger.model_dump())
    assert automation == Automation.model_validate_json(automation.model_dump_json())


def test_ids_are_given_out_anew(automation: Automation):
    before = [trigger.id for trigger in automation.triggers()]
    automation.trigger.reset_ids()
    assert not set(before) & {trigger.id for trigger in automation.triggers()}


def test_triggers_of_the_server_are_triggers_with_ids(automation: Automation):
    assert isinstance(automation.trigger, shared.CompoundTrigger)
    assert automation.trigger.describe_for_cli().startswith("Any of:")
    document = automation.model_dump(mode="json")
    assert document["trigger"]["id"] == str(automation.trigger.id)
    client = shared.Automation.model_validate(document)
    assert type(client.trigger) is shared.CompoundTrigger
    assert "id" not in client.model_dump()["trigger"]


def test_requests_are_strict_and_answers_are_not(automation: Automation):
    document = automation.model_dump(mode="json", exclude={"id", "created", "updated"})
    assert AutomationCreate(**document, owner_resource="r").owner_resource == "r"
    with pytest.raises(ValidationError, match="Extra inputs"):
        AutomationCreate(**document, color="red")
    with pytest.raises(ValidationError, match="declare-incident"):
        AutomationCreate(**{**document, "actions": [{"type": "declare-incident"}]})
    assert AutomationPartialUpdate().enabled


# -- firings ---------------------------------------------------------------------------------------------------------


def test_a_firing_knows_what_led_to_it(automation: Automation):
    event, sequence = automation.trigger.triggers
    inner = firing(sequence, triggering_firings=[firing(sequence.triggers[0], triggering_event=EVENT)])
    outer = firing(automation.trigger, triggering_firings=[firing(event, triggering_event=EVENT), inner])
    assert len(outer.all_firings()) == 4
    assert outer.all_events() == [EVENT]
    assert Firing.model_validate_json(outer.model_dump_json()) == outer
    with pytest.raises(ValidationError, match="At least one trigger state"):
        Firing(trigger=event, trigger_states=set(), triggered=NOW)


@pytest.mark.parametrize("state", list(TriggerState))
def test_a_firing_is_told_by_an_event(automation: Automation, state: TriggerState):
    fired = firing(automation.trigger, triggering_labels={"a": "b"}, triggering_event=EVENT)
    told = automation.trigger.create_automation_state_change_event(fired, state)
    assert told.event == f"prefect.automation.{state.value.lower()}"
    assert told.occurred == NOW
    assert told.resource.root == {
        "prefect.resource.id": f"prefect.automation.{automation.id}",
        "prefect.resource.name": "n",
    }
    assert [related.root for related in told.related] == [
        {"prefect.resource.id": f"prefect.event.{EVENT.id}", "prefect.resource.role": "triggering-event"}
    ]
    assert told.payload == {"triggering_labels": {"a": "b"}, "triggering_event": EVENT.model_dump(mode="json")}


def test_event_triggers_tell_their_posture(automation: Automation):
    trigger = automation.trigger.triggers[0]
    told = trigger.create_automation_state_change_event(firing(trigger), TriggerState.Triggered)
    assert told.resource["prefect.posture"] == "Reactive"
    assert told.related == []
    assert told.payload["triggering_event"] is None


def test_an_action_is_done_once_for_each_invocation(automation: Automation):
    fired = firing(automation.trigger, triggering_event=EVENT)
    values = {
        "automation": automation,
        "triggered": NOW,
        "triggering_labels": {},
        "triggering_event": EVENT,
        "action": DoNothing(),
    }
    action = TriggeredAction(firing=fired, action_index=2, **values)
    assert action.idempotency_key() == f"automation {automation.id}, action 2, invocation {action.id}"
    assert action.all_firings() == [fired]
    assert action.all_events() == [EVENT]
    assert TriggeredAction(**values).all_events() == TriggeredAction(**values).all_firings() == []
