"""Responsible for telling what nobody serves any more: pools, queues and deployments (`server.services.foreman`).

Workers themselves need no round: whether one is online follows from its last heartbeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import DeploymentStatus, WorkPoolStatus, WorkQueueStatus
from prefect.server.database.store import Transaction
from prefect.server.models._deployment_rows import read_records, record_deployment_event
from prefect.server.models._rows import decode_id, placeholders
from prefect.server.models._work_rows import (
    read_pool_records,
    read_queue_records,
    record_pool_status,
    record_queue_status,
)
from prefect.server.models.workers import is_online
from prefect.settings import get_current_settings

BATCH = 200
"""Things of each kind that are marked in one transaction."""


def run_once(tx: Transaction, now: datetime) -> int:
    """Mark what nobody serves as not ready, and tell of it; at most `BATCH` of each kind.

    A pool without an online worker; a queue and a deployment that nobody has asked for work for
    `work_queue_last_polled_timeout_seconds` and `deployment_last_polled_timeout_seconds` (60). A deployment is asked for
    with its queue.
    """
    return _mark_pools(tx, now) + _mark_deployments(tx, now) + _mark_queues(tx, now)


def _mark_pools(tx: Transaction, now: datetime) -> int:
    online = is_online(tx.dialect, now)
    ids = _lock(
        tx,
        "work_pool",
        "work_pool.status = ? AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.work_pool_id = work_pool.id "
        f"AND {online.sql})",
        (WorkPoolStatus.READY, *online.params),
    )
    if not ids:
        return 0
    _store(tx, "work_pool", ids, WorkPoolStatus.NOT_READY)
    for record in read_pool_records(tx, f"WHERE work_pool.id IN ({placeholders(len(ids))})", ids):
        record_pool_status(tx, record)
    return len(ids)


def _mark_queues(tx: Transaction, now: datetime) -> int:
    patience = get_current_settings().server.services.foreman.work_queue_last_polled_timeout_seconds
    ids = _lock(
        tx,
        "work_queue",
        "work_queue.status = ? AND (work_queue.last_polled IS NULL OR work_queue.last_polled < ?)",
        (WorkQueueStatus.READY, now - timedelta(seconds=patience)),
    )
    if not ids:
        return 0
    _store(tx, "work_queue", ids, WorkQueueStatus.NOT_READY)
    for record in read_queue_records(tx, f"WHERE work_queue.id IN ({placeholders(len(ids))})", ids):
        record_queue_status(tx, record)
    return len(ids)


def _mark_deployments(tx: Transaction, now: datetime) -> int:
    patience = get_current_settings().server.services.foreman.deployment_last_polled_timeout_seconds
    since = now - timedelta(seconds=patience)
    ids = _lock(
        tx,
        "deployment",
        "deployment.status = ? AND (deployment.last_polled IS NULL OR deployment.last_polled < ?) AND NOT EXISTS "
        "(SELECT 1 FROM work_queue WHERE work_queue.id = deployment.work_queue_id AND work_queue.last_polled >= ?)",
        (DeploymentStatus.READY, since, since),
    )
    if not ids:
        return 0
    inside = f"deployment.id IN ({placeholders(len(ids))})"
    tx.execute(f"UPDATE deployment SET status = ? WHERE {inside}", (DeploymentStatus.NOT_READY, *ids))
    for record in read_records(tx, f"WHERE {inside}", ids):
        record_deployment_event(tx, DeploymentStatus.NOT_READY.in_kebab_case(), record)
    return len(ids)


def _lock(tx: Transaction, table: str, condition: str, params: Sequence[Any]) -> list[UUID]:
    """The ids of rows that meet a condition and stay so until the transaction ends."""
    # What somebody holds is just being polled, or changed: the next round meets it again.
    rows = tx.fetch_all(
        f"SELECT {table}.id FROM {table} WHERE {condition} ORDER BY {table}.id LIMIT {BATCH}"
        + tx.dialect.for_update(skip_locked=True),
        params,
    )
    return [id for row in rows if (id := decode_id(row["id"])) is not None]


def _store(tx: Transaction, table: str, ids: Sequence[UUID], status: WorkPoolStatus | WorkQueueStatus) -> None:
    inside = placeholders(len(ids))
    tx.execute(f"UPDATE {table} SET status = ?, updated = ? WHERE id IN ({inside})", (status, tx.now, *ids))
