"""Attributes of the current task run, read when they are accessed."""

from __future__ import annotations

from typing import Any

from prefect.runtime import _runs
from prefect.runtime._attributes import read
from prefect.runtime._attributes import type_cast as type_cast
from prefect.settings import get_current_settings


def get_id() -> str | None:
    """The id."""
    context = _runs.task_context()
    return None if context is None else str(context.record.id)


def get_tags() -> list[str]:
    """The tags."""
    context = _runs.task_context()
    return [] if context is None else list(context.record.tags)


def get_run_count() -> int:
    """How often the run has started."""
    context = _runs.task_context()
    return 0 if context is None else context.record.run_count


def get_name() -> str | None:
    """The run's name."""
    context = _runs.task_context()
    return None if context is None else context.record.name


def get_task_name() -> str | None:
    """The task's name."""
    context = _runs.task_context()
    return None if context is None else context.task.name


def get_parameters() -> dict[str, Any]:
    """The values that the function gets."""
    context = _runs.task_context()
    return {} if context is None else context.parameters


def get_task_run_api_url() -> str | None:
    """The run's address in the API; None without an API URL."""
    id, base = get_id(), get_current_settings().api.url
    return None if id is None or not base else f"{base}/runs/task-run/{id}"


def get_task_run_ui_url() -> str | None:
    """The run's page in the UI; None without a UI URL."""
    id, base = get_id(), get_current_settings().ui_url
    return None if id is None or not base else f"{base}/runs/task-run/{id}"


FIELDS = {
    "id": get_id,
    "tags": get_tags,
    "name": get_name,
    "parameters": get_parameters,
    "run_count": get_run_count,
    "task_name": get_task_name,
    "api_url": get_task_run_api_url,
    "ui_url": get_task_run_ui_url,
}

__all__ = sorted(FIELDS)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return read("TASK_RUN", FIELDS, name)


def __dir__() -> list[str]:
    return sorted(FIELDS)
