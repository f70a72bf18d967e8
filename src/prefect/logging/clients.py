"""Subscribers to the log records that an API receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect._socket_urls import http_to_ws, socket_url
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect._client_metrics import LOG_WEBSOCKET_CONNECTIONS, LOGS_OBSERVED
    from prefect.client.schemas.filters import LogFilter
    from prefect.logging._websocket import PrefectCloudLogsSubscriber, PrefectLogsSubscriber

__all__ = [
    "LOGS_OBSERVED",
    "LOG_WEBSOCKET_CONNECTIONS",
    "SEEN_LOGS_SIZE",
    "SEEN_LOGS_TTL",
    "PrefectCloudLogsSubscriber",
    "PrefectLogsSubscriber",
    "get_logs_subscriber",
    "http_to_ws",
    "logs_out_socket_from_api_url",
]

SEEN_LOGS_SIZE = 500_000
SEEN_LOGS_TTL = 120
"""Seconds for which a subscriber remembers a record, so as not to give it twice."""

_HOMES = {
    "PrefectCloudLogsSubscriber": "prefect.logging._websocket",
    "PrefectLogsSubscriber": "prefect.logging._websocket",
    "LOGS_OBSERVED": "prefect._client_metrics",
    "LOG_WEBSOCKET_CONNECTIONS": "prefect._client_metrics",
}
"""Names whose modules load the websocket or metrics libraries."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - part of the lazy table

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def logs_out_socket_from_api_url(url: str) -> str:
    """Where an API gives log records out over a websocket."""
    return socket_url(url, "logs/out")


def get_logs_subscriber(
    filter: LogFilter | None = None, reconnection_attempts: int = 10, reconnect_on_clean_close: bool = False
) -> PrefectLogsSubscriber:
    """Make a subscriber to the active API's log records; use it with `async with`, and iterate with `async for`.

    Args:
        filter: Which records; all of them by default.
        reconnection_attempts: How often to try again after a broken connection.
        reconnect_on_clean_close: Go on too when the API ends the stream in order.
    """
    settings = get_current_settings()
    if not settings.api.url:
        from prefect.logging._embedded import EmbeddedLogsSubscriber  # noqa: PLC0415 - only without an API URL

        return EmbeddedLogsSubscriber(filter=filter)  # type: ignore[return-value]
    from prefect.logging import _websocket  # noqa: PLC0415 - the websocket library loads only where an API URL is set

    cloud = bool(settings.cloud.api_url) and settings.api.url.startswith(settings.cloud.api_url)
    return (_websocket.PrefectCloudLogsSubscriber if cloud else _websocket.PrefectLogsSubscriber)(
        filter=filter,
        reconnection_attempts=reconnection_attempts,
        reconnect_on_clean_close=reconnect_on_clean_close,
    )
