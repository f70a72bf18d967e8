"""The books of a task run: its record, the states it enters, and the models made of them on demand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from prefect import _current
from prefect._engine import tracing
from prefect._engine.related import related_set
from prefect._engine.values import state_from_record
from prefect._recorder import StateRecord, TaskRunRecord, get_recorder
from prefect.client.schemas.objects import State, TaskRun, TaskRunPolicy
from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.loggers import task_run_logger
from prefect.types._ids import uuid7

_MICROSECOND = timedelta(microseconds=1)


class TaskBook:
    """Keeps the record of one task run of this process."""

    __slots__ = ("_logger", "_model", "flow_context", "parent", "record", "span", "store", "task")

    def __init__(self, task: Any, flow_context: FlowRunContext | None, parent: TaskRunContext | None) -> None:
        self.task = task
        self.flow_context = flow_context
        self.parent = parent
        self.record: TaskRunRecord
        self.store: Any = None
        self._logger: Any = None
        self._model: TaskRun | None = None
        self.span: tracing.RunSpan | None = None

    def _new_record(
        self, run_id: UUID | None, parameters: Mapping[str, Any], dependencies: Mapping[str, Any]
    ) -> TaskRunRecord:
        """A run of the task in the present contexts."""
        task, flow_context = self.task, self.flow_context
        record = TaskRunRecord()
        record.id = run_id or uuid7()
        record.dynamic_key = str(record.id)
        record.created = record.expected_start_time = datetime.now(timezone.utc)  # type: ignore[assignment]
        record.task_key = task.task_key
        record.task_version = task.version
        tags = _current.tags.get()
        record.tags = sorted(task.tags | tags) if task.tags or tags else ()
        record.policy = task._run_policy
        record.cache_key = record.cache_expiration = None
        record.next_scheduled_start_time = record.start_time = record.end_time = None
        record.run_count = record.flow_run_run_count = 0
        record.total_run_time = 0.0
        record.state = None
        record.labels = None
        inputs: Mapping[str, Any] = dependencies
        if self.parent is not None:
            inputs = {**inputs, "__parents__": [{"input_type": "task_run", "id": str(self.parent.record.id)}]}
        record.task_inputs = _as_inputs(parameters, inputs)
        if flow_context is None:
            record.flow_run_id = self.parent.record.flow_run_id if self.parent else None
            record.name = task.name
            record.related = related_set(None, record.tags)
        else:
            flow_run = flow_context.flow_run
            assert flow_run is not None
            record.flow_run_id = flow_run.id
            record.flow_run_run_count = flow_run.run_count
            record.name = f"{task.name}-{record.dynamic_key[-3:]}"
            record.related = related_set(flow_context, record.tags)
        return record

    # -- the span ------------------------------------------------------------------------------------------------

    def _begin_span(self, parameters: Mapping[str, Any]) -> None:
        """Begin the span of the run, where spans are wanted; it is told of all states until it is ended."""
        if not tracing.may_be_wanted():
            return
        flow_run = self.flow_context.flow_run if self.flow_context is not None else None
        outer = (
            self.parent.record.labels if self.parent is not None else None,
            flow_run.labels if flow_run is not None else None,
        )
        self.span = tracing.begin_span("task", self.record, parameters, outer)
        if self.span is not None:
            self.record.labels = {**(self.record.labels or {}), tracing.LABEL: self.span.traceparent}

    def _follow_name(self) -> None:
        self._model = self._logger = None
        if self.span is not None:
            self.span.rename(self.record.name)

    def _end_span(self) -> None:
        span, self.span, state = self.span, None, self.record.state
        if span is not None:
            span.end(state and state.type, state and state.message)

    # -- states --------------------------------------------------------------------------------------------------

    def enter(
        self,
        type: str,
        name: str,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        data: Any = None,
        stored_data: Any = None,
        id: UUID | None = None,
    ) -> StateRecord:
        """Take the run into a state, keep the books, and record it."""
        record = self.record
        previous = record.state
        now = datetime.now(timezone.utc)
        if previous is not None:
            if now <= previous.timestamp:
                now = previous.timestamp + _MICROSECOND
            if previous.type == "RUNNING":
                record.total_run_time += (now - previous.timestamp).total_seconds()
        record.state = state = StateRecord(id or uuid7(), type, name, now, message, details, data, stored_data)
        if type == "RUNNING":
            record.run_count += 1
            if record.start_time is None:
                record.start_time = now
            record.end_time = None
        elif type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            if record.start_time is None:
                record.start_time = now
            if record.end_time is None:
                record.end_time = now
        record.next_scheduled_start_time = details.get("scheduled_time") if details and type == "SCHEDULED" else None
        self._model = None
        if self.span is not None:
            self.span.enter(type, name, message, state.id)
        get_recorder().transition(record, previous)
        return state

    def enter_state(self, state: State) -> None:
        """Take the run into a state that somebody made by hand."""
        details = state.state_details.model_dump(
            mode="json", exclude_defaults=True, exclude={"flow_run_id", "task_run_id"}
        )
        entered = self.enter(
            state.type.value, state.name or "", state.message, details=details or None, data=state.data
        )
        state.state_details.task_run_id = self.record.id
        state.state_details.flow_run_id = self.record.flow_run_id
        entered.model = state

    @property
    def state(self) -> State:
        """The present state as a model, with its result."""
        record = self.record.state
        assert record is not None
        if record.model is None:
            record.model = state_from_record(record, self.record, self.store)
        return record.model

    @property
    def task_run(self) -> TaskRun:
        """The task run as a model, as it is now."""
        if self._model is None:
            record = self.record
            self._model = TaskRun.model_construct(
                id=record.id,
                created=record.created,
                updated=record.created,
                name=record.name,
                flow_run_id=record.flow_run_id,
                task_key=record.task_key,
                dynamic_key=record.dynamic_key,
                cache_key=record.cache_key,
                cache_expiration=record.cache_expiration,
                task_version=record.task_version,
                empirical_policy=TaskRunPolicy.model_validate(record.policy or {}),
                tags=list(record.tags),
                labels=dict(record.labels or {}),
                task_inputs=dict(record.task_inputs or {}),
                run_count=record.run_count,
                flow_run_run_count=record.flow_run_run_count,
                expected_start_time=record.expected_start_time,
                next_scheduled_start_time=record.next_scheduled_start_time,
                start_time=record.start_time,
                end_time=record.end_time,
                total_run_time=timedelta(seconds=record.total_run_time),
                state=None if record.state is None else self.state,
                state_id=None if record.state is None else record.state.id,
                state_name=None if record.state is None else record.state.name,
                state_type=None if record.state is None else self.state.type,
                state_timestamp=None if record.state is None else record.state.timestamp,
            )
        return self._model

    @property
    def logger(self) -> Any:
        """The run's logger."""
        if self._logger is None:
            flow_context = self.flow_context
            self._logger = task_run_logger(
                self.record,
                self.task,
                flow_run=flow_context.flow_run if flow_context else None,
                flow=flow_context.flow if flow_context else None,
            )
        return self._logger


