from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.events.related import (
    object_as_related_resource,
    related_resources_from_run_context,
    tags_as_related_resources,
)
from prefect.events.schemas.events import Event, RelatedResource
from prefect.events.utilities import emit_event
from prefect.exceptions import EventTooLarge
from prefect.settings import temporary_settings

OVEN = {"prefect.resource.id": "kitchen.oven"}


def labels(event: Event) -> list[dict[str, str]]:
    return [dict(resource.root) for resource in event.related]


def test_an_event_is_returned_and_sent(emitted):
    event = emit_event("oven.hot", OVEN, payload={"degrees": 300})
    assert emitted() == [event]
    assert (event.event, event.resource.id, event.payload) == ("oven.hot", "kitchen.oven", {"degrees": 300})
    assert event.related == [] and event.follows is None


def test_what_is_given_is_kept(emitted):
    id, at = uuid4(), datetime(2024, 1, 1)
    event = emit_event("oven.hot", OVEN, occurred=at, id=id, related=[{**OVEN, "prefect.resource.role": "oven"}])
    assert (event.id, event.occurred) == (id, at.replace(tzinfo=timezone.utc))
    assert labels(event) == [{**OVEN, "prefect.resource.role": "oven"}]


def test_related_resources_may_be_objects(emitted):
    related = RelatedResource.model_validate({**OVEN, "prefect.resource.role": "oven"})
    assert emit_event("x", OVEN, related=[related]).related == [related]


@pytest.mark.parametrize(
    ("resource", "related"),
    [
        ({}, None),
        ({"prefect.resource.id": ""}, None),
        (OVEN, [{"prefect.resource.id": "x"}]),
        (OVEN, [{"prefect.resource.role": "x"}]),
    ],
)
def test_an_event_that_is_wrong_is_logged_and_not_raised(emitted, caplog, resource, related):
    assert emit_event("oven.hot", resource, related=related) is None
    assert "'oven.hot' could not be emitted" in caplog.text
    assert emitted() == []


def test_an_event_that_is_too_large_is_an_error(emitted):
    with pytest.raises(EventTooLarge) as caught:
        emit_event("big", OVEN, payload={"text": "x" * 1_500_000})
    assert caught.value.maximum == 1_500_000 and caught.value.size > 1_500_000
    with temporary_settings({"server.events.maximum_size_bytes": 50}), pytest.raises(EventTooLarge):
        emit_event("small", OVEN)
    assert emitted() == []


def test_an_event_follows_another_that_is_less_than_five_minutes_away(emitted):
    leader = emit_event("first", OVEN)
    assert emit_event("second", OVEN, follows=leader).follows == leader.id
    for distance in (timedelta(minutes=5), -timedelta(minutes=5)):
        assert emit_event("far", OVEN, follows=leader, occurred=leader.occurred + distance).follows is None
    earlier = leader.occurred - timedelta(minutes=4, seconds=59)
    assert emit_event("near", OVEN, follows=leader, occurred=earlier).follows == leader.id


def test_in_a_flow_run_its_resources_are_added_in_order(emitted, in_flow_run, monkeypatch):
    monkeypatch.setenv("PREFECT__DEPLOYMENT_NAME", "nightly")
    event = emit_event("oven.hot", OVEN, related=[{"prefect.resource.id": "r", "prefect.resource.role": "x"}])

    def run_resource(kind, id, name):
        return {
            "prefect.resource.id": f"prefect.{kind}.{id}",
            "prefect.resource.role": kind,
            "prefect.resource.name": name,
        }

    assert labels(event) == [
        {"prefect.resource.id": "r", "prefect.resource.role": "x"},
        run_resource("flow-run", in_flow_run.id, "brave-owl"),
        run_resource("flow", in_flow_run.flow_id, "bake"),
        run_resource("deployment", in_flow_run.deployment_id, "nightly"),
        run_resource("work-queue", in_flow_run.work_queue_id, "fast"),
        run_resource("work-pool", in_flow_run.work_pool_id, "ovens"),
        {"prefect.resource.id": "prefect.tag.a", "prefect.resource.role": "tag"},
        {"prefect.resource.id": "prefect.tag.b", "prefect.resource.role": "tag"},
    ]


def test_in_a_task_run_both_runs_and_the_tags_of_both_are_added(emitted, in_task_run, in_flow_run):
    event = emit_event("oven.hot", OVEN)
    ids = [resource.id for resource in event.related]
    assert ids[:2] == [f"prefect.flow-run.{in_flow_run.id}", f"prefect.task-run.{in_task_run.id}"]
    assert ids[-3:] == ["prefect.tag.a", "prefect.tag.b", "prefect.tag.c"]


def test_resources_that_are_involved_already_are_not_added_again(emitted, in_flow_run):
    run = f"prefect.flow-run.{in_flow_run.id}"
    own = emit_event(
        "x",
        {"prefect.resource.id": run},
        related=[{"prefect.resource.id": "prefect.tag.a", "prefect.resource.role": "mine"}],
    )
    ids = [resource.id for resource in own.related]
    assert run not in ids
    assert ids.count("prefect.tag.a") == 1


def test_an_event_with_a_lineage_of_its_own_is_left_as_it_is(emitted, in_flow_run):
    event = emit_event("x", {**OVEN, "prefect.resource.lineage-group": "g"})
    assert event.related == []


def test_too_many_related_resources_are_cut_with_a_warning(emitted, in_flow_run, caplog):
    with temporary_settings({"server.events.maximum_related_resources": 3}):
        event = emit_event("x", OVEN, related=[{"prefect.resource.id": "r", "prefect.resource.role": "x"}])
    assert len(event.related) == 3
    assert "left out" in caplog.text


async def test_the_pieces_of_related_resources_can_be_made_alone(in_flow_run):
    assert [resource.id for resource in tags_as_related_resources({"z", "y"})] == ["prefect.tag.y", "prefect.tag.z"]
    made = object_as_related_resource("flow", "parent", in_flow_run)
    assert (made.id, made.role, made["prefect.resource.name"]) == (
        f"prefect.flow.{in_flow_run.id}",
        "parent",
        "brave-owl",
    )
    excluded = {f"prefect.flow-run.{in_flow_run.id}"}
    found = await related_resources_from_run_context(client=None, exclude=excluded)
    assert excluded.isdisjoint(resource.id for resource in found) and found
