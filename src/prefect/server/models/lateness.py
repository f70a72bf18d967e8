"""Works out how long a run has run, and how late it started, from the columns of its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause
from prefect.server.models._rows import decode_time, microseconds

_TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


def estimated_run_time(run: Mapping[str, Any], now: datetime) -> float:
    """Seconds that a run has spent RUNNING, up to now."""
    total: float = run["total_run_time"]
    if run["state_type"] == "RUNNING":
        since = decode_time(run["state_timestamp"])
        assert since is not None
        total += max((now - since).total_seconds(), 0.0)
    return total


def estimated_lateness(run: Mapping[str, Any], now: datetime) -> float:
    """Seconds by which a run started later than expected, or, when it has not started, is late by now."""
    expected, start = decode_time(run["expected_start_time"]), decode_time(run["start_time"])
    if expected is None:
        return 0.0
    if start is None and run["state_type"] in _TERMINAL:
        return 0.0
    return max(((start or now) - expected).total_seconds(), 0.0)


# -- the same of many rows at once, in SQL -----------------------------------------------------------------------------


def sum_of_running(dialect: Dialect, table: str, now: datetime) -> Clause:
    """The sum of the seconds since a table's rows came into their states."""
    since = dialect.microseconds(f"{table}.state_timestamp")
    sql = f"SUM(CASE WHEN {since} < ? THEN (? - {since}) / 1000000.0 ELSE 0.0 END)"
    return Clause(sql, (microseconds(now), microseconds(now)))


def sum_of_latenesses(dialect: Dialect, table: str, now: datetime) -> Clause:
    """The sum by which a table's rows are late, in microseconds."""
    start, expected = f"{table}.start_time", f"{table}.expected_start_time"
    over = ", ".join(f"'{type}'" for type in sorted(_TERMINAL))
    waits = f"{start} IS NULL AND {expected} < ? AND {table}.state_type NOT IN ({over})"
    sql = (
        f"SUM(CASE WHEN {start} > {expected} THEN {dialect.microseconds_between(start, expected)} "
        f"WHEN {waits} THEN ? - {dialect.microseconds(expected)} ELSE 0 END)"
    )
    return Clause(sql, (now, microseconds(now)))