def _as_inputs(parameters: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    if not found:
        return dict.fromkeys(parameters, ()) if parameters else {}
    return {**dict.fromkeys(parameters, ()), **found}


def record_from_model(task_run: TaskRun) -> TaskRunRecord:
    """The record of a run that was created elsewhere."""
    record = TaskRunRecord()
    for name in ("id", "name", "flow_run_id", "task_key", "dynamic_key", "task_version", "cache_key", "cache_expiration",
                 "run_count", "flow_run_run_count", "expected_start_time", "next_scheduled_start_time", "start_time",
                 "end_time", "tags", "labels"):  # fmt: skip
        setattr(record, name, getattr(task_run, name))
    record.created = task_run.created or datetime.now(timezone.utc)
    record.policy = task_run.empirical_policy.model_dump(mode="json", exclude_none=True)
    record.task_inputs = {
        name: [item.model_dump(mode="json") for item in items] for name, items in (task_run.task_inputs or {}).items()
    }
    record.total_run_time = task_run.total_run_time.total_seconds()
    record.related = related_set(FlowRunContext.get(), record.tags)
    state = task_run.state
    record.state = None
    if state is not None:
        details = state.state_details.model_dump(exclude_defaults=True, exclude={"flow_run_id", "task_run_id"})
        record.state = StateRecord(
            state.id, state.type.value, state.name or "", state.timestamp, state.message, details or None, state.data
        )
    return record
