"""Gives async functions a client when their caller has none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar

from typing_extensions import ParamSpec

from prefect.client.orchestration import get_client
from prefect.context import AsyncClientContext

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

P = ParamSpec("P")
R = TypeVar("R")


def get_or_create_client(client: PrefectClient | None = None) -> tuple[PrefectClient, bool]:
    """A client, and whether it was there already: the given one, else that of the active client context, else a new one."""
    if client is not None:
        return client, True
    context = AsyncClientContext.get()
    if context is not None:
        return context.client, True
    return get_client(), False


def client_injector(
    func: Callable[Concatenate[PrefectClient, P], Awaitable[R]],
) -> Callable[P, Awaitable[R]]:
    """Give an async function, whose first parameter is a client, an open one."""

    @wraps(func)
    async def with_client(*args: P.args, **kwargs: P.kwargs) -> R:
        client, was_there = get_or_create_client()
        if was_there:
            return await func(client, *args, **kwargs)
        async with client as opened:
            return await func(opened, *args, **kwargs)

    return with_client


def inject_client(fn: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Give an async function that has a `client` parameter an open client where the caller passes none."""

    @wraps(fn)
    async def with_client(*args: Any, **kwargs: Any) -> R:
        client, was_there = get_or_create_client(kwargs.get("client"))
        if was_there:
            return await fn(*args, **{**kwargs, "client": client})
        async with client as opened:
            return await fn(*args, **{**kwargs, "client": opened})

    return with_client
