"""The models that travel between clients and the API, and between the parts of the server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.schemas._blocks import DEFAULT_BLOCK_SCHEMA_VERSION
    from prefect.client.schemas.actions import BlockTypeUpdate, StateCreate
    from prefect.client.schemas.objects import (
        BlockDocument,
        BlockSchema,
        BlockType,
        FlowRun,
        FlowRunPolicy,
        FlowRunResult,
        RunInput,
        State,
        StateDetails,
        StateType,
        TaskRun,
        TaskRunPolicy,
        TaskRunResult,
        Workspace,
    )
    from prefect.client.schemas.responses import (
        OrchestrationResult,
        SetStateStatus,
        StateAbortDetails,
        StateAcceptDetails,
        StateRejectDetails,
    )

__all__ = [
    "DEFAULT_BLOCK_SCHEMA_VERSION",
    "BlockDocument",
    "BlockSchema",
    "BlockType",
    "BlockTypeUpdate",
    "FlowRun",
    "FlowRunPolicy",
    "FlowRunResult",
    "OrchestrationResult",
    "RunInput",
    "SetStateStatus",
    "State",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateCreate",
    "StateDetails",
    "StateRejectDetails",
    "StateType",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
    "Workspace",
]

_ACTIONS = {"BlockTypeUpdate", "StateCreate"}
_RESPONSES = {
    "OrchestrationResult",
    "SetStateStatus",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateRejectDetails",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "actions" if name in _ACTIONS else "responses" if name in _RESPONSES else "objects"
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value
