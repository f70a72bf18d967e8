"""Responsible for ending runs whose process has vanished: their lease has run out without being renewed."""

from __future__ import annotations

from datetime import datetime

from prefect.server.database.store import Transaction
from prefect.server.models.flow_run_leases import end_abandoned_runs, lease_span
from prefect.server.models.task_run_leases import end_abandoned_task_runs


class FlowRunLeases:
    """Looks for leases that are over. It knows since when it does, to tell silence from its own absence."""

    def __init__(self) -> None:
        self._listens_since: datetime | None = None
        self._last_round: datetime | None = None

    def run_once(self, tx: Transaction, now: datetime) -> int:
        """End abandoned runs; returns how many."""
        if self._listens_since is None or self._last_round is None or now - self._last_round > lease_span():
            self._listens_since = now
        self._last_round = now
        ended = end_abandoned_runs(tx, now, listens_since=self._listens_since)
        return len(ended) + len(end_abandoned_task_runs(tx, now))


flow_run_leases = FlowRunLeases()
