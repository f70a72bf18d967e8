"""What the API answers with."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, RunName, random_name
from prefect.client.schemas._runs import Flow, TaskRunPolicy
from prefect.client.schemas._states import State, TaskRunInput
from prefect.client.schemas._work_pools import Worker as WorkerResponse
from prefect.client.schemas._work_pools import WorkPool as WorkPoolResponse
from prefect.client.schemas._work_pools import WorkQueue as WorkQueueResponse
from prefect.client.schemas._work_pools import WorkQueueStatusDetail
from prefect.client.schemas.responses import (
    DeploymentResponse,
    FlowRunResponse,
    FlowRunSlotSummary,
    GlobalConcurrencyLimitResponse,
    HistoryResponse,
    HistoryResponseState,
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateResponseDetails,
    StateWaitDetails,
    WorkerFlowRunResponse,
    WorkPoolConcurrencyStatus,
    WorkQueueConcurrencyStatus,
    WorkQueueConcurrencyStatusDetail,
)
from prefect.types import DateTime

__all__ = [
    "DEFAULT_HEARTBEAT_INTERVAL_SECONDS",
    "INACTIVITY_HEARTBEAT_MULTIPLE",
    "DeploymentBulkDeleteResponse",
    "DeploymentPaginationResponse",
    "DeploymentResponse",
    "FlowBulkDeleteResponse",
    "FlowPaginationResponse",
    "FlowRunBulkCreateResponse",
    "FlowRunBulkDeleteResponse",
    "FlowRunBulkSetStateResponse",
    "FlowRunCreateResult",
    "FlowRunOrchestrationResult",
    "FlowRunPaginationResponse",
    "FlowRunResponse",
    "FlowRunSlotSummary",
    "GlobalConcurrencyLimitResponse",
    "HistoryResponse",
    "HistoryResponseState",
    "OrchestrationResult",
    "SchemaValueError",
    "SchemaValueIndexError",
    "SchemaValuePropertyError",
    "SchemaValuesValidationResponse",
    "SetStateStatus",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateRejectDetails",
    "StateResponseDetails",
    "StateWaitDetails",
    "TaskRunPaginationResponse",
    "TaskRunResponse",
    "WorkPoolConcurrencyStatus",
    "WorkPoolResponse",
    "WorkQueueConcurrencyStatus",
    "WorkQueueConcurrencyStatusDetail",
    "WorkQueueResponse",
    "WorkQueueWithStatus",
    "WorkerFlowRunResponse",
    "WorkerResponse",
]

DEFAULT_HEARTBEAT_INTERVAL_SECONDS = 30
"""How often a worker is expected to be heard of that does not say so itself."""

INACTIVITY_HEARTBEAT_MULTIPLE = 3
"""After how many of its intervals a worker that is not heard of counts as offline."""


# -- pages -----------------------------------------------------------------------------------------------------------


class _Page(PrefectBaseModel):
    count: int  # on all pages
    limit: int
    pages: int
    page: int


class FlowPaginationResponse(_Page):
    """One page of flows."""

    results: list[Flow]


class FlowRunPaginationResponse(_Page):
    """One page of flow runs."""

    results: list[FlowRunResponse]


class TaskRunResponse(ObjectBaseModel):
    """A task run, as pages of task runs show it."""

    name: RunName = Field(default_factory=random_name)
    flow_run_id: UUID | None = None
    task_key: str
    task_version: str | None = None
    tags: list[str] = Field(default_factory=list)
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    task_inputs: dict[str, list[TaskRunInput]] = Field(default_factory=dict)
    state_id: UUID | None = None
    state: State | None = None
    start_time: DateTime | None = None
    end_time: DateTime | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)


class TaskRunPaginationResponse(_Page):
    """One page of task runs."""

    results: list[TaskRunResponse]


class DeploymentPaginationResponse(_Page):
    """One page of deployments."""

    results: list[DeploymentResponse]


# -- many at once ----------------------------------------------------------------------------------------------------


class _Deleted(PrefectBaseModel):
    deleted: list[UUID] = Field(default_factory=list)


class FlowBulkDeleteResponse(_Deleted):
    """The flows that were deleted."""


class FlowRunBulkDeleteResponse(_Deleted):
    """The flow runs that were deleted."""


class DeploymentBulkDeleteResponse(_Deleted):
    """The deployments that were deleted."""


class FlowRunOrchestrationResult(PrefectBaseModel):
    """What became of the state that was proposed for one of several flow runs."""

    flow_run_id: UUID
    status: SetStateStatus
    state: State | None = None
    details: StateResponseDetails


class FlowRunBulkSetStateResponse(PrefectBaseModel):
    """What became of the state that was proposed for several flow runs."""

    results: list[FlowRunOrchestrationResult] = Field(default_factory=list)


class FlowRunCreateResult(PrefectBaseModel):
    """What became of one of several flow runs that were to be created."""

    flow_run_id: UUID | None = None
    status: Literal["CREATED", "FAILED"]
    error: str | None = None


class FlowRunBulkCreateResponse(PrefectBaseModel):
    """What became of the flow runs that were to be created, in the order of the request."""

    results: list[FlowRunCreateResult] = Field(default_factory=list)


# -- queues ----------------------------------------------------------------------------------------------------------


class WorkQueueWithStatus(WorkQueueResponse, WorkQueueStatusDetail):
    """A work queue, and how it does."""


# -- values against a schema -----------------------------------------------------------------------------------------


class SchemaValuePropertyError(PrefectBaseModel):
    """What is wrong with a property of an object."""

    property: str
    errors: list["SchemaValueError"]


class SchemaValueIndexError(PrefectBaseModel):
    """What is wrong with an element of a list."""

    index: int
    errors: list["SchemaValueError"]


SchemaValueError = str | SchemaValuePropertyError | SchemaValueIndexError


class SchemaValuesValidationResponse(PrefectBaseModel):
    """Whether values fit a schema, and if not, why."""

    errors: list[SchemaValueError]
    valid: bool
