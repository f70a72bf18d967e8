"""Tells the websockets of this process what is new the moment it is committed."""

from __future__ import annotations

import asyncio
from collections import deque
from uuid import UUID

from prefect.server.database.store import News, Store

_MOST_WAITING = 10_000
"""So many ids wait for a socket that does not keep up; the oldest go first."""


class Subscription:
    """What is new for one socket, by id."""

    def __init__(self) -> None:
        self._waiting: deque[UUID] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()

    def put(self, ids: list[UUID]) -> None:
        """Add ids; called in the event loop."""
        self._waiting.extend(ids)
        self._arrived.set()

    async def take(self, most: int) -> list[UUID]:
        """Wait until there is something, and take it; at most `most` at once."""
        await self._arrived.wait()
        ids = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not self._waiting:
            self._arrived.clear()
        return ids


class Hub:
    """Hands out the news of one store to the subscriptions of one event loop. The store tells nothing while there are none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[str, set[Subscription]] = {}

    def subscribe(self, kind: str) -> Subscription:
        """Begin to collect what is new of a kind: "event" or "log"."""
        subscription = Subscription()
        self._subscriptions.setdefault(kind, set()).add(subscription)
        self._store.listener = self._tell
        return subscription

    def unsubscribe(self, kind: str, subscription: Subscription) -> None:
        """Collect no longer."""
        self._subscriptions[kind].discard(subscription)
        if not any(self._subscriptions.values()):
            self._store.listener = None

    def _tell(self, news: list[News]) -> None:
        # From the thread that has committed; it must not wait for the sockets.
        try:
            self._loop.call_soon_threadsafe(self._hand_out, news)
        except RuntimeError:
            pass  # the loop was closed meanwhile: the server is being stopped

    def _hand_out(self, news: list[News]) -> None:
        for kind, subscriptions in self._subscriptions.items():
            ids = [id for each, id in news if each == kind]
            if ids:
                for subscription in subscriptions:
                    subscription.put(ids)
