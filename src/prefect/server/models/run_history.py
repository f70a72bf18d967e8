"""How many runs of which states fell into the slices of a span of time, and how late runs are."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Literal

from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import HistoryResponse, HistoryResponseState
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_time
from prefect.server.models.lateness import estimated_lateness, estimated_run_time

MOST_SLICES = 500
_COLUMNS = "state_type, state_name, state_timestamp, expected_start_time, start_time, total_run_time"


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
    columns = ", ".join(f"{table}.{name}" for name in _COLUMNS.split(", "))
    rows = tx.fetch_all(
        f"SELECT {columns} FROM {table} "
        f"WHERE ({where.sql}) AND {table}.expected_start_time >= ? AND {table}.expected_start_time < ?",
        (*where.params, slices[0][0], slices[-1][1]),
    )
    counts: defaultdict[int, defaultdict[tuple[str, str], list[float]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0.0, 0.0])
    )
    for row in rows:
        expected = decode_time(row["expected_start_time"])
        if row["state_type"] is None or expected is None:
            continue
        sums = counts[(expected - start) // interval][row["state_type"], row["state_name"]]
        sums[0] += 1
        sums[1] += estimated_run_time(row, tx.now)
        sums[2] += estimated_lateness(row, tx.now)
    return [
        HistoryResponse(interval_start=starts, interval_end=ends, states=_states(counts.get(number, {})))
        for number, (starts, ends) in enumerate(slices)
    ]


def _slices(start: datetime, end: datetime, interval: timedelta) -> list[tuple[datetime, datetime]]:
    slices: list[tuple[datetime, datetime]] = []
    while start < end and len(slices) < MOST_SLICES:
        slices.append((start, start + interval))
        start += interval
    return slices


def _states(counts: Any) -> list[HistoryResponseState]:
    return [
        HistoryResponseState(
            state_type=StateType(type),
            state_name=name,
            count_runs=int(count),
            sum_estimated_run_time=timedelta(seconds=run_time),
            sum_estimated_lateness=timedelta(seconds=lateness),
        )
        for (type, name), (count, run_time, lateness) in sorted(counts.items())
    ]


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
