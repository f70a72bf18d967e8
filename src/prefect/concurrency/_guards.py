"""Ends the block that holds slots when its lease is lost and the block must not go on without them."""

from __future__ import annotations

import ctypes
import threading
from types import TracebackType
from typing import Any

from typing_extensions import Self

from prefect.concurrency import _leases
from prefect.concurrency._errors import ConcurrencyLeaseLostError
from prefect.concurrency._policy import Held


class LeaseLost(BaseException):
    """Raised into the block; no `except Exception` of the block's own keeps it there."""


def lease_lost(held: Held, cause: BaseException) -> ConcurrencyLeaseLostError:
    """The error that a block ends with when its slots are lost."""
    return ConcurrencyLeaseLostError(
        f"The lease on slots of {list(held.request.names)!r} could not be renewed: {cause!r}."
        " Others may have taken the slots, so the code that needs them was stopped."
    )


class _Guard:
    """Keeps the lease of held slots alive inside a `with` block."""

    def __init__(self, held: Held, ends_block: bool) -> None:
        """Say what to keep.

        Args:
            held: The slots.
            ends_block: Whether the block ends with an error when they are lost; otherwise a warning is logged.
        """
        self._held = held
        self._ends_block = ends_block
        self._lock = threading.Lock()
        self._active = False
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._active = True
        if self._held.lease_id is not None:
            _leases.keeper.keep(self._held.lease_id, self._held.request.lease_seconds, self._lost)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with self._lock:
            self._active = False
        if self._held.lease_id is not None:
            _leases.keeper.let_go(self._held.lease_id)
        if self._error is None or not self._is_ours_to_raise(error):
            return
        raise lease_lost(self._held, self._error) from self._error

    def _lost(self, error: Exception) -> None:
        if not self._ends_block:
            _leases.warn_lost(list(self._held.request.names), error)
            return
        with self._lock:
            if self._active:
                self._error = error
                self._end_block()

    def _end_block(self) -> None:
        raise NotImplementedError

    def _is_ours_to_raise(self, error: BaseException | None) -> bool:
        """Whether the block ended because of the lost lease, or in order; its own errors go out as they are."""
        raise NotImplementedError


class ThreadGuard(_Guard):
    """Ends a block that runs in this thread. A call that blocks inside C code ends first."""

    def __enter__(self) -> Self:
        self._thread_id = ctypes.c_ulong(threading.get_ident())
        return super().__enter__()

    def _end_block(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread_id, ctypes.py_object(LeaseLost))

    def _is_ours_to_raise(self, error: BaseException | None) -> bool:
        if error is None or not isinstance(error, LeaseLost):
            # The block has ended by itself a moment before: what was to be raised in it must not be raised later.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread_id, None)
        return error is None or isinstance(error, LeaseLost)


class TaskGuard(_Guard):
    """Ends a block that runs in this asyncio task, by cancelling the task."""

    def __enter__(self) -> Self:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        self._loop = asyncio.get_running_loop()
        self._task: Any = asyncio.current_task()
        self._cancelled_error = asyncio.CancelledError
        self._was_cancelled_by_us = False
        return super().__enter__()

    def _end_block(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._active:
            self._was_cancelled_by_us = True
            self._task.cancel()

    def _is_ours_to_raise(self, error: BaseException | None) -> bool:
        ours = self._was_cancelled_by_us and isinstance(error, self._cancelled_error)
        if ours and hasattr(self._task, "uncancel"):  # Python 3.11: the cancellation ends here
            self._task.uncancel()
        return error is None or ours
