"""Turns log records into lines: for people, with the run's name, or as JSON."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any, Literal

import orjson

ExceptionInfoType = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_STYLES: dict[str, type[logging.PercentStyle]] = {
    "%": logging.PercentStyle,
    "{": logging.StrFormatStyle,
    "$": logging.StringTemplateStyle,
}


def format_exception_info(exc_info: ExceptionInfoType) -> dict[str, Any]:
    """Describe an exception as its type's name, its text and its traceback."""
    kind, exception, tb = exc_info
    if kind is None:
        return {}
    return {
        "type": kind.__name__,
        "message": str(exception),
        "traceback": "".join(traceback.format_tb(tb)) if tb is not None else None,
    }


class JsonFormatter(logging.Formatter):
    """Makes one JSON object of each record: all its attributes, with `args` apart from `msg`."""

    def __init__(self, fmt: Literal["pretty", "default"], dmft: str | None, style: str) -> None:
        """Choose the layout.

        Args:
            fmt: `default` gives one line, `pretty` an indented block.
            dmft: Not used; logging configurations hand it over.
            style: Not used; logging configurations hand it over.

        Raises:
            ValueError: `fmt` is neither of the two.
        """
        super().__init__()
        if fmt not in ("pretty", "default"):
            raise ValueError(f"Unknown format {fmt!r} of JSON log lines: expected 'pretty' or 'default'.")
        self._options = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if fmt == "pretty" else 0)
        self.serializer = self._dump

    def _dump(self, fields: dict[str, Any]) -> str:
        return orjson.dumps(fields, default=_placeholder, option=self._options).decode()

    def format(self, record: logging.LogRecord) -> str:
        """Make the line of one record."""
        fields = dict(record.__dict__)
        fields["severity"] = record.levelname  # the name that log collectors of the clouds look for
        if record.exc_info:
            fields["exc_info"] = format_exception_info(record.exc_info)
            if record.exc_text:  # what a filter has made of the traceback, with secrets masked
                fields["exc_info"]["traceback"] = record.exc_text
        return self.serializer(fields)


def _placeholder(value: Any) -> str:
    return f"<non-serializable: {type(value).__name__}>"


class PrefectFormatter(logging.Formatter):
    """Formats records of flow runs and of task runs each in their own way, all others in a third."""

    def __init__(
        self,
        format: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: dict[str, Any] | None = None,
        task_run_fmt: str | None = None,
        flow_run_fmt: str | None = None,
    ) -> None:
        """Take the three formats.

        Args:
            format: For records that belong to no run.
            datefmt: How times are written, as for `time.strftime`.
            style: The notation of the formats, as for `logging.Formatter`.
            validate: Check the formats now.
            defaults: Values for attributes that a record lacks.
            task_run_fmt: For records of task runs; `format` by default.
            flow_run_fmt: For records of flow runs; `format` by default.
        """
        super().__init__(format, datefmt, style, validate, defaults=defaults)
        self.flow_run_fmt = flow_run_fmt
        self.task_run_fmt = task_run_fmt
        self._flow_run_style = self._make_style(style, flow_run_fmt, validate, defaults)
        self._task_run_style = self._make_style(style, task_run_fmt, validate, defaults)

    def _make_style(self, style: str, fmt: str | None, validate: bool, defaults: dict[str, Any] | None) -> Any:
        if fmt is None:
            return self._style
        made = _STYLES[style](fmt, defaults=defaults)
        if validate:
            made.validate()
        return made

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Make the line of one record, without its traceback."""
        # The names are there only in records of run loggers; a library may log to these loggers without an adapter.
        if record.name == "prefect.task_runs" and hasattr(record, "task_run_name"):
            return self._task_run_style.format(record)
        if record.name == "prefect.flow_runs" and hasattr(record, "flow_run_name"):
            return self._flow_run_style.format(record)
        return self._style.format(record)
