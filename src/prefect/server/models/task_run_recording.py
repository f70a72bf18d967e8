"""Stores the task-run transitions that come as events, from clients that send no other record of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from prefect._outside_flows import OutsideFlows
from prefect.client.schemas.objects import (
    Constant,
    FlowRunResult,
    Parameter,
    StateDetails,
    StateType,
    TaskRunPolicy,
    TaskRunResult,
)
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id
from prefect.server.models.events import related_set
from prefect.server.models.recording import record_transitions
from prefect.types import DateTime, KeyValueLabelsField

if TYPE_CHECKING:
    from prefect.events.schemas.events import Event

_TASK_RUN, _FLOW_RUN = "prefect.task-run.", "prefect.flow-run."
TaskInputs = dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]]


_Instant = Annotated[DateTime, AfterValidator(lambda instant: instant.astimezone(timezone.utc))]
_Count = Annotated[int, Field(ge=0, lt=2**31)]


class _ToldState(BaseModel):
    """A state, as events carry it."""

    type: StateType
    name: str
    message: str | None = None
    state_details: StateDetails | None = None
    data: Any = None


class _ToldRun(BaseModel):
    """A task run, as events carry it."""

    name: str | None = None
    task_key: str
    dynamic_key: str
    task_version: str | None = None
    cache_key: str | None = None
    cache_expiration: _Instant | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    task_inputs: TaskInputs = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)
    flow_run_run_count: _Count = 0
    run_count: _Count = 0
    expected_start_time: _Instant | None = None
    next_scheduled_start_time: _Instant | None = None
    start_time: _Instant | None = None
    end_time: _Instant | None = None
    total_run_time: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


@dataclass(frozen=True, slots=True)
class _State:
    id: UUID
    type: str
    name: str
    timestamp: datetime
    message: str | None
    details: dict[str, Any] | None
    stored_data: Any


@dataclass(frozen=True, slots=True)
class _Previous:
    id: UUID


def record_task_run_event(tx: Transaction, event: Event, outside: OutsideFlows | None = None) -> bool:
    """Store the transition that an event tells of, together with the event; whether it tells of one.

    What only looks like a transition, because a part of it is not what it must be, is kept as an event and no more.

    Args:
        outside: Notes the run, if it is one outside of flows, where somebody wants to know.
    """
    labels, told = event.resource.root, event.payload.get("validated_state")
    run = event.payload.get("task_run")
    if labels.get("prefect.orchestration") != "client" or not isinstance(told, dict) or not isinstance(run, dict):
        return False
    try:
        state = _read_state(event, told)
        snapshot = _read_snapshot(tx, event, run, state)
    except (
        KeyError,
        ValueError,
        OverflowError,
    ):  # a ValidationError is a ValueError; some instants are too early for UTC
        return False
    related = related_set([each.root for each in event.related]) if event.related else None
    previous = _Previous(event.follows) if event.follows else None
    record_transitions(tx, [(snapshot, state, previous, related)], outside)
    return True


def _read_state(event: Event, told: dict[str, Any]) -> _State:
    told_state = _ToldState.model_validate(told)
    return _State(
        id=event.id,
        type=told_state.type.value,
        name=told_state.name.replace("\0", ""),
        timestamp=event.occurred,
        message=told_state.message or None,
        details=(told_state.state_details or StateDetails()).model_dump(mode="json", exclude_defaults=True),
        stored_data=told_state.data,
    )


def _read_snapshot(tx: Transaction, event: Event, told: dict[str, Any], state: _State) -> tuple[Any, ...]:
    """The run that an event carries, in the order in which the recorder gives it."""
    labels = event.resource.root
    run = _ToldRun.model_validate({name: value for name, value in told.items() if value is not None})
    id = UUID(labels["prefect.resource.id"].removeprefix(_TASK_RUN))
    owners = (each.root["prefect.resource.id"] for each in event.related if each.role == "flow-run")
    owner = next((id for id in owners if id.startswith(_FLOW_RUN)), None)
    flow_run_id = UUID(owner.removeprefix(_FLOW_RUN)) if owner is not None else None
    return (
        _known_id(tx, flow_run_id, run) or id,
        event.occurred,
        run.name or labels.get("prefect.resource.name") or "task",
        flow_run_id,
        run.task_key,
        run.dynamic_key,
        run.task_version,
        run.cache_key,
        run.cache_expiration,
        run.empirical_policy.model_dump(exclude_defaults=True),
        told.get("task_inputs"),
        run.tags,
        run.labels,
        run.flow_run_run_count,
        state,
        run.run_count,
        run.expected_start_time,
        run.next_scheduled_start_time,
        run.start_time,
        run.end_time,
        run.total_run_time,
    )


def _known_id(tx: Transaction, flow_run_id: UUID | None, run: _ToldRun) -> UUID | None:
    """The id of the run that is known under the same keys, when there is one."""
    if flow_run_id is None:
        return None
    row = tx.fetch_one(
        "SELECT id FROM task_run WHERE flow_run_id = ? AND task_key = ? AND dynamic_key = ?",
        (flow_run_id, run.task_key.replace("\0", ""), run.dynamic_key.replace("\0", "")),
    )
    return None if row is None else decode_id(row["id"])
