"""Limits how long a block of code may take.

Which way a block is interrupted depends on where it runs:

- sync code in the main thread by an alarm signal, which cuts blocking calls short as well;
- sync code in other threads, and on Windows, by an exception that appears at the next Python instruction, so a blocking
  call ends first;
- async code by cancellation at the next `await`.

Limits may be nested; the one that expires first interrupts.
"""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager, nullcontext

from prefect.utilities._timeout_alarm import AlarmTimeout

__all__ = ["fail_if_not_timeout_error", "timeout", "timeout_async"]


def fail_if_not_timeout_error(timeout_exc_type: type[Exception]) -> None:
    """Check that a type is a kind of `TimeoutError`.

    Raises:
        ValueError: It is not.
    """
    if not issubclass(timeout_exc_type, TimeoutError):
        raise ValueError(f"The `timeout_exc_type` must be a subclass of TimeoutError, not {timeout_exc_type!r}.")


def timeout(
    seconds: float | None = None, timeout_exc_type: type[TimeoutError] = TimeoutError
) -> AbstractContextManager[None]:
    """Limit the time that a block of sync code takes.

    Args:
        seconds: The limit; None means no limit.
        timeout_exc_type: What to raise when the time is up.
    """
    fail_if_not_timeout_error(timeout_exc_type)
    if seconds is None:
        return nullcontext()
    if threading.current_thread() is threading.main_thread() and _alarm_is_ours_to_set():
        return AlarmTimeout(seconds, timeout_exc_type)
    # Costs ctypes, which the main thread has no use for.
    from prefect.utilities._timeout_injection import InjectedTimeout  # noqa: PLC0415

    return InjectedTimeout(seconds, timeout_exc_type)


def timeout_async(
    seconds: float | None = None, timeout_exc_type: type[TimeoutError] = TimeoutError
) -> AbstractContextManager[None]:
    """Limit the time that a block of async code takes. It is entered with a plain `with`.

    Args:
        seconds: The limit; None means no limit.
        timeout_exc_type: What to raise when the time is up. A cancellation from outside stays a cancellation.
    """
    fail_if_not_timeout_error(timeout_exc_type)
    if seconds is None:
        return nullcontext()
    # Costs asyncio, which whoever gets here has loaded.
    from prefect.utilities._timeout_async import CancellingTimeout  # noqa: PLC0415

    return CancellingTimeout(seconds, timeout_exc_type)


def _alarm_is_ours_to_set() -> bool:
    # A handler that was not installed from Python could not be put back; it shows as None.
    return hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is not None
