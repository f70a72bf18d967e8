"""Hands what is new to the websockets of this process, in the order in which it was stored, whichever process stored it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from prefect.logging import get_logger
from prefect.server.api._alarm import Alarm
from prefect.server.database.errors import StorageError
from prefect.server.database.notifications import EVENTS, LOGS
from prefect.server.database.store import Store
from prefect.server.models.feeds import MOST_AT_ONCE, Kind, Position, read_position, read_since

logger = get_logger("server.api")

_MOST_WAITING = 10_000
"""So many ids wait for a socket that does not keep up; the oldest go first."""
_PAUSE_SECONDS = 0.02
"""Between two looks at the database, so that a busy server does not look after every commit."""
_TRY_AGAIN_SECONDS = 1.0

Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class Subscription:
    """What is new for one socket, by id."""

    def __init__(self) -> None:
        self._waiting: deque[UUID] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()

    def put(self, ids: list[UUID]) -> int:
        """Add ids; called in the event loop. Returns how many others had to go for them."""
        lost = max(len(self._waiting) + len(ids) - _MOST_WAITING, 0)
        self._waiting.extend(ids)
        self._arrived.set()
        return lost

    async def take(self, most: int) -> list[UUID]:
        """Wait until there is something, and take it; at most `most` at once."""
        await self._arrived.wait()
        ids = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not self._waiting:
            self._arrived.clear()
        return ids


class _Feed:
    """Follows one kind of rows, for all subscriptions to it."""

    def __init__(self, store: Store, kind: Kind, run: Run) -> None:
        self.subscriptions: set[Subscription] = set()
        self._store, self._run = store, run
        self._kind: Kind = kind
        self._alarm = Alarm(store, EVENTS if kind == "event" else LOGS)
        self.start: asyncio.Future[Position] = asyncio.ensure_future(self._find_start())
        self._following = asyncio.ensure_future(self._follow())

    def close(self) -> None:
        self._alarm.close()
        self.start.cancel()
        self._following.cancel()

    async def _find_start(self) -> Position:
        return await self._run(lambda: self._store.read(lambda tx: read_position(tx, self._kind)))

    async def _follow(self) -> None:
        try:
            position = await self.start
        except StorageError:
            return  # whoever subscribes is told
        is_down = False
        while True:
            await self._alarm.wait()
            self._alarm.reset()
            try:
                position, ids = await self._run(
                    lambda since=position: self._store.read(lambda tx: read_since(tx, self._kind, since))
                )
            except StorageError as error:
                if not is_down:
                    logger.warning("What is new cannot be read, and is read later: %s", error)
                is_down = True
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
                self._alarm.ring()
                continue
            is_down = False
            self._hand_out(ids)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _hand_out(self, ids: list[UUID]) -> None:
        if not ids:
            return
        lost = sum(subscription.put(ids) for subscription in self.subscriptions)
        if lost or len(ids) == MOST_AT_ONCE:
            logger.warning("A websocket does not keep up: %ss were left out of it. They are stored.", self._kind)


class Hub:
    """Hands out what is stored in one database to the subscriptions of one event loop; reads nothing while there are none."""

    def __init__(self, store: Store, run: Run) -> None:
        """Say what to follow.

        Args:
            store: The database.
            run: Runs a function in a thread.
        """
        self._store, self._run = store, run
        self._feeds: dict[Kind, _Feed] = {}

    async def subscribe(self, kind: Kind) -> Subscription:
        """Begin to collect what is new of a kind. What is committed after this has returned is in it.

        Raises:
            StorageError: The database cannot be read.
        """
        feed = self._feeds.get(kind)
        if feed is None:
            feed = self._feeds[kind] = _Feed(self._store, kind, self._run)
        subscription = Subscription()
        feed.subscriptions.add(subscription)
        try:
            await asyncio.shield(feed.start)
        except BaseException:
            self.unsubscribe(kind, subscription)
            raise
        return subscription

    def unsubscribe(self, kind: Kind, subscription: Subscription) -> None:
        """Collect no longer."""
        feed = self._feeds.get(kind)
        if feed is None or subscription not in feed.subscriptions:
            return
        feed.subscriptions.discard(subscription)
        if not feed.subscriptions:
            feed.close()
            del self._feeds[kind]
