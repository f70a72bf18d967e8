"""Limits on task runs with a tag: the older view of the global limits that are called `tag:<tag>`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prefect.client.schemas.actions import ConcurrencyLimitCreate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder, ConcurrencyLimit
from prefect.client.schemas.responses import MinimalConcurrencyLimitResponse
from prefect.server.database.filters.patterns import starts_with
from prefect.server.database.store import Transaction
from prefect.server.models._limit_slots import (
    COLUMNS,
    MOST_SLOTS,
    TAG_PREFIX,
    LimitSlots,
    limit_from_row,
    lock_limits,
    lock_limits_by_name,
    store_slots,
)
from prefect.server.models._rows import decode_time, placeholders
from prefect.server.models._statements import delete_row, update_row
from prefect.server.models.concurrency_leases import (
    UNLIMITED,
    grant_lease,
    read_held_slots,
    release_holder,
    release_limit,
)
from prefect.server.models.concurrency_limits_v2 import (
    Acquisition,
    acquire_slots_with_lease,
    minimal,
    record_limit_event,
    store_new_limit,
)
from prefect.server.models.errors import ApiError, Invalid, NotFound


def set_tag_limit(tx: Transaction, wanted: ConcurrencyLimitCreate) -> tuple[ConcurrencyLimit, bool]:
    """Store a limit on a tag, in place of the one that was there.

    Returns:
        The limit, and whether it is new.

    Raises:
        Invalid: The limit is negative, or too large to be stored.
    """
    if not 0 <= wanted.concurrency_limit <= MOST_SLOTS:
        raise Invalid(f"The limit of the tag {wanted.tag!r} is {wanted.concurrency_limit}; expected 0 to {MOST_SLOTS}.")
    created = store_new_limit(tx, TAG_PREFIX + wanted.tag, wanted.concurrency_limit)
    if created is not None:
        return _tag_limits(tx, [created])[0], True
    current = _lock_by_tag(tx, wanted.tag)
    if current.limit != wanted.concurrency_limit:
        current.limit = wanted.concurrency_limit
        update_row(tx, "concurrency_limit", current.id, {"slot_limit": current.limit})
        current.updated = tx.now
        record_limit_event(tx, "updated", current)
    return _tag_limits(tx, [current])[0], False


def read_tag_limit(tx: Transaction, tag: str) -> ConcurrencyLimit:
    """The limit on a tag, with the task runs that hold its slots.

    Raises:
        NotFound: There is none.
    """
    row = tx.fetch_one(f"SELECT {COLUMNS} FROM concurrency_limit WHERE name = ?", (TAG_PREFIX + tag,))
    if row is None:
        raise _missing(tag)
    return _tag_limits(tx, [limit_from_row(row)])[0]


def read_tag_limit_by_id(tx: Transaction, id: UUID) -> ConcurrencyLimit:
    """The limit of an id, with the task runs that hold its slots.

    Raises:
        NotFound: There is none, or it is no limit on a tag.
    """
    row = tx.fetch_one(f"SELECT {COLUMNS} FROM concurrency_limit WHERE id = ?", (id,))
    if row is None or not row["name"].startswith(TAG_PREFIX):
        raise _missing(id)
    return _tag_limits(tx, [limit_from_row(row)])[0]


def read_tag_limits(tx: Transaction, limit: int, offset: int) -> list[ConcurrencyLimit]:
    """All limits on tags, by tag."""
    where = starts_with(tx.dialect, "name", TAG_PREFIX)
    rows = tx.fetch_all(
        f"SELECT {COLUMNS} FROM concurrency_limit WHERE {where.sql} ORDER BY name LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return _tag_limits(tx, [limit_from_row(row) for row in rows])


def reset_tag_limit(tx: Transaction, tag: str, slot_override: Sequence[UUID] | None) -> None:
    """Free all slots of a tag's limit, whoever holds them.

    Args:
        slot_override: Task runs that hold a slot each from now on.

    Raises:
        NotFound: There is no limit on this tag.
    """
    limit = _lock_by_tag(tx, tag)
    release_limit(tx, limit)
    for task_run_id in slot_override or ():
        grant_lease(tx, [limit], 1, UNLIMITED, ConcurrencyLeaseHolder(type="task_run", id=task_run_id))
        limit.active_slots += 1
    store_slots(tx, limit)


def delete_tag_limit(tx: Transaction, tag: str) -> None:
    """Delete the limit on a tag, with the leases on its slots.

    Raises:
        NotFound: There is none.
    """
    _delete(tx, _lock_by_tag(tx, tag))


def delete_tag_limit_by_id(tx: Transaction, id: UUID) -> None:
    """Delete the limit of an id, with the leases on its slots.

    Raises:
        NotFound: There is none, or it is no limit on a tag.
    """
    found = lock_limits(tx, [id])
    if not found or not found[0].name.startswith(TAG_PREFIX):
        raise _missing(id)
    _delete(tx, found[0])


def _delete(tx: Transaction, limit: LimitSlots) -> None:
    release_limit(tx, limit)
    if delete_row(tx, "concurrency_limit", limit.id):
        record_limit_event(tx, "deleted", limit)


# -- slots of task runs ----------------------------------------------------------------------------------------------


class DeadlockedTag(ApiError):
    """A tag's limit is 0, so that a task run with the tag would wait for ever."""

    def __init__(self, tag: str) -> None:
        super().__init__(423, f"The limit of the tag {tag!r} is 0: a task run with it would wait for ever.")
        self.tag = tag


