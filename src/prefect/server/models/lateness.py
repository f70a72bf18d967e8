"""Works out how long a run has run, and how late it started, from the columns of its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
