"""Makes the runs that schedules ask for.

`scheduler` looks after all deployments, `recent_deployments_scheduler` after those that have just changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models.scheduling import deployments_changed_since, deployments_short_of_runs, schedule_runs
from prefect.settings import get_current_settings


class Scheduler:
    """Keeps every active schedule supplied with runs; to be run every `loop_seconds` (60)."""

    name = "scheduler"

    def run_once(self, tx: Transaction, now: datetime) -> int:
        """Make the runs that are missing; returns how many were made."""
        return _schedule(tx, now, deployments_short_of_runs(tx, now))


class RecentDeploymentsScheduler:
    """Gives deployments that were just made or changed their runs; to be run every
    `recent_deployments_loop_seconds` (5)."""

    name = "recent_deployments_scheduler"

    def run_once(self, tx: Transaction, now: datetime) -> int:
        """Make the runs of what has changed since the last round; returns how many were made."""
        seconds = get_current_settings().server.services.scheduler.recent_deployments_loop_seconds
        # A change that took a while to be stored carries the instant at which it began.
        return _schedule(tx, now, deployments_changed_since(tx, now - timedelta(seconds=seconds) - _LONGEST_CHANGE))


_LONGEST_CHANGE = timedelta(seconds=5)

scheduler = Scheduler()
recent_deployments_scheduler = RecentDeploymentsScheduler()


def _schedule(tx: Transaction, now: datetime, deployment_ids: Sequence[UUID]) -> int:
    at_once = get_current_settings().server.services.scheduler.deployment_batch_size
    batches = (deployment_ids[start : start + at_once] for start in range(0, len(deployment_ids), at_once))
    return sum(schedule_runs(tx, now, batch) for batch in batches)
