"""Works out how long a run has run, and how late it started, from the columns of its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect.server.database.dialect import Dialect
from prefect.server.models._rows import decode_time

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


def sum_of_run_times(dialect: Dialect, table: str) -> str:
    """The sum of the run times of a table's rows, in seconds; takes the present twice, as `_rows.microseconds`."""
    since = dialect.microseconds(f"{table}.state_timestamp")
    running = f"{table}.state_type = 'RUNNING' AND {since} < ?"
    return f"SUM({table}.total_run_time + CASE WHEN {running} THEN (? - {since}) / 1000000.0 ELSE 0.0 END)"


def sum_of_latenesses(dialect: Dialect, table: str) -> str:
    """The sum by which a table's rows are late, in microseconds; takes the present twice, as `_rows.microseconds`."""
    start = f"COALESCE({dialect.microseconds(f'{table}.start_time')}, ?)"
    expected = dialect.microseconds(f"{table}.expected_start_time")
    over = ", ".join(f"'{type}'" for type in sorted(_TERMINAL))
    never = f"{table}.start_time IS NULL AND {table}.state_type IN ({over})"
    return f"SUM(CASE WHEN {never} OR {start} <= {expected} THEN 0 ELSE {start} - {expected} END)"
