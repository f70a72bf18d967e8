"""Makes the runs that the schedules of deployments ask for, ahead of time, each once.

What makes a run unique is its key: deployment, schedule and instant. Making it again changes nothing, so that a round
may be repeated, and several servers may go round at once. The deployments are locked meanwhile, in the order of their
ids: a schedule that is being changed is read after the change, or its runs are deleted with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import CreatedBy, DeploymentSchedule, FlowRunPolicy, StateDetails, StateType
from prefect.client.schemas.schedules import dates_of
from prefect.logging import get_logger
from prefect.server.database.notifications import DUE_RUNS
from prefect.server.database.store import Transaction
from prefect.server.database.values import encode
from prefect.server.models._deployment_rows import Record, read_records, read_schedule_rows, schedule_from_row
from prefect.server.models._rows import decode_id, dumps, placeholders
from prefect.server.models.deployment_queues import QueuePlace, read_queue_places
from prefect.server.models.states import proposed_state, stamp, state_values
from prefect.settings import get_current_settings
from prefect.types._ids import uuid7
from prefect.utilities.names import generate_slug

AUTO_SCHEDULED_TAG = "auto-scheduled"
_MESSAGE = "Made by a schedule."


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead runs are made.

    Attributes:
        start: The earliest instant of a run.
        end: The latest one.
        min_time: Make runs at least until so long after `start`,
        min_runs: and at least so many for each schedule,
        max_runs: but never more than so many.
    """

    start: datetime
    end: datetime
    min_time: timedelta
    min_runs: int
    max_runs: int

    @classmethod
    def from_settings(cls, start: datetime) -> Horizon:
        """The horizon of `server.services.scheduler`, from an instant on."""
        limits = get_current_settings().server.services.scheduler
        return cls(
            start, start + limits.max_scheduled_time, limits.min_scheduled_time, limits.min_runs, limits.max_runs
        )

    def but(self, **changes: Any) -> Horizon:
        """The same horizon with other bounds; those that are None stay."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def planned_dates(schedule: DeploymentSchedule, horizon: Horizon) -> list[datetime]:
    """The instants at which a schedule wants runs within a horizon, ascending, in UTC."""
    least_until = horizon.start + horizon.min_time
    wanted = max(horizon.min_runs, 1)
    while True:
        # Dates of some rules are dear: no more are asked for than are likely to be needed.
        wanted = min(wanted, horizon.max_runs)
        if wanted <= 0:
            return []
        dates = [
            date.astimezone(timezone.utc) for date in dates_of(schedule.schedule, wanted, horizon.start, horizon.end)
        ]
        if len(dates) < wanted or dates[-1] >= least_until or wanted == horizon.max_runs:
            enough = bisect_left(dates, least_until) + 1
            return dates[: max(enough, horizon.min_runs)]
        wanted *= 4


def schedule_runs(
    tx: Transaction, now: datetime, deployment_ids: Collection[UUID], horizon: Horizon | None = None
) -> int:
    """Make the runs that the active schedules of deployments ask for; paused deployments ask for none.

    Args:
        now: The instant of the decision.
        deployment_ids: The deployments. Those that do not exist ask for nothing.
        horizon: How far ahead; as the settings say, when left out.

    Returns:
        How many runs were made. What was there already is not made again.
    """
    if not deployment_ids:
        return 0
    horizon = horizon or Horizon.from_settings(now)
    # Only the ids that are asked for are locked, one after the other: two rounds at once never wait for each other.
    records = read_records(
        tx,
        f"WHERE deployment.id IN ({placeholders(len(deployment_ids))}) ORDER BY deployment.id{tx.dialect.for_update()}",
        sorted(deployment_ids, key=str),
    )
    records = [record for record in records if not record["paused"]]
    if not records:
        return 0
    by_id = {record["id"]: record for record in records}
    rows = sorted(read_schedule_rows(tx, list(by_id)), key=lambda row: (str(row["deployment_id"]), str(row["id"])))
    places = read_queue_places(tx, {id for record in records if (id := record["work_queue_id"]) is not None})
    # Other runs of these keys may have started; storing them again changes nothing, and there are few.
    waiting = _waiting_keys(tx, list(by_id), horizon.start)
    planned = (
        run
        for schedule, date in _planned(rows, horizon)
        if (run := _ScheduledRun(tx.now, by_id[schedule.deployment_id], schedule, date, places)).key not in waiting
    )
    made = 0
    while batch := list(islice(planned, get_current_settings().server.services.scheduler.insert_batch_size)):
        made += _insert(tx, batch)
    return made


def _waiting_keys(tx: Transaction, deployment_ids: Sequence[UUID], since: datetime) -> set[str]:
    rows = tx.fetch_all(
        f"SELECT idempotency_key FROM flow_run WHERE deployment_id IN ({placeholders(len(deployment_ids))}) "
        "AND auto_scheduled AND state_type = 'SCHEDULED' AND next_scheduled_start_time >= ?",
        (*deployment_ids, since),
    )
    return {row["idempotency_key"] for row in rows}


def _planned(rows: Sequence[Any], horizon: Horizon) -> Iterator[tuple[DeploymentSchedule, datetime]]:
    for row in rows:
        if not row["active"]:
            continue
        try:
            schedule = schedule_from_row(row)
            dates = planned_dates(schedule, horizon)
        except Exception:  # noqa: BLE001 - one schedule that cannot be read must not keep the others from their runs
            get_logger("prefect.server.scheduler").exception(
                "The schedule %s of deployment %s was left out: its dates cannot be worked out.",
                row["id"],
                row["deployment_id"],
            )
            continue
        yield from ((schedule, date) for date in dates)


# -- rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ScheduledRun:
    created: datetime
    record: Record
    schedule: DeploymentSchedule
    date: datetime
    places: dict[UUID, QueuePlace]

    @property
    def key(self) -> str:
        return f"scheduled {self.record['id']} {self.schedule.id} {self.date}"

    def row(self, id: UUID, state: Any) -> dict[str, Any]:
        record, schedule = self.record, self.schedule
        place = self.places.get(record["work_queue_id"])
        kind = type(schedule.schedule).__name__
        return {
            "id": id,
            "created": self.created,
            "updated": self.created,
            "name": generate_slug(2),
            "flow_id": record["flow_id"],
            "deployment_id": record["id"],
            "deployment_version": record["version"],
            "work_queue_id": record["work_queue_id"],
            "work_queue_name": None if place is None else place.queue_name,
            "parameters": dumps({**record["parameters"], **schedule.parameters}),
            "idempotency_key": self.key,
            "context": "{}",
            "empirical_policy": _NO_RETRIES,
            "tags": dumps([AUTO_SCHEDULED_TAG, *record["tags"]]),
            "labels": dumps(deployment_run_labels(record)),
            "created_by": CreatedBy(
                id=schedule.id, type="SCHEDULE", display_value=schedule.slug or kind
            ).model_dump_json(),
            "auto_scheduled": True,
            "infrastructure_document_id": record["infrastructure_document_id"],
            "job_variables": "{}",
            "state_id": state.id,
            "state_type": state.type,
            "state_name": state.name,
            "state_timestamp": state.timestamp,
            "run_count": 0,
            "expected_start_time": self.date,
            "next_scheduled_start_time": self.date,
            "total_run_time": 0.0,
        }


_NO_RETRIES = FlowRunPolicy().model_dump_json()


def deployment_run_labels(record: Record) -> dict[str, Any]:
    """The labels that every run of a deployment has."""
    ids = {"prefect.flow.id": str(record["flow_id"]), "prefect.deployment.id": str(record["id"])}
    return {**record["labels"], **ids}


def _insert(tx: Transaction, runs: Sequence[_ScheduledRun]) -> int:
    """Store the runs of a batch that are not there yet; no event tells of them before something happens to them."""
    rows: list[dict[str, Any]] = []
    states: dict[UUID, Any] = {}
    for run in runs:
        details = StateDetails(scheduled_time=run.date)
        wanted = StateCreate(type=StateType.SCHEDULED, message=_MESSAGE, state_details=details)
        id, state = uuid7(), proposed_state(wanted, tx.now)
        stamp(state, tx.now, None)
        state.state_details.flow_run_id = id
        rows.append(run.row(id, state))
        states[id] = state
    columns = ", ".join(rows[0])
    tx.insert_many(
        "flow_run",
        columns,
        [tuple(map(encode, row.values())) for row in rows],
        "ON CONFLICT (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING",
    )
    stored = tx.fetch_all(f"SELECT id FROM flow_run WHERE id IN ({placeholders(len(states))})", list(states))
    ids = [id for row in stored if (id := decode_id(row["id"])) is not None]
    tx.insert_many(
        "flow_run_state",
        "id, flow_run_id, type, name, timestamp, message, state_details, data",
        [tuple(map(encode, state_values(states[id], id))) for id in ids],
    )
    tx.tell(DUE_RUNS)
    return len(ids)


# -- which deployments need runs -------------------------------------------------------------------------------------


def deployments_short_of_runs(tx: Transaction, now: datetime) -> list[UUID]:
    """The deployments of which an active schedule has fewer runs ahead than it should, or not far enough ahead."""
    limits = get_current_settings().server.services.scheduler
    schedule_of_run = tx.dialect.json_text("flow_run.created_by", "?")
    rows = tx.fetch_all(
        "SELECT DISTINCT s.deployment_id FROM deployment_schedule AS s "
        "JOIN deployment ON deployment.id = s.deployment_id "
        f"LEFT JOIN (SELECT {schedule_of_run} AS schedule_id, COUNT(*) AS runs, "
        "MAX(flow_run.next_scheduled_start_time) AS latest FROM flow_run "
        "WHERE flow_run.auto_scheduled AND flow_run.state_type = 'SCHEDULED' "
        "AND flow_run.next_scheduled_start_time >= ? GROUP BY 1) AS ahead ON ahead.schedule_id = CAST(s.id AS TEXT) "
        "WHERE s.active AND NOT deployment.paused "
        "AND (ahead.runs IS NULL OR ahead.runs < ? OR ahead.latest < ?) ORDER BY s.deployment_id",
        ("id", now, limits.min_runs, now + limits.min_scheduled_time),
    )
    return _ids(rows)


def deployments_changed_since(tx: Transaction, instant: datetime) -> list[UUID]:
    """The deployments with an active schedule that have changed since an instant."""
    rows = tx.fetch_all(
        "SELECT deployment.id AS deployment_id FROM deployment WHERE deployment.updated >= ? AND NOT deployment.paused "
        "AND EXISTS (SELECT 1 FROM deployment_schedule AS s WHERE s.deployment_id = deployment.id AND s.active) "
        "ORDER BY deployment.id",
        (instant,),
    )
    return _ids(rows)


def _ids(rows: Sequence[Any]) -> list[UUID]:
    return [id for row in rows if (id := decode_id(row["deployment_id"])) is not None]
