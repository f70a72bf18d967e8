"""What flows, runs, deployments and logs can be narrowed down by."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import PrefectBaseModel, publish
from prefect.client.schemas._filter_base import PrefectFilterBaseModel, PrefectOperatorFilterBaseModel
from prefect.client.schemas._states import StateType
from prefect.client.schemas._text_query import TextQuery, parse_text_query
from prefect.types import DateTime

if TYPE_CHECKING:
    from prefect.client.schemas._runs import Log

__all__ = [
    "DeploymentFilter",
    "DeploymentFilterConcurrencyLimit",
    "DeploymentFilterId",
    "DeploymentFilterName",
    "DeploymentFilterPaused",
    "DeploymentFilterTags",
    "DeploymentFilterWorkQueueName",
    "DeploymentOrFlowNameFilter",
    "DeploymentScheduleFilter",
    "DeploymentScheduleFilterActive",
    "FilterSet",
    "FlowFilter",
    "FlowFilterDeployment",
    "FlowFilterId",
    "FlowFilterName",
    "FlowFilterTags",
    "FlowRunFilter",
    "FlowRunFilterCreatedBy",
    "FlowRunFilterDeploymentId",
    "FlowRunFilterEndTime",
    "FlowRunFilterExpectedStartTime",
    "FlowRunFilterFlowVersion",
    "FlowRunFilterId",
    "FlowRunFilterIdempotencyKey",
    "FlowRunFilterName",
    "FlowRunFilterNextScheduledStartTime",
    "FlowRunFilterParentFlowRunId",
    "FlowRunFilterParentTaskRunId",
    "FlowRunFilterStartTime",
    "FlowRunFilterState",
    "FlowRunFilterStateName",
    "FlowRunFilterStateType",
    "FlowRunFilterTags",
    "FlowRunFilterWorkQueueName",
    "LogFilter",
    "LogFilterFlowRunId",
    "LogFilterLevel",
    "LogFilterName",
    "LogFilterTaskRunId",
    "LogFilterTextSearch",
    "LogFilterTimestamp",
    "TaskRunFilter",
    "TaskRunFilterEndTime",
    "TaskRunFilterExpectedStartTime",
    "TaskRunFilterFlowRunId",
    "TaskRunFilterId",
    "TaskRunFilterName",
    "TaskRunFilterStartTime",
    "TaskRunFilterState",
    "TaskRunFilterStateName",
    "TaskRunFilterStateType",
    "TaskRunFilterSubFlowRuns",
    "TaskRunFilterTags",
]

MAX_QUERY_LENGTH = 200

# -- flows ---------------------------------------------------------------------------------------------------------------


class FlowFilterId(PrefectFilterBaseModel):
    """By the id of the flow."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class FlowFilterDeployment(PrefectOperatorFilterBaseModel):
    """By whether the flow has deployments."""

    is_null_: bool | None = None


class FlowFilterName(PrefectFilterBaseModel):
    """By the name of the flow."""

    any_: list[str] | None = None
    like_: str | None = None


class FlowFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the flow."""

    all_: list[str] | None = None
    is_null_: bool | None = None


class FlowFilter(PrefectOperatorFilterBaseModel):
    """Which flows."""

    id: FlowFilterId | None = None
    deployment: FlowFilterDeployment | None = None
    name: FlowFilterName | None = None
    tags: FlowFilterTags | None = None


# -- flow runs -----------------------------------------------------------------------------------------------------------


class FlowRunFilterId(PrefectFilterBaseModel):
    """By the id of the flow run."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class FlowRunFilterName(PrefectFilterBaseModel):
    """By the name of the flow run."""

    any_: list[str] | None = None
    like_: str | None = None


class FlowRunFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the flow run."""

    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilterDeploymentId(PrefectOperatorFilterBaseModel):
    """By the deployment that the flow run belongs to."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None


class FlowRunFilterWorkQueueName(PrefectOperatorFilterBaseModel):
    """By the work queue of the flow run."""

    any_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilterStateType(PrefectFilterBaseModel):
    """By the type of the present state."""

    any_: list[StateType] | None = None
    not_any_: list[StateType] | None = None


