"""Decides how slots are taken and given back: attempts, waiting, missing limits, and the events that tell of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from prefect._plans import Effect, Plan, Sleep
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.client.schemas.responses import MinimalConcurrencyLimitResponse
from prefect.concurrency._api import Full, GiveBack, GiveBackOfTaskRun, Refused, Take, TakeForTaskRun, Taken
from prefect.concurrency._errors import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
from prefect.concurrency._wakeups import WaitForSlots, releases_of, slots_were_given_back
from prefect.concurrency.context import ConcurrencyContext
from prefect.events.schemas.events import Event
from prefect.events.utilities import emit_event
from prefect.logging import get_logger

logger = get_logger("concurrency")


@dataclass(frozen=True)
class SlotRequest:
    """What is asked for.

    Attributes:
        names: The limits; each once.
        slots: How many slots of each.
        mode: Whether the slots are given back, or free themselves with time.
        timeout_seconds: How long to wait for them at most; None waits for ever.
        max_retries: How many attempts to make after the first; None makes any number.
        lease_seconds: How long the slots stay taken without a sign of life, 60 or more.
        strict: Whether a limit that does not exist is an error.
        holder: Whom the slots are for.
        quiet: Whether a missing limit goes without a warning, and taking and giving back without events.
    """

    names: tuple[str, ...]
    slots: int = 1
    mode: Literal["concurrency", "rate_limit"] = "concurrency"
    timeout_seconds: float | None = None
    max_retries: int | None = None
    lease_seconds: float = 300
    strict: bool = False
    holder: ConcurrencyLeaseHolder | None = None
    quiet: bool = False

    @classmethod
    def for_names(cls, names: str | Iterable[str], **fields: Any) -> SlotRequest:
        """Make a request for one limit or several; a name that comes twice counts once."""
        return cls(names=(names,) if isinstance(names, str) else tuple(dict.fromkeys(names)), **fields)

    def take(self) -> Effect:
        """Asks the API once."""
        return Take(self.names, self.slots, self.mode, self.lease_seconds, self.holder)

    def give_back(self, held: Held) -> Effect | None:
        """Gives back what was taken, where that is needed."""
        return GiveBack(held.lease_id) if held.lease_id is not None else None

    def missing(self, found: Sequence[MinimalConcurrencyLimitResponse]) -> list[str]:
        """The names for which there is no limit."""
        return sorted(set(self.names) - {limit.name for limit in found})

    def event_of(self, phase: str, limit: MinimalConcurrencyLimitResponse) -> tuple[str, dict[str, str]]:
        """The name and the labels of the event that tells of one limit."""
        return f"prefect.concurrency-limit.{phase}", {
            "prefect.resource.id": self.resource_id(limit),
            "prefect.resource.name": limit.name,
            "slots-acquired": str(self.slots),
            "limit": str(limit.limit),
        }

    def resource_id(self, limit: MinimalConcurrencyLimitResponse) -> str:
        """What a limit is called in events."""
        return f"prefect.concurrency-limit.{limit.id}"


@dataclass(frozen=True)
class TaskRunSlotRequest(SlotRequest):
    """One slot of each tag's limit, held by a task run instead of a lease.

    Attributes:
        task_run_id: The task run.
    """

    task_run_id: UUID | None = None

    def take(self) -> Effect:
        return TakeForTaskRun(self.names, self._task_run_id)

    def give_back(self, held: Held) -> Effect | None:
        return GiveBackOfTaskRun(self.names, self._task_run_id, time.monotonic() - held.since)

    def missing(self, found: Sequence[MinimalConcurrencyLimitResponse]) -> list[str]:
        return []  # a tag without a limit is the usual case

    def event_of(self, phase: str, limit: MinimalConcurrencyLimitResponse) -> tuple[str, dict[str, str]]:
        return f"prefect.concurrency-limit.v1.{phase}", {
            "prefect.resource.id": self.resource_id(limit),
            "prefect.resource.name": limit.name,
            "task_run_id": str(self.task_run_id),
            "limit": str(limit.limit),
        }

    def resource_id(self, limit: MinimalConcurrencyLimitResponse) -> str:
        return f"prefect.concurrency-limit.v1.{limit.id}"

    @property
    def _task_run_id(self) -> UUID:
        if self.task_run_id is None:
            raise ValueError(f"Slots of {self.names!r} need the id of the task run that holds them.")
        return self.task_run_id


@dataclass(slots=True)
class Held:
    """Slots that were taken.

    Attributes:
        request: What was asked for.
        limits: The limits that exist, of those asked for.
        lease_id: Identifies them to the API; None where they are held in another way.
        since: When they were taken, on the monotonic clock.
        acquired: Per limit, the event that told of it; None where it could not be emitted.
    """

    request: SlotRequest
    limits: Sequence[MinimalConcurrencyLimitResponse]
    lease_id: UUID | None = None
    since: float = field(default_factory=time.monotonic)
    acquired: dict[UUID, Event | None] = field(default_factory=dict)


def plan_acquire(request: SlotRequest) -> Plan[Held | None]:
    """Take slots of all limits together, or of none.

    Returns:
        What is held; None when no such limit exists, so that there is nothing to hold.

    Raises:
        AcquireConcurrencySlotTimeoutError: They did not become free in time.
        ConcurrencySlotAcquisitionError: They cannot be had.
    """
    if not request.names:
        return None
    taken = yield from _plan_take(request)
    held = Held(request, taken.limits, taken.lease_id)
    missing = request.missing(taken.limits)
    if not taken.limits or (missing and request.strict):
        yield from _plan_give_back(held)
    if missing and request.strict:
        raise ConcurrencySlotAcquisitionError(
            f"Concurrency limits {missing!r} must be created before acquiring slots: they do not exist, and strict=True"
            " asks for all of them."
        )
    if missing and not request.quiet:
        logger.warning("Concurrency limits %r do not exist - skipping acquisition.", missing)
    if not taken.limits:
        return None
    context = ConcurrencyContext.get()
    if context is not None and held.lease_id is not None:
        context.cleanup_lease_ids.append(held.lease_id)
    if not request.quiet:
        held.acquired = {limit.id: _emit("acquired", held, limit) for limit in taken.limits}
    return held


def _plan_take(request: SlotRequest) -> Plan[Taken]:
    deadline = None if request.timeout_seconds is None else time.monotonic() + request.timeout_seconds
    attempts_left = request.max_retries
    while True:
        releases = releases_of(request.names)
        answer = yield request.take()
        if isinstance(answer, Taken):
            return answer
        if isinstance(answer, Refused) or attempts_left == 0:
            raise ConcurrencySlotAcquisitionError(
                f"Unable to acquire concurrency slots on {list(request.names)!r}: {answer.reason}"
            )
        if attempts_left is not None:
            attempts_left -= 1
        pause = answer.retry_after_seconds
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AcquireConcurrencySlotTimeoutError(
                    f"Attempt to acquire concurrency slots on {list(request.names)!r} timed out after"
                    f" {request.timeout_seconds} second(s)"
                )
            pause = min(pause, left)
        if request.mode == "rate_limit":
            yield Sleep(pause)  # only time gives these back
        else:
            yield WaitForSlots(request.names, releases, pause)


def plan_release(held: Held) -> Plan[None]:
    """Give slots back, and say so."""
    yield from _plan_give_back(held)
    context = ConcurrencyContext.get()
    if context is not None and held.lease_id is not None and held.lease_id in context.cleanup_lease_ids:
        context.cleanup_lease_ids.remove(held.lease_id)
    if not held.request.quiet:
        for limit in held.limits:
            _emit("released", held, limit)


def _plan_give_back(held: Held) -> Plan[None]:
    effect = held.request.give_back(held)
    if effect is None:
        return
    try:
        answer = yield effect
        slots_were_given_back(held.request.names, held.request.slots)
        problem = answer.reason if isinstance(answer, (Full, Refused)) else None
    except Exception as error:  # noqa: BLE001 - what the slots were for is done, and must not fail for this
        problem = str(error)
    if problem:
        logger.warning(
            "The slots of %r could not be given back, they become free when their lease ends: %s",
            list(held.request.names),
            problem,
        )


def _emit(phase: str, held: Held, limit: MinimalConcurrencyLimitResponse) -> Event | None:
    name, resource = held.request.event_of(phase, limit)
    return emit_event(
        name,
        resource=resource,
        related=[
            {"prefect.resource.id": held.request.resource_id(other), "prefect.resource.role": "concurrency-limit"}
            for other in held.limits
            if other.id != limit.id
        ],
        follows=held.acquired.get(limit.id),
    )
