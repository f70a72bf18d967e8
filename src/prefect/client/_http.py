"""Delivers calls over HTTP: what is sent, as whom, and what the answer means."""

from __future__ import annotations

import atexit
import base64
import ssl
import threading
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote

from pydantic_core import to_json

from prefect._version import __version__
from prefect.client._calls._call import Call
from prefect.client._holder import HOLDER_HEADER, LEASE_HEADER, note_lease, this_holder
from prefect.client._httpx_clients import PrefectHttpxAsyncClient, PrefectHttpxSyncClient
from prefect.client._quick_httpx import httpx
from prefect.client.constants import EMBEDDED_URL, SERVER_API_VERSION
from prefect.settings import get_current_settings
from prefect.utilities._http_status_error import status_error

T = TypeVar("T")

_OWN_HEADERS = frozenset({"user-agent", "prefect-csrf-token", "prefect-csrf-client"})
"""Headers that a setting cannot replace."""


# -- options -----------------------------------------------------------------------------------------------------------


def client_options(settings: Any, api: Any = None, **options: Any) -> dict[str, Any]:
    """What the HTTP client of an API is made with.

    Args:
        settings: The settings that say where the API is, as whom to ask, and how patiently.
        api: The address of the API, or an ASGI application, in place of the one that the settings name.
        options: `api_key`, `auth_string`, `api_version` and `httpx_settings`, which have precedence over settings.
    """
    given = dict(options.pop("httpx_settings", None) or {})
    verify: Any = not settings.api.tls_insecure_skip_verify
    if verify and "verify" not in given and "transport" not in given:
        verify = _trusting(settings.api.ssl_cert_file or None)
    address: dict[str, Any] = {"base_url": str(api or settings.api.url)}
    if callable(api):
        address = {"base_url": EMBEDDED_URL, "transport": httpx.ASGITransport(app=cast(Any, api))}
    return {
        "timeout": httpx.Timeout(settings.api.request_timeout),
        # Connections are taken up again within half a minute; more of them than threads that ask are of no use.
        "limits": httpx.Limits(max_connections=250, max_keepalive_connections=10, keepalive_expiry=25),
        "http2": settings.api.enable_http2,
        "verify": verify,
        "follow_redirects": True,
        "enable_csrf_support": settings.client.csrf_support_enabled,
        "raise_on_all_errors": False,
        **address,
        **given,
        "headers": {**_headers(settings, **options), **dict(given.get("headers") or {})},
    }


@lru_cache(maxsize=8)
def _trusting(cert_file: str | None) -> ssl.SSLContext:
    # Reading the certificates costs tens of milliseconds, and the context can be shared.
    return ssl.create_default_context(cafile=cert_file)


def _headers(
    settings: Any, api_key: Any = None, auth_string: Any = None, api_version: str | None = None
) -> dict[str, str]:
    headers = {
        name: str(value)
        for name, value in (settings.client.custom_headers or {}).items()
        if name.lower() not in _OWN_HEADERS
    }
    headers["User-Agent"] = f"prefect/{__version__} (API {SERVER_API_VERSION})"
    headers["X-PREFECT-API-VERSION"] = api_version or SERVER_API_VERSION
    key = api_key or settings.api.key
    auth = auth_string or settings.api.auth_string
    if key:
        headers["Authorization"] = f"Bearer {_plain(key)}"
    elif auth:
        headers["Authorization"] = "Basic " + base64.b64encode(_plain(auth).encode()).decode()
    return headers


def _plain(secret: Any) -> str:
    return secret.get_secret_value() if hasattr(secret, "get_secret_value") else secret


# -- requests and answers ----------------------------------------------------------------------------------------------


