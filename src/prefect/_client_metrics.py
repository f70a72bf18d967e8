"""What the websocket clients count, for Prometheus to read where its client library is installed."""

from __future__ import annotations

from typing import Any

from typing_extensions import Self

try:
    from prometheus_client import Counter  # type: ignore[import-not-found] - it is optional
except ImportError:

    class Counter:  # type: ignore[no-redef]
        """Takes what would be counted, and counts nothing."""

        def __init__(self, *_: Any, **__: Any) -> None: ...

        def labels(self, *_: Any) -> Self:
            return self

        def inc(self, amount: float = 1) -> None: ...


EVENTS_EMITTED = Counter("prefect_events_emitted", "Events that this process emitted", labelnames=["client"])
EVENTS_OBSERVED = Counter("prefect_events_observed", "Events that this process received", labelnames=["client"])
EVENT_WEBSOCKET_CONNECTIONS = Counter(
    "prefect_event_websocket_connections",
    "Websocket connections for events",
    labelnames=["client", "direction", "connection"],
)
EVENT_WEBSOCKET_CHECKPOINTS = Counter(
    "prefect_event_websocket_checkpoints", "Confirmations of events sent over a websocket", labelnames=["client"]
)
LOGS_OBSERVED = Counter("prefect_logs_observed", "Log records that this process received", labelnames=["client"])
LOG_WEBSOCKET_CONNECTIONS = Counter(
    "prefect_log_websocket_connections",
    "Websocket connections for logs",
    labelnames=["client", "direction", "connection"],
)


def connection_kind(*, again: bool) -> str:
    """The word for a connection that is the first of its client, or one of those after it."""
    return "reconnect" if again else "initial"
