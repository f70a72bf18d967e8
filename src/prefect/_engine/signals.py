"""Turns SIGTERM into an exception while a flow runs, so that the run can be recorded as crashed before the process ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from prefect._engine import supervision
from prefect.exceptions import TerminationSignal

_GRACE_SECONDS = 2.0
"""How long a process that dies by a signal waits for the asyncio tasks that it has cancelled."""


@dataclass(eq=False)
class _Capture:
    """A block that takes SIGTERM, and the handler that it has found."""

    previous: Any


_captures: list[_Capture] = []


@contextmanager
def capture_sigterm() -> Generator[list[int], None, None]:
    """Raise `TerminationSignal` in this block on SIGTERM; afterwards the process still dies by the signal, unless it was ordered.

    Gives the list of the signals that came. Does nothing outside the main thread, where Python cannot handle signals.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def terminate(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        raise TerminationSignal(signal=signum)

    own = _Capture(signal.getsignal(signal.SIGTERM))
    try:
        signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main interpreter
        yield received
        return
    _captures.append(own)
    try:
        yield received
    finally:
        _captures.remove(own)
        previous = own.previous
        above = next((other for other in _captures if other.previous is terminate), None)
        if above is not None and not received:
            above.previous = previous  # runs of one loop end in any order
        else:
            signal.signal(signal.SIGTERM, previous if previous is not None else signal.SIG_DFL)
        # A supervisor that has ordered the end of the run knows it, and need not see the process die by its signal.
        if received and supervision.order() is None:
            if callable(previous):
                previous(signal.SIGTERM, None)
            elif previous is not signal.SIG_IGN:
                os.kill(os.getpid(), signal.SIGTERM)


async def end_other_tasks() -> None:
    """Cancel the other asyncio tasks of this loop, so that their runs are recorded before the process dies."""
    import asyncio  # noqa: PLC0415 - loaded already where there is a loop

    pending = asyncio.all_tasks() - {asyncio.current_task()}
    for task in pending:
        task.cancel()
    deadline = time.monotonic() + _GRACE_SECONDS
    while pending and (remaining := deadline - time.monotonic()) > 0:
        try:
            _, pending = await asyncio.wait(pending, timeout=remaining)
        except asyncio.CancelledError:  # a task that waited for this one passes its cancellation on
            continue
