"""Gives runs their loggers: what is logged with them carries the run's ids and names, and is sent to the API."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from logging import LoggerAdapter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from typing_extensions import Self

from prefect import _current
from prefect.exceptions import MissingContextError
from prefect.logging._prints import patch_print, print_as_log
from prefect.logging.filters import ObfuscateApiKeyFilter

if TYPE_CHECKING:
    from prefect._recorder import TaskRunRecord
    from prefect.client.schemas.objects import FlowRun, TaskRun
    from prefect.context import RunContext
    from prefect.flows import Flow
    from prefect.tasks import Task

__all__ = [
    "LogEavesdropper",
    "LoggingAdapter",
    "PrefectLogAdapter",
    "disable_logger",
    "disable_run_logger",
    "flow_run_logger",
    "get_logger",
    "get_run_logger",
    "get_worker_logger",
    "patch_print",
    "print_as_log",
    "task_run_logger",
]

LoggingAdapter = LoggerAdapter

_UNKNOWN = "<unknown>"
"""Stands in a record for the name or id of something that is not known where the logger is made."""


class PrefectLogAdapter(LoggerAdapter):
    """Adds the attributes of a run to every record.

    Attributes that a call gives with `extra=` come on top; the adapter's own are kept, unlike in the standard library.
    """

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Merge the run's attributes into the call's."""
        extra = kwargs.get("extra")
        kwargs["extra"] = {**(self.extra or {}), **extra} if extra else self.extra
        return msg, kwargs

    def getChild(self, suffix: str, extra: dict[str, Any] | None = None) -> PrefectLogAdapter:
        """Make a logger below this one, with the same run's attributes and `extra`."""
        child = _with_filter(self.logger.getChild(suffix))
        return PrefectLogAdapter(child, extra={**(self.extra or {}), **(extra or {})})


@lru_cache(maxsize=1024)
def get_logger(name: str | None = None) -> logging.Logger:
    """Get the logger `prefect.<name>`, whose records go to the console only.

    Args:
        name: A name below `prefect`, with or without that prefix; the logger `prefect` itself by default.
    """
    if name is None or name == "prefect":
        full_name = "prefect"
    else:
        full_name = name if name.startswith("prefect.") else f"prefect.{name}"
    return _with_filter(logging.getLogger(full_name))


def _with_filter(logger: logging.Logger) -> logging.Logger:
    if not any(isinstance(existing, ObfuscateApiKeyFilter) for existing in logger.filters):
        logger.addFilter(ObfuscateApiKeyFilter())
    return logger


def get_run_logger(context: RunContext | None = None, **kwargs: Any) -> logging.Logger | LoggerAdapter:
    """Get the logger of the run that this code belongs to: the task run, else the flow run.

    Its records carry the run's ids and names, go to the console, and are sent to the API.

    Args:
        context: A run context to use in place of the active one.
        kwargs: More attributes for the records.

    Raises:
        MissingContextError: No run is active here, and run loggers are not disabled.
        TypeError: `context` is something else than the context of a flow run or task run.
    """
    flow_context: Any = _current.flow_run_context.get()
    task_context: Any = None
    if context is None:
        if _current.task_run_id() is not None:
            task_context = _current.task_run_context.get()
    elif hasattr(context, "record") or hasattr(context, "task_run"):
        task_context = context
    elif hasattr(context, "flow_run"):
        flow_context = context
    else:
        raise TypeError(
            f"Expected the context of a flow run or a task run, not {context!r}. Leave `context` out to use the active one."
        )
    if task_context is not None:
        flow = flow_context.flow if flow_context is not None else None
        flow_run = flow_context.flow_run if flow_context is not None else None
        run = getattr(task_context, "record", None) or task_context.task_run
        return task_run_logger(run, task_context.task, flow_run, flow, **kwargs)
    if flow_context is not None:
        return flow_run_logger(flow_context.flow_run, flow_context.flow, **kwargs)
    if get_logger("prefect.flow_runs").disabled and get_logger("prefect.task_runs").disabled:
        silent = logging.getLogger("null")
        silent.disabled = True
        return silent
    raise MissingContextError(
        "There is no active flow or task run context, so there is no run to log to. Call get_run_logger() inside a flow"
        " or a task, or use prefect.logging.get_logger() here."
    )


