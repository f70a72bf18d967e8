"""What `prefect.yaml` may hold, as models: the file, its deployments, their schedules and work pools."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from typing_extensions import Self

from prefect.utilities.templating import find_placeholders


class ProjectError(ValueError):
    """What a project asks for cannot be done; the message says why, and what to do."""


def _require_placeholder(text: str) -> str:
    if not find_placeholders(text):
        raise ValueError("expected another kind of value, or a placeholder such as '{{ $NAME }}'")
    return text


Template: TypeAlias = Annotated[str, AfterValidator(_require_placeholder)]
"""Stands where the value is not text, and is filled before the deployment is made."""


def _as_list(value: Any) -> Any:
    """A single step may stand without its list."""
    if isinstance(value, dict):
        return [value] if value else []
    return value


Steps: TypeAlias = Annotated[list[dict[str, Any]] | None, BeforeValidator(_as_list)]


class _Lenient(BaseModel):
    # Keys of others, such as notes and anchors, stand in the file too.
    model_config = ConfigDict(extra="ignore")


class ScheduleEntry(BaseModel):
    """When a deployment runs: exactly one of a cron line, an interval (seconds, or ISO 8601) and a recurrence rule."""

    model_config = ConfigDict(extra="forbid")

    cron: str | None = None
    interval: int | float | Template | timedelta | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: Any = None
    day_or: bool | Template | None = None
    active: bool | Template | None = None
    parameters: dict[str, Any] | None = None
    slug: str | None = None
    replaces: str | None = None

    @model_validator(mode="after")
    def _require_one_kind(self) -> Self:
        kinds = [name for name in ("cron", "interval", "rrule") if getattr(self, name) is not None]
        if len(kinds) != 1 and self.model_fields_set:
            raise ValueError(
                f"a schedule has exactly one of 'cron', 'interval' and 'rrule', not {' and '.join(kinds) or 'none of them'}"
            )
        return self

    @property
    def is_empty(self) -> bool:
        """Whether it is a place for a schedule without one, as new files have it."""
        return not self.model_fields_set


class WorkPoolEntry(_Lenient):
    """Where a deployment runs."""

    name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None


class LimitEntry(_Lenient):
    """How many runs of a deployment may go at once, and what becomes of others."""

    limit: int | Template | None = None
    collision_strategy: str | None = None
    grace_period_seconds: int | Template | None = None


def _as_tags(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class DeploymentEntry(_Lenient):
    """One deployment of the file. What is not set there is decided when it is deployed."""

    name: str | None = None
    entrypoint: str | None = None
    description: str | None = None
    version: str | None = None
    version_type: str | None = None
    tags: Annotated[list[str] | None, BeforeValidator(_as_tags)] = None
    parameters: dict[str, Any] | None = None
    enforce_parameter_schema: bool | Template | None = None
    work_pool: WorkPoolEntry | None = None
    schedule: ScheduleEntry | None = None
    schedules: list[ScheduleEntry] | None = None
    paused: bool | Template | None = None
    concurrency_limit: int | LimitEntry | Template | None = None
    triggers: list[dict[str, Any]] | None = None
    sla: list[dict[str, Any]] | dict[str, Any] | None = None
    build: Steps = None
    push: Steps = None
    pull: Steps = None

    @property
    def pool(self) -> WorkPoolEntry:
        """Its work pool; one without a name if none is said."""
        return self.work_pool or WorkPoolEntry()

    def said(self) -> dict[str, Any]:
        """What is set of it, in the form of the file."""
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.name or f"for {self.entrypoint}" if self.name or self.entrypoint else "without a name"


class Project(_Lenient):
    """A whole file."""

    name: str | None = None
    build: Steps = None
    push: Steps = None
    pull: Steps = None
    deployments: list[DeploymentEntry] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _accept_no_deployments(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("deployments", ...) is None:
            return {**value, "deployments": []}
        return value

    def build_steps(self, entry: DeploymentEntry) -> list[dict[str, Any]]:
        """The steps that build for an entry: its own, none if it says so, else those for all."""
        return (entry.build if "build" in entry.model_fields_set else self.build) or []

    def push_steps(self, entry: DeploymentEntry) -> list[dict[str, Any]]:
        """The steps that push for an entry: its own, which may be an empty list, else those for all."""
        return (self.push if entry.push is None else entry.push) or []

    def pull_steps(self, entry: DeploymentEntry) -> list[dict[str, Any]] | None:
        """The steps that pull for an entry: its own, else those for all. None: nobody has said, an empty list: none."""
        return self.pull if entry.pull is None else entry.pull
