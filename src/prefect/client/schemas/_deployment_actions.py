"""The requests that create and change deployments and their schedules."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from prefect.client.schemas import _schedule_dates
from prefect.client.schemas._base import ActionBaseModel, publish
from prefect.client.schemas._deployments import ConcurrencyOptions, DeploymentBranchingOptions, VersionInfo
from prefect.client.schemas.schedules import (
    SCHEDULE_TYPES,
    CronSchedule,
    RRuleSchedule,
    construct_schedule,
)
from prefect.types import (
    KeyValueLabelsField,
    NameOrEmpty,
    PositiveInteger,
)

if TYPE_CHECKING:
    from prefect.schedules import Schedule

__all__ = [
    "DeploymentBranch",
    "DeploymentCreate",
    "DeploymentScheduleCreate",
    "DeploymentScheduleUpdate",
    "DeploymentUpdate",
    "NormalizedSchedule",
]


def _limit_scheduled_runs(value: int | None) -> int | None:
    if value is not None:
        from prefect.settings import get_current_settings  # noqa: PLC0415 - few schedules limit their runs

        maximum = get_current_settings().server.deployment_schedule_max_scheduled_runs
        if value > maximum:
            raise ValueError(f"`max_scheduled_runs` must be less than or equal to {maximum}, got {value}.")
    return value


_MaxScheduledRuns = Annotated[PositiveInteger | None, AfterValidator(_limit_scheduled_runs)]


def _give_rrule_a_start(schedule: SCHEDULE_TYPES | None) -> SCHEDULE_TYPES | None:
    if not isinstance(schedule, RRuleSchedule):
        return schedule
    text = _schedule_dates.with_start(schedule.rrule, schedule.timezone or "UTC")
    return schedule.model_copy(update={"rrule": text})


NormalizedSchedule = Annotated[SCHEDULE_TYPES, AfterValidator(_give_rrule_a_start)]


class DeploymentScheduleCreate(ActionBaseModel):
    """A schedule to be added to a deployment.

    Attributes:
        slug: Names the schedule within its deployment.
        replaces: The slug of an existing schedule that this one takes the place, and the id, of.
    """

    schedule: NormalizedSchedule
    active: bool = True
    max_scheduled_runs: _MaxScheduledRuns = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    slug: str | None = None
    replaces: str | None = None

    @classmethod
    def from_schedule(cls, schedule: "Schedule") -> "DeploymentScheduleCreate":
        """Make the request for a schedule that was written in Python.

        Raises:
            ValueError: The schedule says nothing of when.
        """
        if schedule.cron is not None:
            model = CronSchedule(cron=schedule.cron, timezone=schedule.timezone, day_or=schedule.day_or)
        else:
            model = construct_schedule(
                interval=schedule.interval,
                anchor_date=schedule.anchor_date if schedule.interval is not None else None,
                rrule=schedule.rrule,
                timezone=schedule.timezone,
            )
        return cls(
            schedule=model,
            active=schedule.active,
            parameters=schedule.parameters,
            slug=schedule.slug,
            replaces=getattr(schedule, "replaces", None),
        )


class DeploymentScheduleUpdate(ActionBaseModel):
    """What changes about a schedule of a deployment; only what is given changes."""

    schedule: NormalizedSchedule | None = None
    active: bool | None = None
    max_scheduled_runs: _MaxScheduledRuns = None
    parameters: dict[str, Any] | None = None
    slug: str | None = None
    replaces: str | None = None


def _empty_parameter_schema() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


class _DeploymentAction(ActionBaseModel):
    job_variables: dict[str, Any] | None = Field(default_factory=dict)

    def check_valid_configuration(self, base_job_template: dict[str, Any]) -> None:
        """Check the job variables against the variables of a work pool's base job template.

        Raises:
            jsonschema.ValidationError: A variable is missing, or has a value that the template does not allow.
        """
        if (variables := base_job_template.get("variables")) is not None:
            from jsonschema import validate  # noqa: PLC0415 - slow to import, and needed for this alone

            validate(self.job_variables, variables)


def _require_one_limit(limit: int | None, global_limit: UUID | None) -> None:
    if limit is not None and global_limit is not None:
        raise ValueError(
            "A deployment cannot have both a concurrency limit and a global concurrency limit:"
            f" got {limit} and {str(global_limit)!r}."
        )


class DeploymentCreate(_DeploymentAction):
    """A deployment to be created, or to replace the one of the same flow and name."""

    name: NameOrEmpty
    flow_id: UUID
    paused: bool | None = None
    schedules: list[DeploymentScheduleCreate] = Field(default_factory=list)
    concurrency_limit: PositiveInteger | None = None
    concurrency_options: ConcurrencyOptions | None = None
    global_concurrency_limit_id: UUID | None = None
    enforce_parameter_schema: bool | None = None
    parameter_openapi_schema: dict[str, Any] | None = Field(default_factory=_empty_parameter_schema)
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    pull_steps: list[dict[str, Any]] | None = None
    work_queue_name: str | None = None
    work_pool_name: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    description: str | None = None
    path: str | None = None
    entrypoint: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)  # type: ignore[assignment] - may not be null here
    version: str | None = None
    version_info: VersionInfo | None = None
    branch: str | None = None
    base: UUID | None = None
    root: UUID | None = None

    @model_validator(mode="after")
    def _require_one_limit(self) -> Self:
        _require_one_limit(self.concurrency_limit, self.global_concurrency_limit_id)
        return self


class DeploymentUpdate(_DeploymentAction):
    """What changes about a deployment; only what is given changes."""

    version: str | None = None
    version_info: VersionInfo | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    paused: bool | None = None
    schedules: list[DeploymentScheduleUpdate] | None = None
    concurrency_limit: PositiveInteger | None = None
    concurrency_options: ConcurrencyOptions | None = None
    global_concurrency_limit_id: UUID | None = None
    tags: list[str] = Field(default_factory=list)
    work_queue_name: str | None = None
    work_pool_name: str | None = None
    path: str | None = None
    entrypoint: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    enforce_parameter_schema: bool | None = None
    parameter_openapi_schema: dict[str, Any] | None = Field(default_factory=_empty_parameter_schema)
    pull_steps: list[dict[str, Any]] | None = None

    @model_validator(mode="after")
    def _require_one_limit(self) -> Self:
        _require_one_limit(self.concurrency_limit, self.global_concurrency_limit_id)
        return self


def _require_branch_name(value: str) -> str:
    if not value.strip():
        raise ValueError("Branch name cannot be empty or contain only whitespace")
    return value


class DeploymentBranch(ActionBaseModel):
    """A branch of a deployment to be created."""

    branch: Annotated[str, AfterValidator(_require_branch_name)]
    options: DeploymentBranchingOptions = Field(default_factory=DeploymentBranchingOptions)
    overrides: DeploymentUpdate | None = None


publish(globals(), __all__, "prefect.client.schemas.actions")
