"""Turns what a run gave back, a value or an exception, into a state, and a state back into that value."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from types import GeneratorType, TracebackType
from typing import Any, TypeGuard

from prefect import _upcalls
from prefect._plans import Pair, Plan, Sleep
from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.exceptions import (
    CancelledRun,
    CrashedRun,
    FailedRun,
    MissingResult,
    PausedRun,
    TerminationSignal,
    UnfinishedRun,
)

RESULT_READ_MAXIMUM_ATTEMPTS = 10
RESULT_READ_RETRY_DELAY = 0.25
"""Seconds between two attempts to read a result that is not there yet."""

_UNSUCCESSFUL: dict[StateType, tuple[type[Exception], str]] = {
    StateType.FAILED: (FailedRun, "Run failed."),
    StateType.CRASHED: (CrashedRun, "Run crashed."),
    StateType.CANCELLED: (CancelledRun, "Run cancelled."),
}
"""What the state of a run that did not succeed raises, and what that says when the state says nothing."""


# -- exceptions to states --------------------------------------------------------------------------------------------


def format_exception(exc: BaseException, tb: TracebackType | None = None) -> str:
    """Describe an exception as `Type: text`, or with its whole traceback when `tb` is given."""
    if tb is not None:
        return "".join(traceback.format_exception(type(exc), exc, tb))
    try:
        text = str(exc)
    except Exception as error:  # noqa: BLE001 - a user's __str__ may raise anything, and the run still needs a message
        text = f"<text not available: its __str__ raised {type(error).__name__}>"
    return f"{type(exc).__name__}: {text}"


def failed_state(exc: BaseException, data: Any = None, **fields: Any) -> State[Any]:
    """The `Failed` state of a run that raised `exc`.

    Args:
        exc: What was raised; described in the state's message.
        data: What the state carries; the exception itself by default.
        fields: Other fields of the state; a `message` is put before the description.
    """
    prefix = fields.pop("message", None)
    description = format_exception(exc)
    details = fields.pop("state_details", None)
    details = StateDetails() if details is None else StateDetails.model_validate(details)
    if details.retriable is None:
        details.retriable = False
    return State(
        type=StateType.FAILED,
        message=f"{prefix} {description}" if prefix else description,
        data=exc if data is None else data,
        state_details=details,
        **fields,
    )


def crashed_state(exc: BaseException, data: Any = None) -> State[Any]:
    """The `Crashed` state of a run that `exc` interrupted."""
    return State(type=StateType.CRASHED, message=_crash_message(exc), data=exc if data is None else data)


def _crash_message(exc: BaseException) -> str:
    if isinstance(exc, KeyboardInterrupt):
        return "Execution was aborted by an interrupt signal."
    if isinstance(exc, SystemExit):
        return "Execution was aborted by Python system exit call."
    if isinstance(exc, TerminationSignal):
        return "Execution was aborted by a termination signal."
    if _is_instance_if_loaded(exc, "asyncio", "CancelledError"):
        return "Execution was cancelled by the runtime environment."
    if _is_instance_if_loaded(exc, "httpx", "TransportError"):
        try:
            url = exc.request.url  # type: ignore[attr-defined]
        except RuntimeError:  # httpx raises it for an error that has no request
            return f"Request failed while attempting to contact the server: {format_exception(exc)}"
        return f"Request to {url} failed: {format_exception(exc)}."
    return f"Execution was interrupted by an unexpected exception: {format_exception(exc)}"


def _is_instance_if_loaded(exc: BaseException, module: str, name: str) -> bool:
    """Whether `exc` is of a class whose module is imported only where it is needed."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(exc, getattr(loaded, name))


# -- return values to states -----------------------------------------------------------------------------------------


def is_state_iterable(obj: Any) -> TypeGuard[Iterable[State[Any]]]:
    """Whether `obj` is a list, set or tuple with at least one element, all of them states."""
    return isinstance(obj, (list, set, tuple)) and len(obj) > 0 and all(isinstance(item, State) for item in obj)


def is_run_state(obj: Any) -> bool:
    """Whether `obj` is the state of a run, and not one that was made by hand."""
    if not isinstance(obj, State):
        return False
    details = obj.state_details
    return details.flow_run_id is not None or details.task_run_id is not None


def state_of_return_value(value: Any, record: Callable[[Any], Any]) -> State[Any]:
    """The final state of a run whose function returned `value`.

    A state that was made by hand is the final state. The states of other runs, one or a collection, decide it
    together. Anything else is the result of a completed run.

    Args:
        value: What the function returned, with its futures resolved to states. A generator is exhausted, and the list
            of what it gave is the result.
        record: Makes of a result what the state carries.
    """
    if isinstance(value, State) and not is_run_state(value):
        if not is_result_record(value.data) and not is_result_metadata(value.data):
            value.data = record(value.data)
        return value
    if is_result_record(value):
        return State(type=StateType.COMPLETED, data=value)
    if isinstance(value, State) or is_state_iterable(value):
        return aggregate_state([value] if isinstance(value, State) else value, data=record(value))
    if isinstance(value, GeneratorType):
        value = list(value)
    return State(type=StateType.COMPLETED, data=record(value))


