"""The requests that slots need, and what their answers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from prefect.client._calls import concurrency_limits as calls
from prefect.client._send import send, send_async
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.client.schemas.responses import MinimalConcurrencyLimitResponse

_GONE, _INVALID, _LOCKED = 410, 422, 423
_DEFAULT_PAUSE_SECONDS = 1.0
"""Where an API says that slots are taken, and not when to ask again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The slots are ours."""

    limits: Sequence[MinimalConcurrencyLimitResponse]
    lease_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Full:
    """The slots are taken by others."""

    reason: str
    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The request will never succeed as it is."""

    reason: str


class LeaseGone(Exception):
    """The API does not know the lease any more."""


def _answer_to(error: Exception) -> Full | Refused:
    """What an error means for slots; raises those that say nothing about them."""
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status == _LOCKED:
        pause = float(response.headers.get("Retry-After", _DEFAULT_PAUSE_SECONDS))
        return Full(f"423 Locked: {_detail(response)}", pause)
    if status == _INVALID:
        return Refused(f"422 Unprocessable Entity: {_detail(response)}")
    raise error


def _detail(response: Any) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text
    if not isinstance(body, dict):
        return str(body)
    problems = body.get("exception_detail")
    if isinstance(problems, list) and problems:
        return "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in problems)
    return str(body.get("detail", body))


class _Request:
    """An effect that sends one call, and resumes with what its answer means."""

    __slots__ = ("_call", "_meaning")

    def __init__(self, call: Any, meaning: Callable[[Any], Any]) -> None:
        self._call, self._meaning = call, meaning

    def perform(self) -> Any:
        try:
            return self._meaning(send(self._call))
        except Exception as error:  # noqa: BLE001 - raised again where it says nothing about slots
            return _answer_to(error)

    async def perform_async(self) -> Any:
        try:
            return self._meaning(await send_async(self._call))
        except Exception as error:  # noqa: BLE001 - raised again where it says nothing about slots
            return _answer_to(error)


class Take(_Request):
    """Ask for slots; resumes with `Taken`, `Full` or `Refused`."""

    __slots__ = ()

    def __init__(
        self,
        names: Sequence[str],
        slots: int,
        mode: Literal["concurrency", "rate_limit"],
        lease_seconds: float,
        holder: ConcurrencyLeaseHolder | None,
    ) -> None:
        if mode == "rate_limit":
            call = calls.increment_concurrency_slots(list(names), slots, mode)
            super().__init__(call, lambda limits: Taken(limits))
        else:
            call = calls.increment_concurrency_slots_with_lease(list(names), slots, mode, lease_seconds, holder)
            super().__init__(call, lambda reply: Taken(reply.limits, reply.lease_id))

    async def perform_async(self) -> Any:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        asking = asyncio.ensure_future(super().perform_async())
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            # The API may grant the slots all the same: they are given back when its answer comes.
            asking.add_done_callback(_give_back_unwanted)
            raise


def _give_back_unwanted(asked: Any) -> None:
    if asked.cancelled() or asked.exception() is not None:
        return
    answer = asked.result()
    if isinstance(answer, Taken) and answer.lease_id is not None:
        giving = asked.get_loop().create_task(GiveBack(answer.lease_id).perform_async())
        _giving.add(giving)
        giving.add_done_callback(_giving.discard)


_giving: set[Any] = set()
"""Keeps the tasks alive that give slots back after a cancellation."""


class GiveBack(_Request):
    """Give back the slots of a lease."""

    __slots__ = ()

    def __init__(self, lease_id: UUID) -> None:
        super().__init__(calls.release_concurrency_slots_with_lease(lease_id), lambda _: None)


class TakeForTaskRun(_Request):
    """Ask for one slot of each tag's limit for a task run; resumes with `Taken`, `Full` or `Refused`."""

    __slots__ = ()

    def __init__(self, names: Sequence[str], task_run_id: UUID) -> None:
        call = calls.increment_v1_concurrency_slots(list(names), task_run_id)
        super().__init__(call, lambda limits: Taken(limits))


class GiveBackOfTaskRun(_Request):
    """Give back the slots of a task run, with how long it had them."""

    __slots__ = ()

    def __init__(self, names: Sequence[str], task_run_id: UUID, occupancy_seconds: float) -> None:
        call = calls.decrement_v1_concurrency_slots(list(names), task_run_id, occupancy_seconds)
        super().__init__(call, lambda _: None)


def renew_lease(lease_id: UUID, lease_seconds: float) -> None:
    """Make a lease last for another `lease_seconds` from now.

    Raises:
        LeaseGone: It has expired, or its slots were given back.
    """
    try:
        send(calls.renew_concurrency_lease(lease_id, lease_seconds))
    except Exception as error:
        if getattr(getattr(error, "response", None), "status_code", None) == _GONE:
            raise LeaseGone(f"The API does not know the lease {lease_id} any more.") from error
        raise
