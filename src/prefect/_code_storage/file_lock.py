"""A lock between processes that the system gives back when its holder dies."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

if os.name == "nt":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_POLL_SECONDS = 0.05


@asynccontextmanager
async def file_lock(path: Path) -> AsyncGenerator[None, None]:
    """Hold a lock while the block runs. Others wait for it, in this process too; it leaves no file behind.

    Args:
        path: The file that stands for the lock; made with the folders above it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _try(path)
    while handle is None:
        await anyio.sleep(_POLL_SECONDS)
        handle = _try(path)
    try:
        yield
    finally:
        _give_back(handle, path)


def _try(path: Path) -> int | None:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        _lock(handle)
        # The holder before has removed the file after this one was opened: it stands for nothing any more.
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except OSError:
        # Somebody has the lock, or has just removed the file.
        pass
    os.close(handle)
    return None


def _give_back(handle: int, path: Path) -> None:
    try:
        # While the lock is held: who opened the file meanwhile sees that it is gone.
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows does not remove a file that somebody has open. It stays, and is used again.
        pass
    finally:
        os.close(handle)
