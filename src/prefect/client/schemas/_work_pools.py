"""Work pools, their queues, and the workers that serve them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, publish, random_name
from prefect.types import DateTime, Name, NonNegativeInteger, PositiveInteger
from prefect.types._datetime import in_utc_unless_aware, now
from prefect.utilities.collections import AutoEnum

__all__ = [
    "DEFAULT_AGENT_WORK_POOL_NAME",
    "Agent",
    "Integration",
    "QueueFilter",
    "WorkPool",
    "WorkPoolStatus",
    "WorkPoolStorageConfiguration",
    "WorkQueue",
    "WorkQueueHealthPolicy",
    "WorkQueueStatus",
    "WorkQueueStatusDetail",
    "Worker",
    "WorkerMetadata",
    "WorkerStatus",
]

DEFAULT_AGENT_WORK_POOL_NAME = "default-agent-pool"


class WorkPoolStatus(AutoEnum):
    """Whether a work pool hands out runs that somebody will take."""

    READY = "READY"
    NOT_READY = "NOT_READY"
    PAUSED = "PAUSED"

    @property
    def display_name(self) -> str:
        return self.value.replace("_", " ").capitalize()

    def in_kebab_case(self) -> str:
        """The status as it appears in names of events."""
        return self.value.lower().replace("_", "-")


class WorkQueueStatus(AutoEnum):
    """Whether a work queue hands out runs that somebody will take."""

    READY = "READY"
    NOT_READY = "NOT_READY"
    PAUSED = "PAUSED"

    def in_kebab_case(self) -> str:
        """The status as it appears in names of events."""
        return self.value.lower().replace("_", "-")


class WorkerStatus(AutoEnum):
    """Whether a worker was heard of lately."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class WorkPoolStorageConfiguration(PrefectBaseModel):
    """Where the code and the results of runs go that are submitted from Python to a work pool."""

    model_config = ConfigDict(extra="forbid")

    bundle_upload_step: dict[str, Any] | None = None
    bundle_execution_step: dict[str, Any] | None = None
    default_result_storage_block_id: UUID | None = None


class WorkPool(ObjectBaseModel):
    """A pool of runs that workers of one type take their work from."""

    name: Name
    description: str | None = None
    type: str
    base_job_template: dict[str, Any] = Field(default_factory=dict)
    is_paused: bool = False
    concurrency_limit: NonNegativeInteger | None = None
    status: WorkPoolStatus | None = None
    active_slots: int | None = None  # only while the pool has a limit
    storage_configuration: WorkPoolStorageConfiguration = Field(default_factory=WorkPoolStorageConfiguration)
    default_queue_id: UUID | None = None

    @property
    def is_push_pool(self) -> bool:
        """Whether runs are pushed to a service of the cloud product instead of being taken by workers."""
        return self.type.endswith(":push")

    @property
    def is_managed_pool(self) -> bool:
        """Whether the cloud product brings the infrastructure of the runs."""
        return self.type.endswith(":managed")


class QueueFilter(PrefectBaseModel):
    """Which runs a work queue of the oldest kind selects."""

    tags: list[str] | None = None
    deployment_ids: list[UUID] | None = None


class WorkQueue(ObjectBaseModel):
    """A queue in a work pool."""

    name: Name
    description: str | None = ""
    is_paused: bool = False
    concurrency_limit: NonNegativeInteger | None = None
    priority: PositiveInteger = 1  # the lowest number is served first
    work_pool_name: str | None = None
    work_pool_id: UUID | None = None
    filter: QueueFilter | None = Field(default=None, deprecated=True)
    last_polled: DateTime | None = None
    status: WorkQueueStatus | None = None
    active_slots: int | None = None  # only while the queue has a limit


class WorkQueueHealthPolicy(PrefectBaseModel):
    """What is asked of a healthy queue; `None` asks nothing."""

    maximum_late_runs: int | None = 0
    maximum_seconds_since_last_polled: int | None = 60

    def evaluate_health_status(self, late_runs_count: int, last_polled: datetime | None = None) -> bool:
        """Decide whether a queue is healthy.

        Args:
            late_runs_count: How many of its runs are late.
            last_polled: When a worker last asked for its runs; never, if `None`.
        """
        if self.maximum_late_runs is not None and late_runs_count > self.maximum_late_runs:
            return False
        if self.maximum_seconds_since_last_polled is None:
            return True
        if last_polled is None:
            return False
        silence = now() - in_utc_unless_aware(last_polled)
        return silence <= timedelta(seconds=self.maximum_seconds_since_last_polled)


class WorkQueueStatusDetail(PrefectBaseModel):
    """How a queue does."""

    healthy: bool
    late_runs_count: int = 0
    last_polled: DateTime | None = None
    health_check_policy: WorkQueueHealthPolicy


class Agent(ObjectBaseModel):
    """An agent: what took runs from queues before there were workers."""

    name: str = Field(default_factory=random_name)
    work_queue_id: UUID
    last_activity_time: DateTime | None = None


class Worker(ObjectBaseModel):
    """A worker, as its heartbeats tell of it."""

    name: str
    work_pool_id: UUID
    last_heartbeat_time: DateTime | None = None
    heartbeat_interval_seconds: int | None = None
    status: WorkerStatus = WorkerStatus.OFFLINE


class Integration(PrefectBaseModel):
    """A package that is installed where a worker runs."""

    name: str
    version: str


class WorkerMetadata(PrefectBaseModel):
    """What a worker tells about itself; kinds of workers may add keys."""

    model_config = ConfigDict(extra="allow")

    integrations: list[Integration]


publish(globals(), __all__, "prefect.client.schemas.objects")
