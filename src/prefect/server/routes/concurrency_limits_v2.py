"""The routes of global concurrency limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import ConcurrencyLimitV2Create, ConcurrencyLimitV2Update
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.client.schemas.responses import (
    ConcurrencyLimitWithLeaseResponse,
    GlobalConcurrencyLimitResponse,
    MinimalConcurrencyLimitResponse,
)
from prefect.server.database.store import Store, Transaction
from prefect.server.models import concurrency_leases
from prefect.server.models import concurrency_limits_v2 as models
from prefect.server.models.concurrency_limits_v2 import Acquisition, Mode
from prefect.server.models.errors import ApiError
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route
from prefect.server.schemas.core import ConcurrencyLimitV2

_TAGS = ("Concurrency Limits V2",)

Slots = Annotated[int, Field(gt=0)]
Names = Annotated[list[str], Field(json_schema_extra={"min_items": 1})]
LeaseSeconds = Annotated[float, Field(ge=60, le=86400)]
Deprecated = Field(json_schema_extra={"deprecated": True})


def locked(acquisition: Acquisition) -> ApiError:
    """What those are told who found a limit full: when to try again."""
    names = ", ".join(repr(name) for name in acquisition.full)
    return ApiError(
        423,
        f"Locked: no free slot of {names}. Try again later.",
        headers={"Retry-After": str(acquisition.retry_after_seconds)},
    )


@route("POST", "/v2/concurrency_limits/", status=201, tags=_TAGS)
def create_concurrency_limit_v2(
    tx: Transaction, concurrency_limit: Whole[ConcurrencyLimitV2Create]
) -> ConcurrencyLimitV2:
    """Create a limit."""
    return models.create_limit(tx, concurrency_limit)


@route("GET", "/v2/concurrency_limits/{id_or_name}", writes=False, tags=_TAGS)
def read_concurrency_limit_v2(tx: Transaction, id_or_name: UUID | str) -> GlobalConcurrencyLimitResponse:
    """Read a limit by its id or its name."""
    return models.read_limit(tx, id_or_name)


@route("POST", "/v2/concurrency_limits/filter", writes=False, tags=_TAGS)
def read_all_concurrency_limits_v2(
    tx: Transaction, limit: int = ABSENT, offset: Annotated[int, Field(ge=0)] = 0
) -> list[GlobalConcurrencyLimitResponse]:
    """Read all limits."""
    return models.read_limits(tx, checked_limit(limit), offset)


@route("PATCH", "/v2/concurrency_limits/{id_or_name}", status=204, tags=_TAGS)
def update_concurrency_limit_v2(
    tx: Transaction, id_or_name: UUID | str, concurrency_limit: Whole[ConcurrencyLimitV2Update]
) -> None:
    """Change a limit."""
    models.update_limit(tx, id_or_name, concurrency_limit)


@route("DELETE", "/v2/concurrency_limits/{id_or_name}", status=204, tags=_TAGS)
def delete_concurrency_limit_v2(tx: Transaction, id_or_name: UUID | str) -> None:
    """Delete a limit."""
    models.delete_limit(tx, id_or_name)


# The next two open their own transaction: that no slot was free is stored too, and must outlive the refusal.


@route("POST", "/v2/concurrency_limits/increment", tags=_TAGS)
def bulk_increment_active_slots(
    store: Store,
    slots: Slots,
    names: Names,
    mode: Mode = "concurrency",
    create_if_missing: Annotated[bool | None, Deprecated] = None,
) -> list[MinimalConcurrencyLimitResponse]:
    """Take slots of all of these limits, or of none; those that do not exist are ignored."""
    acquisition = store.write(lambda tx: models.acquire_slots(tx, names, slots, mode))
    if acquisition.retry_after_seconds is not None:
        raise locked(acquisition)
    return acquisition.limits


@route("POST", "/v2/concurrency_limits/increment-with-lease", tags=_TAGS)
def bulk_increment_active_slots_with_lease(
    store: Store,
    slots: Slots,
    names: Names,
    mode: Mode = "concurrency",
    lease_duration: LeaseSeconds = 300,
    holder: ConcurrencyLeaseHolder | None = None,
) -> ConcurrencyLimitWithLeaseResponse:
    """Take slots of all of these limits, or of none, until they are given back or the lease runs out."""
    duration = timedelta(seconds=lease_duration)
    acquisition = store.write(lambda tx: models.acquire_slots_with_lease(tx, names, slots, duration, mode, holder))
    if acquisition.lease_id is None:
        raise locked(acquisition)
    return ConcurrencyLimitWithLeaseResponse(lease_id=acquisition.lease_id, limits=acquisition.limits)


@route("POST", "/v2/concurrency_limits/decrement", tags=_TAGS)
def bulk_decrement_active_slots(
    tx: Transaction,
    slots: Slots,
    names: Names,
    occupancy_seconds: Annotated[float, Field(gt=0)] | None = None,
    create_if_missing: Annotated[bool, Deprecated] = ABSENT,
) -> list[MinimalConcurrencyLimitResponse]:
    """Give slots back."""
    return models.release_slots(tx, names, slots, occupancy_seconds)


@route("POST", "/v2/concurrency_limits/decrement-with-lease", status=204, tags=_TAGS)
def bulk_decrement_active_slots_with_lease(tx: Transaction, lease_id: UUID) -> None:
    """Give back the slots of a lease; of one that is gone there is nothing to give back."""
    concurrency_leases.release_lease(tx, lease_id)


@route("POST", "/v2/concurrency_limits/leases/{lease_id}/renew", status=204, tags=_TAGS)
def renew_concurrency_lease(tx: Transaction, lease_id: UUID, lease_duration: LeaseSeconds = 300) -> None:
    """Let a lease last longer."""
    if not concurrency_leases.renew_lease(tx, lease_id, timedelta(seconds=lease_duration)):
        raise ApiError(
            410, f"The lease {str(lease_id)!r} is gone: it ran out, or its slots were given back. Take slots again."
        )
