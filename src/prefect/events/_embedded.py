"""The subscriber to the events of the core in this process."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from prefect._polling import PollingSubscriber
from prefect.client._calls._call import Call
from prefect.client._send import send_async
from prefect.events.filters import EventFilter, EventOccurredFilter, EventOrder
from prefect.events.schemas.events import Event

_BACKWARDS = timedelta(minutes=1)
"""How far a subscription reaches back at its start."""
_OVERLAP = timedelta(seconds=10)
"""How far each look reaches back behind the latest event seen: events are stored in batches, and out of order."""


_PAGE = 50


def _page(body: Any) -> tuple[list[Event], str | None]:
    """The events of a page, and the token of the next page."""
    # Not read as an `EventPage`: in this process there is no server whose URL the next page could have.
    next_page = body["next_page"]
    token = parse_qs(urlsplit(str(next_page)).query)["page-token"][0] if next_page else None
    return body["events"], token


class EmbeddedEventSubscriber(PollingSubscriber[Event]):
    """Iterates over the events that are stored in the embedded database, those of the last minute first."""

    def __init__(self, filter: EventFilter | None = None) -> None:
        """Say which events.

        Args:
            filter: Which events; all of them by default. Its own time range is replaced: it begins a minute ago.
        """
        super().__init__()
        self._filter = (filter or EventFilter()).model_copy(update={"order": EventOrder.ASC})
        self._since = datetime.now(timezone.utc) - _BACKWARDS

    async def _read(self) -> list[tuple[UUID, Event]]:
        until = datetime.now(timezone.utc) + timedelta(days=365)
        self._filter.occurred = EventOccurredFilter(since=self._since, until=until)
        events: list[Event] = []
        call = Call("POST", "/events/filter", body={"filter": self._filter, "limit": _PAGE}, parse=_page)
        while call is not None:
            found, token = await send_async(call)
            events.extend(found)
            call = Call("GET", "/events/filter/next", query={"page-token": token}, parse=_page) if token else None
        if events:
            self._since = max(self._since, events[-1].occurred - _OVERLAP)
        return [(event.id, event) for event in events]
