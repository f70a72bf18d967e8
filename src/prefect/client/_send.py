"""Sends calls to the API that the current settings name: a server, or the core in this process."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from prefect.client._calls._call import Call
from prefect.settings import get_current_settings

T = TypeVar("T")

Calls = Generator[Call[Any], Any, T]
"""Yields calls and is sent their results."""


def send(call: Call[T]) -> T:
    """Deliver a call and wait for its result.

    Raises:
        ValueError: There is no API URL, and the embedded mode is switched off.
    """
    settings = get_current_settings()
    if settings.api.url:
        from prefect.client._http import http_sender  # noqa: PLC0415 - httpx loads only where there is a server

        return http_sender().send(call)
    from prefect.client._in_process import send_in_process  # noqa: PLC0415 - the core loads only where it is used

    return send_in_process(call, embedded_database(settings))


async def send_async(call: Call[T]) -> T:
    """Deliver a call from an event loop.

    The embedded core answers within a fraction of a millisecond, so it is called directly.
    """
    settings = get_current_settings()
    if settings.api.url:
        from prefect.client._http import async_http_sender  # noqa: PLC0415 - httpx loads only where there is a server

        return await async_http_sender().send(call)
    from prefect.client._in_process import send_in_process  # noqa: PLC0415 - the core loads only where it is used

    return send_in_process(call, embedded_database(settings))


def send_together(calls: Callable[[], Calls[T]]) -> T:
    """Deliver calls one after another. The embedded core answers them in one transaction: all happen, or none does.

    Args:
        calls: Begins the sequence, anew if it has to be repeated. It only builds calls: it may run in another thread.
    """
    settings = get_current_settings()
    if not settings.api.url:
        from prefect.client._in_process import send_together_in_process  # noqa: PLC0415 - as in `send`

        return send_together_in_process(calls, embedded_database(settings))
    sequence, result = calls(), None
    while True:
        try:
            call = sequence.send(result)
        except StopIteration as finished:
            return finished.value
        result = send(call)


async def send_together_async(calls: Callable[[], Calls[T]]) -> T:
    """Deliver calls one after another from an event loop. As `send_together`."""
    if not get_current_settings().api.url:
        return send_together(calls)
    sequence, result = calls(), None
    while True:
        try:
            call = sequence.send(result)
        except StopIteration as finished:
            return finished.value
        result = await send_async(call)


def embedded_database(settings: Any) -> str:
    """The database of the embedded core.

    Raises:
        ValueError: The embedded mode is switched off.
    """
    if not settings.server.ephemeral.enabled:
        raise ValueError(
            "There is no API to talk to: PREFECT_API_URL is not set, and PREFECT_SERVER_EPHEMERAL_ENABLED is false. Set the "
            "URL with `prefect config set PREFECT_API_URL=…`, or allow the embedded mode."
        )
    return settings.server.database.connection_url.get_secret_value()


def keep_runs_alive() -> float | None:
    """Tell the API that the runs of this process are alive, where that is due.

    Returns:
        The seconds until it is due again; None where the API does not want to know.
    """
    settings = get_current_settings()
    if settings.api.url:
        from prefect.client._http_leases import keep_runs_alive_there  # noqa: PLC0415 - as in `send`

        return keep_runs_alive_there(settings)
    from prefect.client import _in_process  # noqa: PLC0415 - the core loads only where it is used

    return _in_process.keep_runs_alive(embedded_database(settings))
