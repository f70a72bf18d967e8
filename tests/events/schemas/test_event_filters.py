"""Which events a filter includes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from prefect.events.filters import AutomationFilter, EventFilter, EventNameFilter, EventOccurredFilter, EventTextFilter
from prefect.events.schemas.events import Event

ID = UUID(int=9)
EVENT = Event(
    event="acme.ordered",
    resource={"prefect.resource.id": "acme.order.1", "color": "red"},
    related=[
        {"prefect.resource.id": "x", "prefect.resource.role": "customer", "level": "1"},
        {"prefect.resource.id": "y", "prefect.resource.role": "customer"},
    ],
    payload={"key": {"nested": "Worth"}, "number": 12345, "text": "größer"},
    id=ID,
)

INCLUDING: list[dict[str, Any]] = [
    {},
    {"event": {"name": ["acme.ordered"]}},
    {"event": {"prefix": ["x", "acme."]}},
    {"event": {"name": [], "prefix": [], "exclude_name": [], "exclude_prefix": []}},
    {"event": {"exclude_name": ["other"], "exclude_prefix": ["prefect."]}},
    {"resource": {"id": ["acme.order.1", "acme.order.2"]}},
    {"resource": {"id_prefix": ["acme.order."], "labels": {"color": ["blue", "r*"]}}},
    {"resource": {"id": [], "id_prefix": []}},
    {"resource": {"distinct": True}},
    {"related": {"id": ["x"], "role": ["customer"], "labels": {"level": "1"}}},
    {"related": {"resources_in_roles": [["x", "customer"]]}},
    {"related": [{"id": ["y"]}, {"labels": {"level": "1"}}]},
    {"related": []},
    {"related": {}},
    {"any_resource": {"id": ["x"]}},
    {"any_resource": {"id_prefix": ["acme."], "labels": {"color": "red"}}},
    {"any_resource": [{"id": ["x"]}, {"labels": {"color": "red"}}]},
    {"id": {"id": [str(ID)]}},
    {"id": {"id": []}},
    {"occurred": {"since": "2020-01-01T00:00:00Z"}},
    {"text": {"query": "ordered"}},
    {"text": {"query": '"nested": worth'}},
    {"text": {"query": "+customer -blue 12345"}},
    {"text": {"query": "größer"}},
]
EXCLUDING: list[dict[str, Any]] = [
    {"event": {"name": ["other"]}},
    {"event": {"prefix": ["acme."], "name": ["other"]}},
    {"event": {"exclude_name": ["acme.ordered"]}},
    {"event": {"exclude_prefix": ["acme"]}},
    {"resource": {"id": ["x"]}},
    {"resource": {"labels": {"color": "!red"}}},
    {"resource": {"labels": {"color": []}}},
    {"related": {"id": ["y"], "labels": {"level": "1"}}},
    {"related": {"role": ["nobody"]}},
    {"related": {"resources_in_roles": [["x", "nobody"]]}},
    {"related": [{"id": ["y"]}, {"id": ["z"]}]},
    {"any_resource": {"id": ["x"], "labels": {"color": "red"}}},
    {"any_resource": [{"id": ["x"]}, {"id": ["z"]}]},
    {"id": {"id": [str(UUID(int=1))]}},
    {"occurred": {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}},
    {"text": {"query": "-ordered"}},
    {"text": {"query": "color"}},  # the name of a label
    {"text": {"query": str(ID)}},
    {"event": {"name": ["acme.ordered"]}, "resource": {"id": ["x"]}},
]


@pytest.mark.parametrize("filter", INCLUDING, ids=str)
def test_filters_that_include_the_event(filter: dict[str, Any]):
    read = EventFilter(**filter)
    assert read.includes(EVENT)
    assert not read.excludes(EVENT)
    assert EventFilter.model_validate_json(read.model_dump_json()).includes(EVENT)


@pytest.mark.parametrize("filter", EXCLUDING, ids=str)
def test_filters_that_exclude_the_event(filter: dict[str, Any]):
    read = EventFilter(**filter)
    assert not read.includes(EVENT)
    assert read.excludes(EVENT)


def test_events_of_the_last_180_days_are_asked_for():
    occurred = EventOccurredFilter()
    now = datetime.now(timezone.utc)
    assert occurred.since == (now - timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert now - timedelta(seconds=5) < occurred.until <= now
    assert EventFilter().order.value == "DESC"


def test_bounds_of_time_are_included():
    exact = EventOccurredFilter(since=EVENT.occurred, until=EVENT.occurred)
    assert exact.includes(EVENT)


def test_a_filter_lists_its_parts():
    parts = EventFilter(event={"name": ["a"]}, related=[{"id": ["x"]}, {"id": ["y"]}]).get_filters()
    assert [type(part).__name__ for part in parts] == [
        "EventOccurredFilter",
        "EventNameFilter",
        "EventRelatedFilter",
        "EventRelatedFilter",
        "EventIDFilter",
    ]


def test_filters_are_strict():
    for make in (lambda: EventFilter(foo=1), lambda: EventNameFilter(names=["a"]), lambda: AutomationFilter(foo=1)):
        with pytest.raises(ValidationError, match="Extra inputs"):
            make()
    with pytest.raises(ValidationError, match="200"):
        EventTextFilter(query="x" * 201)
