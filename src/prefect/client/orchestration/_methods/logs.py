"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import logs as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from prefect.client.schemas.objects import Log


class LogClient(BaseClient):
    """Methods of the sync client."""

    def create_logs(self, logs: Any) -> None:
        """Store log lines, given as objects, or all of them as JSON."""
        return self.send(_calls.create_logs(logs))

    def read_logs(
        self, log_filter: Any = None, limit: int | None = None, offset: int | None = None, sort: Any = None
    ) -> list[Log]:
        """Read log lines, oldest first unless sorted otherwise."""
        return self.send(_calls.read_logs(log_filter, limit, offset, sort))


class LogAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_logs(self, logs: Any) -> None:
        """Store log lines, given as objects, or all of them as JSON."""
        return await self.send(_calls.create_logs(logs))

    async def read_logs(
        self, log_filter: Any = None, limit: int | None = None, offset: int | None = None, sort: Any = None
    ) -> list[Log]:
        """Read log lines, oldest first unless sorted otherwise."""
        return await self.send(_calls.read_logs(log_filter, limit, offset, sort))


class EventClient(BaseClient):
    """Methods of the sync client."""

    def read_events(self, filter: Any = None, limit: int = 100) -> Any:
        """Read a page of events, newest first unless the filter says otherwise."""
        return self.send(_calls.read_events(filter, limit))

    def read_events_page(self, next_page_url: str) -> Any:
        """Read the page of events that an earlier one points to."""
        return self.send(_calls.read_events_page(next_page_url))


class EventAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def read_events(self, filter: Any = None, limit: int = 100) -> Any:
        """Read a page of events, newest first unless the filter says otherwise."""
        return await self.send(_calls.read_events(filter, limit))

    async def read_events_page(self, next_page_url: str) -> Any:
        """Read the page of events that an earlier one points to."""
        return await self.send(_calls.read_events_page(next_page_url))
