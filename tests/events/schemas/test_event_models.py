"""Events, their resources and labels, and what resources are matched against."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from prefect.events.schemas.events import (
    Event,
    ReceivedEvent,
    RelatedResource,
    Resource,
    ResourceSpecification,
    matches,
)
from prefect.events.schemas.labelling import LabelDiver
from prefect.server.events.schemas.events import IncomingEvent
from prefect.settings import temporary_settings

NOW = datetime(2024, 1, 31, 12, tzinfo=timezone.utc)
FLOW_RUN = UUID(int=5)


def related(id: str, role: str, **labels: str) -> dict[str, str]:
    return {"prefect.resource.id": id, "prefect.resource.role": role, **labels}


@pytest.fixture
def event() -> Event:
    return Event(
        occurred=NOW,
        event="acme.ordered",
        resource={"prefect.resource.id": f"prefect.flow-run.{FLOW_RUN}", "prefect.resource.name": "my run", "color": "red"},
        related=[related("x", "customer", name="first"), related("y", "customer"), related("z", "tag")],
        payload={"a": 1},
    )  # fmt: skip


# -- events ----------------------------------------------------------------------------------------------------------


def test_an_event_says_when_it_was_made_and_has_an_id_that_sorts():
    first, second = (Event(event="e", resource={"prefect.resource.id": "r"}) for _ in range(2))
    assert first.occurred <= second.occurred
    assert first.id < second.id


def test_unknown_keys_are_ignored():
    assert "extra" not in Event(event="e", resource={"prefect.resource.id": "r"}, extra=1).model_dump()


def test_an_event_survives_the_wire(event: Event):
    document = event.model_dump_json()
    assert Event.model_validate_json(document) == event
    assert event.size_bytes == len(document.encode())


def test_resources_are_found_by_their_roles(event: Event):
    assert [resource.id for resource in event.involved_resources] == [event.resource.id, "x", "y", "z"]
    assert event.resource_in_role["customer"].id == "x"
    assert [resource.id for resource in event.resources_in_role["customer"]] == ["x", "y"]
    assert event.resources_in_role["nobody"] == []
    with pytest.raises(KeyError):
        event.resource_in_role["nobody"]


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("color", "red"),
        ("size", None),
        ("related:customer:name", "first"),
        ("related:tag:name", None),
        ("related:nobody:name", None),
        ("related:customer", None),
    ],
)
def test_labels_are_found_in_the_first_resource_of_a_role(event: Event, label: str, value: str | None):
    assert event.find_resource_label(label) == value


def test_the_server_stamps_what_it_receives(event: Event):
    received = event.receive()
    assert isinstance(received, ReceivedEvent)
    assert received.received > event.occurred
    assert event.receive(received=NOW).received == NOW
    assert Event.model_validate(received.model_dump(exclude={"received"})) == event


def test_an_event_has_a_page_in_the_ui(event: Event):
    from prefect.settings import PREFECT_UI_URL

    with temporary_settings({PREFECT_UI_URL: "http://ui"}):
        assert event.receive().url == f"http://ui/events/event/2024-01-31/{event.id}"


def test_incoming_events_say_when_they_happened_and_what_they_are(event: Event):
    assert IncomingEvent.model_validate_json(event.model_dump_json()).id == event.id
    for missing in ("id", "occurred"):
        with pytest.raises(ValidationError, match=missing):
            IncomingEvent.model_validate(event.model_dump(exclude={missing}))
    with pytest.raises(ValidationError, match="at most 1024 characters"):
        IncomingEvent.model_validate({**event.model_dump(), "event": "e" * 1025})


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "labels", "message"),
    [
        (Resource, {}, "must include the prefect.resource.id"),
        (Resource, {"prefect.resource.id": ""}, "must be non-empty"),
        (Resource, {"prefect.resource.id": "a", "n": 1}, "valid string"),
        (RelatedResource, {"prefect.resource.id": "a"}, "must include the prefect.resource.role"),
        (RelatedResource, {"prefect.resource.id": "a", "prefect.resource.role": ""}, "must be non-empty"),
    ],
)
def test_resources_say_what_they_are(model: Any, labels: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        model(labels)


def test_labels_and_related_resources_are_limited_by_the_settings():
    from prefect.settings import (
        PREFECT_SERVER_EVENTS_MAXIMUM_LABELS_PER_RESOURCE as LABELS,
    )
    from prefect.settings import (
        PREFECT_SERVER_EVENTS_MAXIMUM_RELATED_RESOURCES as RELATED,
    )

    resource = {"prefect.resource.id": "r"}
    assert Event(event="e", resource=resource, related=[related("x", "y")] * 100)
    with pytest.raises(ValidationError, match="related resources is 100, got 101"):
        Event(event="e", resource=resource, related=[related("x", "y")] * 101)
    with pytest.raises(ValidationError, match="labels per resource is 500, got 501"):
        Resource({**resource, **{f"label-{number}": "" for number in range(500)}})
    with temporary_settings({LABELS: 1, RELATED: 0}):
        assert Event(event="e", resource=resource)
        with pytest.raises(ValidationError, match="got 2"):
            Resource({**resource, "b": "c"})
        with pytest.raises(ValidationError, match="is 1, got 2|is 0, got 1"):
            Event(event="e", resource=resource, related=[related("x", "y")])


# -- labels ----------------------------------------------------------------------------------------------------------


def test_a_resource_knows_the_object_that_it_stands_for(event: Event):
    assert event.resource.name == "my run"
    assert event.resource.prefect_object_id("prefect.flow-run") == FLOW_RUN
    with pytest.raises(ValueError, match="does not start with 'prefect.flow.'"):
        event.resource.prefect_object_id("prefect.flow")


def test_a_resource_is_a_map(event: Event):
    resource = event.resource
    assert resource["color"] == "red"
    assert "color" in resource
    assert "size" not in resource
    assert resource.get("size", "big") == "big"
    assert list(resource.keys())[-1] == "color"
    assert list(resource.items())[-1] == ("color", "red")
    assert resource.has_all_labels({"color": "red"})
    assert not resource.has_all_labels({"color": "red", "size": "big"})
    assert resource.as_label_value_array()[-1] == {"label": "color", "value": "red"}
    resource["size"] = "small"
    assert resource["size"] == "small"


def test_labels_are_read_as_attributes():
    labels = LabelDiver({"a": "1", "a.b": "2", "a.b.c": "3", "a.bb": "4", "d": "5"})
    assert str(labels.a) == "1"
    assert str(labels.a.b) == "2"
    assert str(labels["a"]["b"]["c"]) == "3"
    assert list(labels.a) == [("b", "2"), ("b.c", "3"), ("bb", "4")]
    assert len(labels.a.b) == 1
    assert str(labels) == ""
    assert not LabelDiver({})
    with pytest.raises(AttributeError, match="'z'"):
        _ = labels.z
    with pytest.raises(KeyError):
        labels["z"]


# -- matching --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "value", "result"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("A", "a", False),
        ("a*", "abc", True),
        ("a*c", "abbc", True),
        ("*", "", True),
        ("a?c", "abc", True),
        ("[ab]c", "ac", True),
        ("a.b", "axb", False),
        ("!a", "b", True),
        ("!a", "a", False),
        ("!a*", "abc", False),
        ("a", None, False),
        ("*", None, False),
        ("!a", None, False),
        ("a", "a\n", False),
        ("*", "a\nb", True),
    ],
)
def test_values_are_matched_with_wildcards(expected: str, value: str | None, result: bool):
    assert matches(expected, value) is result


RED = Resource({"prefect.resource.id": "prefect.flow-run.1", "color": "red", "size": "big"})


@pytest.mark.parametrize(
    ("specification", "result"),
    [
        ({}, True),
        ({"color": "red"}, True),
        ({"color": ["blue", "red"]}, True),
        ({"color": "r*", "size": "big"}, True),
        ({"color": "red", "size": "small"}, False),
        ({"color": "!red"}, False),
        ({"color": ["!red", "red"]}, True),
        ({"color": ["!red", "!blue"]}, True),
        ({"color": []}, False),
        ({"shape": "*"}, False),
        ({"shape": "!round"}, False),
        ({"prefect.resource.id": "prefect.flow-run.*"}, True),
    ],
)
def test_all_labels_have_to_match_and_one_value_of_each(specification: dict[str, Any], result: bool):
    assert ResourceSpecification(specification).matches(RED) is result
    assert ResourceSpecification(specification).includes([RED]) is result


def test_only_an_empty_specification_needs_no_resource():
    assert ResourceSpecification({}).includes([])
    assert not ResourceSpecification({"color": "*"}).includes([])


@pytest.mark.parametrize(
    ("specification", "every", "every_of_kind"),
    [
        ({}, True, True),
        ({"prefect.resource.id": "prefect.flow-run.*"}, False, True),
        ({"prefect.resource.id": ["prefect.flow.*", "prefect.flow-run.*"]}, False, True),
        ({"prefect.resource.id": "prefect.flow-run.1*"}, False, False),
        ({"prefect.resource.id": "prefect.flow-run.*", "color": "red"}, False, False),
        ({"color": "*"}, False, False),
    ],
)
def test_specifications_that_leave_nothing_out(specification: dict[str, Any], every: bool, every_of_kind: bool):
    read = ResourceSpecification(specification)
    assert read.matches_every_resource() is every
    assert read.matches_every_resource_of_kind("prefect.flow-run") is every_of_kind


def test_a_specification_is_a_map_of_lists():
    read = ResourceSpecification({"a": "b", "c": ["d", "e"]})
    copy = read.deepcopy()
    assert (read["a"], read["c"], read.get("z"), read.get("z", "y")) == (["b"], ["d", "e"], [], ["y"])
    assert list(read.items()) == [("a", ["b"]), ("c", ["d", "e"])]
    assert "a" in read
    assert len(read) == 2
    assert read.pop("a") == ["b"]
    assert read.pop("a") == []
    assert len(copy) == 2


def test_ids_of_events_may_be_given(event: Event):
    id = uuid4()
    assert Event(event="e", resource={"prefect.resource.id": "r"}, id=id, follows=event.id).id == id
