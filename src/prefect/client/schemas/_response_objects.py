"""Answers of the API that are no plain objects."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, RunName, publish, random_name
from prefect.client.schemas._deployments import ConcurrencyOptions, DeploymentSchedule, DeploymentStatus, VersionInfo
from prefect.client.schemas._runs import (
    CreatedBy,
    FlowRun,
    FlowRunPolicy,
    UpdatedBy,
    equal_apart_from_estimates,
)
from prefect.client.schemas._states import State, StateType
from prefect.types import DateTime, KeyValueLabelsField

if TYPE_CHECKING:
    from prefect.events.schemas.events import RelatedResource

__all__ = [
    "ConcurrencyLimitWithLeaseResponse",
    "DeploymentResponse",
    "FlowRunResponse",
    "FlowRunSlotSummary",
    "GlobalConcurrencyLimitResponse",
    "HistoryResponse",
    "HistoryResponseState",
    "MinimalConcurrencyLimitResponse",
    "WorkPoolConcurrencyStatus",
    "WorkQueueConcurrencyStatus",
    "WorkQueueConcurrencyStatusDetail",
    "WorkerFlowRunResponse",
]

T = TypeVar("T")

# -- runs ------------------------------------------------------------------------------------------------------------


class FlowRunResponse(ObjectBaseModel):
    """A flow run, as the API answers it."""

    name: RunName = Field(default_factory=random_name)
    flow_id: UUID
    state_id: UUID | None = None
    deployment_id: UUID | None = None
    deployment_version: str | None = None
    work_queue_id: UUID | None = None
    work_queue_name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    expected_start_time: DateTime | None = None
    next_scheduled_start_time: DateTime | None = None
    start_time: DateTime | None = None
    end_time: DateTime | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)
    auto_scheduled: bool = False
    infrastructure_document_id: UUID | None = None
    infrastructure_pid: str | None = None
    created_by: CreatedBy | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    state: State | None = None
    job_variables: dict[str, Any] | None = None

    def __eq__(self, other: object) -> bool:
        return equal_apart_from_estimates(self, other)

    __hash__ = None  # type: ignore[assignment]


class WorkerFlowRunResponse(PrefectBaseModel):
    """A run that is due, for a worker to take."""

    work_pool_id: UUID
    work_queue_id: UUID
    flow_run: FlowRun


class HistoryResponseState(PrefectBaseModel):
    """How many runs of one interval are in one state."""

    state_type: StateType
    state_name: str
    count_runs: int
    sum_estimated_run_time: timedelta
    sum_estimated_lateness: timedelta


class HistoryResponse(PrefectBaseModel):
    """The runs of one interval, counted by their states."""

    interval_start: DateTime
    interval_end: DateTime
    states: list[HistoryResponseState]


# -- limits ----------------------------------------------------------------------------------------------------------


class GlobalConcurrencyLimitResponse(ObjectBaseModel):
    """A global limit, and how much of it is taken."""

    active: bool = True
    name: str
    limit: int
    active_slots: int
    slot_decay_per_second: float = 2.0


class MinimalConcurrencyLimitResponse(PrefectBaseModel):
    """A global limit of which slots were taken."""

    id: UUID
    name: str
    limit: int


class ConcurrencyLimitWithLeaseResponse(PrefectBaseModel):
    """The limits of which slots were taken, and the lease that holds the slots."""

    lease_id: UUID
    limits: list[MinimalConcurrencyLimitResponse]


class FlowRunSlotSummary(PrefectBaseModel):
    """A flow run that holds a slot."""

    id: UUID
    name: str
    state_type: StateType | None = None
    state_name: str | None = None
    state_timestamp: DateTime | None = None
    start_time: DateTime | None = None
    time_in_current_state: timedelta | None = None


class WorkQueueConcurrencyStatusDetail(PrefectBaseModel):
    """The slots of one queue of a pool."""

    queue_id: UUID
    queue_name: str
    active_slots: int
    concurrency_limit: int | None = None
    flow_run_count: int | None = None
    flow_runs: list[FlowRunSlotSummary] = Field(default_factory=list)


class WorkPoolConcurrencyStatus(PrefectBaseModel):
    """The slots of a pool, with one page of its queues."""

    active_slots: int
    concurrency_limit: int | None = None
    queues: list[WorkQueueConcurrencyStatusDetail] = Field(default_factory=list)
    count: int
    limit: int
    pages: int
    page: int


class WorkQueueConcurrencyStatus(PrefectBaseModel):
    """The slots of a queue, with one page of the runs that hold them."""

    active_slots: int
    concurrency_limit: int | None = None
    flow_runs: list[FlowRunSlotSummary] = Field(default_factory=list)
    count: int
    limit: int
    pages: int
    page: int


# -- deployments -----------------------------------------------------------------------------------------------------


class DeploymentResponse(ObjectBaseModel):
    """A deployment, as the API answers it."""

    name: str
    version: str | None = None
    version_id: UUID | None = None
    version_info: VersionInfo | None = None
    branch: str | None = None
    base: UUID | None = None
    root: UUID | None = None
    description: str | None = None
    flow_id: UUID
    concurrency_limit: int | None = Field(default=None, deprecated=True)
    global_concurrency_limit: GlobalConcurrencyLimitResponse | None = None
    concurrency_options: ConcurrencyOptions | None = None
    paused: bool = False
    schedules: list[DeploymentSchedule] = Field(default_factory=list)
    job_variables: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    work_queue_name: str | None = None
    last_polled: DateTime | None = None
    parameter_openapi_schema: dict[str, Any] | None = None
    path: str | None = None
    pull_steps: list[dict[str, Any]] | None = None
    entrypoint: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    created_by: CreatedBy | None = None
    updated_by: UpdatedBy | None = None
    work_queue_id: UUID | None = None
    enforce_parameter_schema: bool = True
    work_pool_name: str | None = None
    status: DeploymentStatus | None = None

    def as_related_resource(self, role: str = "deployment") -> "RelatedResource":
        """How events name this deployment.

        Args:
            role: What the deployment is to the event.
        """
        from prefect.events.schemas.events import RelatedResource  # noqa: PLC0415 - only what emits events needs it

        labels = {
            "prefect.resource.id": f"prefect.deployment.{self.id}",
            "prefect.resource.role": role,
            "prefect.resource.name": self.name,
        }
        return RelatedResource(labels)


publish(globals(), __all__, "prefect.client.schemas.responses")
