"""Takes the signals by which people and supervisors tell a process to end, for any number of those who first put things in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_asked: dict[int, list[Callable[[int], None]]] = {}
"""Who is told of which signal. They come and go in any order, so that each one's putting back what it has found would not do."""
_before: dict[int, Any] = {}
"""What dealt with a signal before the first of them came."""


@contextmanager
def asked_to_end(
    asked: Callable[[int], None], numbers: Collection[int] = (signal.SIGINT, signal.SIGTERM)
) -> Iterator[None]:
    """Call a function with each SIGINT and SIGTERM that comes while in this block. All who are in such a block are told.

    Does nothing outside the main thread, where Python cannot handle signals, and for signals that are ignored.

    Args:
        asked: Called in the main thread, between any two of its instructions.
        numbers: The signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    for number in taken:
        _add(number, asked)
    try:
        yield
    finally:
        for number in taken:
            _remove(number, asked)


def _add(number: int, asked: Callable[[int], None]) -> None:
    others, present = _asked.setdefault(number, []), signal.getsignal(number)
    if present is not _handle:
        if not others:
            _before[number] = present
        signal.signal(number, _handle)
    others.append(asked)


def _remove(number: int, asked: Callable[[int], None]) -> None:
    _asked[number].remove(asked)
    # Somebody else may have taken the signal since, and may put this handler back: without anybody to tell, it passes signals on.
    if not _asked[number] and signal.getsignal(number) is _handle:
        before = _before.pop(number)
        signal.signal(number, before if before is not None else signal.SIG_DFL)


def _handle(number: int, frame: FrameType | None) -> None:
    if told := list(_asked.get(number, ())):
        for asked in told:
            asked(number)
        return
    before = _before.pop(number, None)
    signal.signal(number, before if before is not None else signal.SIG_DFL)
    if before is not signal.SIG_IGN:
        os.kill(os.getpid(), number)
