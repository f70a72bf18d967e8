"""The routes of events."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import Field, ValidationError
from pydantic_core import PydanticSerializationError

from prefect.events.filters import EventFilter
from prefect.events.schemas.events import Event
from prefect.server.database.store import Transaction
from prefect.server.models import event_queries as models
from prefect.server.models.errors import Forbidden, InvalidRequest
from prefect.server.models.event_queries import Position
from prefect.server.models.events import nul_place, receive_events
from prefect.server.routes._leases import lease_header
from prefect.server.routes._table import Caller, Reply, Whole, route
from prefect.settings import get_current_settings
from prefect.types._datetime import parse_datetime
from prefect.utilities.collections import AutoEnum


class Countable(AutoEnum):
    """What events can be counted by."""

    day = "day"
    time = "time"
    event = "event"
    resource = "resource"


class TimeUnit(AutoEnum):
    """What spans of time are measured in."""

    week = "week"
    day = "day"
    hour = "hour"
    minute = "minute"
    second = "second"


@route("POST", "/events", status=204)
def create_events(tx: Transaction, events: Whole[list[Event]], caller: Caller) -> Reply[None]:
    """Store events."""
    _check_sizes(events)
    return Reply(204, headers=lease_header(receive_events(tx, events, caller.holder)))


def _size_bytes(number: int, event: Event) -> int:
    try:
        return event.size_bytes
    except PydanticSerializationError as error:
        raise _refused(number, ("payload",), f"The payload cannot be written as JSON: {error}") from error


def _check_sizes(events: list[Event]) -> None:
    bounds = get_current_settings().server.events
    for number, event in enumerate(events):
        if len(event.event) > bounds.maximum_event_name_length:
            raise _too_large(number, "event", f"a name of at most {bounds.maximum_event_name_length} characters")
        if _size_bytes(number, event) > bounds.maximum_size_bytes:
            raise _too_large(number, "payload", f"at most {bounds.maximum_size_bytes} bytes as JSON")
        place = nul_place(event)
        # What tells of a task run is taken as it is: the run must not go on because of its message.
        if place is not None and not event.event.startswith("prefect.task-run."):
            raise _refused(number, place, "The names and labels of an event hold no NUL character.")


def _too_large(number: int, part: str, allowed: str) -> InvalidRequest:
    return _refused(number, (part,), f"An event has {allowed}.")


def _refused(number: int, place: tuple[str | int, ...], message: str) -> InvalidRequest:
    location = ["body", number, *place]
    return InvalidRequest([{"type": "value_error", "loc": location, "msg": message, "input": None}], None)


@route("POST", "/events/filter", writes=False, answers="EventPage")
def read_events(
    tx: Transaction,
    caller: Caller,
    filter: EventFilter | None = None,
    limit: Annotated[int, Field(ge=0, le=50)] = 50,
) -> dict[str, Any]:
    """Read the first page of the events that meet a filter."""
    wanted = filter or EventFilter()
    return _page(tx, caller, wanted, limit, models.count_events(tx, wanted), None)


@route("GET", "/events/filter/next", writes=False, query=("page-token",), answers="EventPage")
def read_account_events_page(tx: Transaction, caller: Caller, page_token: str) -> dict[str, Any]:
    """Read the next page, as the page before has named it."""
    try:
        token = orjson.loads(base64.urlsafe_b64decode(page_token.encode("ascii")))
        wanted = EventFilter.model_validate(token["filter"])
        after = Position(parse_datetime(token["after"][0]), UUID(token["after"][1]))
        limit, total = min(max(int(token["limit"]), 0), 50), int(token["total"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, ValidationError):
        raise Forbidden("This is no page token that this server has made.") from None
    return _page(tx, caller, wanted, limit, total, after)


def _page(
    tx: Transaction, caller: Caller, wanted: EventFilter, limit: int, total: int, after: Position | None
) -> dict[str, Any]:
    # One more than is shown tells whether there is another page.
    events = models.read_events(tx, wanted, limit + 1, after)
    has_more, events = len(events) > limit > 0, events[:limit]
    next_page = None
    if has_more:
        token = {
            "filter": wanted.model_dump(mode="json"),
            "after": [events[-1].occurred.isoformat(), str(events[-1].id)],
            "limit": limit,
            "total": total,
        }
        encoded = base64.urlsafe_b64encode(orjson.dumps(token)).decode()
        next_page = f"{caller.base_url}/events/filter/next?page-token={encoded}"
    return {"events": events, "total": total, "next_page": next_page}


@route("POST", "/events/count-by/{countable}", writes=False, answers="list[EventCount]")
def count_account_events(
    tx: Transaction,
    countable: Countable,
    filter: EventFilter,
    time_unit: TimeUnit = TimeUnit.day,
    time_interval: Annotated[float, Field(ge=0.01)] = 1.0,
) -> list[dict[str, Any]]:
    """Count the events that meet a filter by their name, their resource or their time."""
    if countable == Countable.event:
        return models.count_events_by_name(tx, filter)
    if countable == Countable.resource:
        return models.count_events_by_resource(tx, filter)
    if countable == Countable.day:
        return models.count_events_by_time(tx, filter, "day", 1)
    unit: Literal["week", "day", "hour", "minute", "second"] = time_unit.value
    return models.count_events_by_time(tx, filter, unit, time_interval)
