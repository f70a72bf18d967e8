"""The subscriber to the events of the core in this process."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect._polling import PollingSubscriber
from prefect.client._calls import logs as _calls
from prefect.client._send import send_async
from prefect.events.filters import EventFilter, EventOccurredFilter, EventOrder
from prefect.events.schemas.events import Event

_BACKWARDS = timedelta(minutes=1)
"""How far a subscription reaches back at its start."""
_OVERLAP = timedelta(seconds=10)
"""How far each look reaches back behind the latest event seen: events are stored in batches, and out of order."""


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
        page = await send_async(_calls.read_events(self._filter))
        events.extend(page.events)
        while page.next_page is not None:
            page = await send_async(_calls.read_events_page(str(page.next_page)))
            events.extend(page.events)
        if events:
            self._since = max(self._since, events[-1].occurred - _OVERLAP)
        return [(event.id, event) for event in events]
