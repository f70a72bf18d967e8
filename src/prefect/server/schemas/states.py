"""The states of runs, and what makes them where nothing but the server is there."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._states import TERMINAL_STATES, State, StateDetails, StateType
from prefect.types._datetime import now

__all__ = [
    "TERMINAL_STATES",
    "AwaitingConcurrencySlot",
    "AwaitingRetry",
    "Cancelled",
    "Cancelling",
    "Completed",
    "CountByState",
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
    "StateDetails",
    "StateType",
    "Submitting",
    "Suspended",
]

_State = TypeVar("_State", bound=State)


class CountByState(PrefectBaseModel):
    """How many runs are in a state of each type."""

    COMPLETED: int = 0
    PENDING: int = 0
    RUNNING: int = 0
    FAILED: int = 0
    CANCELLED: int = 0
    CRASHED: int = 0
    PAUSED: int = 0
    CANCELLING: int = 0
    SCHEDULED: int = 0


def _details(fields: dict[str, Any], **values: Any) -> StateDetails:
    return StateDetails.model_validate(fields.pop("state_details", None) or {}).model_copy(update=values)


def Scheduled(scheduled_time: datetime | None = None, cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that is to start at some time; now, by default.

    Raises:
        ValueError: `state_details` gives a time, too.
    """
    details = _details(kwargs)
    if scheduled_time is not None and details.scheduled_time is not None:
        raise ValueError(
            "An extra scheduled_time was provided in state_details:"
            f" got {scheduled_time.isoformat()} and {details.scheduled_time.isoformat()}."
        )
    details.scheduled_time = scheduled_time or details.scheduled_time or now()
    return cls(type=StateType.SCHEDULED, state_details=details, **kwargs)


def Completed(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that succeeded."""
    return cls(type=StateType.COMPLETED, **kwargs)


def Running(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that runs."""
    return cls(type=StateType.RUNNING, **kwargs)


def Failed(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run whose code failed."""
    return cls(type=StateType.FAILED, **kwargs)


def Crashed(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that something other than its code ended."""
    return cls(type=StateType.CRASHED, **kwargs)


def Cancelling(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that is being cancelled."""
    return cls(type=StateType.CANCELLING, **kwargs)


def Cancelled(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that was cancelled."""
    return cls(type=StateType.CANCELLED, **kwargs)


def Pending(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that is about to start."""
    return cls(type=StateType.PENDING, **kwargs)


def Paused(
    cls: type[_State] = State,
    timeout_seconds: int | None = None,
    pause_expiration_time: datetime | None = None,
    reschedule: bool = False,
    pause_key: str | None = None,
    **kwargs: Any,
) -> _State:
    """A run that waits to be resumed.

    Args:
        timeout_seconds: How long it waits; for ever, if there is no other limit.
        pause_expiration_time: Until when it waits.
        reschedule: Whether its process ends in the meantime.
        pause_key: Tells the pauses of one run apart.

    Raises:
        ValueError: Both limits are given.
    """
    if pause_expiration_time is not None and timeout_seconds is not None:
        raise ValueError(
            "Cannot supply both a pause_expiration_time and timeout_seconds:"
            f" got {pause_expiration_time.isoformat()} and {timeout_seconds}."
        )
    if timeout_seconds is not None:
        pause_expiration_time = now() + timedelta(seconds=timeout_seconds)
    details = _details(kwargs, pause_timeout=pause_expiration_time, pause_reschedule=reschedule, pause_key=pause_key)
    return cls(type=StateType.PAUSED, state_details=details, **kwargs)


def Suspended(
    cls: type[_State] = State,
    timeout_seconds: int | None = None,
    pause_expiration_time: datetime | None = None,
    pause_key: str | None = None,
    **kwargs: Any,
) -> _State:
    """A run that waits to be resumed, without a process; arguments are those of `Paused`."""
    return Paused(cls, timeout_seconds, pause_expiration_time, True, pause_key, name="Suspended", **kwargs)


def AwaitingRetry(cls: type[_State] = State, scheduled_time: datetime | None = None, **kwargs: Any) -> _State:
    """A run that failed and is to start again."""
    return Scheduled(scheduled_time, cls, name="AwaitingRetry", **kwargs)


def AwaitingConcurrencySlot(cls: type[_State] = State, scheduled_time: datetime | None = None, **kwargs: Any) -> _State:
    """A run whose deployment has no slot free."""
    return Scheduled(scheduled_time, cls, name="AwaitingConcurrencySlot", **kwargs)


def Late(cls: type[_State] = State, scheduled_time: datetime | None = None, **kwargs: Any) -> _State:
    """A run that should have started."""
    return Scheduled(scheduled_time, cls, name="Late", **kwargs)


def Retrying(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run that runs again."""
    return cls(type=StateType.RUNNING, name="Retrying", **kwargs)


def Submitting(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run for which infrastructure is being asked for."""
    return cls(type=StateType.PENDING, name="Submitting", **kwargs)


def InfrastructurePending(cls: type[_State] = State, **kwargs: Any) -> _State:
    """A run whose infrastructure is being made."""
    return cls(type=StateType.PENDING, name="InfrastructurePending", **kwargs)
