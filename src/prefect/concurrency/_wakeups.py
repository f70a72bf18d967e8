"""Wakes those who wait for slots in this process as soon as others in it give slots back.

Slots that other processes give back are noticed when the pause is over that the API has advised.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence

_lock = threading.Lock()
_releases: Counter[str] = Counter()
"""Per limit, how often slots were given back in this process."""
_waiting: dict[str, deque[_Waiter]] = {}
"""Per limit, who waits for its slots, in order of arrival."""


class _Waiter:
    __slots__ = ("awake", "wake")

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self.awake = False


def releases_of(names: Sequence[str]) -> tuple[int, ...]:
    """How often slots of these limits were given back so far; to be taken down before asking for slots."""
    with _lock:
        return tuple(_releases[name] for name in names)


def slots_were_given_back(names: Sequence[str], slots: int) -> None:
    """Wake as many of those who wait for each limit as it has free slots more."""
    with _lock:
        woken: list[_Waiter] = []
        for name in names:
            _releases[name] += 1
            queue = _waiting.get(name, ())
            free = slots
            while queue and free > 0:
                waiter = queue.popleft()
                if not waiter.awake:
                    waiter.awake = True
                    woken.append(waiter)
                    free -= 1
    for waiter in woken:
        waiter.wake()


class WaitForSlots:
    """Wait some seconds, or until slots of one of the limits are given back in this process."""

    __slots__ = ("_names", "_releases_before", "_seconds")

    def __init__(self, names: Sequence[str], releases_before: tuple[int, ...], seconds: float) -> None:
        """Say what to wait for.

        Args:
            names: The limits.
            releases_before: What `releases_of` said before slots were asked for in vain. When it has changed in the
                meantime, there is no wait.
            seconds: How long to wait at most.
        """
        self._names, self._releases_before, self._seconds = names, releases_before, seconds

    def perform(self) -> None:
        woken = threading.Event()
        waiter = self._enter(woken.set)
        if waiter is not None:
            try:
                woken.wait(self._seconds)
            finally:
                self._leave(waiter)

    async def perform_async(self) -> None:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        waiter = self._enter(lambda: loop.call_soon_threadsafe(woken.set))
        if waiter is not None:
            try:
                await asyncio.wait_for(woken.wait(), self._seconds)
            except (TimeoutError, asyncio.TimeoutError):
                pass
            finally:
                self._leave(waiter)

    def _enter(self, wake: Callable[[], object]) -> _Waiter | None:
        with _lock:
            if tuple(_releases[name] for name in self._names) != self._releases_before:
                return None
            waiter = _Waiter(wake)
            for name in self._names:
                _waiting.setdefault(name, deque()).append(waiter)
            return waiter

    def _leave(self, waiter: _Waiter) -> None:
        with _lock:
            waiter.awake = True  # where it is still queued, it is passed over
            for name in self._names:
                queue = _waiting.get(name)
                if queue is not None and waiter in queue:
                    queue.remove(waiter)
                if not queue:
                    _waiting.pop(name, None)
