"""Interrupts the current asyncio task by cancelling it."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType


class CancellingTimeout:
    """A block of async code that is cancelled, at its next `await`, when its time is up."""

    def __init__(self, seconds: float, error: type[TimeoutError]) -> None:
        self._seconds = seconds
        self._error = error
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A timeout for async code has to be entered inside an asyncio task.")
        self._task = task
        # How many cancellations from elsewhere are under way already; they are not this block's to take back.
        self._cancellations = task.cancelling() if sys.version_info >= (3, 11) else 0
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if not self._expired:
            return
        others = self._task.uncancel() > self._cancellations if sys.version_info >= (3, 11) else False
        if exc_type is not None and issubclass(exc_type, asyncio.CancelledError) and not others:
            raise self._error(f"Scope timed out after {self._seconds} second(s).") from exc
