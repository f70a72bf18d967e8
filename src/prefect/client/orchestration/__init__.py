"""Clients of the API: `get_client()` gives one for async code, `get_client(sync_client=True)` one for sync code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.client.base import ASGIApp, ServerType, app_lifespan_context
from prefect.client.orchestration._clients import PrefectClient, SyncPrefectClient, get_client

if TYPE_CHECKING:
    from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient

_MIXINS = (
    "Artifact", "ArtifactCollection", "Automation", "BlocksDocument", "BlocksSchema", "BlocksType", "ConcurrencyLimit",
    "Deployment", "Event", "Flow", "FlowRun", "Log", "Sla", "Variable", "WorkPool",
)  # fmt: skip
_HOME = {
    **{f"{name}{kind}": "prefect.client.orchestration._methods" for name in _MIXINS for kind in ("Client", "AsyncClient")},
    **dict.fromkeys(("PrefectHttpxAsyncClient", "PrefectHttpxSyncClient"), "prefect.client.base"),
    **dict.fromkeys(
        (
            "Constant", "FlowRun", "FlowRunResult", "Parameter", "ServerDefaultResultStorage",
            "ServerDefaultResultStorageUpdate", "TaskRun", "TaskRunPolicy", "TaskRunResult", "WorkQueue",
            "WorkQueueStatusDetail",
        ),
        "prefect.client.schemas.objects",
    ),
    **dict.fromkeys(
        ("DeploymentFilter", "FlowFilter", "FlowRunFilter", "TaskRunFilter", "WorkQueueFilter", "WorkQueueFilterName"),
        "prefect.client.schemas.filters",
    ),
    **dict.fromkeys(
        ("TaskRunCreate", "TaskRunUpdate", "WorkQueueCreate", "WorkQueueUpdate"), "prefect.client.schemas.actions"
    ),
    "OrchestrationResult": "prefect.client.schemas.responses",
    "TaskRunSort": "prefect.client.schemas.sorting",
    "get_logger": "prefect.logging.loggers",
    "get_run_logger": "prefect.logging.loggers",
    "now": "prefect.types._datetime",
    "strip_auth_from_url": "prefect.client._addresses",
}  # fmt: skip
"""Names that others import from here, and the modules that define them."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


__all__ = [
    "ASGIApp",
    "PrefectClient",
    "PrefectHttpxAsyncClient",
    "PrefectHttpxSyncClient",
    "ServerType",
    "SyncPrefectClient",
    "app_lifespan_context",
    "get_client",
]
