"""The states of runs: their constructors, and what they hold.

Programs look at a state's type, people at its name: `Late` is a name for a state of type SCHEDULED.
"""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from prefect._compat.dispatch import async_dispatch
from prefect._plans import run_plan, run_plan_async
from prefect._state_values import (
    RESULT_READ_MAXIMUM_ATTEMPTS,
    RESULT_READ_RETRY_DELAY,
    Raised,
    crashed_state,
    failed_state,
    format_exception,
    is_state_iterable,
    plan_exception,
    plan_result,
    state_of_return_value,
)
from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.logging import get_logger
from prefect.types._datetime import now

if TYPE_CHECKING:
    from prefect.results import ResultStore

R = TypeVar("R")

__all__ = [
    "RESULT_READ_MAXIMUM_ATTEMPTS",
    "RESULT_READ_RETRY_DELAY",
    "AwaitingConcurrencySlot",
    "AwaitingRetry",
    "Cancelled",
    "Cancelling",
    "Completed",
    "Crashed",
    "Failed",
    "InfrastructurePending",
    "Late",
    "Paused",
    "Pending",
    "Retrying",
    "Running",
    "Scheduled",
    "State",
    "StateGroup",
    "Submitting",
    "Suspended",
    "aget_state_exception",
    "araise_state_exception",
    "exception_to_crashed_state",
    "exception_to_failed_state",
    "format_exception",
    "get_state_exception",
    "get_state_result",
    "is_state_iterable",
    "raise_state_exception",
    "return_value_to_state",
    "to_state_create",
]

logger = get_logger("states")


# -- constructors ----------------------------------------------------------------------------------------------------


def Scheduled(cls: type[State[R]] = State, scheduled_time: datetime.datetime | None = None, **kwargs: Any) -> State[R]:
    """Make a state of type SCHEDULED: the run starts at `scheduled_time`, now by default."""
    details = StateDetails.model_validate(kwargs.pop("state_details", None) or {})
    if details.scheduled_time is not None:
        if scheduled_time is not None:
            raise ValueError(
                f"scheduled_time={scheduled_time!r} and state_details.scheduled_time={details.scheduled_time!r}"
                " were both given. Give one of them."
            )
    else:
        details = details.model_copy(update={"scheduled_time": scheduled_time or now("UTC")})
    return cls(type=StateType.SCHEDULED, state_details=details, **kwargs)


