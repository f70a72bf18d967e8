"""Interrupts code in the main thread with the alarm signal."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Any

_RETRY_SECONDS = 0.001


class AlarmTimeout:
    """A block of code in the main thread that is interrupted when its time is up.

    There is one alarm per process, so all open blocks share it: it is set to the earliest deadline. An alarm that
    somebody else had set before the first block keeps ringing for them.
    """

    def __init__(self, seconds: float, error: type[TimeoutError]) -> None:
        self._seconds = seconds
        self._error = error
        self.deadline = 0.0

    def __enter__(self) -> None:
        if not _open:
            _foreign.take_over()
        self.deadline = time.monotonic() + self._seconds
        _open.append(self)
        _set_alarm()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _open.remove(self)
        if _open:
            _set_alarm()
        else:
            _foreign.give_back()

    def expire(self) -> None:
        self.deadline = float("inf")
        raise self._error(f"Scope timed out after {self._seconds} second(s).")


class _ForeignAlarm:
    """The alarm that was set by somebody else before the first block was entered."""

    def __init__(self) -> None:
        self.handler: Any = signal.SIG_DFL
        self.deadline = float("inf")
        self._interval = 0.0

    def take_over(self) -> None:
        remaining, self._interval = signal.getitimer(signal.ITIMER_REAL)
        self.deadline = time.monotonic() + remaining if remaining else float("inf")
        self.handler = signal.signal(signal.SIGALRM, _on_alarm)

    def give_back(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.handler)
        if self.deadline != float("inf"):
            signal.setitimer(signal.ITIMER_REAL, max(self.deadline - time.monotonic(), _RETRY_SECONDS), self._interval)

    def ring(self, signum: int, frame: FrameType | None) -> None:
        self.deadline = time.monotonic() + self._interval if self._interval else float("inf")
        if callable(self.handler):
            self.handler(signum, frame)
        elif self.handler == signal.SIG_DFL:
            # Whoever set an alarm without a handler wants the process to end by it.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGALRM)


_open: list[AlarmTimeout] = []
_foreign = _ForeignAlarm()


def _set_alarm() -> None:
    deadline = min([_foreign.deadline, *(block.deadline for block in _open)])
    delay = 0 if deadline == float("inf") else max(deadline - time.monotonic(), _RETRY_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, delay)


def _on_alarm(signum: int, frame: FrameType | None) -> None:
    if _is_own(frame):
        # An error raised while a block is being entered or left would leave the books in disorder. What is being
        # entered is interrupted a moment later; what is being left made it in time. Without an open block the alarm is
        # on its way back to its owner, whom a late one could kill.
        if _open:
            signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
        return
    now = time.monotonic()
    try:
        if _foreign.deadline <= now:
            _foreign.ring(signum, frame)
        for block in _open:
            if block.deadline <= now:
                block.expire()
    finally:
        _set_alarm()


_OWN_CODE = {
    AlarmTimeout.__enter__.__code__,
    AlarmTimeout.__exit__.__code__,
    _on_alarm.__code__,
}


def _is_own(frame: FrameType | None) -> bool:
    # The functions above call one another at most this deep.
    for _ in range(3):
        if frame is None:
            return False
        if frame.f_code in _OWN_CODE:
            return True
        frame = frame.f_back
    return False
