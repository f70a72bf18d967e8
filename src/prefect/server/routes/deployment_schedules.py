"""The routes of the schedules of deployments."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.server.database.store import Transaction
from prefect.server.models import deployment_schedules as models
from prefect.server.models.scheduling import Horizon, schedule_runs
from prefect.server.routes._table import ABSENT, Whole, route
from prefect.types import DateTime


@route("GET", "/deployments/{id}/schedules", writes=False)
def read_deployment_schedules(tx: Transaction, id: UUID) -> list[DeploymentSchedule]:
    """Read the schedules of a deployment."""
    return models.read_schedules(tx, id)


@route("POST", "/deployments/{id}/schedules", status=201)
def create_deployment_schedules(
    tx: Transaction, id: UUID, schedules: Whole[list[DeploymentScheduleCreate]]
) -> list[DeploymentSchedule]:
    """Add schedules to a deployment."""
    return models.create_schedules(tx, id, schedules)


@route("PATCH", "/deployments/{id}/schedules/{schedule_id}", status=204)
def update_deployment_schedule(
    tx: Transaction, id: UUID, schedule_id: UUID, schedule: Whole[DeploymentScheduleUpdate]
) -> None:
    """Change a schedule of a deployment."""
    models.update_schedule(tx, id, schedule_id, schedule)


@route("DELETE", "/deployments/{id}/schedules/{schedule_id}", status=204)
def delete_deployment_schedule(tx: Transaction, id: UUID, schedule_id: UUID) -> None:
    """Delete a schedule of a deployment."""
    models.delete_schedule(tx, id, schedule_id)


@route("POST", "/deployments/{id}/schedule")
def schedule_deployment(
    tx: Transaction,
    id: UUID,
    start_time: DateTime = ABSENT,
    end_time: DateTime = ABSENT,
    min_time: timedelta = ABSENT,
    min_runs: int = ABSENT,
    max_runs: int = ABSENT,
) -> None:
    """Make the runs of the active schedules of a deployment now."""
    horizon = Horizon.from_settings(start_time or tx.now).but(
        end=end_time, min_time=min_time, min_runs=min_runs, max_runs=max_runs
    )
    schedule_runs(tx, tx.now, [id], horizon)
