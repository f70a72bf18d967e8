"""The audit trail: who has asked for what, when, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.database.values import plain_time
from prefect.server.schemas.access import AuditEntry

_COLUMNS = "id, occurred, actor, api_key_id, method, route, path, status, client"


def record_audit_entries(tx: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Store entries; those that are stored already stay as they are."""
    rows = [
        (
            each.id,
            plain_time(each.occurred),
            each.actor,
            each.api_key_id,
            each.method,
            each.route,
            each.path,
            each.status,
            each.client,
        )
        for each in entries
    ]
    tx.insert_many("audit_entry", _COLUMNS, rows, "ON CONFLICT (id) DO NOTHING")


def read_audit_entries(
    tx: Transaction,
    *,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    offset: int,
) -> list[AuditEntry]:
    """Entries, the newest first.

    Args:
        tx: The transaction.
        actor: Only those of the key of this name.
        since: Only those from this instant on.
        until: Only those before this instant.
        limit: At most so many.
        offset: Leave out so many.
    """
    conditions: list[str] = []
    params: list[Any] = []
    for condition, value in (("actor = ?", actor), ("occurred >= ?", since), ("occurred < ?", until)):
        if value is not None:
            conditions.append(condition)
            params.append(value)
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM audit_entry {where}ORDER BY occurred DESC, id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [AuditEntry.model_validate(dict(row)) for row in rows]


def delete_audit_entries(tx: Transaction, before: datetime, most: int) -> int:
    """Delete entries from before an instant, the oldest first; returns how many."""
    return tx.execute(
        "DELETE FROM audit_entry WHERE id IN (SELECT id FROM audit_entry WHERE occurred < ? ORDER BY occurred LIMIT ?)",
        (before, most),
    )
