"""Hands events over to the recorder, or to the client that a test or a child process puts in its place."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from typing_extensions import Self

from prefect._recorder import get_recorder
from prefect._shipping import RecorderService
from prefect.events.clients import EventsClient, RecorderEventsClient
from prefect.events.related import attach_related_resources
from prefect.events.schemas.events import Event
from prefect.settings import get_current_settings


def emit_events_to_cloud() -> bool:
    """Whether the active API is Prefect Cloud's."""
    settings = get_current_settings()
    return bool(settings.api.url and settings.cloud.api_url and settings.api.url.startswith(settings.cloud.api_url))


def should_emit_events_to_running_server() -> bool:
    """Whether the active API is a server that runs somewhere."""
    return bool(get_current_settings().api.url)


def should_emit_events_to_ephemeral_server() -> bool:
    """Whether the active API is the one inside this process."""
    return not get_current_settings().api.url


def should_emit_events() -> bool:
    """Whether events are stored anywhere: always, since without a server the core in this process stores them."""
    return should_emit_events_to_running_server() or should_emit_events_to_ephemeral_server()


class EventsWorker(RecorderService):
    """The background sender of events."""

    _override: ClassVar[tuple[type[EventsClient], tuple[tuple[str, Any], ...]] | None] = None

    def __init__(self, client_type: type[EventsClient], client_options: tuple[tuple[str, Any], ...]) -> None:
        """Choose the client.

        Args:
            client_type: The kind of client that events are given to.
            client_options: Keyword arguments to make that client with.
        """
        super().__init__(client_type, client_options)
        self.client_type = client_type
        self.client_options = client_options
        self._client: EventsClient | None = None
        self._lock = threading.Lock()

    @classmethod
    def set_client_override(cls, client_type: type[EventsClient] | None, **client_kwargs: Any) -> None:
        """Send all events of this process through another kind of client; None ends that."""
        EventsWorker._override = None if client_type is None else (client_type, tuple(client_kwargs.items()))

    @classmethod
    def instance(cls, client_type: type[EventsClient] | None = None) -> Self:  # type: ignore[override]
        """The sender of this process.

        Args:
            client_type: A kind of client to use in place of the recorder's; an override has precedence.
        """
        if EventsWorker._override is not None:
            return super().instance(*EventsWorker._override)
        return super().instance(client_type or RecorderEventsClient, ())

    def send(self, item: Event) -> None:
        """Hand over an event, complete with its related resources."""
        if self.client_type is RecorderEventsClient:
            get_recorder().event(item)
            return
        from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - only other clients need a loop

        with self._lock:  # one event after the other, as one client expects
            run_coro_as_sync(self._send_to_client(item))

    async def _send_to_client(self, event: Event) -> None:
        if self._client is None:
            client = self.client_type(**dict(self.client_options))
            self._client = await client.__aenter__()
        await self._client.emit(event)

    async def attach_related_resources_from_context(self, event: Event) -> None:
        """Complete an event's related resources from the run that is active here."""
        attach_related_resources(event)


class ProcessPoolForwardingEventsClient(EventsClient):
    """Puts events on a queue, for the process that started this one to send them."""

    def __init__(self, event_queue: Any, item_type: str = "event") -> None:
        """Choose the queue.

        Args:
            event_queue: Has a `put` method that takes picklable pairs `(item_type, event)`.
            item_type: Tells events from other things on the same queue.
        """
        super().__init__()
        self._event_queue = event_queue
        self._item_type = item_type

    async def _emit(self, event: Event) -> None:
        self._event_queue.put((self._item_type, event))
