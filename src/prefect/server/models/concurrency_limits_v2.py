"""Global concurrency limits: named limits of which any code can take slots."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from prefect.client.schemas.actions import ConcurrencyLimitV2Create, ConcurrencyLimitV2Update
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse, MinimalConcurrencyLimitResponse
from prefect.server.database.store import Transaction
from prefect.server.models._limit_slots import (
    COLUMNS,
    MOST_SLOTS,
    LimitSlots,
    limit_from_row,
    lock_limits,
    lock_limits_by_name,
    seconds,
    store_slots,
)
from prefect.server.models._rows import decode_time, placeholders
from prefect.server.models._statements import delete_row, update_row
from prefect.server.models.concurrency_leases import grant_lease, reclaim_slots
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.server.models.events import record_event
from prefect.server.schemas.core import ConcurrencyLimitV2

Mode = Literal["concurrency", "rate_limit"]

_FIRST_OCCUPANCY_SECONDS = 2.0
"""How long slots of a new limit are expected to be held, until there are measurements."""

# What expired leases still hold counts as free: no process has to reclaim it first.
_READ = (
    f"SELECT {COLUMNS}, (SELECT COALESCE(SUM(slot.slots), 0) FROM concurrency_lease_slot AS slot "
    "JOIN concurrency_lease AS lease ON lease.id = slot.lease_id "
    "WHERE slot.limit_id = concurrency_limit.id AND lease.expiration <= ?) AS expired_slots FROM concurrency_limit"
)


# -- limits ----------------------------------------------------------------------------------------------------------


def create_limit(tx: Transaction, wanted: ConcurrencyLimitV2Create) -> ConcurrencyLimitV2:
    """Store a new limit.

    Raises:
        Conflict: There is a limit of this name.
        Invalid: A number is too large to be stored.
    """
    created = store_new_limit(
        tx,
        wanted.name,
        wanted.limit,
        active=wanted.active,
        active_slots=wanted.active_slots,
        denied_slots=wanted.denied_slots,
        slot_decay_per_second=wanted.slot_decay_per_second,
    )
    if created is None:
        raise Conflict(_taken(wanted.name))
    return ConcurrencyLimitV2(
        id=created.id,
        created=tx.now,
        updated=tx.now,
        active=created.active,
        name=created.name,
        limit=created.limit,
        active_slots=created.active_slots,
        denied_slots=created.denied_slots,
        slot_decay_per_second=created.decay_per_second,
        avg_slot_occupancy_seconds=created.occupancy_seconds,
    )


def store_new_limit(
    tx: Transaction,
    name: str,
    limit: int,
    *,
    active: bool = True,
    active_slots: int = 0,
    denied_slots: int = 0,
    slot_decay_per_second: float = 0.0,
) -> LimitSlots | None:
    """Store a limit; None when there is one of this name already.

    Raises:
        Invalid: A number is too large to be stored.
    """
    _require_storable(name, {"limit": limit, "active_slots": active_slots, "denied_slots": denied_slots})
    now = seconds(tx.now)
    created = LimitSlots(
        id=uuid4(),
        created=tx.now,
        updated=tx.now,
        name=name,
        limit=limit,
        active=active,
        active_slots=active_slots,
        decay_per_second=slot_decay_per_second,
        occupancy_seconds=_FIRST_OCCUPANCY_SECONDS,
        denied_slots=denied_slots,
        slots_at=now,
        denied_at=now,
    )
    stored = tx.execute(
        f"INSERT INTO concurrency_limit ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO NOTHING",
        (
            created.id,
            tx.now,
            tx.now,
            name,
            limit,
            active,
            active_slots,
            slot_decay_per_second,
            created.occupancy_seconds,
            denied_slots,
            now,
            now,
        ),
    )
    if not stored:
        return None
    record_limit_event(tx, "created", created)
    return created


def read_limit(tx: Transaction, id_or_name: UUID | str) -> GlobalConcurrencyLimitResponse:
    """The limit of an id or a name; its active slots are those of this moment.

    Raises:
        NotFound: There is none.
    """
    column, value = _key(id_or_name)
    row = tx.fetch_one(f"{_READ} WHERE {column} = ?", (tx.now, value))
    if row is None:
        raise NotFound(f"Concurrency limit {str(id_or_name)!r} not found.")
    return _response(tx, row)


def read_limits(tx: Transaction, limit: int, offset: int) -> list[GlobalConcurrencyLimitResponse]:
    """All limits, by name."""
    rows = tx.fetch_all(f"{_READ} ORDER BY name LIMIT ? OFFSET ?", (tx.now, limit, offset))
    return [_response(tx, row) for row in rows]


def read_limits_by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, GlobalConcurrencyLimitResponse]:
    """The limits of these ids, as far as they exist."""
    if not ids:
        return {}
    rows = tx.fetch_all(f"{_READ} WHERE id IN ({placeholders(len(ids))})", (tx.now, *ids))
    limits = [_response(tx, row) for row in rows]
    return {limit.id: limit for limit in limits}


def update_limit(tx: Transaction, id_or_name: UUID | str, changes: ConcurrencyLimitV2Update) -> None:
    """Change those fields of a limit that the request sets.

    Raises:
        NotFound: There is no such limit.
        Invalid: A field is set to null, or a number is too large to be stored.
        Conflict: Another limit has the new name.
    """
    current = lock_limit(tx, id_or_name)
    values: dict[str, Any] = {name: getattr(changes, name) for name in changes.model_fields_set}
    if not values:
        return
    if empty := sorted(name for name, value in values.items() if value is None):
        raise Invalid(f"Cannot set {empty[0]!r} of the limit {current.name!r} to null; leave the key out to keep it.")
    _require_storable(current.name, values)
    renamed = values.get("name", current.name)
    if renamed != current.name and tx.fetch_one("SELECT 1 FROM concurrency_limit WHERE name = ?", (renamed,)):
        raise Conflict(_taken(renamed))
    # Up to now the slots have thinned out at the old rate.
    values = {"active_slots": current.active_slots, "denied_slots": current.denied_slots} | values
    values |= {"slots_at": seconds(tx.now), "denied_at": seconds(tx.now)}
    if "limit" in values:
        values["slot_limit"] = values.pop("limit")
    update_row(tx, "concurrency_limit", current.id, values)
    record_limit_event(tx, "updated", lock_limits(tx, [current.id])[0])


def delete_limit(tx: Transaction, id_or_name: UUID | str) -> None:
    """Delete a limit. Leases on its slots live on and hold nothing of it.

    Raises:
        NotFound: There is no such limit.
    """
    current = lock_limit(tx, id_or_name)
    if delete_row(tx, "concurrency_limit", current.id):
        record_limit_event(tx, "deleted", current)


def _require_storable(name: str, values: Mapping[str, Any]) -> None:
    for field in ("limit", "active_slots", "denied_slots"):
        if values.get(field, 0) > MOST_SLOTS:
            raise Invalid(f"{field!r} of the limit {name!r} is {values[field]}; expected at most {MOST_SLOTS}.")


def lock_limit(tx: Transaction, id_or_name: UUID | str) -> LimitSlots:
    """The limit of an id or a name, settled and kept from changing until the transaction ends.

    Raises:
        NotFound: There is none.
    """
    column, value = _key(id_or_name)
    found = lock_limits(tx, [value]) if column == "id" else lock_limits_by_name(tx, [str(value)])
    if not found:
        raise NotFound(f"Concurrency limit {str(id_or_name)!r} not found.")
    return found[0]


# -- slots -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What came of the wish for slots.

    Attributes:
        limits: The limits that exist, by name.
        retry_after_seconds: How long to wait before another try; None when the slots were taken.
        full: The limits that had no room.
        lease_id: The lease that holds the slots, where one was asked for.
    """

    limits: list[MinimalConcurrencyLimitResponse]
    retry_after_seconds: float | None = None
    full: tuple[str, ...] = ()
    lease_id: UUID | None = None


