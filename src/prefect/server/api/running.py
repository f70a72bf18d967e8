"""Runs a server in this process: its socket, its loop, its signals."""

from __future__ import annotations

import logging
import signal
import socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors.multiprocess import Multiprocess

from prefect.server.api._waiting import END_WAIT
from prefect.settings import Settings

FACTORY = "prefect.server.api.server:create_app"
_BACKLOG = 2048
_GRACE_SECONDS = 3
"""How long requests that are being answered may still take once the server was told to stop."""


class _Protocol(HttpToolsProtocol):
    """One connection, which does not keep the server from stopping because its request waits for something to be told."""

    def shutdown(self) -> None:
        if self.cycle is not None:
            self.cycle.scope.get(END_WAIT, _nothing)()
        super().shutdown()


def _nothing() -> None:
    """No request waits."""


class CannotListen(Exception):
    """The address cannot be used."""


def listen(host: str, port: int) -> socket.socket:
    """Take the address that a server is to listen on.

    Raises:
        CannotListen: It is taken, or is no address of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(
            f"Cannot find the host {host!r}: {error}. Give --host an address of this machine."
        ) from error
    family, _, _, _, address = found[0]
    try:
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error


def serve(settings: Settings, listener: socket.socket, *, workers: int = 1) -> bool:
    """Run a server until SIGINT or SIGTERM; returns whether it came up.

    Args:
        settings: Of the process; those that workers read are taken from the environment.
        listener: The socket to listen on.
        workers: How many processes answer requests.
    """
    config = _config(settings, workers)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return True
    server = uvicorn.Server(config)

    # For signals before uvicorn looks at them, and for the one that ended it, which it raises once more when it is done.
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return server.started


def _config(settings: Settings, workers: int) -> uvicorn.Config:
    api = settings.server.api
    level = logging.getLevelName(settings.server.logging_level)
    options: dict[str, Any] = {
        "factory": True,
        "workers": workers,
        "lifespan": "on",
        "http": _Protocol,
        "ws": "websockets-sansio",
        "ws_ping_interval": api.websocket_ping_interval,
        "ws_ping_timeout": api.websocket_ping_timeout,
        "ws_per_message_deflate": False,  # costs more time and memory than it saves on short messages
        "timeout_keep_alive": api.keepalive_timeout,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
        "log_config": None,
        "log_level": level,
        "access_log": False,  # this server writes its own
        "server_header": False,
    }
    return uvicorn.Config(FACTORY, **options)
