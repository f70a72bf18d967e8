"""How many runs of a deployment may go at once: a limit of its own, or one that others use too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models._limit_slots import lock_limits
from prefect.server.models._statements import update_row
from prefect.server.models.concurrency_limits_v2 import (
    delete_limit,
    lock_limit,
    record_limit_event,
    store_new_limit,
)
from prefect.server.models.errors import NotFound


def own_limit_name(deployment_id: UUID) -> str:
    """The name of the limit that belongs to a deployment alone."""
    return f"deployment:{deployment_id}"


def set_own_limit(tx: Transaction, record: dict[str, Any], limit: int | None) -> UUID | None:
    """Give a deployment a limit of its own, or none.

    Returns:
        The id of the limit.
    """
    if limit is None:
        drop_own_limit(tx, record)
        return None
    name = own_limit_name(record["id"])
    created = store_new_limit(tx, name, limit)
    if created is not None:
        return created.id
    current = lock_limit(tx, name)
    if current.limit != limit:
        update_row(tx, "concurrency_limit", current.id, {"slot_limit": limit})
        current.limit = limit
        record_limit_event(tx, "updated", current)
    return current.id


def link_limit(tx: Transaction, record: dict[str, Any], limit_id: UUID) -> UUID:
    """Let runs of a deployment take slots of a limit that exists; one of its own is deleted.

    Raises:
        NotFound: There is no such limit.
    """
    if not lock_limits(tx, [limit_id]):
        raise NotFound(f"Concurrency limit {str(limit_id)!r} not found")
    if record["concurrency_limit_id"] != limit_id:
        drop_own_limit(tx, record)
    return limit_id


def drop_own_limit(tx: Transaction, record: dict[str, Any]) -> None:
    """Delete the limit that belongs to a deployment alone, if there is one; others may use any other limit."""
    name = own_limit_name(record["id"])
    if tx.fetch_one("SELECT 1 FROM concurrency_limit WHERE name = ?", (name,)) is not None:
        delete_limit(tx, name)
