"""Interrupts code in any thread by having the interpreter raise an error in it."""

from __future__ import annotations

import ctypes
import heapq
import itertools
import threading
import time
from types import TracebackType
from typing import Any


class InjectedTimeout:
    """A block of code that is interrupted, at its next Python instruction, when its time is up.

    An interpreter keeps at most one error waiting for a thread. What this class guards is that none is left waiting
    when the block is over, and that one that waits for an enclosing block is not lost.
    """

    def __init__(self, seconds: float, error: type[TimeoutError]) -> None:
        self._seconds = seconds
        self._error = error
        self._thread_id = threading.get_ident()
        self._is_open = False
        # Each block raises a class of its own, by which it knows that an error is for it.
        self._signal: type[BaseException] | None = None

    def __enter__(self) -> None:
        self._blocks = _blocks_of_this_thread()
        self._depth = len(self._blocks)
        self._is_open = True
        self._blocks.append(self)
        _watcher.watch(self, time.monotonic() + self._seconds)

    def interrupt(self) -> None:
        """Raise in the block, if it is still open. Called by the watcher."""
        with _lock:
            if self._is_open:
                self._signal = type(self._error.__name__, (self._error,), {})
                _raise_in(self._thread_id, self._signal)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while True:
            # The error may arrive at any instruction in here as well. The block has ended by then, so it made it.
            try:
                self._close(exc_type)
                break
            except TimeoutError as late:
                if self._signal is None or type(late) is not self._signal:
                    raise
        if exc_type is not None and exc_type is self._signal:
            raise self._error(f"Scope timed out after {self._seconds} second(s).").with_traceback(traceback) from None

    def _close(self, arrived: type[BaseException] | None) -> None:
        with _lock:
            # Blocks inside this one are over as well, even if an error kept them from saying so. An error may end this
            # half-way too, so that doing it again has to give the same.
            for block in self._blocks[self._depth :]:
                block._is_open = False
            del self._blocks[self._depth :]
            if self._signal is None or arrived is self._signal:
                return
            _raise_in(self._thread_id, None)
            for block in self._blocks:
                if block._signal is not None and arrived is not block._signal:
                    _raise_in(self._thread_id, block._signal)
                    return


# Guards which blocks are open, against the watcher.
_lock = threading.Lock()
_local = threading.local()


def _blocks_of_this_thread() -> list[InjectedTimeout]:
    try:
        return _local.blocks
    except AttributeError:
        _local.blocks = []
        return _local.blocks


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    # None takes back what is still waiting.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error) if error else None)


class _Watcher:
    """One thread, started when first needed, that interrupts blocks at their deadlines."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: list[tuple[float, int, InjectedTimeout]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, block: InjectedTimeout, deadline: float) -> None:
        with self._changed:
            # A forked child inherits the object, but not the thread.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="prefect-timeouts", daemon=True)
                self._thread.start()
            heapq.heappush(self._deadlines, (deadline, next(self._numbers), block))
            if self._deadlines[0][2] is block:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._next_expired().interrupt()

    def _next_expired(self) -> InjectedTimeout:
        with self._changed:
            while True:
                while self._deadlines and not self._deadlines[0][2]._is_open:
                    heapq.heappop(self._deadlines)
                remaining = self._deadlines[0][0] - time.monotonic() if self._deadlines else None
                if remaining is not None and remaining <= 0:
                    return heapq.heappop(self._deadlines)[2]
                self._changed.wait(remaining)


_watcher: Any = _Watcher()
