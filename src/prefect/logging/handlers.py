"""Carries log records to the console and to the API."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache
from logging import StreamHandler
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID

from prefect import _current
from prefect._recorder import flush_recorders, get_recorder
from prefect._shipping import RecorderService
from prefect.exceptions import MissingContextError
from prefect.logging import _progress
from prefect.logging._ansi import Colouriser
from prefect.logging._patterns import STYLES
from prefect.logging.filters import ObfuscateApiKeyFilter
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.highlighter import Highlighter

_TRUNCATED = " ... [truncated: the message was longer than {} bytes]"
_FLUSH_SECONDS = 30.0

_sink: Callable[[dict[str, Any]], None] | None = None


def set_api_log_sink(sink: Callable[[dict[str, Any]], None] | None) -> None:
    """Send the log records of this process to a function instead of the API; None ends that.

    Processes that a task runner starts hand their records to the process of the flow run in this way.
    """
    global _sink
    _sink = sink


def emit_api_log(log: dict[str, Any]) -> None:
    """Send a log record to the API.

    Args:
        log: A record in the form that `APILogHandler.prepare` makes.
    """
    if _sink is not None:
        _sink(log)
        return
    get_recorder().log(
        log["name"],
        log["level"],
        log["message"],
        datetime.fromisoformat(log["timestamp"]),
        _as_uuid(log.get("flow_run_id")),
        _as_uuid(log.get("task_run_id")),
    )


@lru_cache(maxsize=4096)
def _parse_uuid(text: str) -> UUID:
    return UUID(text)


def _as_uuid(value: Any) -> UUID | None:
    if isinstance(value, str):
        return _parse_uuid(value) if value != "<unknown>" else None
    return value


class APILogWorker(RecorderService):
    """The background sender of logs. It stands for the recorder, which sends logs, events and task runs together."""

    @property
    def max_batch_size(self) -> int:
        """Bytes that one request may have, less the largest single record."""
        to_api = get_current_settings().logging.to_api
        return max(to_api.batch_size - to_api.max_log_size, to_api.max_log_size)

    @property
    def min_interval(self) -> float | None:
        """Seconds between two requests."""
        return get_current_settings().logging.to_api.batch_interval

    def send(self, item: dict[str, Any]) -> None:
        """Send one record, as `APILogHandler.prepare` makes it."""
        emit_api_log(item)


class APILogHandler(logging.Handler):
    """Sends records of runs to the API, in the background.

    What goes wrong is written to stderr and never reaches the code that logs; the one exception is a record without a
    run where `logging.to_api.when_missing_flow` is `error`.
    """

    def flush(self) -> None:
        """Wait until all records so far are stored."""
        flush_recorders(_FLUSH_SECONDS)

    @classmethod
    async def aflush(cls) -> None:
        """Wait until all records so far are stored, without holding up the event loop."""
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        await asyncio.to_thread(flush_recorders, _FLUSH_SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            settings = get_current_settings().logging.to_api
            if not settings.enabled or not getattr(record, "send_to_api", True):
                return
            flow_run_id, task_run_id = self._run_ids(record)
            if flow_run_id is None and task_run_id is None:
                _report_missing_run(record, settings.when_missing_flow)
                return
            message = self._message(record, settings.max_log_size)
            if _sink is None:
                get_recorder().log(record.name, record.levelno, message, record.created, flow_run_id, task_run_id)
            else:
                _sink(self._as_dict(record, message, flow_run_id, task_run_id))
        except MissingContextError:
            raise
        except Exception:  # noqa: BLE001 - logging must not break the code that logs
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Write to stderr why a record could not be sent."""
        error = sys.exc_info()[1]
        if isinstance(error, MissingContextError):
            raise error
        # Not through logging, which would end here again.
        if sys.stderr is not None and logging.raiseExceptions:
            sys.stderr.write(f"A log record could not be sent to the API: {record.msg!r}\n")
            traceback.print_exc(file=sys.stderr)

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """Make the JSON form of a record.

        Raises:
            MissingContextError: It belongs to no run, neither by its attributes nor by the active context.
        """
        flow_run_id, task_run_id = self._run_ids(record)
        if flow_run_id is None and task_run_id is None:
            raise MissingContextError(_missing_run(record))
        message = self._message(record, get_current_settings().logging.to_api.max_log_size)
        return self._as_dict(record, message, flow_run_id, task_run_id)

    def _run_ids(self, record: logging.LogRecord) -> tuple[UUID | None, UUID | None]:
        fields = record.__dict__
        flow_run_id = _as_uuid(fields.get("flow_run_id"))
        task_run_id = _as_uuid(fields.get("task_run_id"))
        if flow_run_id is None and task_run_id is None:
            return _current.flow_run_id(), _current.task_run_id()
        return flow_run_id, task_run_id

    def _message(self, record: logging.LogRecord, limit: int) -> str:
        # A line of a plain logger has nothing to format but its text.
        plain = self.formatter is None and record.exc_info is None and not record.stack_info and not record.exc_text
        message = record.getMessage() if plain else self.format(record)
        # No text has more than four bytes a character, so most are known to be short enough without encoding them.
        if len(message) * 4 > limit and len(message.encode("utf-8", "replace")) > limit:
            mark = _TRUNCATED.format(limit)
            kept = message.encode("utf-8", "replace")[: max(limit - len(mark), 0)]
            message = kept.decode("utf-8", "ignore") + mark
        return message

    def _as_dict(
        self, record: logging.LogRecord, message: str, flow_run_id: UUID | None, task_run_id: UUID | None
    ) -> dict[str, Any]:
        return {
            "flow_run_id": str(flow_run_id) if flow_run_id is not None else None,
            "task_run_id": str(task_run_id) if task_run_id is not None else None,
            "name": record.name,
            "level": record.levelno,
            "timestamp": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "message": message,
        }


