"""Responsible for ending flow runs whose process has vanished: their lease has run out without being renewed."""

from __future__ import annotations

from datetime import datetime

from prefect.server.database.store import Transaction
from prefect.server.models.flow_run_leases import end_abandoned_runs


def run_once(tx: Transaction, now: datetime) -> int:
    """End abandoned runs; returns how many."""
    return len(end_abandoned_runs(tx, now))
