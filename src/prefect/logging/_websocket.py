"""The subscribers to log records that use the API's websocket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from prefect._client_metrics import LOG_WEBSOCKET_CONNECTIONS, LOGS_OBSERVED, connection_kind
from prefect._socket_urls import socket_url
from prefect._sockets import SocketSubscriber, current_token
from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import Log
from prefect.settings import get_current_settings


class PrefectLogsSubscriber(SocketSubscriber[Log]):
    """Iterates over the log records that an API receives, from now on."""

    def __init__(
        self,
        api_url: str | None = None,
        filter: LogFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        """Say which records.

        Args:
            api_url: The API; the active one by default.
            filter: Which records; all of them by default.
            reconnection_attempts: How often to try again after a broken connection, before the error is raised.
            reconnect_on_clean_close: Go on too when the API ends the stream in order.
        """
        settings = get_current_settings()
        url = api_url or settings.api.url
        if not url:
            raise ValueError("An API URL is needed for a websocket: give `api_url`, or set PREFECT_API_URL.")
        super().__init__(socket_url(url, "logs/out"), current_token(), reconnection_attempts, reconnect_on_clean_close)
        self._filter = filter or LogFilter()

    def _filter_message(self, *, again: bool) -> dict[str, Any]:
        LOG_WEBSOCKET_CONNECTIONS.labels(self.client_name, "out", connection_kind(again=again)).inc()
        return {"type": "filter", "filter": self._filter.model_dump(mode="json")}

    def _parse(self, frame: str | bytes) -> tuple[UUID, Log]:
        log = Log.model_validate(orjson.loads(frame)["log"])
        LOGS_OBSERVED.labels(self.client_name).inc()
        return log.id, log


class PrefectCloudLogsSubscriber(PrefectLogsSubscriber):
    """Iterates over the log records of a workspace of Prefect Cloud."""

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        filter: LogFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        """Say which records, and with which key; the key is the active one by default."""
        super().__init__(api_url, filter, reconnection_attempts, reconnect_on_clean_close)
        secret = get_current_settings().api.key
        self._token = api_key or (secret.get_secret_value() if secret is not None else None)
        if not self._token:
            raise ValueError("Prefect Cloud needs an API key: give `api_key`, or set PREFECT_API_KEY.")
