"""How many runs of which states fell into the slices of a span of time, and how late runs are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import HistoryResponse, HistoryResponseState
from prefect.server.database.filters.clauses import TRUE, Clause, all_of
from prefect.server.database.store import Transaction
from prefect.server.models._slices import slice_number
from prefect.server.models.lateness import sum_of_latenesses, sum_of_running

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


_Slices = Sequence[tuple[datetime, datetime]]


def _sums(tx: Transaction, table: str, where: Clause, slices: _Slices) -> list[dict[str, Any]]:
    """A row for each slice and state that has runs.

    On SQLite an index has all that is asked for, but for what the run time of those that go on is made from: these are
    read by themselves. So are those that have completed, by far the most, as sorting them costs more than reading the
    index twice. Where every run counts they are read slice by slice, in the order of the index, without any sorting;
    with a filter that could mean to look for the same few runs hundreds of times.
    """
    type, name = f"{table}.state_type", f"{table}.state_name"
    completed = f"{type} = 'COMPLETED' AND {name} = 'Completed'"
    run_time, lateness = f"SUM({table}.total_run_time)", sum_of_latenesses(tx.dialect, table, tx.now)
    sums = Clause(f"COUNT(*) AS total, {run_time} AS run_time, {lateness.sql} AS lateness", lateness.params)
    one_by_one = tx.dialect.name == "sqlite" and where is TRUE
    rows: list[dict[str, Any]] = []
    for first, last in ((n, n + 1) for n in range(len(slices))) if one_by_one else [(0, len(slices))]:
        columns = Clause(f"'COMPLETED' AS state_type, 'Completed' AS state_name, {sums.sql}", sums.params)
        found = _by_slice(tx, table, all_of(where, Clause(completed)), slices[first:last], columns, "")
        rows += [{**row, "number": first + row["number"]} for row in map(dict, found) if row["total"]]
    columns = Clause(f"{type} AS state_type, {name} AS state_name, {sums.sql}", sums.params)
    others = all_of(where, Clause(f"NOT ({completed})"))
    rows += map(dict, _by_slice(tx, table, others, slices, columns, f", {type}, {name}"))
    if any(row["state_type"] == "RUNNING" for row in rows):
        _add_running(tx, table, where, slices, rows)
    return rows


def _add_running(tx: Transaction, table: str, where: Clause, slices: _Slices, rows: list[dict[str, Any]]) -> None:
    """Add how long those that are RUNNING have been so."""
    expected, name = f"{table}.expected_start_time", f"{table}.state_name"
    running = all_of(
        where, Clause(f"{table}.state_type = 'RUNNING' AND {expected} >= ? AND {expected} < ?", _ends(slices))
    )
    ids = f"SELECT {table}.id FROM {table} WHERE {running.sql}"
    within = Clause(tx.dialect.is_in_select(f"{table}.id", ids), running.params)
    since = sum_of_running(tx.dialect, table, tx.now)
    columns = Clause(f"{name} AS state_name, {since.sql} AS run_time", since.params)
    more = {
        (row["number"], row["state_name"]): float(row["run_time"])
        for row in _by_slice(tx, table, within, slices, columns, f", {name}")
    }
    for row in rows:
        if row["state_type"] == "RUNNING":
            row["run_time"] += more.get((row["number"], row["state_name"]), 0.0)


def _by_slice(
    tx: Transaction, table: str, where: Clause, slices: _Slices, columns: Clause, group: str
) -> Sequence[Any]:
    expected = f"{table}.expected_start_time"
    number = slice_number(tx.dialect, expected, [starts for starts, _ in slices[1:]])
    grouping = f"GROUP BY 1{group}" if len(slices) > 1 or group else ""  # one slice needs no sorting
    return tx.fetch_all(
        f"SELECT {number.sql} AS number, {columns.sql} FROM {table} "
        f"WHERE ({where.sql}) AND {expected} >= ? AND {expected} < ? {grouping}",
        (*number.params, *columns.params, *where.params, *_ends(slices)),
    )


def _ends(slices: _Slices) -> tuple[datetime, datetime]:
    return slices[0][0], slices[-1][1]


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
