"""Takes task runs from the API as they become due, one after the other, and confirms each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import orjson
from typing_extensions import Self
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from prefect._socket_urls import http_to_ws
from prefect._sockets import RETRYABLE, connect, current_token
from prefect.client.schemas._base import IDBaseModel
from prefect.logging import get_logger
from prefect.settings import get_current_settings

S = TypeVar("S", bound=IDBaseModel)

logger = get_logger("prefect.client.subscriptions")

_PAUSE_SECONDS = 0.5


class Subscription(Generic[S]):
    """Iterates over what the API hands to this client; it never ends by itself, and reconnects for ever."""

    def __init__(
        self,
        model: type[S],
        path: str,
        keys: Iterable[str],
        client_id: str | None = None,
        base_url: str | None = None,
    ) -> None:
        """Say what to take.

        Args:
            model: What an item is.
            path: The path of the websocket below the address of the API.
            keys: Which items: those of these task keys.
            client_id: Names this client to the API; made anew by default.
            base_url: The address of the API; the active one by default.

        Raises:
            ValueError: There is no address.
        """
        self.model = model
        self.client_id = client_id or str(uuid.uuid4())
        address = base_url or get_current_settings().api.url
        if not address:
            raise ValueError("A subscription needs an API URL: give `base_url`, or set PREFECT_API_URL.")
        self.subscription_url = http_to_ws(address) + path
        self.keys = list(keys)
        self._websocket: ClientConnection | None = None

    @property
    def websocket(self) -> ClientConnection:
        """The open connection.

        Raises:
            RuntimeError: There is none.
        """
        if self._websocket is None:
            raise RuntimeError("Subscription is not connected")
        return self._websocket

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> S:
        while True:
            try:
                connection = await self._connected()
                item = self.model.model_validate_json(await connection.recv())
                await connection.send(orjson.dumps({"type": "ack"}).decode())
                return item
            except RETRYABLE as error:
                self._websocket = None
                if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code == 4001:
                    raise ValueError(
                        f"The API refuses the subscription to {self.keys!r}: {error.rcvd.reason}"
                    ) from error
                logger.debug("The subscription at %s broke: %s", self.subscription_url, error)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _connected(self) -> ClientConnection:
        if self._websocket is None:
            connection = await connect(self.subscription_url, current_token())
            wanted: dict[str, Any] = {"type": "subscribe", "keys": self.keys, "client_id": self.client_id}
            await connection.send(orjson.dumps(wanted).decode())
            self._websocket = connection
        return self._websocket
