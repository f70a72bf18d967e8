"""The clients and subscribers of events that use the API's websockets."""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from uuid import UUID

import orjson
from typing_extensions import Self
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from prefect._client_metrics import (
    EVENT_WEBSOCKET_CHECKPOINTS,
    EVENT_WEBSOCKET_CONNECTIONS,
    EVENTS_EMITTED,
    EVENTS_OBSERVED,
    connection_kind,
)
from prefect._socket_urls import socket_url
from prefect._sockets import SocketSubscriber, connect, current_token, retrying
from prefect.events.clients import EventsClient
from prefect.events.filters import EventFilter, EventOccurredFilter
from prefect.events.schemas.events import Event, ReceivedEvent
from prefect.settings import get_current_settings

RETRYABLE_EXCEPTIONS = (ConnectionClosed, TimeoutError, OSError)
"""What a broken or absent connection raises, and a new one may mend."""

_BACKWARDS = timedelta(minutes=1)
"""How far a subscription reaches back, so that events that come late or out of order are not missed."""


def _api_url(given: str | None, setting: str = "api") -> str:
    settings = get_current_settings()
    url = given or (settings.api.url if setting == "api" else settings.cloud.api_url)
    if not url:
        raise ValueError("An API URL is needed for a websocket: give `api_url`, or set PREFECT_API_URL.")
    return url


def _api_key(given: str | None) -> str:
    secret = get_current_settings().api.key
    key = given or (secret.get_secret_value() if secret is not None else None)
    if not key:
        raise ValueError("Prefect Cloud needs an API key: give `api_key`, or set PREFECT_API_KEY.")
    return key


class PrefectEventsClient(EventsClient):
    """Sends events over a websocket, and again those that a broken connection may have lost."""

    def __init__(
        self,
        api_url: str | None = None,
        reconnection_attempts: int = 10,
        checkpoint_every: int = 700,
        checkpoint_interval: float = 30.0,
    ) -> None:
        """Say where to send.

        Args:
            api_url: The API; the active one by default.
            reconnection_attempts: How often to try again after a broken connection, before the error is raised.
            checkpoint_every: After how many events to ask the API to confirm them.
            checkpoint_interval: After how many seconds to do so at the latest.
        """
        self._url = socket_url(_api_url(api_url), "events/in")
        self._token = current_token()
        self._attempts = reconnection_attempts
        self._checkpoint_every = checkpoint_every
        self._checkpoint_interval = checkpoint_interval
        self._connection: ClientConnection | None = None
        self._connected_before = False
        self._waiting: deque[Event] = deque()
        """Events that this connection has not sent yet."""
        self._unconfirmed: deque[Event] = deque()
        """Events that it has sent, and the API has not confirmed."""
        self._confirmed_at = time.monotonic()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await retrying(self._connect, self._attempts)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        try:
            if self._waiting or self._unconfirmed:
                await retrying(self._send_and_confirm, self._attempts)
        finally:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None
            await super().__aexit__(*exc)

    async def _emit(self, event: Event) -> None:
        self._waiting.append(event)
        await retrying(self._send_waiting, self._attempts)
        EVENTS_EMITTED.labels(self.client_name).inc()

    async def _connect(self) -> ClientConnection:
        self._connection = None
        # What the broken connection had not confirmed goes first; the API stores an event that comes twice once.
        self._waiting.extendleft(reversed(self._unconfirmed))
        self._unconfirmed.clear()
        self._connection = await connect(self._url, self._token)
        self._confirmed_at = time.monotonic()
        EVENT_WEBSOCKET_CONNECTIONS.labels(self.client_name, "in", connection_kind(again=self._connected_before)).inc()
        self._connected_before = True
        return self._connection

    async def _send_waiting(self) -> None:
        connection = self._connection or await self._connect()
        try:
            while self._waiting:
                await connection.send(self._waiting[0].model_dump_json())
                self._unconfirmed.append(self._waiting.popleft())
            overdue = time.monotonic() - self._confirmed_at >= self._checkpoint_interval
            if overdue or len(self._unconfirmed) >= self._checkpoint_every:
                await self._confirm(connection)
        except RETRYABLE_EXCEPTIONS:
            self._connection = None
            raise

    async def _send_and_confirm(self) -> None:
        await self._send_waiting()
        connection = self._connection or await self._connect()
        try:
            await self._confirm(connection)
        except RETRYABLE_EXCEPTIONS:
            self._connection = None
            raise

    async def _confirm(self, connection: ClientConnection) -> None:
        # The API answers a ping only after it has read everything that was sent before it.
        await (await connection.ping())
        self._unconfirmed.clear()
        self._confirmed_at = time.monotonic()
        EVENT_WEBSOCKET_CHECKPOINTS.labels(self.client_name).inc()


