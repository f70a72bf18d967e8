"""Runs calls in other threads for sync code; public through `prefect.utilities.asyncutils.from_sync`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from prefect.utilities._loop_thread import get_shared_loop

T = TypeVar("T")

SyncOrAsyncCallable = Callable[[], T | Awaitable[T]]


class Call(Generic[T]):
    """A function with its arguments, which can be run in a thread of one's choice, and its outcome."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.context = copy_context()
        self.timeout: float | None = None
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._in_loop: concurrent.futures.Future[T] | None = None

    @classmethod
    def new(cls, __fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Call[Any]:
        """Make a call of a function and its arguments, with the context variables of here and now."""
        return cls(__fn, args, kwargs)

    def set_timeout(self, timeout: float | None) -> None:
        """Limit the time that the call may take, in seconds; see `result`."""
        self.timeout = timeout

    async def run_async(self) -> T:
        """Make the call, and await what it returns if that can be awaited."""
        value = self.fn(*self.args, **self.kwargs)
        return await value if inspect.isawaitable(value) else value

    def start_in_loop_thread(self) -> None:
        """Make the call on the shared event loop."""
        self._in_loop = get_shared_loop().submit(self.run_async, self.context)
        self._in_loop.add_done_callback(self._copy_outcome)

    def start_in_new_thread(self) -> None:
        """Make the call in a thread of its own, with an event loop of its own if it is async."""
        threading.Thread(target=self._run, name=f"prefect-call-{self.fn!r:.40}", daemon=True).start()

    def _run(self) -> None:
        running: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            value = self.context.run(self.fn, *self.args, **self.kwargs)
            if inspect.isawaitable(value):
                value = self.context.run(asyncio.run, _awaited(value))
            running.set_result(value)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to whoever waits for the result
            running.set_exception(error)
        self._copy_outcome(running)

    def _copy_outcome(self, running: concurrent.futures.Future[Any]) -> None:
        if running.cancelled() or self.future.cancelled():
            self.future.cancel()
        elif (error := running.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(running.result())

    def cancel(self) -> bool:
        """Give the call up, if it has not ended. On the event loop that ends it; a thread goes on unheard."""
        given_up = self.future.cancel()
        if self._in_loop is not None:
            self._in_loop.cancel()
        return given_up

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result.

        Args:
            timeout: How many seconds to wait at most; as long as the call may take unless given.

        Raises:
            TimeoutError: The call did not end in time. It is given up if it took longer than it may.
        """
        try:
            return self.future.result(self.timeout if timeout is None else timeout)
        except concurrent.futures.TimeoutError as error:
            if self.future.done():
                raise
            if timeout is None:
                self.cancel()
            raise TimeoutError(f"The call of {self.fn!r} did not end in time.") from error

    async def aresult(self) -> T:
        """Wait for the result in async code."""
        return await asyncio.wait_for(asyncio.wrap_future(self.future), self.timeout)


async def _awaited(value: Awaitable[T]) -> T:
    return await value


def create_call(__fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Call[Any]:
    """Make a call of a function and its arguments, to be run later or elsewhere."""
    return Call.new(__fn, *args, **kwargs)


def cast_to_call(call_like: SyncOrAsyncCallable[T] | Call[T]) -> Call[T]:
    """Return calls as they are, and functions without arguments as calls."""
    return call_like if isinstance(call_like, Call) else Call.new(call_like)


class _base:
    @staticmethod
    def call_soon_in_loop_thread(__call: SyncOrAsyncCallable[T] | Call[T], timeout: float | None = None) -> Call[T]:
        """Start a call on the shared event loop, and return at once."""
        call = cast_to_call(__call)
        call.set_timeout(timeout)
        call.start_in_loop_thread()
        return call

    @staticmethod
    def call_soon_in_new_thread(__call: SyncOrAsyncCallable[T] | Call[T], timeout: float | None = None) -> Call[T]:
        """Start a call in a thread of its own, and return at once."""
        call = cast_to_call(__call)
        call.set_timeout(timeout)
        call.start_in_new_thread()
        return call


class from_sync(_base):
    """Has other threads run calls on behalf of sync code."""

    @staticmethod
    def wait_for_call_in_loop_thread(
        __call: Callable[[], Awaitable[T]] | Call[T],
        timeout: float | None = None,
        done_callbacks: Iterable[Call[Any]] | None = None,
        contexts: Iterable[AbstractContextManager[Any]] | None = None,
    ) -> T:
        """Run a call on the shared event loop and wait for it.

        Args:
            timeout: How many seconds to wait at most.
            done_callbacks: Calls to make here when it has ended.
            contexts: Context managers to be inside of while waiting.
        """
        with ExitStack() as stack:
            for context in contexts or ():
                stack.enter_context(context)
            return _finish(from_sync.call_soon_in_loop_thread(__call, timeout), done_callbacks)

    @staticmethod
    def wait_for_call_in_new_thread(
        __call: Callable[[], T] | Call[T],
        timeout: float | None = None,
        done_callbacks: Iterable[Call[Any]] | None = None,
    ) -> T:
        """Run a call in a thread of its own and wait for it.

        Args:
            timeout: How many seconds to wait at most.
            done_callbacks: Calls to make here when it has ended.
        """
        return _finish(from_sync.call_soon_in_new_thread(__call, timeout), done_callbacks)

    @staticmethod
    def call_in_new_thread(__call: SyncOrAsyncCallable[T] | Call[T], timeout: float | None = None) -> T:
        """Run a call in a thread of its own and wait for it."""
        return from_sync.call_soon_in_new_thread(__call, timeout).result()

    @staticmethod
    def call_in_loop_thread(__call: SyncOrAsyncCallable[T] | Call[T], timeout: float | None = None) -> Awaitable[T] | T:
        """Run a call on the shared event loop and wait for it. On that loop itself the call is returned to be awaited."""
        if get_shared_loop().is_current:
            return cast_to_call(__call).run_async()
        return from_sync.call_soon_in_loop_thread(__call, timeout).result()


def _finish(call: Call[T], done_callbacks: Iterable[Call[Any]] | None) -> T:
    try:
        return call.result()
    finally:
        for callback in done_callbacks or ():
            callback.context.run(callback.fn, *callback.args, **callback.kwargs)
