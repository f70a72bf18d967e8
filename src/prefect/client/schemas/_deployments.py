"""Deployments with their schedules, and the limits on how many runs go at once."""

from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, publish
from prefect.client.schemas._runs import CreatedBy, UpdatedBy
from prefect.client.schemas.schedules import SCHEDULE_TYPES
from prefect.types import DateTime, KeyValueLabelsField, Name, PositiveInteger
from prefect.utilities.collections import AutoEnum

__all__ = [
    "BranchingScheduleHandling",
    "ConcurrencyLeaseHolder",
    "ConcurrencyLimit",
    "ConcurrencyLimitConfig",
    "ConcurrencyLimitStrategy",
    "ConcurrencyOptions",
    "Deployment",
    "DeploymentBranchingOptions",
    "DeploymentSchedule",
    "DeploymentStatus",
    "GlobalConcurrencyLimit",
    "VersionInfo",
]


class DeploymentStatus(AutoEnum):
    """Whether somebody takes the runs of a deployment. The server of this package knows no `DISABLED`."""

    READY = "READY"
    NOT_READY = "NOT_READY"
    DISABLED = "DISABLED"

    def in_kebab_case(self) -> str:
        """The status as it appears in names of events."""
        return self.value.lower().replace("_", "-")


class ConcurrencyLimitStrategy(AutoEnum):
    """What becomes of a run that finds all slots of its deployment taken."""

    ENQUEUE = "ENQUEUE"
    CANCEL_NEW = "CANCEL_NEW"


GracePeriodSeconds = Annotated[int | None, Field(ge=60, le=86400)]


class ConcurrencyOptions(PrefectBaseModel):
    """How a deployment's limit works.

    Attributes:
        collision_strategy: What becomes of a run that finds all slots taken.
        grace_period_seconds: How long a run may take to start before its slot goes to another, 60 to 86400.
    """

    collision_strategy: ConcurrencyLimitStrategy
    grace_period_seconds: GracePeriodSeconds = None


class ConcurrencyLimitConfig(PrefectBaseModel):
    """How many runs of a deployment may go at once, and how the limit works."""

    limit: int
    collision_strategy: ConcurrencyLimitStrategy = ConcurrencyLimitStrategy.ENQUEUE
    grace_period_seconds: GracePeriodSeconds = None


class ConcurrencyLeaseHolder(PrefectBaseModel):
    """Who holds slots of a limit."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["flow_run", "task_run", "deployment"]
    id: UUID


class ConcurrencyLimit(ObjectBaseModel):
    """How many task runs with a tag may go at once."""

    tag: str
    concurrency_limit: int
    active_slots: list[UUID] = Field(default_factory=list)


class GlobalConcurrencyLimit(ObjectBaseModel):
    """A limit that any code can take slots of, by its name."""

    name: str
    limit: int
    active: bool | None = True
    active_slots: int | None = 0
    slot_decay_per_second: float | None = 0.0


class VersionInfo(PrefectBaseModel):
    """Which version of the code a deployment runs; kinds of versions add keys."""

    model_config = ConfigDict(extra="allow")

    type: str
    version: str


class BranchingScheduleHandling(str, Enum):
    """What a branch of a deployment does with the schedules of its original."""

    KEEP = "keep"
    REMOVE = "remove"
    INACTIVE = "inactive"

    __str__ = Enum.__str__


class DeploymentBranchingOptions(ObjectBaseModel):
    """How a deployment is branched."""

    schedule_handling: BranchingScheduleHandling = BranchingScheduleHandling.REMOVE


class DeploymentSchedule(ObjectBaseModel):
    """One schedule of a deployment."""

    deployment_id: UUID | None = None
    schedule: SCHEDULE_TYPES
    active: bool = True
    max_scheduled_runs: PositiveInteger | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    slug: str | None = None


class Deployment(ObjectBaseModel):
    """A flow, and how, where and when it runs."""

    name: Name
    version: str | None = None
    version_id: UUID | None = None
    version_info: VersionInfo | None = None
    description: str | None = None
    flow_id: UUID
    paused: bool = False
    concurrency_limit: int | None = None
    concurrency_limit_id: UUID | None = None
    concurrency_options: ConcurrencyOptions | None = None
    schedules: list[DeploymentSchedule] = Field(default_factory=list)
    job_variables: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    pull_steps: list[dict[str, Any]] | None = None
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    work_queue_name: str | None = None
    last_polled: DateTime | None = None
    parameter_openapi_schema: dict[str, Any] | None = None
    path: str | None = None
    entrypoint: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    created_by: CreatedBy | None = None
    updated_by: UpdatedBy | None = None
    work_queue_id: UUID | None = None
    enforce_parameter_schema: bool = True


publish(globals(), __all__, "prefect.client.schemas.objects")
