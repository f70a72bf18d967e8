"""Pausing, suspending, resuming and waiting for flow runs."""

from __future__ import annotations

import time
from typing import Any, TypeVar
from uuid import UUID

from prefect._asking import ask
from prefect._compat.dispatch import async_dispatch
from prefect._flow_run_waiting import wait_plan
from prefect._plans import Pair, Plan, Sleep, run_plan, run_plan_async
from prefect.client._calls.flow_runs import (
    create_flow_run_input,
    delete_flow_run_input,
    read_flow_run,
    read_flow_run_input,
    set_flow_run_state,
)
from prefect.client._calls.flow_runs import resume_flow_run as resume_call
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import (
    FlowPauseTimeout,
    FlowRunWaitTimeout,
    NotPausedError,
    ObjectAlreadyExists,
    ObjectNotFound,
    Pause,
)
from prefect.settings import get_current_settings
from prefect.states import Paused, Suspended

T = TypeVar("T")

_POLL_SECONDS = 1.0
_EMBEDDED_POLL_SECONDS = 0.25
"""Without a server, looking at the run costs next to nothing."""


def _pause_key(context: FlowRunContext | None, key: str | None) -> str:
    """The given key, or the number of this pause in the run."""
    if key is not None or context is None:
        return key or "1"
    count = context.observed_flow_pauses["count"] = context.observed_flow_pauses.get("count", 0) + 1
    return str(count)


class _Input:
    """What a pause waits for, beside being resumed."""

    def __init__(self, wanted: Any, kind: str, key: str) -> None:
        from prefect.input.run_input import keyset_from_base_key, run_input_subclass_from_type  # noqa: PLC0415 - few pauses take input

        self.model = run_input_subclass_from_type(wanted)
        self.keyset = keyset_from_base_key(f"{kind}-{key}")

    def save(self, flow_run_id: UUID) -> Plan[bool]:
        """Store what is asked for. Returns False if this pause asked before."""
        try:
            yield Pair(self._save, self.model.asave, self.keyset, flow_run_id)
        except ObjectAlreadyExists:
            return False
        return True

    def ask_anew(self, flow_run_id: UUID) -> Plan[str | None]:
        """Ask again what the run asked before, and take the answer of that time away. Returns that answer."""
        try:
            answer = yield ask(read_flow_run_input(flow_run_id, self.keyset["response"]))
        except ObjectNotFound:
            answer = None
        for key in self.keyset.values():
            try:
                yield ask(delete_flow_run_input(flow_run_id, key))
            except ObjectNotFound:
                continue
        yield from self.save(flow_run_id)
        return answer

    def give_back(self, flow_run_id: UUID, answer: str) -> Pair:
        """Store the answer of an earlier pass again."""
        return ask(create_flow_run_input(flow_run_id, self.keyset["response"], answer))

    def _save(self, keyset: Any, flow_run_id: UUID) -> None:
        self.model.save(keyset, flow_run_id, _sync=True)

    def load(self, flow_run_id: UUID) -> Pair:
        return Pair(self._load, self.model.aload, self.keyset, flow_run_id)

    def _load(self, keyset: Any, flow_run_id: UUID) -> Any:
        return self.model.load(keyset, flow_run_id, _sync=True)


def _stop(flow_run_id: UUID, state: State, wanted: _Input | None, verb: str) -> Plan[tuple[bool, Any]]:
    """Propose a pause. Returns whether the run stops here, and else the input that an earlier pass brought."""
    earlier_answer = None
    if wanted is not None:
        state.state_details.run_input_keyset = {**wanted.keyset}
        # All of it before the run is paused: it may be resumed at once, and that answer must be checked, and kept.
        if not (yield from wanted.save(flow_run_id)):
            earlier_answer = yield from wanted.ask_anew(flow_run_id)
    result = yield ask(set_flow_run_state(flow_run_id, state))
    if result.status is SetStateStatus.ACCEPT:
        return True, None
    if result.status is SetStateStatus.REJECT and result.state is not None and result.state.is_running():
        # This pause was passed before: the run walks past it, with the input that it got then.
        if wanted is None:
            return False, None
        if earlier_answer is not None:
            yield wanted.give_back(flow_run_id, earlier_answer)
        return False, (yield wanted.load(flow_run_id))
    reason = getattr(result.details, "reason", None) or f"the API answered {result.status.value}"
    raise RuntimeError(f"Cannot {verb} flow run {flow_run_id}: {reason}")


