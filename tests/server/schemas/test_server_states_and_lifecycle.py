"""States that the server makes, and the events that tell of the life of objects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from prefect.server.events.schemas import lifecycle
from prefect.server.events.schemas.automations import Automation, EventTrigger
from prefect.server.schemas import core, states
from prefect.server.schemas.states import CountByState, Paused, Scheduled, State, StateDetails, Suspended

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)
ID, OTHER = UUID(int=5), UUID(int=6)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Scheduled", "SCHEDULED"),
        ("Late", "SCHEDULED"),
        ("AwaitingRetry", "SCHEDULED"),
        ("AwaitingConcurrencySlot", "SCHEDULED"),
        ("Pending", "PENDING"),
        ("Submitting", "PENDING"),
        ("InfrastructurePending", "PENDING"),
        ("Running", "RUNNING"),
        ("Retrying", "RUNNING"),
        ("Completed", "COMPLETED"),
        ("Failed", "FAILED"),
        ("Crashed", "CRASHED"),
        ("Cancelling", "CANCELLING"),
        ("Cancelled", "CANCELLED"),
        ("Paused", "PAUSED"),
        ("Suspended", "PAUSED"),
    ],
)
def test_states_are_made_by_their_names(name: str, type_: str):
    state = getattr(states, name)(message="m")
    assert (state.name, state.type.value, state.message) == (name, type_, "m")
    assert (state.state_details.scheduled_time is not None) == (type_ == "SCHEDULED")


def test_scheduled_states_say_when_in_one_place():
    assert Scheduled(NOW).state_details.scheduled_time == NOW
    details = StateDetails(scheduled_time=NOW, cache_key="k")
    assert Scheduled(state_details=details).state_details == details
    with pytest.raises(ValueError, match="extra scheduled_time"):
        Scheduled(NOW, state_details=details)


def test_pauses_end_after_a_time_or_at_an_instant():
    before = datetime.now(timezone.utc)
    assert Paused(timeout_seconds=60).state_details.pause_timeout >= before + timedelta(seconds=60)
    assert Paused(pause_expiration_time=NOW).state_details.pause_timeout == NOW
    assert Paused().state_details.pause_timeout is None
    assert Suspended(pause_key="k").state_details == StateDetails(pause_reschedule=True, pause_key="k")
    with pytest.raises(ValueError, match="both"):
        Paused(timeout_seconds=60, pause_expiration_time=NOW)


def test_given_details_are_not_changed():
    details = StateDetails()
    Paused(state_details=details, reschedule=True)
    assert details == StateDetails()


def test_other_classes_of_states_can_be_made():
    class Special(State):
        pass

    assert isinstance(states.Running(Special), Special)
    assert isinstance(states.Late(cls=Special), Special)


def test_states_are_counted_by_type():
    assert CountByState(RUNNING=2).model_dump()["RUNNING"] == 2
    assert set(CountByState.model_fields) == {type_.value for type_ in states.StateType}


# -- the life of objects ---------------------------------------------------------------------------------------------

BLOCK_TYPE = core.BlockType(id=ID, name="B T", slug="b-t", logo_url="http://x")
BLOCK_SCHEMA = core.BlockSchema(
    id=OTHER,
    checksum="c",
    block_type_id=ID,
    block_type=BLOCK_TYPE,
    capabilities=["notify"],
    fields={"secret_fields": ["password", "nested.token"]},
)
BLOCK = core.BlockDocument(
    id=ID,
    name="b",
    data={"user": "me", "password": "open sesame", "nested": "sesame", "number": 3},
    block_schema_id=OTHER,
    block_schema=BLOCK_SCHEMA,
    block_type_id=ID,
    block_type_name="B T",
)


@pytest.mark.parametrize("change", ["created", "updated", "deleted"])
@pytest.mark.parametrize(
    ("function", "object", "kind", "name", "payload"),
    [
        (
            "flow",
            core.Flow(id=ID, name="f", labels={"a": 1}),
            "flow",
            "f",
            {"name": "f", "tags": [], "labels": {"a": 1}},
        ),
        (
            "artifact_collection",
            core.ArtifactCollection(id=ID, key="k", latest_id=OTHER, type="t", data={"x": 1}),
            "artifact-collection",
            "k",
            {"key": "k", "type": "t", "data": {"x": 1}, "description": None},
        ),
        (
            "block_type",
            BLOCK_TYPE,
            "block-type",
            "B T",
            {
                "name": "B T",
                "slug": "b-t",
                "logo_url": "http://x",
                "documentation_url": None,
                "description": None,
                "code_example": None,
                "is_protected": False,
            },
        ),
        (
            "block_document",
            BLOCK,
            "block-document",
            "b",
            {
                "name": "b",
                "data": {"user": "me"},
                "block_schema": {"capabilities": ["notify"], "block_type": {"id": str(ID), "name": "B T"}},
            },
        ),
        (
            "concurrency_limit",
            core.ConcurrencyLimit(id=ID, tag="t", concurrency_limit=3, active_slots=[OTHER]),
            "concurrency-limit",
            "t",
            {"tag": "t", "concurrency_limit": 3},
        ),
        (
            "concurrency_limit_v2",
            core.ConcurrencyLimitV2(id=ID, name="n", limit=3),
            "concurrency-limit",
            "n",
            {"name": "n", "limit": 3, "active": True, "slot_decay_per_second": 0.0},
        ),
        (
            "variable",
            core.Variable(id=ID, name="v", value=[1]),
            "variable",
            "v",
            {"name": "v", "value": [1], "tags": []},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_life_of_objects_is_told(function: str, object: Any, kind: str, name: str, payload: Any, change: str):
    event = getattr(lifecycle, f"{function}_{change}_event")(object, NOW)
    assert event.event == f"prefect.{kind}.{change}"
    assert event.occurred == NOW
    assert event.resource.root == {"prefect.resource.id": f"prefect.{kind}.{ID}", "prefect.resource.name": name}
    assert event.payload == payload


def test_secrets_of_blocks_are_not_told():
    for block in (BLOCK, BLOCK.model_copy(update={"block_schema": None})):
        assert "sesame" not in lifecycle.block_document_created_event(block, NOW).model_dump_json()


def test_events_of_blocks_and_artifacts_name_what_they_belong_to():
    block = lifecycle.block_document_updated_event(BLOCK, NOW)
    assert [(each.id, each.role, each.name) for each in block.related] == [
        (f"prefect.block-type.{ID}", "block-type", "B T"),
        (f"prefect.block-schema.{OTHER}", "block-schema", None),
    ]
    collection = core.ArtifactCollection(id=ID, key="k", latest_id=OTHER, flow_run_id=ID, task_run_id=OTHER)
    artifact = lifecycle.artifact_collection_created_event(collection, NOW)
    assert [(each.id, each.role) for each in artifact.related] == [
        (f"prefect.artifact.{OTHER}", "latest"),
        (f"prefect.flow-run.{ID}", "flow-run"),
        (f"prefect.task-run.{OTHER}", "task-run"),
    ]


def test_automations_are_told_in_full():
    automation = Automation(id=ID, name="a", trigger=EventTrigger(posture="Reactive"), actions=[])
    event = lifecycle.automation_deleted_event(automation, NOW)
    assert event.event == "prefect.automation.deleted"
    assert event.payload == automation.model_dump(mode="json")
