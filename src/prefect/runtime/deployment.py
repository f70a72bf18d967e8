"""Attributes of the deployment of the current flow run, read when they are accessed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.runtime import _runs
from prefect.runtime._attributes import read
from prefect.runtime._attributes import type_cast as type_cast

CACHED_DEPLOYMENT: dict[str, Any] = {}
"""The deployments that were read, by their ids: what they are does not change for the runs of this process."""


def _deployment(id: str) -> Any:
    if id not in CACHED_DEPLOYMENT:
        from prefect.client._calls.deployments import read_deployment  # noqa: PLC0415 - only runs of deployments ask
        from prefect.client._send import send  # noqa: PLC0415

        CACHED_DEPLOYMENT[id] = send(read_deployment(UUID(id)))
    return CACHED_DEPLOYMENT[id]


def get_id() -> str | None:
    """The id; in nested runs that of the topmost run's deployment."""
    run = _runs.current_flow_run()
    if run is None:
        return None
    root = run if run.deployment_id is not None else _runs.root_of(run)
    return None if root.deployment_id is None else str(root.deployment_id)


def get_name() -> str | None:
    """The name."""
    id = get_id()
    return None if id is None else _deployment(id).name


def get_version() -> str | None:
    """The version."""
    id = get_id()
    return None if id is None else _deployment(id).version


def get_parameters() -> dict[str, Any]:
    """What the deployment's run was given."""
    run = _runs.current_flow_run()
    if run is None:
        return {}
    root = run if run.deployment_id is not None else _runs.root_of(run)
    return {} if root.deployment_id is None else dict(root.parameters)


def get_flow_run_id() -> str | None:
    """The id of the current flow run."""
    return _runs.current_flow_run_id()


FIELDS = {
    "id": get_id,
    "flow_run_id": get_flow_run_id,
    "name": get_name,
    "parameters": get_parameters,
    "version": get_version,
}

__all__ = sorted(FIELDS)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return read("DEPLOYMENT", FIELDS, name)


def __dir__() -> list[str]:
    return sorted(FIELDS)
