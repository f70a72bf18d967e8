"""The import path that integration packages use to try async functions again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

__all__ = ["exponential_backoff_with_jitter", "retry_async_fn"]

P = ParamSpec("P")
R = TypeVar("R")

_JITTER = 0.3


def exponential_backoff_with_jitter(attempt: int, base_delay: float, max_delay: float) -> float:
    """Return the seconds to wait before an attempt: twice as many each time, give or take a third at random.

    Args:
        attempt: The number of attempts before, from 0.
        base_delay: The seconds before the first repetition.
        max_delay: The largest number of seconds, before the random part.
    """
    delay = min(base_delay * 2**attempt, max_delay)
    return delay * random.uniform(1 - _JITTER, 1 + _JITTER)


def retry_async_fn(
    max_attempts: int = 3,
    backoff_strategy: Callable[[int, float, float], float] = exponential_backoff_with_jitter,
    base_delay: float = 1,
    max_delay: float = 10,
    retry_on_exceptions: tuple[type[Exception], ...] = (Exception,),
    operation_name: str | None = None,
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Have an async function called again when it raises.

    Args:
        max_attempts: How many times to call it at most.
        backoff_strategy: Returns the seconds to wait, of the number of attempts before and the next two arguments.
        base_delay: The seconds before the first repetition.
        max_delay: The largest number of seconds.
        retry_on_exceptions: What to call it again for; everything else is raised at once.
        operation_name: How to call it in the log; by its own name unless given.

    Raises:
        ValueError: No attempts are allowed.
    """
    if max_attempts < 1:
        raise ValueError(f"At least one attempt is needed, not max_attempts={max_attempts!r}.")

    def decorate(fn: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        name = operation_name or getattr(fn, "__name__", repr(fn))

        @wraps(fn)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for attempt in range(max_attempts - 1):
                try:
                    return await fn(*args, **kwargs)
                except retry_on_exceptions as error:
                    delay = backoff_strategy(attempt, base_delay, max_delay)
                    _log(name, attempt + 1, max_attempts, delay, error)
                    await asyncio.sleep(delay)
            return await fn(*args, **kwargs)

        return wrapper

    return decorate


def _log(name: str, attempt: int, max_attempts: int, delay: float, error: Exception) -> None:
    # Integrations log for themselves; this is for those who look for the cause of a delay.
    import logging  # noqa: PLC0415 - costs 13 ms, and failures are rare

    logging.getLogger("prefect.retries").warning(
        "Attempt %s of %s of %r failed with %r. Trying again in %.2f s.", attempt, max_attempts, name, error, delay
    )
