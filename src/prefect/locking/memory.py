"""Locks within one process."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from typing_extensions import Self

from prefect.locking._waiting import Waiting, waiting
from prefect.locking.protocol import LockManager

__all__ = ["MemoryLockManager"]


class MemoryLockManager(LockManager):
    """Hands out locks that the threads and event loops of this process see. There is one manager per process."""

    _instance: MemoryLockManager | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
            cls._instance._changed = threading.Condition()
            cls._instance._locks = {}
            cls._instance._async_waiters = set()
        return cls._instance  # type: ignore[return-value]

    def __init__(self) -> None:
        # What there is was set up with the only instance; making it "again" must not forget the locks.
        self._changed: threading.Condition
        self._locks: dict[str, tuple[str, float]]
        self._async_waiters: set[Callable[[], None]]

    def __reduce__(self) -> tuple[type[MemoryLockManager], tuple[()]]:
        warnings.warn(
            "MemoryLockManager is being pickled, and its locks are not: another process will not see them. Use "
            "FileSystemLockManager to lock across processes.",
            UserWarning,
            stacklevel=2,
        )
        return MemoryLockManager, ()

    # --- the state, guarded by `_changed` ---

    def _holder(self, key: str) -> tuple[str, float] | None:
        held = self._locks.get(key)
        if held is not None and held[1] <= time.monotonic():
            del self._locks[key]
            return None
        return held

    def _busy_for(self, key: str) -> float | None:
        held = self._holder(key)
        return None if held is None else held[1] - time.monotonic()

    def _acquiring(self, key: str, holder: str, acquire_timeout: float | None, hold_timeout: float | None) -> Waiting:
        def take() -> float | None:
            held = self._holder(key)
            if held is not None and held[0] != holder:
                return held[1] - time.monotonic()
            if held is None or hold_timeout is not None:
                self._locks[key] = (holder, float("inf") if hold_timeout is None else time.monotonic() + hold_timeout)
            return None

        return waiting(take, acquire_timeout)

    # --- the two ways to wait ---

    def _wait(self, plan: Waiting) -> bool:
        with self._changed:
            while True:
                try:
                    self._changed.wait(next(plan))
                except StopIteration as end:
                    return end.value

    async def _await(self, plan: Waiting) -> bool:
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def notify() -> None:
            loop.call_soon_threadsafe(changed.set)

        try:
            while True:
                with self._changed:
                    changed.clear()
                    self._async_waiters.add(notify)
                    try:
                        seconds = next(plan)
                    except StopIteration as end:
                        return end.value
                try:
                    await asyncio.wait_for(changed.wait(), seconds)
                except asyncio.TimeoutError:  # another class than the built-in one before Python 3.11
                    continue
        finally:
            with self._changed:
                self._async_waiters.discard(notify)

    # --- public ---

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Take the lock of a key; see `LockManager`."""
        return self._wait(self._acquiring(key, holder, acquire_timeout, hold_timeout))

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Take the lock of a key in async code; see `LockManager`."""
        return await self._await(self._acquiring(key, holder, acquire_timeout, hold_timeout))

    def release_lock(self, key: str, holder: str) -> None:
        """Give the lock of a key back.

        Raises:
            ValueError: The holder does not have the lock.
        """
        with self._changed:
            held = self._holder(key)
            if held is None or held[0] != holder:
                raise ValueError(f"No lock held by {holder} for transaction with key {key}")
            del self._locks[key]
            self._changed.notify_all()
            for notify in self._async_waiters:
                notify()

    def is_locked(self, key: str) -> bool:
        """Say whether anybody has the lock of a key."""
        with self._changed:
            return self._holder(key) is not None

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Say whether a holder has the lock of a key."""
        with self._changed:
            held = self._holder(key)
            return held is not None and held[0] == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody has the lock of a key; see `LockManager`."""
        return self._wait(waiting(lambda: self._busy_for(key), timeout))

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait in async code until nobody has the lock of a key; see `LockManager`."""
        return await self._await(waiting(lambda: self._busy_for(key), timeout))
