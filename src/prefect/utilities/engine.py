"""Helpers of the engine that task runners and workers of other packages use."""

from __future__ import annotations

import time
from types import EllipsisType, NotImplementedType
from typing import Any
from uuid import UUID

from prefect._asking import ask
from prefect._current import flow_run_context, task_run_context
from prefect._engine.inputs import NotReady, Scan, resolve, value_of
from prefect._engine.lineage import Lineage
from prefect._engine.signals import capture_sigterm
from prefect._plans import Plan, Sleep, run_plan, run_plan_async
from prefect.client._calls.flow_runs import set_flow_run_state
from prefect.client.schemas.objects import FlowRunResult, RunType, State, TaskRunResult
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Abort, Pause, UpstreamTaskError
from prefect.futures import PrefectFuture
from prefect.results import ResultRecord, should_persist_result
from prefect.settings import get_current_settings
from prefect.utilities._lazy import lazy_names
from prefect.utilities.collections import StopVisiting

__all__ = [
    "ResultRecord",
    "capture_sigterm",
    "collect_task_run_inputs",
    "collect_task_run_inputs_sync",
    "propose_state",
    "propose_state_sync",
    "resolve_inputs",
    "resolve_inputs_sync",
    "should_log_prints",
    "should_persist_result",
]

API_HEALTHCHECKS: dict[str, float] = {}
"""By the URL of an API, until when its last good answer holds, on the monotonic clock."""
_WELL_FOR_SECONDS = 10.0

UNTRACKABLE_TYPES = {bool, type(None), EllipsisType, NotImplementedType}
"""Types whose few values everybody shares, so that identity does not tell who made one."""


def collect_task_run_inputs_sync(
    expr: Any, future_cls: Any = PrefectFuture, max_depth: int = -1
) -> set[TaskRunResult | FlowRunResult]:
    """The upstream runs that a value comes from: of the futures, states and results in it.

    Args:
        expr: The value.
        future_cls: The class of the futures to look for.
        max_depth: How deep to look; at 0 only at the value itself, negative without limit.
    """
    scan = _ForeignScan(_lineage(), future_cls)
    if max_depth == 0 and isinstance(expr, (list, tuple, set, dict)):
        return set()
    scan.value("value", expr)
    found: set[TaskRunResult | FlowRunResult] = set()
    for item in scan.inputs.get("value", []):
        kind = FlowRunResult if item["input_type"] == "flow_run" else TaskRunResult
        found.add(kind(id=UUID(item["id"])))
    return found


class _ForeignScan(Scan):
    """Knows the futures of another library too, which carry the id of their task run."""

    __slots__ = ("_future_cls",)

    def __init__(self, lineage: Lineage | None, future_cls: Any) -> None:
        super().__init__(lineage)
        self._future_cls = future_cls

    def _visit(self, value: Any, context: dict[str, Any]) -> Any:
        if isinstance(value, self._future_cls) and not isinstance(value, PrefectFuture):
            task_run_id = getattr(value, "task_run_id", None)
            if task_run_id is not None:
                self._add("task_run", str(task_run_id))
            raise StopVisiting
        return super()._visit(value, context)


def _lineage() -> Lineage | None:
    context = flow_run_context.get()
    return context.run_results if context is not None else None


async def collect_task_run_inputs(expr: Any, max_depth: int = -1) -> set[TaskRunResult | FlowRunResult]:
    """`collect_task_run_inputs_sync` for async code."""
    return collect_task_run_inputs_sync(expr, max_depth=max_depth)


def resolve_inputs_sync(parameters: dict[str, Any], return_data: bool = True, max_depth: int = -1) -> dict[str, Any]:
    """Replace the futures and states in arguments by their values.

    Args:
        parameters: The arguments.
        return_data: Return the values; otherwise only wait, and return the arguments as they are.
        max_depth: Not used: containers are looked through to their end.

    Raises:
        PrefectException: A value could not be read; names the parameter.
    """
    resolved = resolve(parameters)
    return resolved if return_data else parameters


async def resolve_inputs(parameters: dict[str, Any], return_data: bool = True, max_depth: int = -1) -> dict[str, Any]:
    """`resolve_inputs_sync` for async code."""
    import asyncio  # noqa: PLC0415 - loaded already wherever this runs

    return await asyncio.to_thread(resolve_inputs_sync, parameters, return_data, max_depth)


