"""Attributes of the current flow run, read when they are accessed."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from prefect.runtime import _runs
from prefect.runtime._attributes import read
from prefect.runtime._attributes import type_cast as type_cast
from prefect.settings import get_current_settings


def get_id() -> str | None:
    """The id."""
    return _runs.current_flow_run_id()


def get_tags() -> list[str]:
    """The tags."""
    run = _runs.current_flow_run()
    return [] if run is None else list(run.tags)


def get_run_count() -> int:
    """How often the run has started."""
    run = _runs.current_flow_run()
    return 0 if run is None else run.run_count


def get_name() -> str | None:
    """The run's name."""
    run = _runs.current_flow_run()
    return None if run is None else run.name


def get_flow_name() -> str | None:
    """The flow's name."""
    context = _runs.flow_context()
    if context is not None and context.flow is not None:
        return context.flow.name
    run = _runs.current_flow_run()
    return None if run is None else _runs.flow_name(run)


def get_flow_version() -> str | None:
    """The flow's version."""
    context = _runs.flow_context()
    if context is not None and context.flow is not None:
        return context.flow.version
    run = _runs.current_flow_run()
    return None if run is None else run.flow_version


def get_scheduled_start_time() -> datetime:
    """When the run was meant to start; now, outside of runs."""
    run = _runs.current_flow_run()
    expected = None if run is None else run.expected_start_time
    return expected or datetime.now(timezone.utc)


def get_parameters() -> dict[str, Any]:
    """The values that the function got, with defaults; the stored ones outside the run's own process."""
    context = _runs.flow_context()
    if context is not None:
        return context.parameters or {}
    run = _runs.current_flow_run()
    return {} if run is None else dict(run.parameters)


def get_parent_flow_run_id() -> str | None:
    """The id of the run that called this one."""
    parent = _runs.parent_of(_runs.current_flow_run())
    return None if parent is None else str(parent.id)


def get_parent_deployment_id() -> str | None:
    """The deployment of the run that called this one."""
    parent = _runs.parent_of(_runs.current_flow_run())
    return None if parent is None or parent.deployment_id is None else str(parent.deployment_id)


def get_root_flow_run_id() -> str | None:
    """The id of the topmost run that this one was called from, else its own."""
    run = _runs.current_flow_run()
    return None if run is None else str(_runs.root_of(run).id)


def get_job_variables() -> dict[str, Any] | None:
    """The job variables that the run was given."""
    context = _runs.flow_context()
    return None if context is None or context.flow_run is None else context.flow_run.job_variables


def get_flow_run_api_url() -> str | None:
    """The run's address in the API; None without an API URL."""
    id, base = get_id(), get_current_settings().api.url
    return None if id is None or not base else f"{base}/flow-runs/flow-run/{id}"


def get_flow_run_ui_url() -> str | None:
    """The run's page in the UI; None without a UI URL."""
    id, base = get_id(), get_current_settings().ui_url
    return None if id is None or not base else f"{base}/flow-runs/flow-run/{id}"


FIELDS = {
    "id": get_id,
    "tags": get_tags,
    "name": get_name,
    "scheduled_start_time": get_scheduled_start_time,
    "flow_name": get_flow_name,
    "parameters": get_parameters,
    "parent_flow_run_id": get_parent_flow_run_id,
    "parent_deployment_id": get_parent_deployment_id,
    "root_flow_run_id": get_root_flow_run_id,
    "run_count": get_run_count,
    "api_url": get_flow_run_api_url,
    "ui_url": get_flow_run_ui_url,
    "flow_version": get_flow_version,
    "job_variables": get_job_variables,
}

__all__ = sorted(FIELDS)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return read("FLOW_RUN", FIELDS, name)


def __dir__() -> list[str]:
    return sorted(FIELDS)
