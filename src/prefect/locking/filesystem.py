"""Locks between processes that share a directory."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from prefect.locking._waiting import Waiting, waiting
from prefect.locking.protocol import LockManager

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

__all__ = ["FileSystemLockManager"]

_POLL_SECONDS = 0.1
_GUARD = ".guard"

_Held = tuple[str, "datetime | None"]


class FileSystemLockManager(LockManager):
    """Hands out locks that are files in a directory: `<key>.lock`, a JSON object of `holder` and `expiration`.

    Waiting looks at the file ten times a second. Where the platform has file locks, looking at a lock and changing it
    are one step, so that an expired lock passes to one holder only.

    Args:
        lock_files_directory: Where the files are; made when needed.
    """

    def __init__(self, lock_files_directory: Path) -> None:
        self.lock_files_directory: Path = Path(lock_files_directory).expanduser().resolve()
        self._known: dict[str, _Held | None] = {}

    # --- the files ---

    def _path(self, key: str) -> Path:
        return self.lock_files_directory.joinpath(key).with_name(f"{Path(key).name}.lock")

    @contextmanager
    def _exclusively(self) -> Generator[None, None, None]:
        self.lock_files_directory.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            yield
            return
        guard = os.open(self.lock_files_directory / _GUARD, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield
        finally:
            # Closing gives the lock back.
            os.close(guard)

    def _read(self, key: str) -> _Held | None:
        try:
            data = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            # A file that is just being written by somebody without the guard is not readable yet.
            return None
        expiration = data.get("expiration")
        if expiration:
            # Python 3.10 does not know the "Z" that other programs write.
            expiration = datetime.fromisoformat(expiration.replace("Z", "+00:00"))
        return data["holder"], expiration

    def _held(self, key: str) -> _Held | None:
        held = self._known[key] = self._read(key)
        return None if held is not None and _is_over(held) else held

    def _take(self, key: str, holder: str, hold_timeout: float | None) -> bool:
        with self._exclusively():
            held = self._held(key)
            if held is not None and held[0] != holder:
                return False
            if held is None or hold_timeout is not None:
                self._write(key, holder, hold_timeout)
            return True

    def _write(self, key: str, holder: str, hold_timeout: float | None) -> None:
        expiration = None
        if hold_timeout is not None:
            expiration = datetime.now(timezone.utc) + timedelta(seconds=hold_timeout)
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"holder": holder, "expiration": expiration.isoformat() if expiration else None})
        # Readers see the old file or the new one, never half of it.
        draft = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
        self._known[key] = (holder, expiration)

    # --- the two ways to wait ---

    def _acquiring(self, key: str, holder: str, acquire_timeout: float | None, hold_timeout: float | None) -> Waiting:
        return waiting(lambda: None if self._take(key, holder, hold_timeout) else _POLL_SECONDS, acquire_timeout)

    def _freeing(self, key: str, timeout: float | None) -> Waiting:
        return waiting(lambda: _POLL_SECONDS if self.is_locked(key) else None, timeout)

    def _wait(self, plan: Waiting) -> bool:
        while True:
            try:
                time.sleep(next(plan) or _POLL_SECONDS)
            except StopIteration as end:
                return end.value

    async def _await(self, plan: Waiting) -> bool:
        while True:
            try:
                seconds = next(plan)
            except StopIteration as end:
                return end.value
            await asyncio.sleep(seconds or _POLL_SECONDS)

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
        with self._exclusively():
            # One that has expired may still be released by its holder, as long as nobody else has taken it.
            held = self._read(key)
            if held is None:
                raise ValueError(f"No lock for transaction with key {key}")
            if held[0] != holder:
                raise ValueError(f"No lock held by {holder} for transaction with key {key}")
            self._path(key).unlink(missing_ok=True)
            self._known.pop(key, None)

    def is_locked(self, key: str, use_cache: bool = False) -> bool:
        """Say whether anybody has the lock of a key.

        Args:
            use_cache: Answer from what was last seen, without looking at the file.
        """
        if use_cache and key in self._known:
            held = self._known[key]
            return held is not None and not _is_over(held)
        return self._held(key) is not None

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Say whether a holder has the lock of a key."""
        held = self._held(key)
        return held is not None and held[0] == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody has the lock of a key; see `LockManager`."""
        return self._wait(self._freeing(key, timeout))

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait in async code until nobody has the lock of a key; see `LockManager`."""
        return await self._await(self._freeing(key, timeout))


def _is_over(held: _Held) -> bool:
    return held[1] is not None and held[1] <= datetime.now(timezone.utc)
