"""Describes answers that the operations give as plain dictionaries; nothing is validated with these models."""

from __future__ import annotations

from uuid import UUID

from pydantic import AnyHttpUrl, BaseModel, RootModel

from prefect.client.schemas.objects import State, TaskRunResult
from prefect.events.schemas.events import ReceivedEvent
from prefect.types import DateTime


class EventPage(BaseModel):
    """One page of events, and where the next one is."""

    events: list[ReceivedEvent]
    total: int
    next_page: AnyHttpUrl | None


class DependencyResult(BaseModel):
    """A task run in the graph of its flow run, and what it was given."""

    id: UUID
    name: str
    upstream_dependencies: list[TaskRunResult]
    state: State | None
    expected_start_time: DateTime | None
    start_time: DateTime | None
    end_time: DateTime | None
    total_run_time: float | None
    estimated_run_time: float | None
    untrackable_result: bool


class TaskRunCount(RootModel[dict[str, int]]):
    """How many task runs ended well and badly in a span of time."""
