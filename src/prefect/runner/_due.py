"""Asks for due runs again and again: at once where the API tells of them, and every so often where it does not."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from prefect.logging.loggers import get_logger
from prefect.runner._insisting import is_passing
from prefect.settings import get_current_settings

logger = get_logger("runner")

_JITTER = 0.3
_FIRST_PAUSE_SECONDS = 1.0
"""After a failure the loop asks again soon, and then less and less often, but no less often than ever."""
_TOLERATED_FAILURES = 3
_EMBEDDED_POLL_SECONDS = 1.0
"""Without a server nobody tells of runs, but asking for them costs next to nothing."""
_LONGEST_WAIT_SECONDS = 30.0


class Looked(Enum):
    """What came of asking for runs."""

    NOTHING = auto()
    """No run is due. Where the API can, it has waited for one."""
    TAKEN = auto()
    """Runs have begun; others may be due."""
    LEFT = auto()
    """Runs are due that cannot begin now."""


class DueRuns:
    """The loop that asks for due runs.

    Args:
        look: Asks, and begins the runs that it can. Is told for how many seconds the API may keep it waiting, and says what
            came of it; an error is a failure to ask.
        interval_seconds: How often to ask an API that does not tell by itself; up to a third more or less.
        judge: Told of each failure, and since how many seconds there is nothing else; ends the loop by raising an error. By
            default the loop goes on through all failures.
    """

    def __init__(
        self,
        look: Callable[[float], Awaitable[Looked]],
        interval_seconds: float,
        judge: Callable[[Exception, float], None] | None = None,
    ) -> None:
        self._look = look
        self._interval_seconds = interval_seconds
        self._judge = judge
        self._woken = asyncio.Event()
        self._failures = 0
        self._failing_since = 0.0

    def wake(self) -> None:
        """Ask soon, because there is room for a run again."""
        self._woken.set()

    async def ask_until(self, stopping: asyncio.Event) -> None:
        """Ask until an event is set. What is being asked for then is forgotten.

        Raises:
            Exception: What `judge` has raised.
        """
        while not stopping.is_set():
            pause = await self._ask(stopping)
            await _first(self._woken.wait(), stopping.wait(), seconds=pause)
            self._woken.clear()

    async def _ask(self, stopping: asyncio.Event) -> float:
        """Ask once; gives the seconds until the next time."""
        settings = get_current_settings()
        interval = self._interval_seconds if settings.api.url else min(self._interval_seconds, _EMBEDDED_POLL_SECONDS)
        interval *= random.uniform(1 - _JITTER, 1 + _JITTER)
        # The request must not be given up while the API still waits.
        wait = min(interval, _LONGEST_WAIT_SECONDS, settings.api.request_timeout / 2)
        start = time.monotonic()
        asking = asyncio.ensure_future(self._look(wait))
        try:
            await _first(stopping.wait(), also=asking)
            if not asking.done():
                return 0.0
            looked = asking.result()
        except Exception as error:  # noqa: BLE001 - an API that is away, or refuses, must not end who serves it
            return self._pause_after(error, interval)
        finally:
            asking.cancel()
        if self._failures >= _TOLERATED_FAILURES:
            logger.info("The API answers again.")
        self._failures = 0
        elapsed = time.monotonic() - start
        has_waited = looked is Looked.NOTHING and elapsed >= int(wait) > 0
        return 0.0 if looked is Looked.TAKEN or has_waited else max(interval - elapsed, 0.0)

    def _pause_after(self, error: Exception, interval: float) -> float:
        now = time.monotonic()
        if self._failures == 0:
            self._failing_since = now
        self._failures += 1
        if self._judge is not None:
            self._judge(error, now - self._failing_since)
        # One failure may be of the moment, and those after the first that is told of say nothing new.
        passing = is_passing(error)
        if self._failures == (_TOLERATED_FAILURES if passing else 1):
            logger.log(
                logging.WARNING if passing else logging.ERROR, "Cannot ask for due runs, will try again: %s", error
            )
        pause = _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures - 1, 16)
        return min(pause * random.uniform(1 - _JITTER, 1 + _JITTER), interval)


async def _first(
    *waits: Awaitable[object], also: asyncio.Future[Looked] | None = None, seconds: float | None = None
) -> None:
    """Wait for whatever comes first; `also` goes on if it is not that."""
    waiting = [asyncio.ensure_future(wait) for wait in waits]
    try:
        every = [*waiting, also] if also is not None else waiting
        await asyncio.wait(every, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