def acquire_tag_slots(tx: Transaction, tags: Sequence[str], task_run_id: UUID) -> Acquisition:
    """Take a slot of every limit on these tags for a task run, or none. A slot that it holds already is not taken twice.

    Raises:
        DeadlockedTag: One of the limits is 0.
    """
    limits = lock_limits_by_name(tx, [TAG_PREFIX + tag for tag in tags])
    for limit in limits:
        if limit.active and limit.limit <= 0:
            raise DeadlockedTag(_tag(limit))
    held = {
        slot.limit_id
        for slot in read_held_slots(tx, [limit.id for limit in limits])
        if slot.holder_type == "task_run" and slot.holder_id == task_run_id
    }
    wanted = [limit.name for limit in limits if limit.active and limit.id not in held]
    answer = [_minimal(limit) for limit in sorted(limits, key=lambda limit: limit.name)]
    if not wanted:
        return Acquisition(answer)
    holder = ConcurrencyLeaseHolder(type="task_run", id=task_run_id)
    taken = acquire_slots_with_lease(tx, wanted, 1, UNLIMITED, holder=holder)
    return Acquisition(answer, taken.retry_after_seconds, taken.full, taken.lease_id)


def release_tag_slots(tx: Transaction, tags: Sequence[str], task_run_id: UUID) -> list[MinimalConcurrencyLimitResponse]:
    """Give back the slots that a task run holds of the limits on these tags; those limits, by tag."""
    names = [TAG_PREFIX + tag for tag in tags]
    if not names:
        return []
    rows = tx.fetch_all(
        f"SELECT {COLUMNS} FROM concurrency_limit WHERE name IN ({placeholders(len(names))}) ORDER BY name", names
    )
    limits = [limit_from_row(row) for row in rows]
    release_holder(tx, task_run_id, [limit.id for limit in limits])
    return [_minimal(limit) for limit in limits]


# -- shapes ----------------------------------------------------------------------------------------------------------


def _lock_by_tag(tx: Transaction, tag: str) -> LimitSlots:
    found = lock_limits_by_name(tx, [TAG_PREFIX + tag])
    if not found:
        raise _missing(tag)
    return found[0]


def _missing(key: UUID | str) -> NotFound:
    return NotFound(f"Concurrency limit {str(key)!r} not found.")


def _tag(limit: LimitSlots) -> str:
    return limit.name.removeprefix(TAG_PREFIX)


def _minimal(limit: LimitSlots) -> MinimalConcurrencyLimitResponse:
    return minimal(limit).model_copy(update={"name": _tag(limit)})


def _tag_limits(tx: Transaction, limits: Sequence[LimitSlots]) -> list[ConcurrencyLimit]:
    holders: dict[UUID, list[UUID]] = {limit.id: [] for limit in limits}
    for slot in read_held_slots(tx, list(holders)):
        if slot.holder_type == "task_run" and slot.holder_id is not None:
            holders[slot.limit_id].append(slot.holder_id)
    return [
        ConcurrencyLimit(
            id=limit.id,
            created=decode_time(limit.created),
            updated=decode_time(limit.updated),
            tag=_tag(limit),
            concurrency_limit=limit.limit,
            active_slots=holders[limit.id],
        )
        for limit in limits
    ]
