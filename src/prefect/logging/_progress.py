"""Shows in a terminal how far mapped tasks are: one line at the bottom that goes away when they are done."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

_TICK_SECONDS = 0.2
_CLEAR = "\r\x1b[2K"

_lock = threading.Lock()
_jobs: list[tuple[str, int, Callable[[], int]]] = []
_thread: threading.Thread | None = None
_is_shown = False


def is_wanted() -> bool:
    """Whether somebody looks at a terminal that can move its cursor."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb")


def show(name: str, total: int, count_done: Callable[[], int]) -> None:
    """Show `name: done/total` until all are done.

    Args:
        name: What is counted.
        total: How many there are.
        count_done: Says how many are done; called a few times a second.
    """
    global _thread
    with _lock:
        _jobs.append((name, total, count_done))
        if _thread is None:
            _thread = threading.Thread(target=_paint, name="prefect-progress", daemon=True)
            _thread.start()


def clear() -> None:
    """Take the line away, so that something can be printed; it comes back by itself."""
    global _is_shown
    if _is_shown:
        _is_shown = False
        sys.stderr.write(_CLEAR)


def _paint() -> None:
    global _thread, _is_shown
    while True:
        time.sleep(_TICK_SECONDS)
        with _lock:
            counted = [(name, total, count_done()) for name, total, count_done in _jobs]
            _jobs[:] = [job for job, (_, total, done) in zip(_jobs, counted, strict=True) if done < total]
            running = [f"{name}: {done}/{total}" for name, total, done in counted if done < total]
            clear()
            if not running:
                sys.stderr.flush()
                _thread = None
                return
        sys.stderr.write(_CLEAR + "  ".join(running)[:200])
        sys.stderr.flush()
        _is_shown = True