class FlowRunFilterStateName(PrefectFilterBaseModel):
    """By the name of the present state, as it is written."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class FlowRunFilterState(PrefectOperatorFilterBaseModel):
    """By the present state."""

    type: FlowRunFilterStateType | None = None
    name: FlowRunFilterStateName | None = None


class FlowRunFilterFlowVersion(PrefectFilterBaseModel):
    """By the version of the flow."""

    any_: list[str] | None = None


class FlowRunFilterStartTime(PrefectFilterBaseModel):
    """By the start of the flow run; bounds take the expected start where it has not started."""

    before_: DateTime | None = None
    after_: DateTime | None = None
    is_null_: bool | None = None


class FlowRunFilterEndTime(PrefectFilterBaseModel):
    """By the end of the flow run."""

    before_: DateTime | None = None
    after_: DateTime | None = None
    is_null_: bool | None = None


class FlowRunFilterExpectedStartTime(PrefectFilterBaseModel):
    """By the time at which the flow run was first meant to start."""

    before_: DateTime | None = None
    after_: DateTime | None = None


class FlowRunFilterNextScheduledStartTime(PrefectFilterBaseModel):
    """By the time at which the flow run is meant to start."""

    before_: DateTime | None = None
    after_: DateTime | None = None


class FlowRunFilterParentFlowRunId(PrefectOperatorFilterBaseModel):
    """By the flow run that called the flow run."""

    any_: list[UUID] | None = None


class FlowRunFilterParentTaskRunId(PrefectOperatorFilterBaseModel):
    """By the task run that stands for the flow run in the run above."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None


class FlowRunFilterIdempotencyKey(PrefectFilterBaseModel):
    """By the idempotency key of the flow run."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class FlowRunFilterCreatedBy(PrefectOperatorFilterBaseModel):
    """By who or what created the flow run."""

    id_: list[UUID] | None = None
    type_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilter(PrefectOperatorFilterBaseModel):
    """Which flow runs."""

    id: FlowRunFilterId | None = None
    name: FlowRunFilterName | None = None
    tags: FlowRunFilterTags | None = None
    deployment_id: FlowRunFilterDeploymentId | None = None
    work_queue_name: FlowRunFilterWorkQueueName | None = None
    state: FlowRunFilterState | None = None
    flow_version: FlowRunFilterFlowVersion | None = None
    start_time: FlowRunFilterStartTime | None = None
    end_time: FlowRunFilterEndTime | None = None
    expected_start_time: FlowRunFilterExpectedStartTime | None = None
    next_scheduled_start_time: FlowRunFilterNextScheduledStartTime | None = None
    parent_flow_run_id: FlowRunFilterParentFlowRunId | None = None
    parent_task_run_id: FlowRunFilterParentTaskRunId | None = None
    idempotency_key: FlowRunFilterIdempotencyKey | None = None
    created_by: FlowRunFilterCreatedBy | None = None

    def only_filters_on_id(self) -> bool:
        """Whether the filter asks for flow runs by nothing but a list of their ids."""
        criteria = {name for name in type(self).model_fields if name != "operator" and getattr(self, name) is not None}
        return criteria == {"id"} and self.id is not None and bool(self.id.any_) and not self.id.not_any_


# -- task runs -----------------------------------------------------------------------------------------------------------


class TaskRunFilterFlowRunId(PrefectOperatorFilterBaseModel):
    """By the flow run of the task run; by default, task runs without one are left out."""

    any_: list[UUID] | None = None
    is_null_: bool | None = False


class TaskRunFilterId(PrefectFilterBaseModel):
    """By the id of the task run."""

    any_: list[UUID] | None = None


class TaskRunFilterName(PrefectFilterBaseModel):
    """By the name of the task run."""

    any_: list[str] | None = None
    like_: str | None = None


class TaskRunFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the task run."""

    all_: list[str] | None = None
    is_null_: bool | None = None


class TaskRunFilterStateType(PrefectFilterBaseModel):
    """By the type of the present state."""

    any_: list[StateType] | None = None


class TaskRunFilterStateName(PrefectFilterBaseModel):
    """By the name of the present state, as it is written."""

    any_: list[str] | None = None


class TaskRunFilterState(PrefectOperatorFilterBaseModel):
    """By the present state."""

    type: TaskRunFilterStateType | None = None
    name: TaskRunFilterStateName | None = None


class TaskRunFilterSubFlowRuns(PrefectFilterBaseModel):
    """By whether the task run stands for a nested flow run."""

    exists_: bool | None = None


class TaskRunFilterStartTime(PrefectFilterBaseModel):
    """By the start of the task run; bounds take the expected start where it has not started."""

    before_: DateTime | None = None
    after_: DateTime | None = None
    is_null_: bool | None = None


class TaskRunFilterEndTime(PrefectFilterBaseModel):
    """By the end of the task run."""

    before_: DateTime | None = None
    after_: DateTime | None = None
    is_null_: bool | None = None


class TaskRunFilterExpectedStartTime(PrefectFilterBaseModel):
    """By the time at which the task run was first meant to start."""

    before_: DateTime | None = None
    after_: DateTime | None = None