def _pause_plan(wait_for_input: Any, timeout: int, poll_interval: float, key: str | None) -> Plan[Any]:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("Flow runs can only be paused from within a flow run. Call pause_flow_run() inside a flow.")
    flow_run_id = context.flow_run.id
    pause_key = _pause_key(context, key)
    wanted = _Input(wait_for_input, "paused", pause_key) if wait_for_input is not None else None
    state = Paused(timeout_seconds=timeout, pause_key=pause_key)
    stops, value = yield from _stop(flow_run_id, state, wanted, "pause")
    if not stops:
        return value
    deadline = time.monotonic() + timeout
    interval = poll_interval if get_current_settings().api.url else min(poll_interval, _EMBEDDED_POLL_SECONDS)
    yield Sleep(min(timeout / 2, interval))
    while True:
        run = yield ask(read_flow_run(flow_run_id))
        if run.state is not None and run.state.is_running():
            context.flow_run.state, context.flow_run.run_count = run.state, run.run_count
            return (yield wanted.load(flow_run_id)) if wanted is not None else None
        if run.state is not None and run.state.is_final():
            raise FlowPauseTimeout(f"Flow run {flow_run_id} ended as {run.state.name!r} while it was paused.")
        if time.monotonic() >= deadline:
            raise FlowPauseTimeout(f"Flow run {flow_run_id} was paused and not resumed within {timeout:g} seconds.")
        yield Sleep(min(interval, max(deadline - time.monotonic(), 0)))


async def apause_flow_run(
    wait_for_input: Any = None, timeout: int = 3600, poll_interval: int = 10, key: str | None = None
) -> Any:
    """`pause_flow_run` for async code."""
    return await run_plan_async(_pause_plan(wait_for_input, timeout, poll_interval, key))


@async_dispatch(apause_flow_run)
def pause_flow_run(
    wait_for_input: Any = None, timeout: int = 3600, poll_interval: int = 10, key: str | None = None
) -> Any:
    """Pause the current flow run until it is resumed; the process waits.

    Args:
        wait_for_input: A `RunInput` class, a pydantic model, or another type; the input is returned.
        timeout: Seconds until the run fails if nobody resumes it.
        poll_interval: Seconds between two looks at a server.
        key: Tells this pause from others; by default they are counted.

    Raises:
        FlowPauseTimeout: Not resumed in time.
        RuntimeError: Not inside a flow run, or the API refused.
    """
    return run_plan(_pause_plan(wait_for_input, timeout, poll_interval, key))


def _suspend_plan(wait_for_input: Any, flow_run_id: UUID | None, timeout: int | None, key: str | None) -> Plan[Any]:
    context = FlowRunContext.get()
    own_id = context.flow_run.id if context is not None and context.flow_run is not None else None
    if flow_run_id is None:
        if TaskRunContext.get() is not None:
            raise RuntimeError("A task cannot suspend its flow run: call suspend_flow_run() in the flow itself.")
        if own_id is None:
            raise RuntimeError(
                "Flow runs can only be suspended from within a flow run, or by id: suspend_flow_run(flow_run_id=…)."
            )
    target = flow_run_id or own_id
    assert target is not None
    is_own = target == own_id
    pause_key = _pause_key(context if is_own else None, key)
    wanted = _Input(wait_for_input, "suspended", pause_key) if wait_for_input is not None else None
    state = Suspended(timeout_seconds=timeout, pause_key=pause_key)
    stops, value = yield from _stop(target, state, wanted, "suspend")
    if stops and is_own:
        raise Pause("The flow run was suspended.", state=state)
    return value


