"""Keeps requests to addresses that users give away from the private network.

This is one of the modules that are about httpx; it is reached by name, when such a request is to be made.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

__all__ = ["SSRFProtectedAsyncHTTPTransport", "SSRFProtectedHTTPTransport", "validate_restricted_url"]


def validate_restricted_url(url: str) -> None:
    """Check that a URL is one of HTTP or HTTPS, and that its host is in the public network.

    The host may resolve to another address a moment later. To be safe from that, make the request with one of the
    transports of this module.

    Raises:
        ValueError: It is not; says why.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a valid URL: {error}.") from error
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not a valid URL.  Only HTTP and HTTPS URLs are allowed.")
    if not host:
        raise ValueError(f"{url!r} is not a valid URL.  It names no host.")
    try:
        _public_addresses(host, port)
    except ValueError as error:
        raise ValueError(f"{url!r} is not a valid URL.  {error}") from error


def _public_addresses(host: str, port: int | None) -> list[str]:
    """Return the addresses of a host, all of which are public.

    Raises:
        ValueError: The host has none, or one that is not.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError("It could not be resolved.") from error
    addresses = [str(address[4][0]) for address in found]
    for address in addresses:
        if not _is_public(address):
            raise ValueError(f"It resolves to the private address {address}.")
    return addresses


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An address of the old protocol may hide in one of the new.
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if embedded and not _is_public(str(embedded)):
            return False
        if ip.ipv4_mapped:
            return True
    return ip.is_global and not ip.is_multicast


def _checked(host: str, port: int) -> str:
    try:
        return _public_addresses(host, port)[0]
    except ValueError as error:
        raise httpcore.ConnectError(f"Refusing to connect to {host!r}: {error}") from error


class _CheckingBackend(httpcore.NetworkBackend):
    """Connects to the very address that was checked."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        return self._backend.connect_tcp(_checked(host, port), port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError(f"Refusing to connect to the socket {path!r}.")

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _AsyncCheckingBackend(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was checked."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await asyncio.get_running_loop().run_in_executor(None, _checked, host, port)
        return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError(f"Refusing to connect to the socket {path!r}.")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class SSRFProtectedHTTPTransport(httpx.HTTPTransport):
    """Sends requests to the public network only; for `httpx.Client(transport=...)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # httpx has no argument for it.
        self._pool._network_backend = _CheckingBackend(self._pool._network_backend)


class SSRFProtectedAsyncHTTPTransport(httpx.AsyncHTTPTransport):
    """Sends requests to the public network only; for `httpx.AsyncClient(transport=...)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool._network_backend = _AsyncCheckingBackend(self._pool._network_backend)
