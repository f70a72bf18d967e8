"""Ends what runs in an event loop when the process is told to, in the way that the work itself knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from prefect.utilities._asked_to_end import asked_to_end


async def run_until_told(work: Coroutine[Any, Any, None], tell: Callable[[int], bool]) -> bool:
    """Run something that ends by itself some time after it is told to.

    Args:
        work: What runs.
        tell: Called at each SIGINT and SIGTERM, with how many there were; returns whether the work ends by itself. If
            not, it is cancelled.

    Returns:
        Whether it ended by itself.
    """
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    told = 0

    def take() -> None:
        nonlocal told
        told += 1
        if not tell(told):
            task.cancel()

    with asked_to_end(lambda number: loop.call_soon_threadsafe(take) and None):
        await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return True
