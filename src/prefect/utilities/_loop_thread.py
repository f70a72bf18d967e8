"""Keeps one event loop in a background thread, on which sync code has coroutines run."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

_STOP_SECONDS = 1.0


class EventLoopThread:
    """A daemon thread that runs an event loop until it is told to stop."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        # A loop holds weak references only, and somebody may have started a coroutine without waiting for it.
        self._tasks: set[asyncio.Task[Any]] = set()
        self._process_id = os.getpid()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        pending = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    @property
    def is_usable(self) -> bool:
        """Whether the thread still runs. A forked child inherits the object, but not the thread."""
        return self._thread.is_alive() and self._process_id == os.getpid()

    @property
    def is_current(self) -> bool:
        """Whether this is called in the thread itself."""
        return threading.current_thread() is self._thread

    def submit(
        self, make_coroutine: Callable[[], Coroutine[Any, Any, T]], context: Context | None = None
    ) -> concurrent.futures.Future[T]:
        """Run a coroutine on the loop. Cancelling the returned future cancels the coroutine.

        Args:
            context: The context variables it sees; those of the caller unless given.
        """
        outcome: concurrent.futures.Future[T] = concurrent.futures.Future()

        def start() -> None:
            task = self.loop.create_task(make_coroutine())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            outcome.add_done_callback(lambda _: self._cancel(outcome, task))
            task.add_done_callback(lambda _: _copy_outcome(task, outcome))

        self.loop.call_soon_threadsafe(start, context=context or copy_context())
        return outcome

    def _cancel(self, outcome: concurrent.futures.Future[Any], task: asyncio.Task[Any]) -> None:
        if outcome.cancelled() and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(task.cancel)

    def stop(self) -> None:
        """Cancel what still runs, and end the thread."""
        if self.is_usable:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(_STOP_SECONDS)


def _copy_outcome(task: asyncio.Task[T], outcome: concurrent.futures.Future[T]) -> None:
    if task.cancelled():
        outcome.cancel()
        return
    error = task.exception()
    # From here the waiting side can no longer cancel; if it has, nobody asks for the outcome.
    if not outcome.set_running_or_notify_cancel():
        return
    if error is None:
        outcome.set_result(task.result())
    else:
        outcome.set_exception(error)


_shared: EventLoopThread | None = None
_lock = threading.Lock()


def get_shared_loop() -> EventLoopThread:
    """Return the loop thread of this process, started when first needed and stopped at exit."""
    global _shared
    shared = _shared
    if shared is not None and shared.is_usable:
        return shared
    with _lock:
        if _shared is None or not _shared.is_usable:
            _shared = EventLoopThread("prefect-background-loop")
            atexit.register(_shared.stop)
        return _shared