def Completed(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type COMPLETED: the run ended well."""
    return cls(type=StateType.COMPLETED, **kwargs)


def Running(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type RUNNING: the run's code executes."""
    return cls(type=StateType.RUNNING, **kwargs)


def Failed(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type FAILED: the run's code raised, or says that it failed."""
    return cls(type=StateType.FAILED, **kwargs)


def Crashed(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type CRASHED: something outside the run's code ended it."""
    return cls(type=StateType.CRASHED, **kwargs)


def Cancelling(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type CANCELLING: the run was asked to stop and has not stopped yet."""
    return cls(type=StateType.CANCELLING, **kwargs)


def Cancelled(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type CANCELLED: the run was stopped on request."""
    return cls(type=StateType.CANCELLED, **kwargs)


def Pending(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a state of type PENDING: the run is accepted, and its code does not execute yet."""
    return cls(type=StateType.PENDING, **kwargs)


def Paused(
    cls: type[State[R]] = State,
    timeout_seconds: int | None = None,
    pause_expiration_time: datetime.datetime | None = None,
    reschedule: bool = False,
    pause_key: str | None = None,
    **kwargs: Any,
) -> State[R]:
    """Make a state of type PAUSED: the run waits to be resumed.

    Args:
        timeout_seconds: The run fails when it is not resumed within these seconds.
        pause_expiration_time: The run fails when it is not resumed until this instant.
        reschedule: Whether the run ends its process, and starts in a new one when it is resumed.
        pause_key: Tells this pause of the run from its other pauses.

    Raises:
        ValueError: Both limits were given. With neither of them the pause has no end.
    """
    if timeout_seconds is not None and pause_expiration_time is not None:
        raise ValueError(
            f"pause_expiration_time={pause_expiration_time!r} and timeout_seconds={timeout_seconds!r} were both given."
            " Give one of them."
        )
    details = StateDetails.model_validate(kwargs.pop("state_details", None) or {})
    if details.pause_timeout is not None and (timeout_seconds or pause_expiration_time):
        raise ValueError("A limit was given, and state_details.pause_timeout too. Give one of them.")
    update: dict[str, Any] = {"pause_reschedule": reschedule, "pause_key": pause_key}
    if pause_expiration_time is not None:
        update["pause_timeout"] = pause_expiration_time
    elif timeout_seconds:
        update["pause_timeout"] = now("UTC") + datetime.timedelta(seconds=timeout_seconds)
    # Validated, not copied: an expiration time may come in any time zone.
    details = StateDetails.model_validate({**details.model_dump(), **update})
    return cls(type=StateType.PAUSED, state_details=details, **kwargs)


def Suspended(
    cls: type[State[R]] = State,
    timeout_seconds: int | None = None,
    pause_expiration_time: datetime.datetime | None = None,
    pause_key: str | None = None,
    **kwargs: Any,
) -> State[R]:
    """Make a `Suspended` state of type PAUSED: the run has ended its process until it is resumed."""
    kwargs.setdefault("name", "Suspended")
    return Paused(
        cls=cls,
        timeout_seconds=timeout_seconds,
        pause_expiration_time=pause_expiration_time,
        reschedule=True,
        pause_key=pause_key,
        **kwargs,
    )


def AwaitingRetry(
    cls: type[State[R]] = State, scheduled_time: datetime.datetime | None = None, **kwargs: Any
) -> State[R]:
    """Make an `AwaitingRetry` state of type SCHEDULED: the run failed, and starts again at `scheduled_time`."""
    return Scheduled(cls=cls, scheduled_time=scheduled_time, **{"name": "AwaitingRetry", **kwargs})


def AwaitingConcurrencySlot(
    cls: type[State[R]] = State, scheduled_time: datetime.datetime | None = None, **kwargs: Any
) -> State[R]:
    """Make an `AwaitingConcurrencySlot` state of type SCHEDULED: the run is due, and a limit holds it back."""
    return Scheduled(cls=cls, scheduled_time=scheduled_time, **{"name": "AwaitingConcurrencySlot", **kwargs})


def Late(cls: type[State[R]] = State, scheduled_time: datetime.datetime | None = None, **kwargs: Any) -> State[R]:
    """Make a `Late` state of type SCHEDULED: the run should have started, and nothing has started it."""
    return Scheduled(cls=cls, scheduled_time=scheduled_time, **{"name": "Late", **kwargs})


def Retrying(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a `Retrying` state of type RUNNING: the run's code executes once more."""
    return cls(type=StateType.RUNNING, **{"name": "Retrying", **kwargs})


def Submitting(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make a `Submitting` state of type PENDING: a worker hands the run to its infrastructure."""
    return cls(type=StateType.PENDING, **{"name": "Submitting", **kwargs})


def InfrastructurePending(cls: type[State[R]] = State, **kwargs: Any) -> State[R]:
    """Make an `InfrastructurePending` state of type PENDING: the run's infrastructure is being prepared."""
    return cls(type=StateType.PENDING, **{"name": "InfrastructurePending", **kwargs})


def to_state_create(state: State[Any]) -> StateCreate:
    """Make the form in which a state is proposed to the API.

    The result itself stays in this process: of a stored one its metadata travels, of any other nothing.
    """
    return state.to_state_create()


# -- what a run gave back --------------------------------------------------------------------------------------------


async def exception_to_crashed_state(exc: BaseException, result_store: ResultStore | None = None) -> State[Any]:
    """Make the `Crashed` state of a run that `exc` interrupted; its message says what did.

    Args:
        exc: What ended the run.
        result_store: When given, the state carries a result record of `exc` in place of `exc`.
    """
    return crashed_state(exc, data=_recorder_for(result_store)(exc))


async def exception_to_failed_state(
    exc: BaseException | None = None,
    result_store: ResultStore | None = None,
    write_result: bool = False,
    **kwargs: Any,
) -> State[BaseException]:
    """Make the `Failed` state of a run that raised `exc`.

    Args:
        exc: What was raised; the exception being handled by default.
        result_store: When given, the state carries a result record of `exc` in place of `exc`.
        write_result: Also write that record to storage.
        kwargs: Other fields of the state; a `message` is put before the description of `exc`.

    Raises:
        ValueError: `exc` was not given, and none is being handled.
    """
    exc = sys.exc_info()[1] if exc is None else exc
    if exc is None:
        raise ValueError("Exception was not passed and no active exception could be found.")
    state = failed_state(exc, data=_recorder_for(result_store)(exc), **kwargs)
    if write_result and result_store is not None:
        await _write(result_store, state.data)
    return state


async def return_value_to_state(
    retval: R,
    result_store: ResultStore,
    key: str | None = None,
    expiration: datetime.datetime | None = None,
    write_result: bool = False,
) -> State[R]:
    """Make the final state of a run whose function returned `retval`.

    Args:
        retval: A state made by hand is that final state; states of other runs decide it together; a generator is
            exhausted into a list; any other value completes the run.
        result_store: Makes the record that the state carries.
        key: Where the result is stored; a new random key by default.
        expiration: When the stored result stops being valid.
        write_result: Also write the result to storage. A result that cannot be written is logged and kept in memory.
    """
    state = state_of_return_value(
        retval, lambda value: result_store.create_result_record(value, key=key, expiration=expiration)
    )
    if write_result:
        await _write(result_store, state.data)
    return state


def _recorder_for(result_store: ResultStore | None) -> Callable[[Any], Any]:
    return (lambda value: value) if result_store is None else result_store.create_result_record


async def _write(result_store: ResultStore, record: Any) -> None:
    try:
        await result_store.apersist_result_record(record)
    except Exception as error:  # noqa: BLE001 - a result that cannot be stored does not fail the run that made it
        logger.warning("The result could not be stored, it is available in this process only: %s", error)


# -- what a state holds ----------------------------------------------------------------------------------------------


def _unwrap(outcome: Any) -> Any:
    if isinstance(outcome, Raised):
        raise outcome.error
    return outcome


async def get_state_result(
    state: State[R], raise_on_failure: bool = True, retry_result_failure: bool = True
) -> R | BaseException:
    """Read the result of a run from its final state.

    Args:
        state: The state to read.
        raise_on_failure: Raise the exception of a run that did not succeed; otherwise return it.
        retry_result_failure: Try for some seconds to read a stored result that is not there yet.

    Raises:
        PausedRun: The run is paused.
        UnfinishedRun: The run has not ended.
        MissingResult: The run completed, and its result was not persisted.
    """
    plan = plan_result(state, raise_on_failure=raise_on_failure, retry_result_failure=retry_result_failure)
    return _unwrap(await run_plan_async(plan))


def get_state_result_sync(
    state: State[R], raise_on_failure: bool = True, retry_result_failure: bool = True
) -> R | BaseException:
    """`get_state_result` for code that runs in no event loop."""
    plan = plan_result(state, raise_on_failure=raise_on_failure, retry_result_failure=retry_result_failure)
    return _unwrap(run_plan(plan))


async def aget_state_exception(state: State[Any]) -> BaseException:
    """Find the exception that a failed, crashed or cancelled state stands for.

    The state's data decides: an exception is taken as it is; a text becomes the message of a `FailedRun`, `CrashedRun`
    or `CancelledRun`; no data gives one of these with the state's message; of other states, the first that did not
    succeed is asked in turn.

    Raises:
        ValueError: The state is none of a run that did not succeed.
        TypeError: Its data stands for no exception.
    """
    return await run_plan_async(plan_exception(state))


@async_dispatch(aget_state_exception)
def get_state_exception(state: State[Any]) -> BaseException:
    """Find the exception that a failed, crashed or cancelled state stands for.

    The state's data decides: an exception is taken as it is; a text becomes the message of a `FailedRun`, `CrashedRun`
    or `CancelledRun`; no data gives one of these with the state's message; of other states, the first that did not
    succeed is asked in turn.

    Raises:
        ValueError: The state is none of a run that did not succeed.
        TypeError: Its data stands for no exception.
    """
    return run_plan(plan_exception(state))


async def araise_state_exception(state: State[Any]) -> None:
    """Raise the exception of a failed, crashed or cancelled state; do nothing for any other."""
    if state.is_failed() or state.is_crashed() or state.is_cancelled():
        raise await aget_state_exception(state)


@async_dispatch(araise_state_exception)
def raise_state_exception(state: State[Any]) -> None:
    """Raise the exception of a failed, crashed or cancelled state; do nothing for any other."""
    if state.is_failed() or state.is_crashed() or state.is_cancelled():
        raise run_plan(plan_exception(state))


class StateGroup:
    """Counts the states of several runs by their types."""

    def __init__(self, states: list[State[Any]]) -> None:
        self.states = states
        self.type_counts = Counter(state.type for state in states)
        self.total_count = len(states)
        self.cancelled_count = self.type_counts[StateType.CANCELLED]
        self.final_count = sum(state.is_final() for state in states)
        self.not_final_count = self.total_count - self.final_count
        self.paused_count = self.type_counts[StateType.PAUSED]

    @property
    def fail_count(self) -> int:
        """How many failed or crashed."""
        return self.type_counts[StateType.FAILED] + self.type_counts[StateType.CRASHED]

    def all_completed(self) -> bool:
        """Whether every run completed."""
        return self.type_counts[StateType.COMPLETED] == self.total_count

    def any_cancelled(self) -> bool:
        """Whether a run was cancelled."""
        return self.cancelled_count > 0

    def any_failed(self) -> bool:
        """Whether a run failed or crashed."""
        return self.fail_count > 0

    def all_final(self) -> bool:
        """Whether every run has ended."""
        return self.final_count == self.total_count

    def any_paused(self) -> bool:
        """Whether a run is paused."""
        return self.paused_count > 0

    def counts_message(self) -> str:
        """Say how many there are, how many of them have not ended, and how many there are of each type."""
        parts = [f"total={self.total_count}"]
        if self.not_final_count:
            parts.append(f"not_final={self.not_final_count}")
        parts += [f"{type_.value!r}={count}" for type_, count in self.type_counts.items() if count]
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"StateGroup<{self.counts_message()}>"
