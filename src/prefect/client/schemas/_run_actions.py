"""The requests that create and change flows, runs, states and logs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import Field, PrivateAttr, field_validator, model_validator

from prefect.client.schemas._base import ActionBaseModel, publish
from prefect.client.schemas._runs import CacheKey, FlowRunPolicy, TaskRunPolicy
from prefect.client.schemas._states import StateDetails, StateType, TaskRunInput
from prefect.types import (
    DateTime,
    KeyValueLabelsField,
    Name,
)

__all__ = [
    "DeploymentFlowRunCreate",
    "FlowCreate",
    "FlowRunCreate",
    "FlowRunUpdate",
    "FlowUpdate",
    "LogCreate",
    "StateCreate",
    "TaskRunCreate",
    "TaskRunUpdate",
]


class StateCreate(ActionBaseModel):
    """A state that is proposed for a run."""

    type: StateType
    name: str | None = None
    message: str | None = None
    state_details: StateDetails = Field(default_factory=StateDetails)
    data: Any = None


class FlowCreate(ActionBaseModel):
    """A flow to be known to the API."""

    name: Name
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)


class FlowUpdate(ActionBaseModel):
    """What changes about a flow."""

    tags: list[str] = Field(default_factory=list)


class FlowRunCreate(ActionBaseModel):
    """A flow run to be created; without a name it is given one."""

    state: StateCreate | None = None
    name: str | None = None
    flow_id: UUID
    deployment_id: UUID | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    context: dict[str, Any] = Field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    idempotency_key: str | None = None
    labels: KeyValueLabelsField = Field(default_factory=dict)
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None


class DeploymentFlowRunCreate(ActionBaseModel):
    """A run of a deployment to be created; without a name it is given one."""

    state: StateCreate | None = None
    name: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    enforce_parameter_schema: bool | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    idempotency_key: str | None = None
    parent_task_run_id: UUID | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None
    labels: KeyValueLabelsField = Field(default_factory=dict)


class FlowRunUpdate(ActionBaseModel):
    """What changes about a flow run; only what is given changes."""

    name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] | None = Field(default_factory=dict)
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    infrastructure_pid: str | None = None
    job_variables: dict[str, Any] | None = None


class TaskRunCreate(ActionBaseModel):
    """A task run to be created; without a name it is given one."""

    id: UUID | None = None
    state: StateCreate | None = None
    name: str | None = None
    flow_run_id: UUID | None = None
    task_key: str
    dynamic_key: str
    cache_key: CacheKey = None
    cache_expiration: DateTime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    task_inputs: dict[str, list[TaskRunInput]] = Field(default_factory=dict)


class TaskRunUpdate(ActionBaseModel):
    """What changes about a task run."""

    name: str | None = None


class LogCreate(ActionBaseModel):
    """A message that a run logged."""

    name: str
    level: int
    message: str
    timestamp: DateTime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    worker_id: UUID | None = None

    @field_validator("level")
    @classmethod
    def _require_small_level(cls, value: int) -> int:
        if abs(value) >= 2**31:
            raise ValueError(f"Expected the number of a level, such as 20 for INFO, got {value}")
        return value

    _sent_id: UUID | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _take_id(cls, data: Any, read: Any) -> Any:
        # Not a field: other servers refuse the key. Ours stores a line that comes twice once, by its id.
        if not isinstance(data, Mapping) or "id" not in data:
            return read(data)
        log = read({name: value for name, value in data.items() if name != "id"})
        try:
            log._sent_id = UUID(str(data["id"]))
        except ValueError as error:
            raise ValueError(f"The id of a log line must be a UUID, not {data['id']!r}.") from error
        return log

    @property
    def sent_id(self) -> UUID | None:
        """The id that the sender gave the line."""
        return self._sent_id

    # Servers that know no workers' logs refuse the key `worker_id`, so it travels only when it says something.

    def model_dump(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Dump the log, without `worker_id` where there is none."""
        return super().model_dump(*args, **self._without_empty_worker_id(kwargs))

    def model_dump_json(self, *args: Any, **kwargs: Any) -> str:
        """Dump the log as JSON text, without `worker_id` where there is none."""
        return super().model_dump_json(*args, **self._without_empty_worker_id(kwargs))

    def _without_empty_worker_id(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        if self.worker_id is not None:
            return kwargs
        return {**kwargs, "exclude": {*(kwargs.get("exclude") or ()), "worker_id"}}


publish(globals(), __all__, "prefect.client.schemas.actions")
