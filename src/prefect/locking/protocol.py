"""Defines what a lock manager does."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["LockManager"]


@runtime_checkable
class LockManager(Protocol):
    """Hands out locks, one per key, to holders that identify themselves by a text.

    A holder that acquires its lock again keeps it, and releases it once.
    """

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Take the lock of a key, waiting until it is free.

        Args:
            acquire_timeout: How many seconds to wait at most; for ever unless given.
            hold_timeout: After how many seconds the lock becomes free by itself; never unless given.

        Returns:
            Whether the holder has the lock.
        """
        ...

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Take the lock of a key, as `acquire_lock`, in async code."""
        ...

    def release_lock(self, key: str, holder: str) -> None:
        """Give the lock of a key back.

        Raises:
            ValueError: The holder does not have the lock.
        """
        ...

    def is_locked(self, key: str) -> bool:
        """Say whether anybody has the lock of a key."""
        ...

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Say whether a holder has the lock of a key."""
        ...

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody has the lock of a key.

        Args:
            timeout: How many seconds to wait at most; for ever unless given.

        Returns:
            Whether the lock is free.
        """
        ...

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody has the lock of a key, as `wait_for_lock`, in async code."""
        ...
