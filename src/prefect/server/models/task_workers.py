"""The task workers that are connected to this process, and the background runs that wait for them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

from prefect.client.schemas.objects import TaskRun
from prefect.client.schemas.sorting import TaskRunSort
from prefect.server.database.filters.clauses import Clause, all_of, is_in, is_not_in
from prefect.server.database.store import Transaction
from prefect.server.models.task_runs import read_task_runs

_OFFER_LASTS_SECONDS = 300.0
"""So long a run that a worker has taken is not offered again. One that it never begins, because it died, is then."""
_MOST_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class ConnectedWorker:
    """A worker, the tasks that it runs, and when it was last heard of."""

    identifier: str
    task_keys: tuple[str, ...]
    timestamp: datetime


class TaskWorkers:
    """Who is connected, and which runs are on their way to somebody. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: dict[object, ConnectedWorker] = {}
        self._offered: dict[UUID, float] = {}

    def connected(self, task_keys: Collection[str] | None = None) -> list[ConnectedWorker]:
        """The workers that run at least one of some tasks; all for None or no task. Each is listed once."""
        with self._lock:
            newest = {
                worker.identifier: worker for worker in sorted(self._connections.values(), key=lambda w: w.timestamp)
            }
        return [worker for worker in newest.values() if not task_keys or set(task_keys) & set(worker.task_keys)]

    def see(self, connection: object, worker: ConnectedWorker) -> None:
        """Note that a worker is there; `connection` tells apart two that go by the same name."""
        with self._lock:
            self._connections[connection] = worker

    def lose(self, connection: object) -> None:
        """Note that a connection is gone."""
        with self._lock:
            self._connections.pop(connection, None)

    def offer(self, runs: Sequence[TaskRun]) -> TaskRun | None:
        """The first of some runs that is on its way to nobody; from now on it is."""
        with self._lock:
            now = monotonic()
            self._offered = {id: until for id, until in self._offered.items() if until > now}
            for run in runs:
                if run.id not in self._offered:
                    self._offered[run.id] = float("inf")
                    return run
        return None

    def on_their_way(self) -> list[UUID]:
        """The runs that are not to be offered now."""
        with self._lock:
            now = monotonic()
            return [id for id, until in self._offered.items() if until > now]

    def taken(self, run_id: UUID) -> None:
        """Note that a worker has confirmed a run."""
        with self._lock:
            self._offered[run_id] = monotonic() + _OFFER_LASTS_SECONDS

    def not_taken(self, run_id: UUID) -> None:
        """Note that a worker has gone without confirming a run: it goes to another."""
        with self._lock:
            self._offered.pop(run_id, None)


task_workers = TaskWorkers()
"""Those of this process."""


def read_waiting_runs(tx: Transaction, task_keys: Collection[str], passed: Sequence[UUID]) -> list[TaskRun]:
    """The background runs of some tasks that are due and wait for a worker, the oldest first; a few of them.

    Args:
        passed: Runs to leave out.
    """
    where = all_of(
        Clause("task_run.flow_run_id IS NULL AND task_run.state_type = 'SCHEDULED'"),
        is_in("task_run.task_key", sorted(task_keys)),
        Clause("task_run.next_scheduled_start_time IS NULL OR task_run.next_scheduled_start_time <= ?", (tx.now,)),
        is_not_in("task_run.id", passed),
    )
    runs = read_task_runs(tx, where, TaskRunSort.NEXT_SCHEDULED_START_TIME_ASC, _MOST_LOOKED_AT)
    return [run for run in runs if run.state is not None and run.state.state_details.deferred]
