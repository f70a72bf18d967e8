"""Responsible for deleting events, and entries of the audit trail, that are older than their retention period.

`server.events.retention_period` and `server.services.db_vacuum.event_retention_overrides` are for events,
`server.api.audit_retention_period` is for the audit trail. Tuned by `server.services.db_vacuum`. What events are related to is stored once for many events, and stays.
"""

from __future__ import annotations

from datetime import datetime

from prefect.server.database.store import Transaction
from prefect.server.models.audit import delete_audit_entries
from prefect.settings import get_current_settings

_DELETE = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE {condition} ORDER BY occurred LIMIT ?)"


def run_once(tx: Transaction, now: datetime) -> int:
    """Delete what is too old, oldest first, at most `db_vacuum.batch_size` (200) of each kind; returns how many."""
    server = get_current_settings().server
    vacuum, retention = server.services.db_vacuum, server.events.retention_period
    deleted = tx.execute(_DELETE.format(condition="occurred < ?"), (now - retention, vacuum.batch_size))
    for name, kept in vacuum.event_retention_overrides.items():
        if kept < retention:
            deleted += tx.execute(
                _DELETE.format(condition="occurred < ? AND event = ?"), (now - kept, name, vacuum.batch_size)
            )
    return deleted + delete_audit_entries(tx, now - server.api.audit_retention_period, vacuum.batch_size)
