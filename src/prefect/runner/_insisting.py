"""Delivers what an API must hear of a run, also when that is away for a while."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from prefect.client._calls._call import Call
from prefect.logging.loggers import get_logger
from prefect.runner._asking import Asking

T = TypeVar("T")

logger = get_logger("runner")

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_LIMIT_SECONDS = 10.0
_PASSING_STATUSES = frozenset({408, 429})


def is_passing(error: BaseException) -> bool:
    """Whether a request that failed in this way may succeed later: the API is away, or overloaded."""
    import httpx  # noqa: PLC0415 - loaded already where anything has gone wrong on the way to a server

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code in _PASSING_STATUSES
    return isinstance(error, (httpx.TransportError, ConnectionError))


def is_refusal(error: BaseException) -> bool:
    """Whether a request has failed because the API does not want it, and would not want it later."""
    import httpx  # noqa: PLC0415 - as above

    return isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error and not is_passing(error)


class Insistence:
    """Repeats requests until they are answered, or until there is no more time for that.

    Args:
        asking: Sends them, once each time.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._is_limited = asyncio.Event()

    def limit(self) -> None:
        """Give each request, those that are on their way and those to come, a short time only."""
        self._is_limited.set()

    async def deliver(self, call: Call[T], purpose: str) -> T:
        """Deliver a request. The same request is repeated, so that an API knows it again whose answer was lost.

        Args:
            call: The request.
            purpose: What it is for, as the end of the sentence "Cannot …".

        Raises:
            TimeoutError: There is no more time.
            Exception: The API has refused it.
        """
        delivering = asyncio.ensure_future(self._deliver(call, purpose))
        limited = asyncio.ensure_future(self._is_limited.wait())
        try:
            await asyncio.wait({delivering, limited}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({delivering}, timeout=_LIMIT_SECONDS)
            if delivering.done():
                return delivering.result()
            raise TimeoutError(f"Cannot {purpose}: the API does not answer.")
        finally:
            delivering.cancel()
            limited.cancel()

    async def _deliver(self, call: Call[T], purpose: str) -> T:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._asking.ask(call)
            except Exception as error:
                if not is_passing(error):
                    raise
                logger.warning("Cannot %s, will try again: %s", purpose, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
