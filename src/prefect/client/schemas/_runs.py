"""Flows, flow runs, task runs, and what is recorded about them."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import from_json

from prefect.client.schemas._base import (
    ObjectBaseModel,
    PrefectBaseModel,
    RunName,
    TimeSeriesBaseModel,
    publish,
    random_name,
)
from prefect.client.schemas._states import State, StateType, TaskRunInput
from prefect.types import DateTime, KeyValueLabelsField, Name
from prefect.types.names import raise_on_name_alphanumeric_dashes_only

__all__ = [
    "CreatedBy",
    "Flow",
    "FlowRun",
    "FlowRunInput",
    "FlowRunPolicy",
    "Log",
    "TaskRun",
    "TaskRunPolicy",
    "UpdatedBy",
]

MAX_RETRY_DELAYS = 50


class CreatedBy(PrefectBaseModel):
    """Who or what made something: a schedule, an automation, a user."""

    id: UUID | None = None
    type: str | None = None
    display_value: str | None = None


class UpdatedBy(PrefectBaseModel):
    """Who or what changed something last."""

    id: UUID | None = None
    type: str | None = None
    display_value: str | None = None


class Flow(ObjectBaseModel):
    """A flow, known by its name."""

    name: Name
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)


# -- policies --------------------------------------------------------------------------------------------------------


def _read_old_retry_keys(values: Any) -> Any:
    """Let `max_retries` and `retry_delay_seconds` of older clients stand for `retries` and `retry_delay`."""
    if isinstance(values, dict):
        for old, new in (("max_retries", "retries"), ("retry_delay_seconds", "retry_delay")):
            if values.get(old) and values.get(new) is None:
                try:
                    values = {**values, new: int(values[old])}
                except (TypeError, ValueError, OverflowError):
                    continue  # the field of the old name will say what is wrong with it
    return values


def _check_size(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} is no number of less than 64 bits")
    return value


_Whole = Annotated[int, AfterValidator(_check_size)]
"""A whole number that every reader of JSON gets back as it was."""


class FlowRunPolicy(PrefectBaseModel):
    """How often a flow run is retried, and what is known of its pauses."""

    max_retries: _Whole = Field(default=0, deprecated=True)
    retry_delay_seconds: float = Field(default=0, deprecated=True)
    retries: _Whole | None = None
    retry_delay: _Whole | float | None = None  # seconds
    pause_keys: set[str] | None = Field(default_factory=set)
    resuming: bool | None = False
    retry_type: Literal["in_process", "reschedule"] | None = None

    _read_old_keys = model_validator(mode="before")(staticmethod(_read_old_retry_keys))


class TaskRunPolicy(PrefectBaseModel):
    """How often a task run is retried, and how long it waits in between."""

    max_retries: _Whole = Field(default=0, deprecated=True)
    retry_delay_seconds: float = Field(default=0, deprecated=True)
    retries: _Whole | None = None
    retry_delay: _Whole | float | list[_Whole] | list[float] | None = None  # seconds; of a list, one for each retry
    retry_jitter_factor: float | None = None

    _read_old_keys = model_validator(mode="before")(staticmethod(_read_old_retry_keys))

    @field_validator("retry_delay")
    @classmethod
    def _limit_delays(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) > MAX_RETRY_DELAYS:
            raise ValueError(f"Can not configure more than {MAX_RETRY_DELAYS} retry delays per task, got {len(value)}.")
        return value

    @field_validator("retry_jitter_factor")
    @classmethod
    def _require_non_negative_jitter(cls, value: float | None) -> float | None:
        if value is not None and value < 0:
            raise ValueError(f"`retry_jitter_factor` must be >= 0, got {value!r}.")
        return value


# -- runs ------------------------------------------------------------------------------------------------------------

_COMPUTED_ON_READ = ("estimated_run_time", "estimated_start_time_delta")


def equal_apart_from_estimates(run: PrefectBaseModel, other: object) -> bool:
    """Compare two runs without the fields that depend on when the API was asked."""
    if type(other) is not type(run):
        return NotImplemented
    ours, theirs = dict(run.__dict__), dict(other.__dict__)
    for name in _COMPUTED_ON_READ:
        ours.pop(name, None)
        theirs.pop(name, None)
    return ours == theirs


class FlowRun(TimeSeriesBaseModel, ObjectBaseModel):
    """One run of a flow."""

    name: RunName = Field(default_factory=random_name)
    flow_id: UUID
    state_id: UUID | None = None
    deployment_id: UUID | None = None
    deployment_version: str | None = None
    work_queue_name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    # of a nested flow run: the task run that stands for it in the run above
    parent_task_run_id: UUID | None = None
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
    work_queue_id: UUID | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    state: State | None = None
    job_variables: dict[str, Any] | None = None
    state_type: StateType | None = None
    state_name: str | None = None

    def __eq__(self, other: object) -> bool:
        return equal_apart_from_estimates(self, other)

    __hash__ = None  # type: ignore[assignment]


def _limit_cache_key(key: str | None) -> str | None:
    if key is not None:
        from prefect.settings import get_current_settings  # noqa: PLC0415 - few task runs have a cache key

        maximum = get_current_settings().server.tasks.max_cache_key_length
        if len(key) > maximum:
            raise ValueError(f"Cache key exceeded maximum allowed length of {maximum} characters: it has {len(key)}.")
    return key


CacheKey = Annotated[str | None, AfterValidator(_limit_cache_key)]


class TaskRun(TimeSeriesBaseModel, ObjectBaseModel):
    """One run of a task."""

    name: RunName = Field(default_factory=random_name)
    flow_run_id: UUID | None = None
    task_key: str
    dynamic_key: str  # tells the runs of one task in one flow run apart
    cache_key: CacheKey = None
    cache_expiration: DateTime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    state_id: UUID | None = None
    task_inputs: dict[str, list[TaskRunInput]] = Field(default_factory=dict)
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    flow_run_run_count: int = 0
    expected_start_time: DateTime | None = None
    next_scheduled_start_time: DateTime | None = None
    start_time: DateTime | None = None
    end_time: DateTime | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)
    state: State | None = None


# -- what is recorded about runs -------------------------------------------------------------------------------------


class Log(TimeSeriesBaseModel, ObjectBaseModel):
    """One message that a run logged."""

    name: str
    level: int
    message: str
    timestamp: DateTime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class FlowRunInput(ObjectBaseModel):
    """Something that was sent to a flow run, as JSON text."""

    flow_run_id: UUID
    key: Annotated[str, AfterValidator(raise_on_name_alphanumeric_dashes_only)]
    value: str
    sender: str | None = None

    @property
    def decoded_value(self) -> Any:
        """The value that the JSON text stands for."""
        return from_json(self.value)


publish(globals(), __all__, "prefect.client.schemas.objects")
