"""What the charts and lists of the user interface show: many runs in few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.clauses import Clause, all_of, is_in
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models._slices import slice_number
from prefect.server.models.flow_runs import FLOW_RUN_ORDER
from prefect.server.models.lateness import estimated_lateness, estimated_run_time
from prefect.server.schemas.states import CountByState
from prefect.server.schemas.ui import SimpleFlowRun, SimpleNextFlowRun

_SLICES = 20
_HISTORY_COLUMNS = "id, state_type, state_timestamp, expected_start_time, start_time, total_run_time"
_FAILED = ("FAILED", "CRASHED")
_OVER = ("COMPLETED", "CANCELLED", *_FAILED)


def read_simple_flow_runs(
    tx: Transaction, where: Clause, sort: FlowRunSort, limit: int, offset: int
) -> list[SimpleFlowRun]:
    """The flow runs that meet a condition, as far as a chart needs them; those that nobody expects are left out."""
    columns = ", ".join(f"flow_run.{name}" for name in _HISTORY_COLUMNS.split(", "))
    shown = all_of(where, Clause("flow_run.state_type IS NOT NULL"), Clause("flow_run.expected_start_time IS NOT NULL"))
    rows = tx.fetch_all(
        f"SELECT {columns} FROM flow_run WHERE {shown.sql} ORDER BY {FLOW_RUN_ORDER[sort]} LIMIT ? OFFSET ?",
        (*shown.params, limit, offset),
    )
    return [
        SimpleFlowRun.model_validate(
            {
                "id": row["id"],
                "state_type": row["state_type"],
                "timestamp": decode_time(row["start_time"] or row["expected_start_time"]),
                "duration": estimated_run_time(row, tx.now),
                "lateness": estimated_lateness(row, tx.now),
            }
        )
        for row in rows
    ]


def count_task_runs_of(tx: Transaction, flow_run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many task runs each flow run has; those that only track a subflow run are not counted."""
    where = is_in("task_run.flow_run_id", flow_run_ids)
    subflow = "EXISTS (SELECT 1 FROM flow_run WHERE flow_run.parent_task_run_id = task_run.id)"
    return _counts(tx, flow_run_ids, f"task_run WHERE {_sql(where)} AND NOT {subflow}", "flow_run_id")


def count_deployments_of(tx: Transaction, flow_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many deployments each flow has."""
    where = is_in("deployment.flow_id", flow_ids)
    return _counts(tx, flow_ids, f"deployment WHERE {_sql(where)}", "flow_id")


def _sql(where: Clause | None) -> str:
    assert where is not None
    return where.sql


def _counts(tx: Transaction, ids: Sequence[UUID], source: str, column: str) -> dict[UUID, int]:
    counts = dict.fromkeys(ids, 0)
    for row in tx.fetch_all(f"SELECT {column} AS id, COUNT(*) AS total FROM {source} GROUP BY {column}", tuple(ids)):
        id = decode_id(row["id"])
        assert id is not None
        counts[id] = row["total"]
    return counts


def read_next_runs(tx: Transaction, flow_ids: Sequence[UUID]) -> dict[UUID, SimpleNextFlowRun | None]:
    """The scheduled run of each flow that is to start first, if there is one."""
    found: dict[UUID, SimpleNextFlowRun | None] = dict.fromkeys(flow_ids)
    place = "ROW_NUMBER() OVER (PARTITION BY flow_id ORDER BY next_scheduled_start_time, id) AS place"
    columns = "id, flow_id, name, state_name, state_type, next_scheduled_start_time"
    where = is_in("flow_id", flow_ids)
    rows = tx.fetch_all(
        f"SELECT {columns} FROM (SELECT {columns}, {place} FROM flow_run WHERE {_sql(where)} "
        "AND state_type = 'SCHEDULED' AND next_scheduled_start_time IS NOT NULL) AS ranked WHERE place = 1",
        tuple(flow_ids),
    )
    for row in rows:
        values = {**dict(row), "next_scheduled_start_time": decode_time(row["next_scheduled_start_time"])}
        run = SimpleNextFlowRun.model_validate(values)
        found[run.flow_id] = run
    return found


def count_task_runs_by_state(tx: Transaction, where: Clause) -> CountByState:
    """How many task runs that meet a condition are in a state of each type."""
    rows = tx.fetch_all(
        "SELECT task_run.state_type AS type, COUNT(*) AS total FROM task_run "
        f"WHERE ({where.sql}) AND task_run.state_type IS NOT NULL GROUP BY task_run.state_type",
        where.params,
    )
    return CountByState(**{row["type"]: row["total"] for row in rows})


def count_outcomes(tx: Transaction, where: Clause, start: datetime, end: datetime) -> list[dict[str, int]]:
    """How the task runs ended that started in each of 20 equal slices of a span of time.

    A cancelled run counts as completed, a crashed one as failed; one that goes on is not counted.
    """
    counts: list[dict[str, int]] = [{"completed": 0, "failed": 0} for _ in range(_SLICES)]
    if end <= start:
        return counts
    shown = all_of(
        where, is_in("task_run.state_type", _OVER), Clause("task_run.start_time BETWEEN ? AND ?", (start, end))
    )
    # A run that started at the very end belongs to the last slice.
    borders = [start + _share(end - start, place) for place in range(1, _SLICES)]
    number = slice_number(tx.dialect, "task_run.start_time", borders)
    failed = is_in("task_run.state_type", _FAILED)
    rows = tx.fetch_all(
        f"SELECT {number.sql} AS number, COUNT(*) AS total, SUM(CASE WHEN {_sql(failed)} THEN 1 ELSE 0 END) AS failed "
        f"FROM task_run WHERE {shown.sql} GROUP BY 1",
        (*number.params, *_FAILED, *shown.params),
    )
    for row in rows:
        counts[row["number"]] = {"completed": row["total"] - row["failed"], "failed": row["failed"]}
    return counts


def _share(span: timedelta, place: int) -> timedelta:
    """Where a slice begins. Instants are whole microseconds: what lies between two of them is rounded up."""
    return -(-span * place // _SLICES)


def read_flow_run_name(tx: Transaction, id: UUID | None) -> str | None:
    """The name of a flow run, if there is one."""
    row = None if id is None else tx.fetch_one("SELECT name FROM flow_run WHERE id = ?", (id,))
    return None if row is None else row["name"]