def flow_run_logger(
    flow_run: FlowRun | None = None, flow: Flow[Any, Any] | None = None, flow_run_id: UUID | None = None, **kwargs: Any
) -> PrefectLogAdapter:
    """Make the logger of a flow run, anywhere.

    Args:
        flow_run: The run.
        flow: Its flow, for the flow's name.
        flow_run_id: The run's id, where nothing else is known of it.
        kwargs: More attributes for the records.

    Raises:
        ValueError: Neither a run nor an id was given.
    """
    if flow_run is None and flow_run_id is None:
        raise ValueError("Either 'flow_run' or 'flow_run_id' must be provided.")
    return PrefectLogAdapter(
        get_logger("prefect.flow_runs"),
        extra={
            "flow_run_name": flow_run.name if flow_run is not None else _UNKNOWN,
            "flow_run_id": str(flow_run.id if flow_run is not None else flow_run_id),
            "flow_name": flow.name if flow is not None else _UNKNOWN,
            "deployment_name": os.environ.get("PREFECT__DEPLOYMENT_NAME"),
            **kwargs,
        },
    )


def task_run_logger(
    task_run: TaskRun | TaskRunRecord,
    task: Task[Any, Any] | None = None,
    flow_run: FlowRun | None = None,
    flow: Flow[Any, Any] | None = None,
    **kwargs: Any,
) -> LoggerAdapter:
    """Make the logger of a task run, anywhere.

    Args:
        task_run: The run.
        task: Its task, for the task's name.
        flow_run: The flow run it belongs to; the active one by default, when the task run is one of its own.
        flow: The flow of that run.
        kwargs: More attributes for the records.
    """
    if flow_run is None or flow is None:
        context = _current.flow_run_context.get()
        if context is not None and context.flow_run is not None and context.flow_run.id == task_run.flow_run_id:
            flow_run = flow_run or context.flow_run
            flow = flow or context.flow
    flow_run_id = task_run.flow_run_id
    return PrefectLogAdapter(
        get_logger("prefect.task_runs"),
        extra={
            "task_run_id": str(task_run.id),
            "flow_run_id": str(flow_run_id) if flow_run_id is not None else _UNKNOWN,
            "task_run_name": task_run.name,
            "task_name": task.name if task is not None else _UNKNOWN,
            "flow_run_name": flow_run.name if flow_run is not None else _UNKNOWN,
            "flow_name": flow.name if flow is not None else _UNKNOWN,
            **kwargs,
        },
    )


def get_worker_logger(worker: Any, name: str | None = None) -> logging.Logger | LoggerAdapter:
    """Get the logger of a worker; its records are sent to the API when the API knows the worker by an id.

    Args:
        worker: The worker.
        name: A logger name below `prefect`; `workers.<type>.<worker name>` by default.
    """
    logger = get_logger(name or f"workers.{worker.__class__.type}.{worker.name.lower()}")
    backend_id = getattr(worker, "backend_id", None)
    if not backend_id:
        return logger
    return PrefectLogAdapter(
        logger,
        extra={
            "worker_id": str(backend_id),
            "worker_name": worker.name,
            "work_pool_name": getattr(worker, "work_pool_name", None),
        },
    )


@contextmanager
def disable_logger(name: str) -> Generator[None, None, None]:
    """Silence one logger inside the block."""
    logger = logging.getLogger(name)
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def disable_run_logger() -> Generator[None, None, None]:
    """Silence the loggers of runs inside the block, and let `get_run_logger()` work without a run: for unit tests."""
    with disable_logger("prefect.flow_runs"), disable_logger("prefect.task_runs"):
        yield


class LogEavesdropper(logging.Handler):
    """Collects what another logger says, inside a `with` block.

    Example:
        ```python
        with LogEavesdropper("uvicorn", level=logging.WARNING) as heard:
            ...
        print(heard.text())
        ```
    """

    def __init__(self, eavesdrop_on: str, level: int = logging.NOTSET) -> None:
        """Prepare to listen.

        Args:
            eavesdrop_on: Name of the logger.
            level: Lowest level of the records to keep.
        """
        super().__init__(level=level)
        self.eavesdrop_on = eavesdrop_on
        self.formatter = logging.Formatter("[%(levelname)s]: %(message)s")
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        logging.getLogger(self.eavesdrop_on).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(self.eavesdrop_on).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record as a line."""
        self._lines.append(self.format(record))

    def text(self) -> str:
        """All lines so far."""
        return "\n".join(self._lines)
