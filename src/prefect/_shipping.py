"""The interface of background senders, over the recorder that does their work.

`APILogWorker` and `EventsWorker` are names that programs and tests use to send something themselves, and to wait
until everything is stored. There is one recorder behind them all, so draining one of them drains all.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Coroutine
from typing import Any, ClassVar

from typing_extensions import Self

from prefect._recorder import flush_recorders

_Drained = tuple[set[Any], set[Any]]


class RecorderService:
    """A background sender; `instance()` gives the one of this process."""

    _instances: ClassVar[dict[Any, Any]] = {}

    def __init__(self, *args: Any) -> None:
        self._args = args

    @classmethod
    def instance(cls, *args: Any) -> Self:
        """The sender of this process for these options."""
        key = (cls, *args)
        if key not in cls._instances:
            cls._instances[key] = cls(*args)
        return cls._instances[key]

    def start(self) -> None:
        """Nothing needs to be started: the recorder's thread starts with its first record."""

    def send(self, item: Any) -> None:
        """Hand over an item, without waiting until it is stored."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to send {item!r}.")

    def drain(self, at_exit: bool = False) -> bool | Awaitable[bool]:
        """Wait until everything handed over is stored; to be awaited where an event loop runs.

        Returns:
            Whether everything is stored.
        """
        return _in_a_thread(None) if _loop_runs() else flush_recorders(None)

    @classmethod
    def drain_all(cls, timeout: float | None = None, at_exit: bool = True) -> _Drained | Coroutine[Any, Any, _Drained]:
        """Wait until everything handed over to any sender is stored; to be awaited where an event loop runs.

        Args:
            timeout: Seconds to wait at most; None waits for ever.
            at_exit: Makes no difference: senders stay usable until the process ends.

        Returns:
            Two sets of futures, done and not done, as senders with futures of their own would give; both empty.
        """
        if _loop_runs():
            return _drain_in_a_thread(timeout)
        flush_recorders(timeout)
        return set(), set()

    def wait_until_empty(self) -> None:
        """Wait until everything handed over is stored."""
        flush_recorders(None)

    def reset_for_fork(self) -> None:
        """Nothing is held here that a forked process could share: the recorder starts afresh there by itself."""

    @classmethod
    def reset_instances_for_fork(cls) -> None:
        """Forget the senders that were made before the fork."""
        cls._instances.clear()


def _loop_runs() -> bool:
    asyncio = sys.modules.get("asyncio")  # where it is not loaded, no loop runs
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _in_a_thread(timeout: float | None) -> bool:
    import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

    return await asyncio.to_thread(flush_recorders, timeout)


async def _drain_in_a_thread(timeout: float | None) -> _Drained:
    await _in_a_thread(timeout)
    return set(), set()
