"""Requests about concurrency limits, their slots and leases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import EXISTS, NOT_FOUND, Call, Steps, given, id_of, many, nothing, one
from prefect.client.schemas.actions import (
    ConcurrencyLimitCreate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)
from prefect.client.schemas.objects import ConcurrencyLimit
from prefect.client.schemas.responses import (
    ConcurrencyLimitWithLeaseResponse,
    GlobalConcurrencyLimitResponse,
    MinimalConcurrencyLimitResponse,
)
from prefect.exceptions import ObjectNotFound


def create_concurrency_limit(tag: str, concurrency_limit: int) -> Call[UUID]:
    """Limit how many task runs of a tag run at once."""
    body = ConcurrencyLimitCreate(tag=tag, concurrency_limit=concurrency_limit)
    return Call("POST", "/concurrency_limits/", body=body, parse=id_of)


def read_concurrency_limit_by_tag(tag: str) -> Call[ConcurrencyLimit]:
    """Read the limit of a tag."""
    return Call("GET", "/concurrency_limits/tag/{tag}", {"tag": tag}, parse=one(ConcurrencyLimit), errors=NOT_FOUND)


def read_concurrency_limits(limit: int, offset: int) -> Call[list[ConcurrencyLimit]]:
    """Read the limits of tags."""
    body = {"limit": limit, "offset": offset}
    return Call("POST", "/concurrency_limits/filter", body=body, parse=many(ConcurrencyLimit))


def reset_concurrency_limit_by_tag(tag: str, slot_override: Any = None) -> Call[None]:
    """Free all slots of a tag, or give them to the task runs named."""
    body = given(slot_override=[str(id) for id in slot_override] if slot_override is not None else None)
    return Call("POST", "/concurrency_limits/tag/{tag}/reset", {"tag": tag}, body=body, parse=nothing, errors=NOT_FOUND)


def delete_concurrency_limit_by_tag(tag: str) -> Call[None]:
    """Delete the limit of a tag."""
    return Call("DELETE", "/concurrency_limits/tag/{tag}", {"tag": tag}, parse=nothing, errors=NOT_FOUND)


def increment_v1_concurrency_slots(names: list[str], task_run_id: UUID) -> Call[list[MinimalConcurrencyLimitResponse]]:
    """Take one slot of each tag for a task run."""
    body = {"names": names, "task_run_id": task_run_id}
    return Call("POST", "/concurrency_limits/increment", body=body, parse=many(MinimalConcurrencyLimitResponse))


def decrement_v1_concurrency_slots(names: list[str], task_run_id: UUID, occupancy_seconds: float) -> Call[None]:
    """Give the slots of a task run back."""
    body = {"names": names, "task_run_id": task_run_id}
    return Call("POST", "/concurrency_limits/decrement", body=body, parse=nothing)


def create_global_concurrency_limit(concurrency_limit: GlobalConcurrencyLimitCreate) -> Call[UUID]:
    """Create a global limit."""
    return Call("POST", "/v2/concurrency_limits/", body=concurrency_limit, parse=id_of, errors=EXISTS)


def update_global_concurrency_limit(name: str, concurrency_limit: GlobalConcurrencyLimitUpdate) -> Call[None]:
    """Change a global limit."""
    return Call(
        "PATCH",
        "/v2/concurrency_limits/{id_or_name}",
        {"id_or_name": name},
        body=concurrency_limit,
        parse=nothing,
        errors=NOT_FOUND,
    )


def delete_global_concurrency_limit_by_name(name: str) -> Call[None]:
    """Delete a global limit."""
    return Call("DELETE", "/v2/concurrency_limits/{id_or_name}", {"id_or_name": name}, parse=nothing, errors=NOT_FOUND)


def read_global_concurrency_limit_by_name(name: str) -> Call[GlobalConcurrencyLimitResponse]:
    """Read a global limit."""
    return Call(
        "GET",
        "/v2/concurrency_limits/{id_or_name}",
        {"id_or_name": name},
        parse=one(GlobalConcurrencyLimitResponse),
        errors=NOT_FOUND,
    )


def read_global_concurrency_limits(limit: int = 10, offset: int = 0) -> Call[list[GlobalConcurrencyLimitResponse]]:
    """Read global limits."""
    body = {"limit": limit, "offset": offset}
    return Call("POST", "/v2/concurrency_limits/filter", body=body, parse=many(GlobalConcurrencyLimitResponse))


def upsert_global_concurrency_limit_by_name(
    name: str, limit: int, slot_decay_per_second: float | None = None
) -> Steps[None]:
    """Create a global limit, or change the one of this name."""
    try:
        yield read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        yield create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=name, limit=limit, **given(slot_decay_per_second=slot_decay_per_second))
        )
    else:
        changed = GlobalConcurrencyLimitUpdate(limit=limit, **given(slot_decay_per_second=slot_decay_per_second))
        yield update_global_concurrency_limit(name, changed)


def increment_concurrency_slots(names: list[str], slots: int, mode: str) -> Call[list[MinimalConcurrencyLimitResponse]]:
    """Take slots of each named limit, of all or of none."""
    body = {"names": names, "slots": slots, "mode": mode}
    return Call("POST", "/v2/concurrency_limits/increment", body=body, parse=many(MinimalConcurrencyLimitResponse))


def increment_concurrency_slots_with_lease(
    names: list[str], slots: int, mode: str, lease_duration: float, holder: Any = None
) -> Call[ConcurrencyLimitWithLeaseResponse]:
    """Take slots under a lease that ends by itself unless it is renewed."""
    body = given(names=names, slots=slots, mode=mode, lease_duration=lease_duration, holder=holder)
    return Call(
        "POST",
        "/v2/concurrency_limits/increment-with-lease",
        body=body,
        parse=one(ConcurrencyLimitWithLeaseResponse),
    )


def renew_concurrency_lease(lease_id: UUID, lease_duration: float) -> Call[None]:
    """Make a lease last longer."""
    return Call(
        "POST",
        "/v2/concurrency_limits/leases/{lease_id}/renew",
        {"lease_id": lease_id},
        body={"lease_duration": lease_duration},
        parse=nothing,
    )


def release_concurrency_slots(names: list[str], slots: int, occupancy_seconds: float) -> Call[None]:
    """Give slots back."""
    body = {"names": names, "slots": slots, "occupancy_seconds": occupancy_seconds}
    return Call("POST", "/v2/concurrency_limits/decrement", body=body, parse=nothing)


def release_concurrency_slots_with_lease(lease_id: UUID) -> Call[None]:
    """Give the slots of a lease back."""
    body = {"lease_id": lease_id}
    return Call("POST", "/v2/concurrency_limits/decrement-with-lease", body=body, parse=nothing)
