"""Moves calls between sync and async code, and between threads."""

from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeGuard, TypeVar, overload

from prefect.utilities._async_context import RUNNING_IN_RUN_SYNC_LOOP_FLAG, has_running_loop, is_in_async_context
from prefect.utilities._lazy import lazy_names

if TYPE_CHECKING:
    import asyncio

    from anyio import CapacityLimiter

    from prefect.utilities._calls import cast_to_call, from_sync
    from prefect.utilities._gather import GatherIncomplete, GatherTaskGroup, create_gather_task_group, gather
    from prefect.utilities._loop_thread import EventLoopThread

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "BACKGROUND_TASKS",
    "EVENT_LOOP_GC_REFS",
    "RUNNING_ASYNC_FLAG",
    "RUNNING_IN_RUN_SYNC_LOOP_FLAG",
    "Async",
    "GatherIncomplete",
    "GatherTaskGroup",
    "LazySemaphore",
    "Sync",
    "add_event_loop_shutdown_callback",
    "asyncnullcontext",
    "background_task_lock",
    "call_with_mark",
    "cast_to_call",
    "create_gather_task_group",
    "create_task",
    "from_sync",
    "gather",
    "get_run_sync_loop",
    "get_thread_limiter",
    "in_async_main_thread",
    "in_async_worker_thread",
    "in_run_sync_loop",
    "is_async_fn",
    "is_async_gen_fn",
    "mark_as_worker_thread",
    "run_async_from_worker_thread",
    "run_async_in_new_loop",
    "run_coro_as_sync",
    "run_sync_in_worker_thread",
    "sync",
    "sync_compatible",
]

# asyncio and anyio cost tens of milliseconds to import. What needs them loads them when it is first used.
__getattr__ = lazy_names(
    __name__,
    {
        "GatherIncomplete": "prefect.utilities._gather",
        "GatherTaskGroup": "prefect.utilities._gather",
        "cast_to_call": "prefect.utilities._calls",
        "create_gather_task_group": "prefect.utilities._gather",
        "from_sync": "prefect.utilities._calls",
        "gather": "prefect.utilities._gather",
        "get_logger": "prefect.logging.loggers",
    },
)

Async = Literal[True]
Sync = Literal[False]

_WORKER_THREADS = 250

EVENT_LOOP_GC_REFS: dict[int, AsyncGenerator[None, Any]] = {}
"""Keeps the shutdown callbacks of event loops alive."""

BACKGROUND_TASKS: set[asyncio.Task[Any]] = set()
"""Keeps tasks that nobody waits for alive; an event loop holds weak references only."""

background_task_lock: threading.Lock = threading.Lock()

RUNNING_ASYNC_FLAG: ContextVar[bool] = ContextVar("run_async", default=False)
"""Whether the code is called, directly or not, by a function that was made sync with `sync_compatible`."""

_worker = threading.local()


# --- what a function is -----------------------------------------------------------------------------------------------


def is_async_fn(func: Callable[P, R | Awaitable[R]]) -> TypeGuard[Callable[P, Coroutine[Any, Any, Any]]]:
    """Say whether a function, or what it wraps, is an `async def`."""
    return inspect.iscoroutinefunction(inspect.unwrap(func))


def is_async_gen_fn(func: Callable[P, Any]) -> TypeGuard[Callable[P, AsyncGenerator[Any, Any]]]:
    """Say whether a function, or what it wraps, is an `async def` that yields."""
    return inspect.isasyncgenfunction(inspect.unwrap(func))


# --- coroutines from sync code ----------------------------------------------------------------------------------------


def get_run_sync_loop() -> EventLoopThread:
    """Return the background event loop on which sync code has coroutines run."""
    from prefect.utilities._loop_thread import get_shared_loop  # noqa: PLC0415 - loads asyncio

    return get_shared_loop()


def in_run_sync_loop() -> bool:
    """Say whether this code runs on the background event loop."""
    return has_running_loop() and get_run_sync_loop().is_current


@overload
def run_coro_as_sync(
    coroutine: Coroutine[Any, Any, R], *, force_new_thread: bool = ..., wait_for_result: Literal[True] = ...
) -> R: ...
@overload
def run_coro_as_sync(
    coroutine: Coroutine[Any, Any, R], *, force_new_thread: bool = ..., wait_for_result: Literal[False]
) -> None: ...
def run_coro_as_sync(
    coroutine: Coroutine[Any, Any, R], *, force_new_thread: bool = False, wait_for_result: bool = True
) -> R | None:
    """Run a coroutine to its end from sync code, in any thread, also below a running event loop.

    It runs on a background event loop that all calls share, and sees the context variables of the caller. When the wait
    is interrupted, the coroutine is cancelled.

    Args:
        force_new_thread: Run it in a thread and event loop of its own.
        wait_for_result: Return its result; else start it and return None at once.
    """
    loop = get_run_sync_loop()

    async def run() -> R:
        token = RUNNING_IN_RUN_SYNC_LOOP_FLAG.set(True)
        try:
            return await coroutine
        finally:
            RUNNING_IN_RUN_SYNC_LOOP_FLAG.reset(token)

    if force_new_thread or (loop.is_current and wait_for_result):
        # Waiting on the loop for the loop would never end.
        return _run_in_new_thread(run)
    outcome = loop.submit(run)
    if not wait_for_result:
        return None
    try:
        return outcome.result()
    except BaseException:
        outcome.cancel()
        raise


def _run_in_new_thread(run: Callable[[], Coroutine[Any, Any, R]]) -> R:
    import asyncio  # noqa: PLC0415 - loaded already, by whoever made the coroutine run
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1, thread_name_prefix="prefect-run-coroutine") as threads:
        return threads.submit(copy_context().run, lambda: asyncio.run(run())).result()


