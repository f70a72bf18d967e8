"""Makes functions that run where sync code calls them and return a coroutine where async code does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, overload

from prefect.utilities._async_context import is_in_async_context, set_run_context_probe

__all__ = ["async_dispatch", "is_in_async_context", "set_run_context_probe"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

if TYPE_CHECKING:

    class Dispatched(Protocol[P, R_co]):
        """What type checkers know of a function made by `async_dispatch`; as it runs, it is a plain function.

        A `ParamSpec` cannot be given a keyword more, so calls with `_sync` are typed by their results alone.
        """

        @overload
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co | Coroutine[Any, Any, R_co]: ...
        @overload
        def __call__(self, *args: Any, _sync: Literal[True], **kwargs: Any) -> R_co: ...
        @overload
        def __call__(self, *args: Any, _sync: Literal[False], **kwargs: Any) -> Coroutine[Any, Any, R_co]: ...
        @overload
        def __call__(self, *args: Any, _sync: bool | None, **kwargs: Any) -> R_co | Coroutine[Any, Any, R_co]: ...

        @overload
        def __get__(  # a class method, called on its class
            self: Dispatched[Concatenate[type[Any], Q], R_co], instance: None, owner: type[Any], /
        ) -> Dispatched[Q, R_co]: ...
        @overload
        def __get__(self, instance: None, owner: type[Any], /) -> Dispatched[P, R_co]: ...
        @overload
        def __get__(
            self: Dispatched[Concatenate[Any, Q], R_co], instance: object, owner: type[Any] | None = None, /
        ) -> Dispatched[Q, R_co]: ...

        @property
        def aio(self) -> Callable[P, Coroutine[Any, Any, R_co]]: ...


def async_dispatch(
    async_impl: Callable[P, Coroutine[Any, Any, R]] | classmethod[type[Any], P, Coroutine[Any, Any, R]],
    *,
    forwards: bool = False,
) -> Callable[[Callable[P, R]], Dispatched[P, R]]:
    """Give a sync function an async twin that is called in its place in async code.

    Callers may choose themselves with `_sync=True` or `_sync=False`. The async function is the `.aio` of the result.

    ::

        async def aread(name): ...

        @async_dispatch(aread)
        def read(name): ...

    Args:
        async_impl: The async twin.
        forwards: The sync function takes `*args, **kwargs` and hands them on; it shows the signature of its twin.

    Raises:
        TypeError: `async_impl` is neither an async function, nor an async flow or task.
    """
    async_fn: Any = async_impl.__func__ if isinstance(async_impl, classmethod) else async_impl
    # An async flow or task is one too: it says so itself, and calling it gives a coroutine.
    if not inspect.iscoroutinefunction(async_fn) and not getattr(async_fn, "isasync", False):
        raise TypeError(f"The async form of a function must be an `async def` function, not {async_impl!r}.")

    def decorate(sync_fn: Callable[P, R]) -> Dispatched[P, R]:
        # Python shows this when a coroutine is dropped without having been awaited.
        name = f"{getattr(sync_fn, '__qualname__', sync_fn)} (in async code it must be awaited, or be given _sync=True)"

        @wraps(sync_fn)
        def wrapper(*args: Any, _sync: bool | None = None, **kwargs: Any) -> Any:
            if is_in_async_context() if _sync is None else not _sync:
                coroutine = async_fn(*args, **kwargs)
                if type(coroutine) is CoroutineType:
                    coroutine.__qualname__ = name
                return coroutine
            return sync_fn(*args, **kwargs)

        if forwards:
            wrapper.__wrapped__ = async_fn  # what `inspect.signature` looks at
        wrapper.aio = async_fn  # type: ignore[attr-defined]
        return wrapper  # type: ignore[return-value] - its attribute `aio` is set above, and unknown to type checkers

    return decorate
