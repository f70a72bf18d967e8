"""Turns `print` into log records, in the runs that ask for it and nowhere else."""

from __future__ import annotations

import builtins
import io
import logging
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from prefect import _current

_lock = threading.Lock()
_users = 0
"""How many `patch_print` blocks are open in this process."""
_real_print: Any = builtins.print
_logging = threading.local()


@contextmanager
def patch_print() -> Generator[None, None, None]:
    """Log what runs with `log_prints` print, inside the block.

    `builtins.print` is one for the whole process: the replacement looks at the active run at each call, so that other
    runs, threads and code outside of runs print as ever.
    """
    _install()
    try:
        yield
    finally:
        _uninstall()


def _install() -> None:
    global _users, _real_print
    with _lock:
        _users += 1
        if builtins.print is not print_as_log:
            _real_print = builtins.print
            builtins.print = print_as_log


def _uninstall() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0 and builtins.print is print_as_log:
            builtins.print = _real_print


def print_as_log(*args: Any, **kwargs: Any) -> None:
    """Log at INFO what `print` would print, with the caller's place in the code; print where no run asks for it.

    Printing to a file other than the standard streams stays printing.
    """
    if kwargs.get("file") not in (None, sys.stdout, sys.stderr) or not _prints_are_logged():
        return _real_print(*args, **kwargs)
    from prefect.logging.loggers import get_run_logger  # noqa: PLC0415 - that module offers this function to users

    buffer = io.StringIO()
    kwargs["file"] = buffer
    _real_print(*args, **kwargs)
    logger = get_run_logger()
    extra = None
    if isinstance(logger, logging.LoggerAdapter):
        # Past the adapter, because Python 3.10 counts its frames when it looks for the caller.
        logger, extra = logger.logger, logger.extra
    _logging.active = True
    try:
        logger.info(buffer.getvalue().rstrip(), extra=extra, stacklevel=2)
    finally:
        _logging.active = False


def _prints_are_logged() -> bool:
    # A handler that prints while it handles a printed record would never come to an end.
    if getattr(_logging, "active", False):
        return False
    if _current.task_run_id() is not None:
        context = _current.task_run_context.get()
    else:
        context = _current.flow_run_context.get()
    return context is not None and bool(context.log_prints)
