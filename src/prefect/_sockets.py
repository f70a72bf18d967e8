"""Connects to the API's websockets: handshake, reconnection, and not giving the same item twice."""

from __future__ import annotations

import asyncio
import base64
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from typing_extensions import Self
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_connection
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake
from websockets.typing import Subprotocol

from prefect._seen import Seen
from prefect.logging import get_logger
from prefect.settings import get_current_settings

T = TypeVar("T")

RETRYABLE = (ConnectionClosed, InvalidHandshake, TimeoutError, asyncio.TimeoutError, OSError)
"""What a broken or absent connection raises, and a new one may mend."""

logger = get_logger("sockets")


def reconnection_pauses(attempts: int) -> Iterator[float]:
    """Seconds to wait before each attempt to reconnect: the first three follow at once."""
    for attempt in range(attempts):
        yield 0.0 if attempt < 3 else 1.0


def current_token() -> str | None:
    """What the settings say to bring to the handshake: the API key, else the auth string; None where neither is set."""
    api = get_current_settings().api
    secret = api.key or api.auth_string
    return secret.get_secret_value() if secret else None


async def connect(url: str, token: str | None) -> ClientConnection:
    """Open a websocket of the API and pass its handshake.

    Args:
        url: Begins with `ws://` or `wss://`.
        token: The API key, or the server's auth string; None where neither is needed.

    Raises:
        PermissionError: The API refuses the token.
    """
    settings = get_current_settings()
    headers = dict(settings.client.custom_headers)
    key, auth = settings.api.key, settings.api.auth_string
    if key:
        headers["Authorization"] = f"Bearer {key.get_secret_value()}"
    elif auth:
        credentials = base64.b64encode(auth.get_secret_value().encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    options: dict[str, Any] = {"ssl": _tls_context(settings)} if url.startswith("wss:") else {}
    connection = await open_connection(
        url, subprotocols=[Subprotocol("prefect")], additional_headers=headers, max_size=None, **options
    )
    try:
        await connection.send(orjson.dumps({"type": "auth", "token": token}).decode())
        reply = orjson.loads(await connection.recv())
    except ConnectionClosed as error:
        raise PermissionError(
            f"The API refused the connection to {url!r}: {error.rcvd.reason if error.rcvd else error}. Check"
            " PREFECT_API_KEY or PREFECT_API_AUTH_STRING."
        ) from error
    if reply.get("type") != "auth_success":
        await connection.close()
        raise PermissionError(f"Expected the API at {url!r} to accept the handshake, but it answered {reply!r}.")
    return connection


def _tls_context(settings: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.api.ssl_cert_file)
    if settings.api.tls_insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class SocketSubscriber(ABC, Generic[T]):
    """Iterates over what a websocket of the API sends, across broken connections."""

    def __init__(
        self, url: str, token: str | None, reconnection_attempts: int = 10, reconnect_on_clean_close: bool = False
    ) -> None:
        """Say where to connect.

        Args:
            url: Of the websocket.
            token: For the handshake.
            reconnection_attempts: How often to try again after a broken connection, before the error is raised.
            reconnect_on_clean_close: Connect again too when the API ends the stream in order.
        """
        self._url, self._token = url, token
        self.reconnection_attempts = reconnection_attempts
        self._reconnect_on_clean_close = reconnect_on_clean_close
        self._connection: ClientConnection | None = None
        self._seen = Seen()

    @property
    def client_name(self) -> str:
        """Names this kind of client in metrics."""
        return type(self).__name__

    @abstractmethod
    def _filter_message(self, *, again: bool) -> dict[str, Any]:
        """What to send after the handshake; `again` after a broken connection."""

    @abstractmethod
    def _parse(self, frame: str | bytes) -> tuple[UUID, T]:
        """The id and the item of one message."""

    async def __aenter__(self) -> Self:
        await self._retrying(lambda: self._connect(again=False))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            try:
                if self._connection is None:
                    await self._retrying(lambda: self._connect(again=True))
                    assert self._connection is not None
                id, item = self._parse(await self._connection.recv())
            except ConnectionClosedOK:
                self._connection = None
                if not self._reconnect_on_clean_close:
                    raise StopAsyncIteration from None
            except ConnectionClosed:
                self._connection = None
                if self.reconnection_attempts <= 0:
                    raise
            else:
                if self._seen.add(id):
                    return item

    async def _connect(self, *, again: bool) -> None:
        connection = await connect(self._url, self._token)
        await connection.send(orjson.dumps(self._filter_message(again=again)).decode())
        self._connection = connection

    async def _retrying(self, attempt: Callable[[], Awaitable[None]]) -> None:
        await retrying(attempt, self.reconnection_attempts)


async def retrying(attempt: Callable[[], Awaitable[T]], attempts: int) -> T:
    """Do something that needs the connection; again after each failure of it, as often as allowed."""
    pauses = reconnection_pauses(attempts)
    while True:
        try:
            return await attempt()
        except RETRYABLE as error:
            pause = next(pauses, None)
            if pause is None or isinstance(error, PermissionError):
                raise
            logger.debug("The websocket connection failed (%s), trying again", error)
            await asyncio.sleep(pause)
