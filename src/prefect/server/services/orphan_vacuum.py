"""Responsible for deleting logs and artifacts of flow runs that are gone (`server.services.db_vacuum`).

Records may arrive before the run that they belong to: only what is older than a day can be an orphan.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id
from prefect.server.models.artifacts import delete_artifact
from prefect.server.services._batches import handle_each
from prefect.settings import get_current_settings

_ARRIVES_WITHIN = timedelta(days=1)
_ORPHANS = (
    "flow_run_id IS NOT NULL AND created < ? "
    "AND NOT EXISTS (SELECT 1 FROM flow_run WHERE flow_run.id = {table}.flow_run_id) LIMIT ?"
)


def run_once(tx: Transaction, now: datetime) -> int:
    """Delete orphans, at most `batch_size` (200) of each kind; returns how many."""
    params = (now - _ARRIVES_WITHIN, get_current_settings().server.services.db_vacuum.batch_size)
    logs = tx.execute(f"DELETE FROM log WHERE id IN (SELECT id FROM log WHERE {_ORPHANS.format(table='log')})", params)
    artifacts = tx.fetch_all(f"SELECT id FROM artifact WHERE {_ORPHANS.format(table='artifact')}", params)

    def delete(row: Any) -> bool:
        artifact_id = decode_id(row["id"])
        assert artifact_id is not None
        delete_artifact(tx, artifact_id)
        return True

    return logs + handle_each(tx, artifacts, delete)