def acquire_slots(tx: Transaction, names: Sequence[str], slots: int, mode: Mode = "concurrency") -> Acquisition:
    """Take slots of every one of these limits, or of none. Limits that do not exist, or are inactive, impose nothing.

    Raises:
        Invalid: A limit is smaller than what is asked for, or has no decay and is to limit a rate.
    """
    return _acquire(tx, names, slots, mode)[0]


def acquire_slots_with_lease(
    tx: Transaction,
    names: Sequence[str],
    slots: int,
    duration: timedelta,
    mode: Mode = "concurrency",
    holder: ConcurrencyLeaseHolder | None = None,
) -> Acquisition:
    """Take slots as `acquire_slots` does, on a lease: unless it is renewed, they come free when it runs out.

    Raises:
        Invalid: A limit is smaller than what is asked for, or has no decay and is to limit a rate.
    """
    acquisition, taken_of = _acquire(tx, names, slots, mode)
    if acquisition.retry_after_seconds is not None:
        return acquisition
    return Acquisition(acquisition.limits, lease_id=grant_lease(tx, taken_of, slots, duration, holder))


def _acquire(tx: Transaction, names: Sequence[str], slots: int, mode: Mode) -> tuple[Acquisition, list[LimitSlots]]:
    limits = lock_limits_by_name(tx, names)
    active = [limit for limit in limits if limit.active]
    _require_possible(active, slots, mode)
    answer = [minimal(limit) for limit in sorted(limits, key=lambda limit: limit.name)]
    full = [limit for limit in active if not limit.has_room_for(slots)]
    if full and reclaim_slots(tx, full):
        full = [limit for limit in full if not limit.has_room_for(slots)]
    if full:
        now = seconds(tx.now)
        wait = max(limit.wait_seconds(slots, now) for limit in full)
        for limit in full:
            limit.denied_slots += slots
            store_slots(tx, limit)
        return Acquisition(answer, wait, tuple(limit.name for limit in full)), []
    for limit in active:
        limit.active_slots += slots
        store_slots(tx, limit)
    return Acquisition(answer), active


