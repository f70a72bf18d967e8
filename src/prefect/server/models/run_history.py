"""How many runs of which states fell into the slices of a span of time, and how late runs are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import HistoryResponse, HistoryResponseState
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._slices import slice_number
from prefect.server.models.lateness import sum_of_latenesses, sum_of_run_times

MOST_SLICES = 500


def read_run_history(
    tx: Transaction,
    table: Literal["flow_run", "task_run"],
    where: Clause,
    start: datetime,
    end: datetime,
    interval: timedelta,
) -> list[HistoryResponse]:
    """Count runs by state, slice by slice of the time at which they were expected to start.

    Args:
        table: Which runs.
        where: The condition on the runs that are counted.
        start: Where the first slice begins.
        end: Where the last slice ends at the latest to begin; 500 slices at most are made.
        interval: How long a slice is.
    """
    slices = _slices(start, end, interval)
    if not slices:
        return []
    states: defaultdict[int, list[HistoryResponseState]] = defaultdict(list)
    for row in sorted(_sums(tx, table, where, slices), key=lambda row: (row["state_type"], row["state_name"])):
        states[row["number"]].append(
            HistoryResponseState(
                state_type=StateType(row["state_type"]),
                state_name=row["state_name"],
                count_runs=row["total"],
                sum_estimated_run_time=timedelta(seconds=row["run_time"]),
                sum_estimated_lateness=timedelta(microseconds=int(row["lateness"])),
            )
        )
    return [
        HistoryResponse(interval_start=starts, interval_end=ends, states=states.get(number, []))
        for number, (starts, ends) in enumerate(slices)
    ]


def _sums(tx: Transaction, table: str, where: Clause, slices: Sequence[tuple[datetime, datetime]]) -> list[Any]:
    """A row for each slice and state that has runs."""
    expected = f"{table}.expected_start_time"
    number = slice_number(expected, [starts for starts, _ in slices[1:]])
    lateness = sum_of_latenesses(tx.dialect, table, tx.now)
    completed = f"{table}.state_type = 'COMPLETED' AND {table}.state_name = 'Completed'"
    # Those that have completed are by far the most, and sorting rows by their states costs more than reading an index
    # twice. That index has all that is asked of them, but not what the run time of a run that goes on is made from.
    parts = (
        (completed, "1", Clause(f"SUM({table}.total_run_time)")),
        (
            f"NOT ({completed})",
            f"1, {table}.state_type, {table}.state_name",
            sum_of_run_times(tx.dialect, table, tx.now),
        ),
    )
    rows: list[Any] = []
    for condition, group, run_time in parts:
        rows += tx.fetch_all(
            f"SELECT {number.sql} AS number, MIN({table}.state_type) AS state_type, "
            f"MIN({table}.state_name) AS state_name, COUNT(*) AS total, {run_time.sql} AS run_time, "
            f"{lateness.sql} AS lateness FROM {table} "
            f"WHERE ({where.sql}) AND {expected} >= ? AND {expected} < ? AND {condition} GROUP BY {group}",
            (
                *(*number.params, *run_time.params, *lateness.params),
                *(*where.params, slices[0][0], slices[-1][1]),
            ),
        )
    return rows


def _slices(start: datetime, end: datetime, interval: timedelta) -> list[tuple[datetime, datetime]]:
    slices: list[tuple[datetime, datetime]] = []
    while start < end and len(slices) < MOST_SLICES:
        slices.append((start, start + interval))
        start += interval
    return slices


def average_lateness_seconds(tx: Transaction, where: Clause) -> float | None:
    """By how many seconds flow runs are late on average; None when there are none."""
    late_start = tx.dialect.seconds_between("flow_run.start_time", "flow_run.expected_start_time")
    late_now = tx.dialect.seconds_between("?", "flow_run.expected_start_time")
    row = tx.fetch_one(
        "SELECT AVG(CASE "
        f"WHEN flow_run.start_time > flow_run.expected_start_time THEN {late_start} "
        "WHEN flow_run.start_time IS NULL AND flow_run.expected_start_time < ? "
        f"AND flow_run.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN {late_now} "
        f"ELSE 0.0 END) AS lateness FROM flow_run WHERE {where.sql}",
        (tx.now, tx.now, *where.params),
    )
    return None if row is None or row["lateness"] is None else float(row["lateness"])
