"""Waits in an event loop for what transactions tell of, in any process."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect.server.database.store import Store


class Alarm:
    """Goes off when there may be something new under one of some topics of a store's notifications; stays so until it is reset."""

    def __init__(self, store: Store, *topics: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._unsubscribe = [store.notifications.subscribe(topic, self._ring) for topic in topics]

    def close(self) -> None:
        """Go off no more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def reset(self) -> None:
        """Wait for the next time; to be called before one looks, so that nothing falls in between."""
        self._rung.clear()

    def ring(self) -> None:
        """Go off; in the event loop only."""
        self._rung.set()

    async def wait(self) -> None:
        """Wait until it goes off."""
        await self._rung.wait()

    async def wait_beside(self, other: asyncio.Future[Any], timeout_seconds: float | None) -> None:
        """Wait until it goes off, or something else is done, or some time has passed."""
        waiting = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait({waiting, other}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    def _ring(self) -> None:
        # From the thread that has committed, which must not wait for the loop. An alarm that has gone off already is
        # reset before somebody looks, and so sees this commit too.
        if self._rung.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._rung.set)
        except RuntimeError:
            pass  # the loop was closed meanwhile: the server is being stopped
