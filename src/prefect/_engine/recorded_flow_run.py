"""One flow run as the core knows it: created with its first transition, led from state to state, traced, written down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from prefect import _current
from prefect._asking import ask, ask_together
from prefect._engine import heartbeats, subflows, tracing
from prefect._engine.inputs import upstreams
from prefect._plans import Plan, Sleep
from prefect._recorder import get_recorder
from prefect._state_values import format_exception
from prefect.client._calls._call import Call
from prefect.client._calls.flow_runs import (
    create_run_of_flow,
    set_flow_run_state,
    update_flow_run,
    update_flow_run_labels,
)
from prefect.client._calls.flows import create_flow_from_name
from prefect.client._send import Calls, send
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.client.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
    StateWaitDetails,
)
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import Abort, Pause
from prefect.logging.handlers import record_unseen
from prefect.logging.loggers import flow_run_logger
from prefect.settings import get_current_settings

_FLUSH_PATIENCE_SECONDS = 30.0
"""How long a flow run waits in all for its own records to be stored."""


_Created = tuple[TaskRun | None, FlowRun, OrchestrationResult | None]


def _creation_calls(
    tracking_call: Call[TaskRun] | None,
    flow_id: UUID,
    proposed: State | None,
    *,
    parent_task_run_id: UUID | None,
    **fields: Any,
) -> Calls[_Created]:
    """Create a run, with the task run that tracks it if it is nested, and propose a state for it if one is given."""
    tracking = result = None
    if tracking_call is not None:
        tracking = yield tracking_call
        parent_task_run_id = tracking.id
    creation = create_run_of_flow(flow_id, parent_task_run_id=parent_task_run_id, **fields)
    # In one transaction with the first transition, which takes the lease, the creation needs none.
    if proposed is None or get_current_settings().api.url:
        creation = creation.as_holder()
    flow_run = yield creation
    if proposed is not None:
        result = yield set_flow_run_state(flow_run.id, proposed).as_holder()
    return tracking, flow_run, result


class RecordedFlowRun:
    """A flow run of this process, and what the core knows of it.

    Args:
        flow: The flow (its options are read, its decorator is not known here).
        parameters: The bound arguments, not validated yet. None: those stored with `flow_run`.
        flow_run: A run that exists already.
        wait_for: Futures and states that must complete first.
    """

    def __init__(
        self,
        flow: Any,
        parameters: dict[str, Any] | None = None,
        flow_run: FlowRun | None = None,
        wait_for: Iterable[Any] | None = None,
    ) -> None:
        self.flow = flow
        self.parameters = parameters
        self.flow_run: Any = flow_run
        self.wait_for = None if wait_for is None else upstreams(wait_for)
        self.state: State | None = flow_run.state if flow_run is not None else None
        self.parent = FlowRunContext.get()
        self.parent_task = TaskRunContext.get()
        self.tracking: Any = None
        self.context: FlowRunContext | None = None
        self._creation: Callable[[State | None], Calls[_Created]] | None = None
        """How the run will be created: with its first transition, where nothing needs it before."""
        self._logger: Any = None
        self._patience = _FLUSH_PATIENCE_SECONDS
        self._span: tracing.RunSpan | None = None

    @property
    def logger(self) -> Any:
        """The run's logger."""
        if self._logger is None:
            self._logger = flow_run_logger(self.flow_run, self.flow)
        return self._logger

    @property
    def is_top_level(self) -> bool:
        """Whether no other run of this process waits for this one."""
        return self.parent is None and self.parent_task is None

    # -- creation --------------------------------------------------------------------------------------------------------

    def _create(self) -> Plan[FlowRun | None]:
        """Make ready to create the run. Returns the run of an earlier attempt of the parent if there is one."""
        flow = self.flow
        given = self.parameters or {}
        tracking = parent_task_run_id = None
        if self.parent is not None or self.parent_task is not None:
            tracking, may_exist = subflows.tracking_call(self, given)
            if may_exist:
                self.tracking, tracking = (yield ask(tracking)), None
                earlier = yield from subflows.earlier_child(self.tracking)
                if earlier is not None:
                    return earlier
                parent_task_run_id = self.tracking.id
        flow_id = yield from self._flow_id()
        self._creation = partial(
            _creation_calls,
            tracking,
            flow_id,
            flow_version=flow.version,
            parameters=flow._stored_parameters(given),
            tags=sorted(_current.tags.get()),
            parent_task_run_id=parent_task_run_id,
            state=State(type=StateType.PENDING),
            empirical_policy={"retries": flow.retries or 0, "retry_delay": flow.retry_delay_seconds or 0},
            # Over HTTP an answer can be lost; the request is repeated then, and must not make a second run.
            idempotency_key=str(uuid4()) if get_current_settings().api.url else None,
        )
        return None

    def _ensure_created(self, proposed: State | None = None) -> Plan[OrchestrationResult | None]:
        """Create the run if it is not there yet, and propose its first transition with it if one is given."""
        creation, self._creation = self._creation, None
        if creation is None:
            return None
        tracking, self.flow_run, result = yield ask_together(partial(creation, proposed))
        if tracking is not None:
            self.tracking = tracking
        self.state = self.flow_run.state
        return result

    def _flow_id(self) -> Plan[UUID]:
        cache = _flow_ids_of(get_current_settings())
        known = cache.get(self.flow.name)
        if known is None:
            known = cache[self.flow.name] = yield ask(create_flow_from_name(self.flow.name))
        return known

    def _take_on_retries(self) -> Plan[None]:
        """Tell the core how often the run may be retried: who has created it from a deployment did not know."""
        known = self.flow_run.empirical_policy
        if known.retries is not None or not self.flow.retries:
            return
        own = {"retries": self.flow.retries, "retry_delay": self.flow.retry_delay_seconds or 0}
        self.flow_run.empirical_policy = known.model_copy(update=own)
        yield ask(update_flow_run(self.flow_run.id, empirical_policy=self.flow_run.empirical_policy))

    # -- states ----------------------------------------------------------------------------------------------------------

    def propose(self, state: State, force: bool = False) -> Plan[State]:
        """Ask the core for a transition and adopt what it answers.

        Raises:
            Abort: The run must not go on here.
            Pause: The run was paused instead.
        """
        while True:
            result: OrchestrationResult | None = yield from self._ensure_created(state)
            if result is None:
                result = yield ask(set_flow_run_state(self.flow_run.id, state, force=force).as_holder())
            assert result is not None
            if result.status is SetStateStatus.WAIT:
                assert isinstance(result.details, StateWaitDetails)
                heartbeats.keep_alive()
                yield Sleep(result.details.delay_seconds)
                yield from self._wait_until_due(self.state, longest_seconds=1.0)
                continue
            if result.status is SetStateStatus.ABORT:
                assert isinstance(result.details, StateAbortDetails)
                raise Abort(result.details.reason)
            accepted = result.state
            if accepted is None:
                accepted = state
            if result.status is SetStateStatus.ACCEPT:
                # The API knows the stored form of the result; the one at hand is kept.
                accepted.data = state.data if state.data is not None else accepted.data
            self._adopt(accepted)
            if result.status is SetStateStatus.REJECT and accepted.is_paused():
                raise Pause("Run was paused instead.", state=accepted)
            return accepted

    def _adopt(self, state: State) -> None:
        self.state = state
        run = self.flow_run
        run.state, run.state_id, run.state_type, run.state_name = state, state.id, state.type, state.name
        if state.type is StateType.RUNNING:
            run.run_count += 1
            run.start_time = run.start_time or state.timestamp
        elif state.is_final():
            run.end_time = state.timestamp
        if self.context is not None:
            self.context.flow_run = run
        if self._span is None and tracing.may_be_wanted():
            outer = (
                self.parent_task.record.labels if self.parent_task is not None else None,
                self.parent.flow_run.labels if self.parent is not None and self.parent.flow_run is not None else None,
            )
            self._span = tracing.begin_span("flow", run, self.parameters, outer)
        if self._span is not None:
            self._span.enter(state.type, state.name or "", state.message, state.id)

    def enter_by_force(self, state: State) -> None:
        """Enter a state that ends the run. What ends the process must not wait for a loop that is being torn down."""
        result = send(set_flow_run_state(self.flow_run.id, state, force=True).as_holder())
        self._adopt(result.state or state)

    def _wait_until_due(self, state: State | None, longest_seconds: float = float("inf")) -> Plan[None]:
        due = state.state_details.scheduled_time if state is not None else None
        if due is not None:
            remaining = (due - datetime.now(timezone.utc)).total_seconds()
            if 0 < remaining <= longest_seconds:
                heartbeats.keep_alive()
                yield Sleep(remaining)

    # -- what is written down --------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        # A flow does not return before its own records are durable; a broken database must not hold it for ever.
        self._wait_for_records(get_recorder().flush)

    def _flush_tasks(self) -> None:
        # The database must not show a finished flow whose tasks still seem to run.
        if self.is_top_level:
            self._wait_for_records(get_recorder().flush_transitions)

    def _wait_for_records(self, flush: Callable[[float], Any]) -> None:
        begun = time.monotonic()
        flush(self._patience)
        self._patience = max(self._patience - (time.monotonic() - begun), 0.0)

    def _log(self, level: int, line: str) -> None:
        """Log a line that holds nothing to hide."""
        logger = logging.getLogger("prefect.flow_runs")
        if logger.isEnabledFor(level) and not record_unseen(logger, level, line, self.flow_run.id, None):
            self.logger.log(level, "%s", line)

    def _publish_span(self) -> Plan[None]:
        """Let what runs in this run, wherever that is, find its span."""
        if self._span is None:
            return
        label = {tracing.LABEL: self._span.traceparent}
        self.flow_run.labels = {**self.flow_run.labels, **label}
        try:
            yield ask(update_flow_run_labels(self.flow_run.id, label))
        except Exception as error:
            self.logger.warning("The span of the flow run could not be stored: %s", format_exception(error))

    def _end_span(self) -> None:
        span, self._span = self._span, None
        if span is not None:
            state = self.state
            span.end(state and state.type, state and state.message)


_flow_ids: dict[Any, dict[str, UUID]] = {}


def _flow_ids_of(settings: Any) -> dict[str, UUID]:
    key = settings.api.url or settings.server.database.connection_url.get_secret_value()
    return _flow_ids.setdefault(key, {})


def forget_flow_ids() -> None:
    """Forget which flows exist, because the database they are in may be gone."""
    _flow_ids.clear()


__all__ = ["RecordedFlowRun", "forget_flow_ids"]