def _require_possible(limits: Sequence[LimitSlots], slots: int, mode: Mode) -> None:
    for limit in limits:
        if limit.limit < slots:
            raise Invalid(
                f"Cannot take {slots} slots of the limit {limit.name!r}: it has {limit.limit}. Ask for fewer, or raise "
                "the limit."
            )
    if mode == "rate_limit" and (without := sorted(repr(x.name) for x in limits if x.decay_per_second <= 0)):
        raise Invalid(
            "Only limits whose slots decay can limit a rate. Set `slot_decay_per_second` of these limits: "
            f"{', '.join(without)}."
        )


def release_slots(
    tx: Transaction, names: Sequence[str], slots: int, occupancy_seconds: float | None = None
) -> list[MinimalConcurrencyLimitResponse]:
    """Give slots of limits back; never more than are taken.

    Args:
        names: The limits; those that do not exist are ignored.
        slots: How many of each.
        occupancy_seconds: How long they were held, from which later waiting times are estimated.
    """
    limits = lock_limits_by_name(tx, names)
    for limit in limits:
        limit.give_back(slots, occupancy_seconds)
        store_slots(tx, limit)
    return [minimal(limit) for limit in sorted(limits, key=lambda limit: limit.name)]


# -- shapes ----------------------------------------------------------------------------------------------------------


def minimal(limit: LimitSlots) -> MinimalConcurrencyLimitResponse:
    """What those who take slots are told of a limit."""
    return MinimalConcurrencyLimitResponse(id=limit.id, name=limit.name, limit=limit.limit)


def _response(tx: Transaction, row: Any) -> GlobalConcurrencyLimitResponse:
    limit = limit_from_row(row)
    limit.settle(seconds(tx.now))
    return GlobalConcurrencyLimitResponse(
        id=limit.id,
        created=decode_time(limit.created),
        updated=decode_time(limit.updated),
        active=limit.active,
        name=limit.name,
        limit=limit.limit,
        active_slots=max(0, limit.active_slots - row["expired_slots"]),
        slot_decay_per_second=limit.decay_per_second,
    )


def _key(id_or_name: UUID | str) -> tuple[str, Any]:
    if isinstance(id_or_name, UUID):
        return "id", id_or_name
    try:
        return "id", UUID(id_or_name)
    except ValueError:
        return "name", id_or_name


def _taken(name: str) -> str:
    return f"A concurrency limit with the name {name!r} exists already. Update that one, or choose another name."


def record_limit_event(tx: Transaction, what: str, limit: LimitSlots) -> None:
    """Store the event that tells of a change to a limit."""
    record_event(
        tx,
        f"prefect.concurrency-limit.{what}",
        {"prefect.resource.id": f"prefect.concurrency-limit.{limit.id}", "prefect.resource.name": limit.name},
        payload={
            "name": limit.name,
            "limit": limit.limit,
            "active": limit.active,
            "slot_decay_per_second": limit.decay_per_second,
        },
    )
