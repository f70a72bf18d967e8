"""Waits for an API that is away, or fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from prefect.runner._insisting import is_passing

T = TypeVar("T")

_PAUSE_SECONDS = 5.0


async def patiently(ask: Callable[[], Awaitable[T]], logger: Any) -> T:
    """Ask the API for something, again and again for as long as it cannot answer.

    Args:
        ask: Asks once.
        logger: Told, once, that the API does not answer.
    """
    has_failed = False
    while True:
        try:
            return await ask()
        except Exception as error:
            if not is_passing(error):
                raise
            if not has_failed:
                logger.warning("The API does not answer, will ask again: %s", error)
                has_failed = True
        await anyio.sleep(_PAUSE_SECONDS)
