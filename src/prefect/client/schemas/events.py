"""The pages in which events are read."""

from typing import TYPE_CHECKING

from pydantic import AnyHttpUrl

from prefect.client.schemas._base import PrefectBaseModel
from prefect.events.schemas.events import ReceivedEvent

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient, SyncPrefectClient


class EventPage(PrefectBaseModel):
    """Some of the events that were asked for, and where to find more.

    Attributes:
        total: How many events there are on all pages.
        next_page: The URL of the page that comes next; None on the last one.
    """

    events: list[ReceivedEvent]
    total: int
    next_page: AnyHttpUrl | None

    async def get_next_page(self, client: "PrefectClient") -> "EventPage | None":
        """Fetch the page that comes next; None after the last one."""
        return await client.read_events_page(str(self.next_page)) if self.next_page is not None else None

    def get_next_page_sync(self, client: "SyncPrefectClient") -> "EventPage | None":
        """Fetch the page that comes next; None after the last one."""
        return client.read_events_page(str(self.next_page)) if self.next_page is not None else None