class TaskRunFilter(PrefectOperatorFilterBaseModel):
    """Which task runs."""

    id: TaskRunFilterId | None = None
    name: TaskRunFilterName | None = None
    tags: TaskRunFilterTags | None = None
    state: TaskRunFilterState | None = None
    start_time: TaskRunFilterStartTime | None = None
    end_time: TaskRunFilterEndTime | None = None
    expected_start_time: TaskRunFilterExpectedStartTime | None = None
    subflow_runs: TaskRunFilterSubFlowRuns | None = None
    flow_run_id: TaskRunFilterFlowRunId | None = None


# -- deployments ---------------------------------------------------------------------------------------------------------


class DeploymentFilterId(PrefectFilterBaseModel):
    """By the id of the deployment."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class DeploymentFilterName(PrefectFilterBaseModel):
    """By the name of the deployment."""

    any_: list[str] | None = None
    like_: str | None = None


class DeploymentOrFlowNameFilter(PrefectFilterBaseModel):
    """By the name of the deployment or of its flow."""

    like_: str | None = None


class DeploymentFilterPaused(PrefectFilterBaseModel):
    """By whether the deployment is paused."""

    eq_: bool | None = None


class DeploymentFilterWorkQueueName(PrefectFilterBaseModel):
    """By the work queue of the deployment."""

    any_: list[str] | None = None


class DeploymentFilterConcurrencyLimit(PrefectFilterBaseModel):
    """Accepted and ignored: limits of deployments are global limits now."""

    ge_: int | None = None
    le_: int | None = None
    is_null_: bool | None = None


class DeploymentFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the deployment."""

    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class DeploymentFilter(PrefectOperatorFilterBaseModel):
    """Which deployments."""

    id: DeploymentFilterId | None = None
    name: DeploymentFilterName | None = None
    flow_or_deployment_name: DeploymentOrFlowNameFilter | None = None
    paused: DeploymentFilterPaused | None = None
    tags: DeploymentFilterTags | None = None
    work_queue_name: DeploymentFilterWorkQueueName | None = None
    concurrency_limit: DeploymentFilterConcurrencyLimit | None = Field(default=None, deprecated=True)


class DeploymentScheduleFilterActive(PrefectFilterBaseModel):
    """By whether the schedule is active."""

    eq_: bool | None = None


class DeploymentScheduleFilter(PrefectOperatorFilterBaseModel):
    """Which schedules of a deployment."""

    active: DeploymentScheduleFilterActive | None = None


# -- logs ----------------------------------------------------------------------------------------------------------------


class LogFilterName(PrefectFilterBaseModel):
    """By the name of the logger."""

    any_: list[str] | None = None


class LogFilterLevel(PrefectFilterBaseModel):
    """By the level of the log."""

    ge_: int | None = None
    le_: int | None = None


class LogFilterTimestamp(PrefectFilterBaseModel):
    """By the time of the log."""

    before_: DateTime | None = None
    after_: DateTime | None = None


class LogFilterFlowRunId(PrefectFilterBaseModel):
    """By the flow run that logged."""

    any_: list[UUID] | None = None


class LogFilterTaskRunId(PrefectFilterBaseModel):
    """By the task run that logged."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None


class LogFilterTextSearch(PrefectFilterBaseModel):
    """By the words of the message and the name of the logger."""

    query: Annotated[str, Field(max_length=MAX_QUERY_LENGTH)]

    @property
    def terms(self) -> TextQuery:
        """What the query asks for."""
        return parse_text_query(self.query)

    def includes(self, log: "Log") -> bool:
        """Whether a log is one of those that are searched for."""
        return self.terms.matches(f"{log.message} {log.name}")


class LogFilter(PrefectOperatorFilterBaseModel):
    """Which logs."""

    level: LogFilterLevel | None = None
    timestamp: LogFilterTimestamp | None = None
    flow_run_id: LogFilterFlowRunId | None = None
    task_run_id: LogFilterTaskRunId | None = None
    text: LogFilterTextSearch | None = None


# -- flows, runs and deployments at once ---------------------------------------------------------------------------------


class FilterSet(PrefectBaseModel):
    """Filters for each kind of object that a run has to do with."""

    flows: FlowFilter = Field(default_factory=FlowFilter)
    flow_runs: FlowRunFilter = Field(default_factory=FlowRunFilter)
    task_runs: TaskRunFilter = Field(default_factory=TaskRunFilter)
    deployments: DeploymentFilter = Field(default_factory=DeploymentFilter)


publish(globals(), __all__, "prefect.client.schemas.filters")
