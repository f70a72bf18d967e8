"""Tells whether code that is called right now should be async."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar

RUNNING_IN_RUN_SYNC_LOOP_FLAG: ContextVar[bool] = ContextVar("running_in_run_sync_loop", default=False)
"""Whether the code is part of a coroutine that `run_coro_as_sync` runs."""

_run_context_probe: Callable[[], bool | None] | None = None


def set_run_context_probe(probe: Callable[[], bool | None]) -> None:
    """Register what tells whether the current run is async.

    The run contexts live in a higher layer, which registers itself when it is loaded; before that there are no runs.

    Args:
        probe: Returns True in an async run, False in a sync one, None outside of runs.
    """
    global _run_context_probe
    _run_context_probe = probe


def has_running_loop() -> bool:
    """Say whether an event loop runs in this thread."""
    # Without asyncio loaded none can.
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None


def is_in_async_context() -> bool:
    """Say whether a function with a sync and an async form should be async when called from here.

    Inside a run that is decided by the function of the current task or flow, whether or not an event loop runs; outside
    of runs by whether one runs in this thread. A coroutine that sync code waits for is async, whatever started it.
    """
    if RUNNING_IN_RUN_SYNC_LOOP_FLAG.get():
        return has_running_loop()
    if _run_context_probe is not None:
        is_async = _run_context_probe()
        if is_async is not None:
            return is_async
    return has_running_loop()