def aggregate_state(states: Iterable[State[Any]], data: Any = None) -> State[Any]:
    """The state that several runs' states make together, carrying `data`."""
    states = list(states)
    counts = Counter(state.type for state in states)
    total = len(states)
    failed = counts[StateType.FAILED] + counts[StateType.CRASHED]
    if counts[StateType.COMPLETED] == total:
        return State(type=StateType.COMPLETED, message="All states completed.", data=data)
    for type_, count in (
        (StateType.CANCELLED, counts[StateType.CANCELLED]),
        (StateType.PAUSED, counts[StateType.PAUSED]),
        (StateType.FAILED, failed),
    ):
        if count:
            return State(type=type_, message=f"{count}/{total} states {type_.value.lower()}.", data=data)
    not_final = sum(not state.is_final() for state in states)
    return State(type=StateType.FAILED, message=f"{not_final}/{total} states are not final.", data=data)


# -- states to values ------------------------------------------------------------------------------------------------


def is_result_record(data: Any) -> bool:
    """Whether `data` holds a result together with where it is stored."""
    # Asked by shape: what makes records stands above the states, and loads storage and serializers.
    return hasattr(type(data), "serialize_metadata") and hasattr(data, "metadata")


def is_result_metadata(data: Any) -> bool:
    """Whether `data` says where a result is stored, as the API gives it."""
    if isinstance(data, dict):
        return "storage_key" in data and "serializer" in data
    return hasattr(data, "storage_key") and hasattr(data, "serializer")


def plan_value_of(data: Any, *, patient: bool = True) -> Plan[Any]:
    """Read what a state's `data` stands for.

    Args:
        data: A result record, the metadata of one, or the value itself.
        patient: Try again for some seconds when a stored result cannot be read: a run may be reported as completed
            a moment before its result is visible in storage.
    """
    if is_result_record(data):
        return data.result
    if not is_result_metadata(data):
        return data
    attempts = RESULT_READ_MAXIMUM_ATTEMPTS if patient else 1
    read = _upcalls.resolve("read_result_record")
    read_async = _upcalls.resolve("aread_result_record")
    for attempt in range(attempts):
        try:
            record = yield Pair(read, read_async, data)
        except (ImportError, AttributeError):
            raise  # the code that the result needs is missing: waiting brings nothing
        except Exception:
            # Each storage has errors of its own for a file that is missing or still being written.
            if attempt == attempts - 1:
                raise
            yield Sleep(RESULT_READ_RETRY_DELAY)
        else:
            return record.result
    raise MissingResult(f"Cannot read the result {data!r}: no attempt was made, expected at least 1.")


class Raised:
    """An exception that reading a result leads to: handed back by a plan, for its caller to raise.

    Raised inside the plan, a run's `StopIteration` would end the plan instead.
    """

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def plan_result(
    state: State[Any], *, raise_on_failure: bool = True, retry_result_failure: bool = True
) -> Plan[Any | Raised]:
    """What `State.result()` gives, or the exception that it raises."""
    if state.is_paused():
        return Raised(PausedRun("Run is paused, its result is not available.", state=state))
    if not state.is_final():
        return Raised(UnfinishedRun(f"Run is in {state.type.name} state, its result is not available."))
    if state.type in _UNSUCCESSFUL:
        error = yield from plan_exception(state, patient=retry_result_failure)
        return Raised(error) if raise_on_failure else error
    if state.data is None:
        return Raised(
            MissingResult(
                f"The result of this {state.name!r} state is not available: results that are not persisted stay in the"
                " process that made them. Set persist_result=True on the flow or task, or"
                " PREFECT_RESULTS_PERSIST_BY_DEFAULT=true."
            )
        )
    return (yield from plan_value_of(state.data, patient=retry_result_failure))


def plan_exception(state: State[Any], *, patient: bool = True) -> Plan[BaseException]:
    """The exception that the state of a run that failed, crashed or was cancelled stands for."""
    if state.type not in _UNSUCCESSFUL:
        raise ValueError(f"Expected a failed, crashed or cancelled state, got {state!r}, which has no exception.")
    wrapper, default_message = _UNSUCCESSFUL[state.type]
    if state.data is None:
        return wrapper(state.message or default_message)
    value = yield from plan_value_of(state.data, patient=patient)
    if value is None:
        return wrapper(state.message or default_message)
    if isinstance(value, BaseException):
        return value
    if isinstance(value, str):
        return wrapper(value)
    if isinstance(value, State):
        return (yield from plan_exception(value, patient=patient))
    if is_state_iterable(value):
        for member in value:
            if member.type in _UNSUCCESSFUL:
                return (yield from plan_exception(member, patient=patient))
        raise ValueError(
            f"The {state.type.name} state carries {len(list(value))} states, but none of them failed: {value!r}."
        )
    raise TypeError(
        f"Cannot make an exception of {value!r}, the data of a {state.type.name} state:"
        f" expected an exception, a text, or states, not {type(value).__name__}."
    )