class AssertingPassthroughEventsClient(PrefectEventsClient):
    """Sends events, and keeps them in memory for tests to look at."""

    last: ClassVar[AssertingPassthroughEventsClient | None] = None
    all: ClassVar[list[AssertingPassthroughEventsClient]] = []

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    events: list[Event]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep the arguments for tests to look at."""
        super().__init__(*args, **kwargs)
        AssertingPassthroughEventsClient.last = self
        AssertingPassthroughEventsClient.all.append(self)
        self.args, self.kwargs = args, kwargs
        self.events = []

    @classmethod
    def reset(cls) -> None:
        """Forget all clients that were made."""
        cls.last = None
        cls.all.clear()

    def pop_events(self) -> list[Event]:
        """The events so far, which are forgotten."""
        events, self.events = self.events, []
        return events

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.events = []
        return self

    async def _emit(self, event: Event) -> None:
        await super()._emit(event)
        self.events.append(event)


class PrefectCloudEventsClient(PrefectEventsClient):
    """Sends events to Prefect Cloud over a websocket."""

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        reconnection_attempts: int = 10,
        checkpoint_every: int = 700,
        checkpoint_interval: float = 30.0,
    ) -> None:
        """Say where to send, and with which key; both are the active ones by default."""
        super().__init__(api_url, reconnection_attempts, checkpoint_every, checkpoint_interval)
        self._token = _api_key(api_key)


class PrefectEventSubscriber(SocketSubscriber[Event]):
    """Iterates over the events that an API receives, those of the last minute first."""

    def __init__(
        self,
        api_url: str | None = None,
        filter: EventFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        """Say which events.

        Args:
            api_url: The API; the active one by default.
            filter: Which events; all of them by default. Its own time range is replaced: it begins a minute ago.
            reconnection_attempts: How often to try again after a broken connection, before the error is raised.
            reconnect_on_clean_close: Go on too when the API ends the stream in order.
        """
        url = socket_url(_api_url(api_url), "events/out")
        super().__init__(url, current_token(), reconnection_attempts, reconnect_on_clean_close)
        self._filter = (filter or EventFilter()).model_copy()
        self._latest: datetime | None = None

    def _filter_message(self, *, again: bool) -> dict[str, Any]:
        start = (self._latest if again else None) or datetime.now(timezone.utc)
        occurred = EventOccurredFilter(since=start - _BACKWARDS, until=datetime.now(timezone.utc) + timedelta(days=365))
        self._filter.occurred = occurred
        EVENT_WEBSOCKET_CONNECTIONS.labels(self.client_name, "out", connection_kind(again=again)).inc()
        return {"type": "filter", "filter": self._filter.model_dump(mode="json")}

    def _parse(self, frame: str | bytes) -> tuple[UUID, Event]:
        event = ReceivedEvent.model_validate(orjson.loads(frame)["event"])
        if self._latest is None or event.occurred > self._latest:
            self._latest = event.occurred
        EVENTS_OBSERVED.labels(self.client_name).inc()
        return event.id, event


class PrefectCloudEventSubscriber(PrefectEventSubscriber):
    """Iterates over the events of a workspace of Prefect Cloud."""

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        filter: EventFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        """Say which events, and with which key; the key is the active one by default."""
        super().__init__(api_url, filter, reconnection_attempts, reconnect_on_clean_close)
        self._token = _api_key(api_key)


class PrefectCloudAccountEventSubscriber(PrefectCloudEventSubscriber):
    """Iterates over the events of a whole account of Prefect Cloud."""

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        filter: EventFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        """Say which events, and with which key; the key is the active one by default."""
        url = _api_url(api_url)
        account_url = url.partition("/workspaces/")[0]
        super().__init__(account_url, api_key, filter, reconnection_attempts, reconnect_on_clean_close)


__all__ = [
    "RETRYABLE_EXCEPTIONS",
    "AssertingPassthroughEventsClient",
    "PrefectCloudAccountEventSubscriber",
    "PrefectCloudEventSubscriber",
    "PrefectCloudEventsClient",
    "PrefectEventSubscriber",
    "PrefectEventsClient",
]
