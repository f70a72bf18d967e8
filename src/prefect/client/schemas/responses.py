"""What the API answers, one import path for all of it; each group loads when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.schemas._response_objects import (
        ConcurrencyLimitWithLeaseResponse,
        DeploymentResponse,
        FlowRunResponse,
        FlowRunSlotSummary,
        GlobalConcurrencyLimitResponse,
        HistoryResponse,
        HistoryResponseState,
        MinimalConcurrencyLimitResponse,
        WorkerFlowRunResponse,
        WorkPoolConcurrencyStatus,
        WorkQueueConcurrencyStatus,
        WorkQueueConcurrencyStatusDetail,
    )
    from prefect.client.schemas._transitions import (
        OrchestrationResult,
        SetStateStatus,
        StateAbortDetails,
        StateAcceptDetails,
        StateRejectDetails,
        StateResponseDetails,
        StateWaitDetails,
    )

_HOME = {
    "ConcurrencyLimitWithLeaseResponse": "prefect.client.schemas._response_objects",
    "DeploymentResponse": "prefect.client.schemas._response_objects",
    "FlowRunResponse": "prefect.client.schemas._response_objects",
    "FlowRunSlotSummary": "prefect.client.schemas._response_objects",
    "GlobalConcurrencyLimitResponse": "prefect.client.schemas._response_objects",
    "HistoryResponse": "prefect.client.schemas._response_objects",
    "HistoryResponseState": "prefect.client.schemas._response_objects",
    "MinimalConcurrencyLimitResponse": "prefect.client.schemas._response_objects",
    "OrchestrationResult": "prefect.client.schemas._transitions",
    "SetStateStatus": "prefect.client.schemas._transitions",
    "StateAbortDetails": "prefect.client.schemas._transitions",
    "StateAcceptDetails": "prefect.client.schemas._transitions",
    "StateRejectDetails": "prefect.client.schemas._transitions",
    "StateResponseDetails": "prefect.client.schemas._transitions",
    "StateWaitDetails": "prefect.client.schemas._transitions",
    "WorkPoolConcurrencyStatus": "prefect.client.schemas._response_objects",
    "WorkQueueConcurrencyStatus": "prefect.client.schemas._response_objects",
    "WorkQueueConcurrencyStatusDetail": "prefect.client.schemas._response_objects",
    "WorkerFlowRunResponse": "prefect.client.schemas._response_objects",
}
"""Where each name is defined."""

__all__ = [
    "ConcurrencyLimitWithLeaseResponse",
    "DeploymentResponse",
    "FlowRunResponse",
    "FlowRunSlotSummary",
    "GlobalConcurrencyLimitResponse",
    "HistoryResponse",
    "HistoryResponseState",
    "MinimalConcurrencyLimitResponse",
    "OrchestrationResult",
    "SetStateStatus",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateRejectDetails",
    "StateResponseDetails",
    "StateWaitDetails",
    "WorkPoolConcurrencyStatus",
    "WorkQueueConcurrencyStatus",
    "WorkQueueConcurrencyStatusDetail",
    "WorkerFlowRunResponse",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
