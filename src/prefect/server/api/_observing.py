"""Watches requests from outside: what was asked, how it was answered, how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

ROUTE = "prefect.route"
"""Where a scope says which route answers: the template of its path, which names no object."""
NO_ROUTE = "none"
"""Stands for the template of requests that none has answered, such as those of unknown paths."""
_HUNG_UP = 499
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `status` is 499 where the client hung up before there was one."""

    method: str
    route: str
    path: str
    status: int
    seconds: float
    client: str | None
    agent: str | None


Observer = Callable[[Exchange], None]


async def observed(app: Any, observers: Sequence[Observer], scope: Any, receive: Any, send: Any) -> None:
    """Let an application answer a request, and tell the observers of it."""
    status = _HUNG_UP

    async def watch(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    begun = time.perf_counter()
    try:
        await app(scope, receive, watch)
    finally:
        seconds = time.perf_counter() - begun
        method, client = scope["method"], scope.get("client")
        agent = next((value for name, value in scope["headers"] if name == b"user-agent"), None)
        exchange = Exchange(
            # Clients may invent methods; there must not be a counter for each.
            method=method if method in _METHODS else "OTHER",
            route=scope.get(ROUTE, NO_ROUTE),
            path=scope["path"],
            status=status,
            seconds=seconds,
            client=client[0] if client else None,
            agent=None if agent is None else agent.decode("latin-1"),
        )
        for observer in observers:
            observer(exchange)