async def asuspend_flow_run(
    wait_for_input: Any = None, flow_run_id: UUID | None = None, timeout: int | None = None, key: str | None = None
) -> Any:
    """`suspend_flow_run` for async code."""
    return await run_plan_async(_suspend_plan(wait_for_input, flow_run_id, timeout, key))


@async_dispatch(asuspend_flow_run)
def suspend_flow_run(
    wait_for_input: Any = None, flow_run_id: UUID | None = None, timeout: int | None = None, key: str | None = None
) -> Any:
    """Suspend a flow run: its process ends, and it starts from the beginning when it is resumed.

    Only runs of deployments can be suspended, and no nested ones.

    Args:
        wait_for_input: What input resuming must bring; see `pause_flow_run`.
        flow_run_id: Another run to suspend; the current one by default.
        timeout: Seconds until the run fails if nobody resumes it; None for no limit.
        key: Tells this suspension from others; by default they are counted.

    Raises:
        RuntimeError: Not inside a flow run, or the run cannot be suspended.
    """
    return run_plan(_suspend_plan(wait_for_input, flow_run_id, timeout, key))


def _resume_plan(flow_run_id: UUID, run_input: dict[str, Any] | None) -> Plan[None]:
    run: FlowRun = yield ask(read_flow_run(flow_run_id))
    if run.state is None or not run.state.is_paused():
        now = run.state.type.value if run.state is not None else "without a state"
        raise NotPausedError(f"Cannot resume flow run {str(flow_run_id)!r}: it is {now}, not PAUSED.")
    result = yield ask(resume_call(flow_run_id, run_input))
    if result.status is SetStateStatus.ACCEPT:
        return
    reason = getattr(result.details, "reason", None) or result.status.value
    if result.status is SetStateStatus.ABORT:
        raise RuntimeError(f"Cannot resume flow run {flow_run_id}: {reason}")
    if result.state is not None and result.state.is_failed():
        raise FlowPauseTimeout(f"Flow run {flow_run_id} can no longer be resumed: {result.state.message}")
    raise RuntimeError(f"Cannot resume flow run {flow_run_id}: {reason}")


async def aresume_flow_run(flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> None:
    """`resume_flow_run` for async code."""
    await run_plan_async(_resume_plan(flow_run_id, run_input))


@async_dispatch(aresume_flow_run)
def resume_flow_run(flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> None:
    """Resume a paused or suspended flow run.

    Args:
        flow_run_id: The run.
        run_input: The input that the pause asked for, as JSON values.

    Raises:
        NotPausedError: The run is not paused.
        FlowPauseTimeout: It was paused for too long and has failed.
        RuntimeError: The API refused, for example because the input does not fit.
    """
    run_plan(_resume_plan(flow_run_id, run_input))


async def wait_for_flow_run(
    flow_run_id: UUID,
    timeout: int | None = 10800,
    poll_interval: int | None = None,
    client: Any = None,
    log_states: bool = False,
) -> FlowRun:
    """Wait until a flow run is final; never raises because the run failed.

    Against an API its events say when to look at the run.

    Args:
        flow_run_id: The run.
        timeout: Seconds to wait at most; None for no limit.
        poll_interval: Not used any more.
        client: Not used: the active API is asked.
        log_states: Log the final state.

    Raises:
        FlowRunWaitTimeout: It is not final in time.
    """
    run = await run_plan_async(wait_plan(flow_run_id, timeout, _POLL_SECONDS))
    if run.state is None or not run.state.is_final():
        raise FlowRunWaitTimeout(f"Flow run {flow_run_id} was not finished after {timeout:g} seconds.")
    if log_states:
        from prefect.logging.loggers import get_logger  # noqa: PLC0415 - only here

        get_logger("flow_runs").info("Flow run is in state %r", run.state.name if run.state else None)
    return run
