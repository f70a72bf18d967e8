"""Clients that send events to the API, and subscribers that receive them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from prefect._recorder import flush_recorders, get_recorder
from prefect._socket_urls import http_to_ws, socket_url
from prefect.events.schemas.events import Event
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect._client_metrics import (
        EVENT_WEBSOCKET_CHECKPOINTS,
        EVENT_WEBSOCKET_CONNECTIONS,
        EVENTS_EMITTED,
        EVENTS_OBSERVED,
    )
    from prefect.events._websocket import (
        RETRYABLE_EXCEPTIONS,
        AssertingPassthroughEventsClient,
        PrefectCloudAccountEventSubscriber,
        PrefectCloudEventsClient,
        PrefectCloudEventSubscriber,
        PrefectEventsClient,
        PrefectEventSubscriber,
    )
    from prefect.events.filters import EventFilter

__all__ = [
    "EVENTS_EMITTED",
    "EVENTS_OBSERVED",
    "EVENT_WEBSOCKET_CHECKPOINTS",
    "EVENT_WEBSOCKET_CONNECTIONS",
    "RETRYABLE_EXCEPTIONS",
    "SEEN_EVENTS_SIZE",
    "SEEN_EVENTS_TTL",
    "AssertingEventsClient",
    "AssertingPassthroughEventsClient",
    "EventsClient",
    "NullEventsClient",
    "PrefectCloudAccountEventSubscriber",
    "PrefectCloudEventSubscriber",
    "PrefectCloudEventsClient",
    "PrefectEventSubscriber",
    "PrefectEventsClient",
    "events_in_socket_from_api_url",
    "events_out_socket_from_api_url",
    "get_events_client",
    "get_events_subscriber",
    "http_to_ws",
]

SEEN_EVENTS_SIZE = 500_000
SEEN_EVENTS_TTL = 120
"""Seconds for which a subscriber remembers an event, so as not to give it twice."""

_HOMES = {
    "AssertingPassthroughEventsClient": "prefect.events._websocket",
    "PrefectCloudAccountEventSubscriber": "prefect.events._websocket",
    "PrefectCloudEventSubscriber": "prefect.events._websocket",
    "PrefectCloudEventsClient": "prefect.events._websocket",
    "PrefectEventSubscriber": "prefect.events._websocket",
    "PrefectEventsClient": "prefect.events._websocket",
    "RETRYABLE_EXCEPTIONS": "prefect.events._websocket",
    "EVENTS_EMITTED": "prefect._client_metrics",
    "EVENTS_OBSERVED": "prefect._client_metrics",
    "EVENT_WEBSOCKET_CHECKPOINTS": "prefect._client_metrics",
    "EVENT_WEBSOCKET_CONNECTIONS": "prefect._client_metrics",
}
"""Names whose modules load the websocket or metrics libraries, which processes that only emit do without."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - part of the lazy table

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def events_in_socket_from_api_url(url: str) -> str:
    """Where an API takes events in over a websocket."""
    return socket_url(url, "events/in")


def events_out_socket_from_api_url(url: str) -> str:
    """Where an API gives events out over a websocket."""
    return socket_url(url, "events/out")


def get_events_client(
    reconnection_attempts: int = 10, checkpoint_every: int = 700, checkpoint_interval: float = 30.0
) -> EventsClient:
    """Make a client that sends events to the active API; use it with `async with`.

    Args:
        reconnection_attempts: How often to try again after a broken connection.
        checkpoint_every: After how many events to ask the API to confirm them.
        checkpoint_interval: After how many seconds to do so at the latest.
    """
    settings = get_current_settings()
    if not settings.api.url:
        return RecorderEventsClient()
    from prefect.events import _websocket  # noqa: PLC0415 - the websocket library loads only where an API URL is set

    cloud = bool(settings.cloud.api_url) and settings.api.url.startswith(settings.cloud.api_url)
    return (_websocket.PrefectCloudEventsClient if cloud else _websocket.PrefectEventsClient)(
        reconnection_attempts=reconnection_attempts,
        checkpoint_every=checkpoint_every,
        checkpoint_interval=checkpoint_interval,
    )


def get_events_subscriber(
    filter: EventFilter | None = None, reconnection_attempts: int = 10, reconnect_on_clean_close: bool = False
) -> PrefectEventSubscriber:
    """Make a subscriber to the active API's events; use it with `async with`, and iterate over it with `async for`.

    Args:
        filter: Which events; all of them by default.
        reconnection_attempts: How often to try again after a broken connection.
        reconnect_on_clean_close: Go on too when the API ends the stream in order.
    """
    settings = get_current_settings()
    if not settings.api.url:
        from prefect.events._embedded import EmbeddedEventSubscriber  # noqa: PLC0415 - only without an API URL

        return EmbeddedEventSubscriber(filter=filter)  # type: ignore[return-value]
    from prefect.events import _websocket  # noqa: PLC0415 - the websocket library loads only where an API URL is set

    cloud = bool(settings.cloud.api_url) and settings.api.url.startswith(settings.cloud.api_url)
    return (_websocket.PrefectCloudEventSubscriber if cloud else _websocket.PrefectEventSubscriber)(
        filter=filter,
        reconnection_attempts=reconnection_attempts,
        reconnect_on_clean_close=reconnect_on_clean_close,
    )


class EventsClient(ABC):
    """Sends events. It works inside an `async with` block, whose end confirms what was sent."""

    _entered = False

    @property
    def client_name(self) -> str:
        """Names this kind of client in metrics."""
        return type(self).__name__

    async def emit(self, event: Event) -> None:
        """Send one event.

        Raises:
            TypeError: The client is used outside of its `async with` block.
        """
        if not self._entered:
            raise TypeError(
                f"Events may only be emitted while this {self.client_name} is open:"
                " write `async with get_events_client() as client:`."
            )
        await self._emit(event)

    @abstractmethod
    async def _emit(self, event: Event) -> None:
        """Send one event, in the way of this client."""

    async def __aenter__(self) -> Self:
        self._entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entered = False


class NullEventsClient(EventsClient):
    """Drops all events."""

    async def _emit(self, event: Event) -> None:
        pass


class RecorderEventsClient(EventsClient):
    """Hands events to the recorder of this process; they are stored when the block ends."""

    async def _emit(self, event: Event) -> None:
        get_recorder().event(event)

    async def __aexit__(self, *exc: object) -> None:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        await asyncio.to_thread(flush_recorders)
        await super().__aexit__(*exc)


class AssertingEventsClient(EventsClient):
    """Keeps all events in memory, for tests to look at."""

    last: ClassVar[AssertingEventsClient | None] = None
    all: ClassVar[list[AssertingEventsClient]] = []

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    events: list[Event]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep the arguments for tests to look at."""
        AssertingEventsClient.last = self
        AssertingEventsClient.all.append(self)
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
        self.events.append(event)
