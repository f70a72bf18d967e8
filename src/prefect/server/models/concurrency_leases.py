"""Leases on the slots of concurrency limits: held by somebody until an instant, renewed while they live.

A lease that has run out gives its slots back. The repossessor does so in rounds (`run_once`), and whoever finds a limit
full does so for that limit at once: no process has to run for slots to come free. Leases are rows, so that all
processes and servers on one database share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.server.database.store import Transaction
from prefect.server.models._limit_slots import LimitSlots, lock_limits, seconds, store_slots
from prefect.server.models._rows import decode_time, placeholders

BATCH = 100
"""How many leases one round of the repossessor takes back at most."""

UNLIMITED = timedelta(days=36500)
"""The duration of leases that are held until they are given back."""


def grant_lease(
    tx: Transaction,
    limits: Sequence[LimitSlots],
    slots: int,
    duration: timedelta,
    holder: ConcurrencyLeaseHolder | None = None,
) -> UUID:
    """Write down that somebody holds slots, which were taken of each of these limits."""
    id = uuid4()
    tx.execute(
        "INSERT INTO concurrency_lease (id, created, expiration, holder_type, holder_id) VALUES (?, ?, ?, ?, ?)",
        (
            id,
            tx.now,
            tx.now + duration,
            None if holder is None else holder.type,
            None if holder is None else holder.id,
        ),
    )
    for limit in limits:
        tx.execute(
            "INSERT INTO concurrency_lease_slot (lease_id, limit_id, slots) VALUES (?, ?, ?)", (id, limit.id, slots)
        )
    return id


def renew_lease(tx: Transaction, id: UUID, duration: timedelta) -> bool:
    """Let a lease last for so long from now on; whether it is still there."""
    renewed = tx.execute(
        "UPDATE concurrency_lease SET expiration = ? WHERE id = ? AND expiration > ?", (tx.now + duration, id, tx.now)
    )
    return renewed == 1


def release_lease(tx: Transaction, id: UUID) -> bool:
    """Give the slots of a lease back; whether it was still there."""
    limits = _lock_limits_of(tx, "lease_id = ?", (id,))
    lease = tx.fetch_one(f"SELECT id, created FROM concurrency_lease WHERE id = ?{tx.dialect.for_update()}", (id,))
    if lease is None:
        return False
    _give_back(tx, limits, [lease])
    return True


def release_holder(tx: Transaction, holder_id: UUID, limit_ids: Sequence[UUID] | None = None) -> None:
    """Give back all slots that somebody holds, or those of some limits."""
    held = tx.fetch_all(
        "SELECT DISTINCT limit_id FROM concurrency_lease_slot WHERE lease_id IN "
        "(SELECT id FROM concurrency_lease WHERE holder_id = ?)",
        (holder_id,),
    )
    ids = {UUID(str(row["limit_id"])) for row in held}
    limits = lock_limits(tx, ids if limit_ids is None else ids.intersection(limit_ids))
    leases = tx.fetch_all(
        f"SELECT id, created FROM concurrency_lease WHERE holder_id = ? ORDER BY id{tx.dialect.for_update()}",
        (holder_id,),
    )
    _give_back(tx, limits, leases)


def release_limit(tx: Transaction, limit: LimitSlots) -> None:
    """Take all leases on a locked limit back, and free its slots."""
    leases = tx.fetch_all(
        "SELECT id, created FROM concurrency_lease WHERE id IN "
        f"(SELECT lease_id FROM concurrency_lease_slot WHERE limit_id = ?) ORDER BY id{tx.dialect.for_update()}",
        (limit.id,),
    )
    _give_back(tx, [limit], leases)
    limit.active_slots = 0
    store_slots(tx, limit)


def reclaim_slots(tx: Transaction, limits: Sequence[LimitSlots]) -> bool:
    """Free what expired leases hold of these locked limits; whether there was anything.

    What the same leases hold of other limits is left to the repossessor: those are not locked.
    """
    leases = tx.fetch_all(
        "SELECT id, created FROM concurrency_lease WHERE expiration <= ? AND id IN (SELECT lease_id "
        f"FROM concurrency_lease_slot WHERE limit_id IN ({placeholders(len(limits))})) "
        f"ORDER BY id{tx.dialect.for_update()}",
        (tx.now, *(limit.id for limit in limits)),
    )
    if leases:
        _give_back(tx, limits, leases)
    return bool(leases)


def run_once(tx: Transaction, now: datetime) -> int:
    """Take expired leases back: one round of the repossessor.

    Args:
        now: Leases that expire at this instant or before have run out.

    Returns:
        How many leases were taken back, at most `BATCH`.
    """
    candidates = [
        row["id"]
        for row in tx.fetch_all(
            "SELECT id FROM concurrency_lease WHERE expiration <= ? ORDER BY expiration LIMIT ?", (now, BATCH)
        )
    ]
    if not candidates:
        return 0
    chosen = placeholders(len(candidates))
    limits = _lock_limits_of(tx, f"lease_id IN ({chosen})", candidates)
    # One that was renewed while the limits were waited for is not expired any more.
    leases = tx.fetch_all(
        f"SELECT id, created FROM concurrency_lease WHERE id IN ({chosen}) AND expiration <= ? "
        f"ORDER BY id{tx.dialect.for_update()}",
        (*candidates, now),
    )
    _give_back(tx, limits, leases)
    return len(leases)


@dataclass(frozen=True, slots=True)
class HeldSlots:
    """What one lease holds of one limit."""

    lease_id: UUID
    limit_id: UUID
    slots: int
    holder_type: str | None
    holder_id: UUID | None
    expiration: datetime


def read_held_slots(tx: Transaction, limit_ids: Sequence[UUID]) -> list[HeldSlots]:
    """Who holds slots of these limits, longest holders first. Expired leases hold nothing."""
    if not limit_ids:
        return []
    rows = tx.fetch_all(
        "SELECT lease.id, slot.limit_id, slot.slots, lease.holder_type, lease.holder_id, lease.expiration "
        "FROM concurrency_lease_slot AS slot JOIN concurrency_lease AS lease ON lease.id = slot.lease_id "
        f"WHERE slot.limit_id IN ({placeholders(len(limit_ids))}) AND lease.expiration > ? "
        "ORDER BY lease.created, lease.id",
        (*limit_ids, tx.now),
    )
    return [
        HeldSlots(
            lease_id=UUID(str(row["id"])),
            limit_id=UUID(str(row["limit_id"])),
            slots=row["slots"],
            holder_type=row["holder_type"],
            holder_id=None if row["holder_id"] is None else UUID(str(row["holder_id"])),
            expiration=_time(row["expiration"]),
        )
        for row in rows
    ]


# -- giving back -----------------------------------------------------------------------------------------------------


def _lock_limits_of(tx: Transaction, condition: str, params: Sequence[Any]) -> list[LimitSlots]:
    rows = tx.fetch_all(f"SELECT DISTINCT limit_id FROM concurrency_lease_slot WHERE {condition}", params)
    return lock_limits(tx, [row["limit_id"] for row in rows])


def _give_back(tx: Transaction, limits: Sequence[LimitSlots], leases: Sequence[Any]) -> None:
    """Return to locked limits what locked leases hold of them; leases that then hold nothing are gone."""
    by_id = {limit.id: limit for limit in limits}
    now = seconds(tx.now)
    for lease in leases:
        held_seconds = now - seconds(_time(lease["created"]))
        for limit_id, slots in _delete_slots(tx, lease["id"], list(by_id)):
            by_id[limit_id].give_back(slots, held_seconds)
        tx.execute(
            "DELETE FROM concurrency_lease WHERE id = ? "
            "AND NOT EXISTS (SELECT 1 FROM concurrency_lease_slot WHERE lease_id = concurrency_lease.id)",
            (lease["id"],),
        )
    for limit in limits:
        store_slots(tx, limit)


def _delete_slots(tx: Transaction, lease_id: UUID, limit_ids: list[UUID]) -> list[tuple[UUID, int]]:
    if not limit_ids:
        return []
    rows = tx.fetch_all(
        f"DELETE FROM concurrency_lease_slot WHERE lease_id = ? AND limit_id IN ({placeholders(len(limit_ids))}) "
        "RETURNING limit_id, slots",
        (lease_id, *limit_ids),
    )
    return [(UUID(str(row["limit_id"])), row["slots"]) for row in rows]


def _time(value: Any) -> datetime:
    instant = decode_time(value)
    assert instant is not None
    return instant
