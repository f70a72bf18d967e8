"""Workers: heard of by their heartbeats, and online for as long as these come."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.filters import WorkerFilter
from prefect.client.schemas.objects import Worker, WorkerStatus, WorkPoolStatus
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import TRUE, Clause
from prefect.server.database.filters.work_pools import worker_clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models._work_rows import read_pool_record, record_pool_status
from prefect.server.models.errors import Invalid, NotFound
from prefect.settings import get_current_settings

_COLUMNS = "id, created, updated, work_pool_id, name, last_heartbeat_time, heartbeat_interval_seconds"
_LONGEST_INTERVAL_SECONDS = 2**31 - 1


def is_online(dialect: Dialect, now: datetime) -> Clause:
    """The condition on a row of `worker` that it is online: its last heartbeat is not three intervals old."""
    settings = get_current_settings().server.services.foreman
    silence = dialect.seconds_between("?", "worker.last_heartbeat_time")
    return Clause(
        f"{silence} <= COALESCE(worker.heartbeat_interval_seconds, ?) * ?",
        (now, settings.fallback_heartbeat_interval_seconds, settings.inactivity_heartbeat_multiple),
    )


def has_online_worker(tx: Transaction, pool_id: UUID) -> bool:
    """Whether somebody serves a pool."""
    online = is_online(tx.dialect, tx.now)
    sql = f"SELECT 1 FROM worker WHERE worker.work_pool_id = ? AND {online.sql} LIMIT 1"
    return tx.fetch_one(sql, (pool_id, *online.params)) is not None


def record_heartbeat(
    tx: Transaction, pool_name: str, worker_name: str, heartbeat_interval_seconds: int | None = None
) -> UUID:
    """Note that a worker is alive, which makes its pool ready; gives the worker's id.

    Raises:
        NotFound: There is no such pool.
        Invalid: The interval is no positive number of seconds.
    """
    if heartbeat_interval_seconds is not None and not 0 < heartbeat_interval_seconds <= _LONGEST_INTERVAL_SECONDS:
        raise Invalid(f"`heartbeat_interval_seconds` must be a positive number, got {heartbeat_interval_seconds}.")
    pool = _pool(tx, pool_name)
    stored = tx.fetch_one(
        f"INSERT INTO worker ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (work_pool_id, name) DO UPDATE SET updated = excluded.updated, "
        "last_heartbeat_time = excluded.last_heartbeat_time, heartbeat_interval_seconds = "
        "COALESCE(excluded.heartbeat_interval_seconds, worker.heartbeat_interval_seconds) RETURNING id",
        (uuid4(), tx.now, tx.now, pool["id"], worker_name, tx.now, heartbeat_interval_seconds),
    )
    assert stored is not None
    if pool["status"] == WorkPoolStatus.NOT_READY:
        made_ready = tx.execute(
            "UPDATE work_pool SET status = ?, updated = ? WHERE id = ? AND status = ?",
            (WorkPoolStatus.READY, tx.now, pool["id"], WorkPoolStatus.NOT_READY),
        )
        if made_ready:
            record_pool_status(tx, {**pool, "status": WorkPoolStatus.READY})
    id = decode_id(stored["id"])
    assert id is not None
    return id


def read_workers(
    tx: Transaction, pool_name: str, wanted: WorkerFilter | None, limit: int, offset: int = 0
) -> list[Worker]:
    """The workers of a pool that meet a filter, those heard of last in front.

    Raises:
        NotFound: There is no such pool.
    """
    pool = _pool(tx, pool_name)
    online = is_online(tx.dialect, tx.now)
    where = TRUE if wanted is None else worker_clause(wanted, online)
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS}, CASE WHEN {online.sql} THEN 1 ELSE 0 END AS online FROM worker "
        f"WHERE worker.work_pool_id = ? AND {where.sql} "
        "ORDER BY worker.last_heartbeat_time DESC, worker.id LIMIT ? OFFSET ?",
        (*online.params, pool["id"], *where.params, limit, offset),
    )
    return [_worker(row) for row in rows]


def delete_worker(tx: Transaction, pool_name: str, worker_name: str) -> None:
    """Forget a worker.

    Raises:
        NotFound: There is no such pool, or no such worker in it.
    """
    pool = _pool(tx, pool_name)
    if not tx.execute("DELETE FROM worker WHERE work_pool_id = ? AND name = ?", (pool["id"], worker_name)):
        raise NotFound(f"Worker not found: the work pool {pool_name!r} has no worker {worker_name!r}.")


def _pool(tx: Transaction, name: str) -> dict[str, Any]:
    pool = read_pool_record(tx, name)
    if pool is None:
        raise NotFound(f"Work pool {name!r} not found.")
    return pool


def _worker(row: Any) -> Worker:
    values = dict(row)
    status = WorkerStatus.ONLINE if values.pop("online") else WorkerStatus.OFFLINE
    values["last_heartbeat_time"] = decode_time(values["last_heartbeat_time"])
    return Worker.model_validate({**values, "status": status})