def run_async_in_new_loop(__fn: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call an async function in this thread, in an event loop of its own."""
    import anyio  # noqa: PLC0415 - see the top of the module

    async def call() -> R:
        return await __fn(*args, **kwargs)

    return anyio.run(call)


def sync(__async_fn: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call an async function from sync code and wait for its result.

    In a worker thread of an event loop it runs on that loop, otherwise on the background loop.
    """
    if in_async_worker_thread():
        return run_async_from_worker_thread(__async_fn, *args, **kwargs)

    async def call() -> R:
        return await __async_fn(*args, **kwargs)

    return run_coro_as_sync(call())


def sync_compatible(
    async_fn: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, R | Coroutine[Any, Any, R]]:
    """Make an async function run to its end where sync code calls it.

    In async code it returns its coroutine. Callers may choose themselves with `_sync=True` or `_sync=False`. The async
    function is the `.aio` of the result.

    Raises:
        TypeError: The function is not async.
    """
    if not is_async_fn(async_fn):
        raise TypeError(f"Only an `async def` function can be made sync-compatible, not {async_fn!r}.")

    @wraps(async_fn)
    def wrapper(*args: Any, _sync: bool | None = None, **kwargs: Any) -> Any:
        coroutine = async_fn(*args, **kwargs)
        if _sync is False or (_sync is None and is_in_async_context()):
            return coroutine
        return run_coro_as_sync(coroutine)

    wrapper.aio = async_fn  # type: ignore[attr-defined]
    return wrapper


# --- threads from async code ------------------------------------------------------------------------------------------


async def run_sync_in_worker_thread(__fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a sync function in a worker thread and await its result.

    It sees the context variables of the caller. A cancellation is delivered when the function has returned.
    """
    from anyio import to_thread  # noqa: PLC0415 - see the top of the module

    call = partial(call_with_mark, partial(__fn, *args, **kwargs))
    return await to_thread.run_sync(call, limiter=get_thread_limiter())


def get_thread_limiter() -> CapacityLimiter:
    """Return what bounds the number of worker threads of the running event loop."""
    from anyio import CapacityLimiter  # noqa: PLC0415 - see the top of the module
    from anyio.lowlevel import RunVar  # noqa: PLC0415 - likewise

    limiters: RunVar[CapacityLimiter] = RunVar("prefect_worker_threads")
    try:
        return limiters.get()
    except LookupError:
        limiter = CapacityLimiter(_WORKER_THREADS)
        limiters.set(limiter)
        return limiter


def call_with_mark(call: Callable[..., R]) -> R:
    """Make a call in a worker thread, which knows of itself that it is one."""
    mark_as_worker_thread()
    return call()


def mark_as_worker_thread() -> None:
    """Note that this thread works for an event loop in another."""
    _worker.is_one = True


def in_async_worker_thread() -> bool:
    """Say whether this thread works for an event loop in another."""
    return getattr(_worker, "is_one", False) and not has_running_loop()


def in_async_main_thread() -> bool:
    """Say whether an event loop runs in this thread."""
    return has_running_loop()


def run_async_from_worker_thread(__fn: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call an async function on the event loop that this worker thread works for, and wait for its result."""
    from anyio import from_thread  # noqa: PLC0415 - see the top of the module

    async def call() -> R:
        return await __fn(*args, **kwargs)

    return from_thread.run(call)


# --- inside an event loop ---------------------------------------------------------------------------------------------


def create_task(coroutine: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
    """Start a coroutine as a task that is kept alive until it ends, whether or not somebody holds it."""
    import asyncio  # noqa: PLC0415 - see the top of the module

    task = asyncio.create_task(coroutine)
    with background_task_lock:
        BACKGROUND_TASKS.add(task)
    task.add_done_callback(_forget_task)
    return task


def _forget_task(task: asyncio.Task[Any]) -> None:
    with background_task_lock:
        BACKGROUND_TASKS.discard(task)


async def add_event_loop_shutdown_callback(coroutine_fn: Callable[[], Awaitable[Any]]) -> None:
    """Have an async function called when the running event loop shuts down.

    That needs a loop that closes its async generators, as those of `asyncio.run` do.
    """

    async def on_shutdown(key: int) -> AsyncGenerator[None, Any]:
        try:
            yield
        except GeneratorExit:
            await coroutine_fn()
            EVENT_LOOP_GC_REFS.pop(key, None)

    key = id(on_shutdown)
    callback = on_shutdown(key)
    EVENT_LOOP_GC_REFS[key] = callback
    # An async generator is known to its loop once it has begun.
    await callback.__anext__()


class LazySemaphore:
    """A semaphore whose size is asked for when it is first entered.

    Args:
        initial_value_func: Returns the size.
    """

    def __init__(self, initial_value_func: Callable[[], int]) -> None:
        self._size = initial_value_func
        self._semaphore: asyncio.Semaphore | None = None

    async def __aenter__(self) -> asyncio.Semaphore:
        if self._semaphore is None:
            import asyncio  # noqa: PLC0415 - see the top of the module

            self._semaphore = asyncio.Semaphore(self._size())
        await self._semaphore.__aenter__()
        return self._semaphore

    async def __aexit__(self, exc_type: Any, exc: Any, tb: Any) -> None:
        if self._semaphore is None:
            raise RuntimeError("The semaphore is left without having been entered.")
        await self._semaphore.__aexit__(exc_type, exc, tb)


@asynccontextmanager
async def asyncnullcontext(value: R | None = None, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, R | None]:
    """Do nothing, as an async context manager that gives `value`."""
    yield value