def record_unseen(
    logger: logging.Logger, level: int, message: str, flow_run_id: UUID | None, task_run_id: UUID | None
) -> bool:
    """Send a line of the engine to the API without a `LogRecord`, if no other handler would take one.

    A line about every task run costs most of what its making costs, which is for nothing where no one else looks.

    Args:
        logger: The logger that the line is for; it is known to be enabled for the level.
        level: The level of the line.
        message: The line, which holds nothing that would have to be hidden.
        flow_run_id: The flow run that it is about.
        task_run_id: The task run that it is about.

    Returns:
        False when somebody else looks, and the line has to be logged in the usual way.
    """
    if _sink is not None or logging.getLogRecordFactory() is not logging.LogRecord or _filters(logger):
        return False
    is_sent = False
    node: logging.Logger | None = logger
    while node is not None:
        for handler in node.handlers:
            if type(handler) is APILogHandler and not _filters(handler):
                is_sent = is_sent or level >= handler.level
            elif level >= handler.level:
                return False
        node = node.parent if node.propagate else None
    if is_sent and get_current_settings().logging.to_api.enabled:
        get_recorder().log(logger.name, level, message, time.time(), flow_run_id, task_run_id)
    return True


def _filters(where: logging.Filterer) -> bool:
    """Whether a logger or handler has filters besides the one that hides API keys."""
    return any(type(each) is not ObfuscateApiKeyFilter for each in where.filters)


class WorkerAPILogHandler(APILogHandler):
    """Sends the records of a worker to the API, when the API knows the worker by an id."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, unless it belongs to no known worker."""
        if getattr(record, "worker_id", None) is None or not get_current_settings().logging.to_api.enabled:
            return
        try:
            if getattr(record, "send_to_api", True):
                emit_api_log(self.prepare(record))
        except Exception:  # noqa: BLE001 - logging must not break the code that logs
            self.handleError(record)

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """Make the JSON form of a record; it needs no run."""
        message = self._message(record, get_current_settings().logging.to_api.max_log_size)
        fields = self._as_dict(record, message, None, None)
        fields["worker_id"] = getattr(record, "worker_id", None)
        return fields


_warned_at: dict[str, dict[Any, Any]] = {}
"""For each source file, where in it a warning was given: Python's own notebook for saying things once."""


def _report_missing_run(record: logging.LogRecord, choice: str) -> None:
    if choice == "error":
        raise MissingContextError(_missing_run(record))
    if choice == "warn":
        registry = _warned_at.setdefault(record.pathname, {})
        warnings.warn_explicit(_missing_run(record), UserWarning, record.pathname, record.lineno, registry=registry)


def _missing_run(record: logging.LogRecord) -> str:
    return (
        f"Logger {record.name!r} sends its records to the API, but this record belongs to no flow run. Log from inside a"
        " flow or a task, or set PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW=ignore."
    )


class PrefectConsoleHandler(StreamHandler):
    """Writes records to the console: a line each, not wrapped, coloured where a terminal shows it."""

    def __init__(
        self,
        stream: TextIO | None = None,
        highlighter: type[Highlighter] | None = None,
        styles: dict[str, str] | None = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        """Choose where and how to write.

        Args:
            stream: Where to write; the `sys.stderr` of the moment of each record by default.
            highlighter: A rich highlighter class that finds what to colour; our own patterns by default.
            styles: Rich style definitions by name (`log.error_level`), on top of the built-in ones.
            level: Lowest level of the records to write.
        """
        super().__init__(stream=stream)
        self._follows_stderr = stream is None or stream is sys.stderr
        self._highlighter = highlighter
        self._styles = {**STYLES, **(styles or {})}
        self._colourise: Colouriser | None = None
        self._console: Console | None = None
        self.setLevel(level)

    @property
    def console(self) -> Console:
        """The same output as a rich console; used for markup and for highlighters of the user's own."""
        if self._console is None or self._console.file is not self._stream():
            from prefect.logging._rich import make_console  # noqa: PLC0415 - rich is loaded only where it is used

            self._console = make_console(self._stream(), self._highlighter, self._styles)
        return self._console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            line = self.format(record)
            stream = self._stream()
            if stream is None:
                return
            _progress.clear()
            settings = get_current_settings().logging
            if settings.markup:
                self.console.print(line, soft_wrap=True)
                return
            if settings.colors and _shows_colours(stream):
                if self._highlighter is not None:
                    self.console.print(line, soft_wrap=True, markup=False)
                    return
                if self._colourise is None:
                    self._colourise = Colouriser(self._styles)
                line = self._colourise(line)
            stream.write(line + self.terminator)
            stream.flush()
        except RecursionError:
            # Formatting recursed too deep: reporting that would recurse as well.
            raise
        except Exception:  # noqa: BLE001 - logging must not break the code that logs
            self.handleError(record)

    def _stream(self) -> Any:
        return sys.stderr if self._follows_stderr else self.stream

    def setStream(self, stream: Any) -> Any:
        """Write elsewhere from now on; gives the stream used before, or None when nothing changes."""
        before = None if stream is self._stream() else self._stream()
        self._follows_stderr = stream is sys.stderr
        self._console = None
        super().setStream(stream)
        return before


def _shows_colours(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
