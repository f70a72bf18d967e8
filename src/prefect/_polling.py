"""Follows what the core in this process stores, by looking for it again and again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar
from uuid import UUID

from typing_extensions import Self

from prefect._seen import Seen

T = TypeVar("T")

_PAUSE_SECONDS = 0.25


class PollingSubscriber(ABC, Generic[T]):
    """Iterates over what is stored from now on; it never ends by itself."""

    def __init__(self) -> None:
        self._found: deque[T] = deque()
        self._seen = Seen()

    @property
    def client_name(self) -> str:
        """Names this kind of client in metrics."""
        return type(self).__name__

    @abstractmethod
    async def _read(self) -> Iterable[tuple[UUID, T]]:
        """The id and the item of all that came since the last look, or somewhat more than that."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._found.clear()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._found:
            self._found.extend([item for id, item in await self._read() if self._seen.add(id)])
            if not self._found:
                await asyncio.sleep(_PAUSE_SECONDS)
        return self._found.popleft()
