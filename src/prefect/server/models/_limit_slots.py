"""The slots of concurrency limits as rows: locked, thinned out by decay, taken and given back.

Whoever changes slots locks the rows of all limits first, in the order of their ids, and the leases after them. So two
transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models._rows import placeholders
from prefect.settings import get_current_settings
from prefect.utilities.math import clamped_poisson_interval

TAG_PREFIX = "tag:"
"""What the names of limits on task runs with a tag begin with."""

COLUMNS = (
    "id, created, updated, name, slot_limit, active, active_slots, slot_decay_per_second, "
    "avg_slot_occupancy_seconds, denied_slots, slots_at, denied_at"
)

_LEAST_OCCUPANCY_SECONDS = 0.1
"""Slots that are held for less are not waited for more often than this."""
_DENIED_SHARE = 0.25
"""How much of the demand that found no slot counts as a queue. Those who wait come back independently of each other: if
they came as seldom as slots come free, half of the slots would stand empty."""
_LONGEST_DECAY_SECONDS = 3600.0
"""However slowly slots decay, somebody may raise the limit or the decay meanwhile."""
_ROUNDING = 1e-6

MOST_SLOTS = 2**31 - 1
"""The largest number that the columns of slots hold."""


@dataclass(slots=True)
class LimitSlots:
    """One limit and its slots. Instants are seconds since the epoch."""

    id: UUID
    created: Any
    updated: Any
    name: str
    limit: int
    active: bool
    active_slots: int
    decay_per_second: float
    occupancy_seconds: float
    denied_slots: int
    slots_at: float
    denied_at: float

    def settle(self, now: float) -> None:
        """Let go of the slots, and forget the denied demand, that time has taken care of."""
        self.active_slots, self.slots_at = _thinned(self.active_slots, self.decay_per_second, self.slots_at, now)
        served_per_second = self.decay_per_second or max(self.limit, 1) / self._occupancy()
        self.denied_slots, self.denied_at = _thinned(self.denied_slots, served_per_second, self.denied_at, now)

    def has_room_for(self, slots: int) -> bool:
        """Whether so many slots are free."""
        return self.active_slots + slots <= self.limit

    def give_back(self, slots: int, occupancy_seconds: float | None = None) -> None:
        """Free slots, and learn from how long they were held."""
        self.active_slots = max(0, self.active_slots - slots)
        if occupancy_seconds is not None:
            # Each of the limit's slots counts as one measurement, twice as many make up the average.
            weight = 1 / (2 * max(self.limit, 1))
            self.occupancy_seconds += (max(occupancy_seconds, 0.0) - self.occupancy_seconds) * weight

    def wait_seconds(self, slots: int, now: float) -> float:
        """How long to wait before another try for so many slots, drawn around what is to be expected."""
        if self.decay_per_second > 0:
            missing = self.active_slots + slots - self.limit
            expected = (missing + self.denied_slots) / self.decay_per_second - (now - self.slots_at)
            expected = min(expected, _LONGEST_DECAY_SECONDS)
        else:
            queue = slots + self.denied_slots * _DENIED_SHARE
            expected = min(self._occupancy() * queue / max(self.limit, 1), self._longest_wait())
        return clamped_poisson_interval(expected, clamping_factor=0.3) if expected > 0 else 0.0

    def _longest_wait(self) -> float:
        server = get_current_settings().server
        if self.name.startswith(TAG_PREFIX):
            return server.tasks.tag_concurrency_slot_wait_seconds
        return server.concurrency.maximum_concurrency_slot_wait_seconds

    def _occupancy(self) -> float:
        return max(self.occupancy_seconds, _LEAST_OCCUPANCY_SECONDS)


def _thinned(count: int, per_second: float, since: float, now: float) -> tuple[int, float]:
    """What is left of a count that shrinks by whole steps, and the instant of its last step."""
    if count == 0 or now <= since:
        return count, since if count else now
    if per_second <= 0:
        return count, now
    due = (now - since) * per_second + _ROUNDING
    if due >= count:
        return 0, now
    return count - floor(due), since + floor(due) / per_second


def seconds(instant: datetime) -> float:
    """An instant in seconds since the epoch."""
    return instant.timestamp()


def limit_from_row(row: Any) -> LimitSlots:
    """The limit in a row of `COLUMNS`."""
    return LimitSlots(
        id=UUID(str(row["id"])),
        created=row["created"],
        updated=row["updated"],
        name=row["name"],
        limit=row["slot_limit"],
        active=bool(row["active"]),
        active_slots=row["active_slots"],
        decay_per_second=row["slot_decay_per_second"],
        occupancy_seconds=row["avg_slot_occupancy_seconds"],
        denied_slots=row["denied_slots"],
        slots_at=row["slots_at"],
        denied_at=row["denied_at"],
    )


def lock_limits_by_name(tx: Transaction, names: Iterable[str]) -> list[LimitSlots]:
    """The limits of these names, as far as they exist, settled and kept from changing until the transaction ends."""
    return _lock(tx, "name", list(dict.fromkeys(names)))


def lock_limits(tx: Transaction, ids: Iterable[UUID]) -> list[LimitSlots]:
    """The limits of these ids, as far as they exist, settled and kept from changing until the transaction ends."""
    return _lock(tx, "id", list(ids))


def _lock(tx: Transaction, column: str, values: list[Any]) -> list[LimitSlots]:
    if not values:
        return []
    rows = tx.fetch_all(
        f"SELECT {COLUMNS} FROM concurrency_limit WHERE {column} IN ({placeholders(len(values))}) "
        f"ORDER BY id{tx.dialect.for_update()}",
        values,
    )
    limits = [limit_from_row(row) for row in rows]
    now = seconds(tx.now)
    for limit in limits:
        limit.settle(now)
    return limits


def store_slots(tx: Transaction, limit: LimitSlots) -> None:
    """Store what has changed about the slots of a locked limit."""
    tx.execute(
        "UPDATE concurrency_limit SET active_slots = ?, denied_slots = ?, slots_at = ?, denied_at = ?, "
        "avg_slot_occupancy_seconds = ?, updated = ? WHERE id = ?",
        (
            limit.active_slots,
            limit.denied_slots,
            limit.slots_at,
            limit.denied_at,
            limit.occupancy_seconds,
            tx.now,
            limit.id,
        ),
    )