def _propose_plan(state: State, flow_run_id: UUID, force: bool) -> Plan[State]:
    while True:
        result: Any = yield ask(set_flow_run_state(flow_run_id, state, force=force))
        if result.status is SetStateStatus.WAIT:
            yield Sleep(result.details.delay_seconds)
            continue
        if result.status is SetStateStatus.ABORT:
            raise Abort(result.details.reason)
        if result.status is SetStateStatus.REJECT and result.state is not None and result.state.is_paused():
            raise Pause(result.details.reason, state=result.state)
        if result.state is None:
            return state
        if result.status is SetStateStatus.ACCEPT and state.data is not None:
            result.state.data = state.data
        return result.state


async def propose_state(client: Any, state: State, flow_run_id: UUID, force: bool = False) -> State:
    """Propose a state for a flow run; returns the state that the API answered with.

    Raises:
        Abort: The run must not go on here.
        Pause: The run was paused instead.
    """
    return await run_plan_async(_propose_plan(state, flow_run_id, force))


def propose_state_sync(client: Any, state: State, flow_run_id: UUID, force: bool = False) -> State:
    """`propose_state` for sync code."""
    return run_plan(_propose_plan(state, flow_run_id, force))


def should_log_prints(flow_or_task: Any) -> bool:
    """Whether a flow or task logs what it prints: by its own option, the surrounding run's, or the setting."""
    if flow_or_task.log_prints is not None:
        return flow_or_task.log_prints
    context = task_run_context.get() or flow_run_context.get()
    return context.log_prints if context is not None else get_current_settings().logging.log_prints


def resolve_to_final_result(expr: Any, context: dict[str, Any]) -> Any:
    """The value of a future or state; other objects as they are. A callback for `visit_collection`.

    Args:
        expr: The object.
        context: Of the visit: the innermost `annotation` says whether a failed upstream is tolerated.

    Raises:
        UpstreamTaskError: The upstream did not complete.
    """
    try:
        return value_of(expr, context)
    except NotReady as upstream:
        raise UpstreamTaskError(f"The upstream is {upstream.state}, it did not complete.") from None


# -- lineage -----------------------------------------------------------------------------------------------------------


def link_state_to_result(state: State, result: Any, run_type: RunType) -> None:
    """Remember which run of the present flow made an object, so that passing it on records the dependency."""
    lineage, source = _lineage(), state.state_details.to_run_result(run_type)
    if lineage is not None and source is not None:
        lineage.link(result, (source.input_type, str(source.id)))


def link_state_to_task_run_result(state: State, result: Any) -> None:
    """`link_state_to_result` for the result of a task run."""
    link_state_to_result(state, result, RunType.TASK_RUN)


def link_state_to_flow_run_result(state: State, result: Any) -> None:
    """`link_state_to_result` for the result of a flow run."""
    link_state_to_result(state, result, RunType.FLOW_RUN)


async def check_api_reachable(client: Any, fail_message: str) -> None:
    """Ask the API whether it is well; a good answer holds for ten seconds.

    Raises:
        RuntimeError: It is not; begins with `fail_message`.
    """
    url = str(client.api_url)
    if API_HEALTHCHECKS.get(url, float("-inf")) > time.monotonic():
        return
    problem = await client.api_healthcheck()
    if problem is not None:
        raise RuntimeError(f"{fail_message}. Failed to reach API at {url}.") from problem
    API_HEALTHCHECKS[url] = time.monotonic() + _WELL_FOR_SECONDS


# Names that integration packages have found here.
__getattr__ = lazy_names(
    __name__,
    {
        "Event": "prefect.events.schemas.events",
        "Flow": "prefect.flows",
        "FlowRun": "prefect.client.schemas.objects",
        "FlowRunContext": "prefect.context",
        "OrchestrationResult": "prefect.client.schemas.responses",
        "PrefectException": "prefect.exceptions",
        "StateAbortDetails": "prefect.client.schemas.responses",
        "StateRejectDetails": "prefect.client.schemas.responses",
        "StateWaitDetails": "prefect.client.schemas.responses",
        "Task": "prefect.tasks",
        "TaskRun": "prefect.client.schemas.objects",
        "TerminationSignal": "prefect.exceptions",
        "allow_failure": "prefect.utilities.annotations",
        "emit_event": "prefect.events",
        "get_logger": "prefect.logging.loggers",
        "opaque": "prefect.utilities.annotations",
        "quote": "prefect.utilities.annotations",
        "truncated_to": "prefect.utilities.text",
        "visit_collection": "prefect.utilities.collections",
    },
)
