"""The slots that a task run takes of the limits on its tags."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from prefect._plans import Plan
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.concurrency import _leases
from prefect.concurrency._policy import Held, SlotRequest, plan_acquire, plan_release

_LEASE_SECONDS = 60.0


def acquire_tag_slots(tags: Iterable[str], task_run_id: UUID) -> Plan[Held | None]:
    """Take one slot of each limit `tag:<tag>`, waiting for them, and keep them until they are given back.

    Returns:
        What is held; None when no tag has a limit.

    Raises:
        ConcurrencySlotAcquisitionError: A limit has no slots at all.
    """
    request = SlotRequest.for_names(
        [f"tag:{tag}" for tag in sorted(tags)],
        lease_seconds=_LEASE_SECONDS,
        holder=ConcurrencyLeaseHolder(type="task_run", id=task_run_id),
        quiet=True,
    )
    held = yield from plan_acquire(request)
    if held is not None and held.lease_id is not None:
        names = [limit.name for limit in held.limits]
        _leases.keeper.keep(held.lease_id, _LEASE_SECONDS, lambda error: _leases.warn_lost(names, error))
    return held


def release_tag_slots(held: Held | None) -> Plan[None]:
    """Give the slots back."""
    if held is None:
        return
    if held.lease_id is not None:
        _leases.keeper.let_go(held.lease_id)
    yield from plan_release(held)