def _request(client: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
    path = call.template.format(**{name: quote(str(value), safe="") for name, value in call.path.items()})
    query = {name: _query_value(value) for name, value in call.query.items() if value is not None}
    # Bytes are JSON already.
    content = call.body if call.body is None or isinstance(call.body, bytes) else to_json(unset_excluded(call.body))
    headers = {"Content-Type": "application/json"} if content is not None else {}
    if call.from_holder:
        headers[HOLDER_HEADER] = call.holder or this_holder()
    if call.wait_seconds:
        headers["Prefer"] = f"wait={call.wait_seconds}"
    # A path that begins with a slash is taken below the address of the API, as all others.
    return client.build_request(call.method, path, params=query or None, content=content, headers=headers or None)


def unset_excluded(value: Any) -> Any:
    """A body as JSON can express it, without the fields of models that nobody has set."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, Mapping):
        return {name: unset_excluded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [unset_excluded(item) for item in value]
    return value


def _query_value(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(client: httpx.Client | httpx.AsyncClient, call: Call[T], response: httpx.Response) -> T:
    if call.from_holder:
        note_lease(str(client.base_url), response.headers.get(LEASE_HEADER))
    if response.is_success:
        if call.wants_response:
            return response  # type: ignore[return-value]
        if not response.content:
            return call.parse(None)
        is_json = "json" in response.headers.get("Content-Type", "")
        return call.parse(response.json() if is_json else response.text)
    if response.status_code == 404 and call.has_absent:
        return call.absent
    call.fail(response.status_code, status_error(response))


# -- senders -----------------------------------------------------------------------------------------------------------


class HTTPSender:
    """Sends calls to one API, from any thread."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    @classmethod
    def to(cls, settings: Any, api: Any = None, *, max_retries: int | None = None, **options: Any) -> HTTPSender:
        """The sender to the API that settings name; see `client_options`. `max_retries` has precedence too."""
        client = PrefectHttpxSyncClient(**client_options(settings, api, **options))
        if max_retries is not None:
            client.session.max_retries = max_retries
        return cls(client)

    def send(self, call: Call[T]) -> T:
        """Send one call."""
        return _read(self.client, call, self.client.send(_request(self.client, call)))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class AsyncHTTPSender:
    """Sends calls to one API, from one event loop."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    def to(cls, settings: Any, api: Any = None, *, max_retries: int | None = None, **options: Any) -> AsyncHTTPSender:
        """The sender to the API that settings name; see `client_options`. `max_retries` has precedence too."""
        client = PrefectHttpxAsyncClient(**client_options(settings, api, **options))
        if max_retries is not None:
            client.session.max_retries = max_retries
        return cls(client)

    async def send(self, call: Call[T]) -> T:
        """Send one call."""
        return _read(self.client, call, await self.client.send(_request(self.client, call)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.aclose()


# -- the senders of this process ---------------------------------------------------------------------------------------

_sync_senders: dict[str, HTTPSender] = {}
_async_senders: dict[tuple[str, Any], AsyncHTTPSender] = {}
_lock = threading.Lock()


def http_sender() -> HTTPSender:
    """The sender of this process for the API that the current settings name."""
    settings = get_current_settings()
    key = settings.hash_key()
    with _lock:
        sender = _sync_senders.get(key)
        if sender is None:
            if not _sync_senders:
                atexit.unregister(close_senders)
                atexit.register(close_senders)
            sender = _sync_senders[key] = HTTPSender.to(settings)
        return sender


def async_http_sender() -> AsyncHTTPSender:
    """The sender of this event loop for the API that the current settings name."""
    import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

    settings = get_current_settings()
    key = (settings.hash_key(), asyncio.get_running_loop())
    with _lock:
        sender = _async_senders.get(key)
        if sender is None:
            _forget_ended_loops()
            sender = _async_senders[key] = AsyncHTTPSender.to(settings)
            _close_with_loop(key, sender)
        return sender


def close_senders() -> None:
    """Close the connections of this process that sync code has opened."""
    with _lock:
        senders = list(_sync_senders.values())
        _sync_senders.clear()
    for sender in senders:
        sender.close()


def _forget_ended_loops() -> None:
    for key in [key for key in _async_senders if key[1].is_closed()]:
        del _async_senders[key]
        _closers.pop(key, None)


def _close_with_loop(key: tuple[str, Any], sender: AsyncHTTPSender) -> None:
    """Close the connections of a loop when it ends: nothing but the loop itself can close them in order.

    An async generator that has been started is closed by `asyncio.run` before the loop is.
    """

    async def closing() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with _lock:
                _async_senders.pop(key, None)
                _closers.pop(key, None)
            await sender.aclose()

    generator: Any = closing()
    _closers[key] = generator
    try:
        generator.asend(None).send(None)
    except StopIteration:
        pass


_closers: dict[tuple[str, Any], Any] = {}
