"""Events, as they arrive at the server and are stored there."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field

from prefect.events.schemas.events import (
    Event,
    EventCount,
    ReceivedEvent,
    RelatedResource,
    Resource,
    ResourceSpecification,
    matches,
)
from prefect.types import DateTime

if TYPE_CHECKING:
    from prefect.client.schemas.events import EventPage

__all__ = [
    "Event",
    "EventCount",
    "EventPage",
    "IncomingEvent",
    "ReceivedEvent",
    "RelatedResource",
    "Resource",
    "ResourceSpecification",
    "matches",
]


def _limit_name(name: str) -> str:
    from prefect.settings import get_current_settings  # noqa: PLC0415 - models must not load the settings on import

    maximum = get_current_settings().server.events.maximum_event_name_length
    if len(name) > maximum:
        raise ValueError(f"Event name must be at most {maximum} characters long, got {len(name)}.")
    return name


class IncomingEvent(Event):
    """An event that somebody sends: it has to say when it happened, and what tells it apart from others."""

    occurred: DateTime = Field(...)
    event: Annotated[str, AfterValidator(_limit_name)]
    id: UUID = Field(...)


def __getattr__(name: str) -> Any:
    if name == "EventPage":
        # It holds a URL, and pydantic's types of URLs are slow to load; only queries need it.
        from prefect.client.schemas.events import EventPage  # noqa: PLC0415

        return EventPage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
