"""Logs: lines that flow runs and task runs have written."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models.recording import record_logs

_COLUMNS = (
    "log.id, log.created, log.created AS updated, log.name, log.level, log.timestamp, log.message, log.flow_run_id, "
    "log.task_run_id"
)
_ORDER = {
    LogSort.TIMESTAMP_ASC: "log.timestamp ASC, log.id ASC",
    LogSort.TIMESTAMP_DESC: "log.timestamp DESC, log.id DESC",
}


def create_logs(tx: Transaction, logs: Sequence[LogCreate]) -> None:
    """Store log lines; the runs that they name need not be known."""
    lines = [(log.name, log.level, log.message, log.timestamp, log.flow_run_id, log.task_run_id) for log in logs]
    record_logs(tx, lines, [log.sent_id for log in logs])


def read_logs(tx: Transaction, where: Clause, sort: LogSort, limit: int, offset: int = 0) -> list[Log]:
    """The log lines that meet a condition."""
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM log WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [Log.model_validate(dict(row)) for row in rows]


def read_flow_run_logs_after(tx: Transaction, flow_run_id: UUID, last: Log | None, limit: int) -> list[Log]:
    """The log lines of a flow run that come after another one, oldest first."""
    where = "log.flow_run_id = ?"
    params: tuple[object, ...] = (flow_run_id,)
    if last is not None:
        where += " AND (log.timestamp > ? OR (log.timestamp = ? AND log.id > ?))"
        params = (flow_run_id, last.timestamp, last.timestamp, last.id)
    return read_logs(tx, Clause(where, params), LogSort.TIMESTAMP_ASC, limit)
