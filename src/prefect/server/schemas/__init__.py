"""The models of the server: those of `prefect.client.schemas`, and the few that only the server has."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.server.schemas import (
        actions,
        core,
        filters,
        internal,
        responses,
        schedules,
        sorting,
        states,
        statuses,
        ui,
    )

__all__ = [
    "actions",
    "core",
    "filters",
    "internal",
    "responses",
    "schedules",
    "sorting",
    "states",
    "statuses",
    "ui",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
