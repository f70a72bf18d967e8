"""The schedules of deployments, and the removal of runs that they have made and that nothing has started yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.server.database.store import Transaction
from prefect.server.models._deployment_rows import SCHEDULE_COLUMNS, read_record, schedules_by_deployment
from prefect.server.models._rows import dumps
from prefect.server.models._statements import update_row
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.server.models.run_deletion import delete_flow_run_records

# -- runs that were made by schedules --------------------------------------------------------------------------------

_UNSTARTED = (
    "deployment_id = ? AND state_type = 'SCHEDULED' AND run_count = 0 AND state_name <> 'AwaitingConcurrencySlot'"
)
_CHOICES = {
    "future": f"{_UNSTARTED} AND auto_scheduled AND next_scheduled_start_time > ?",
    "all": f"{_UNSTARTED} AND auto_scheduled",
    "all_and_manual": _UNSTARTED,
}


def delete_scheduled_runs(
    tx: Transaction, deployment_id: UUID, which: Literal["future", "all", "all_and_manual"]
) -> None:
    """Delete scheduled runs of a deployment that nothing has started.

    Args:
        which: Those that its schedules have made and whose time is still to come, all that its schedules have made, or
            these and those that somebody has asked for.
    """
    where = _CHOICES[which]
    params = (deployment_id, tx.now) if which == "future" else (deployment_id,)
    if tx.fetch_one(f"SELECT 1 FROM flow_run WHERE {where} LIMIT 1", params) is None:
        return
    delete_flow_run_records(tx, f"SELECT id FROM flow_run WHERE {where}", params)
    tx.execute(f"DELETE FROM flow_run WHERE {where}", params)


# -- schedules by themselves -----------------------------------------------------------------------------------------


def read_schedules(tx: Transaction, deployment_id: UUID) -> list[DeploymentSchedule]:
    """The schedules of a deployment, those that were changed last first.

    Raises:
        NotFound: There is no such deployment.
    """
    if tx.fetch_one("SELECT 1 FROM deployment WHERE id = ?", (deployment_id,)) is None:
        raise NotFound(f"Deployment {str(deployment_id)!r} not found")
    return schedules_by_deployment(tx, [deployment_id]).get(deployment_id, [])


def create_schedules(
    tx: Transaction, deployment_id: UUID, wanted: Sequence[DeploymentScheduleCreate]
) -> list[DeploymentSchedule]:
    """Add schedules to a deployment.

    Raises:
        NotFound: There is no such deployment.
        Conflict: A slug is taken.
    """
    _lock(tx, deployment_id)
    created = [insert_schedule(tx, deployment_id, each) for each in wanted]
    delete_scheduled_runs(tx, deployment_id, "future")
    _touch(tx, deployment_id)
    return created


def update_schedule(tx: Transaction, deployment_id: UUID, id: UUID, changes: DeploymentScheduleUpdate) -> None:
    """Change what a request says of a schedule; nulls say nothing. Its runs are made anew.

    Raises:
        NotFound: There is no such deployment or schedule.
        Conflict: The new slug is taken.
    """
    schedule = _locked_schedule(tx, deployment_id, id)
    _patch(tx, schedule, changes)
    delete_scheduled_runs(tx, deployment_id, "future")
    _touch(tx, deployment_id)


def delete_schedule(tx: Transaction, deployment_id: UUID, id: UUID) -> None:
    """Delete a schedule, with the runs that the schedules of its deployment have made; those of the others come back.

    Raises:
        NotFound: There is no such deployment or schedule.
    """
    _locked_schedule(tx, deployment_id, id)
    tx.execute("DELETE FROM deployment_schedule WHERE id = ?", (id,))
    delete_scheduled_runs(tx, deployment_id, "all")
    _touch(tx, deployment_id)


def _lock(tx: Transaction, deployment_id: UUID) -> None:
    if read_record(tx, deployment_id, lock=True) is None:
        raise NotFound(f"Deployment {str(deployment_id)!r} not found")


def _locked_schedule(tx: Transaction, deployment_id: UUID, id: UUID) -> DeploymentSchedule:
    _lock(tx, deployment_id)
    for schedule in schedules_by_deployment(tx, [deployment_id]).get(deployment_id, []):
        if schedule.id == id:
            return schedule
    raise NotFound(f"Schedule {str(id)!r} of deployment {str(deployment_id)!r} not found")


def _touch(tx: Transaction, deployment_id: UUID) -> None:
    """Let the scheduler look at a deployment soon."""
    update_row(tx, "deployment", deployment_id, {})


# -- schedules as parts of a deployment ------------------------------------------------------------------------------


def insert_schedule(
    tx: Transaction, deployment_id: UUID, wanted: DeploymentScheduleCreate | DeploymentScheduleUpdate
) -> DeploymentSchedule:
    """Store one more schedule of a locked deployment.

    Raises:
        Conflict: Its slug is taken.
        Invalid: It does not say when.
    """
    if wanted.schedule is None:
        name = f" {wanted.slug!r}" if wanted.slug else ""
        raise Invalid(f"The new schedule{name} does not say when: give it a `schedule`.")
    created = DeploymentSchedule(
        id=uuid4(),
        created=tx.now,
        updated=tx.now,
        deployment_id=deployment_id,
        schedule=wanted.schedule,
        active=wanted.active is not False,
        max_scheduled_runs=wanted.max_scheduled_runs,
        parameters=wanted.parameters or {},
        slug=wanted.slug,
    )
    stored = tx.execute(
        f"INSERT INTO deployment_schedule ({SCHEDULE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (deployment_id, slug) DO NOTHING",
        (
            created.id,
            tx.now,
            tx.now,
            deployment_id,
            dumps(created.schedule),
            created.active,
            created.max_scheduled_runs,
            dumps(created.parameters),
            created.slug,
        ),
    )
    if not stored:
        raise Conflict(_taken(created.slug))
    return created


def replace_schedules(
    tx: Transaction, deployment_id: UUID, wanted: Sequence[DeploymentScheduleCreate | DeploymentScheduleUpdate]
) -> None:
    """Give a locked deployment these schedules, and no others."""
    tx.execute("DELETE FROM deployment_schedule WHERE deployment_id = ?", (deployment_id,))
    for each in wanted:
        insert_schedule(tx, deployment_id, each)


def merge_schedules(tx: Transaction, deployment_id: UUID, wanted: Sequence[DeploymentScheduleUpdate]) -> None:
    """Change the schedules of a locked deployment as an update of it says.

    Schedules that have slugs are changed one by one, and those that the update does not name stay. Schedules without
    slugs cannot be told apart: the update replaces them all.

    Raises:
        Invalid: A slug is missing or names two schedules, or a new schedule does not say when.
        Conflict: A slug is taken.
    """
    existing = schedules_by_deployment(tx, [deployment_id]).get(deployment_id, [])
    slugs = {schedule.slug: schedule for schedule in existing}
    if not existing or None in slugs:
        replace_schedules(tx, deployment_id, wanted)
        return
    if any(each.slug is None for each in wanted):
        raise Invalid(
            f"The schedules of this deployment have slugs ({', '.join(repr(slug) for slug in slugs)}). Give each "
            "schedule of the request one too, so that it is clear which one it changes."
        )
    _require_clear_replacements(wanted, slugs)
    for each in wanted:
        current = slugs.get(each.replaces) if each.replaces in slugs else slugs.get(each.slug)
        if current is None:
            insert_schedule(tx, deployment_id, each)
        else:
            _patch(tx, current, each)


def _require_clear_replacements(wanted: Sequence[DeploymentScheduleUpdate], existing: dict[str | None, Any]) -> None:
    replaced = [each.replaces for each in wanted if each.replaces in existing and each.replaces is not None]
    if doubles := {slug for slug in replaced if replaced.count(slug) > 1}:
        raise Invalid(f"Several schedules of the request replace the same one: {', '.join(map(repr, doubles))}.")
    for each in wanted:
        is_rename = each.replaces in replaced and each.slug != each.replaces
        if is_rename and each.slug in existing and each.slug not in replaced:
            raise Invalid(f"The schedule {each.replaces!r} cannot become {each.slug!r}: there is one of that slug.")


def _patch(tx: Transaction, current: DeploymentSchedule, changes: DeploymentScheduleUpdate) -> None:
    values: dict[str, Any] = {}
    for name in changes.model_fields_set - {"replaces"}:
        value = getattr(changes, name)
        if value is not None:
            values[name] = dumps(value) if name in ("schedule", "parameters") else value
    slug = values.get("slug")
    if slug is not None and slug != current.slug and _has_slug(tx, current, slug):
        raise Conflict(_taken(slug))
    update_row(tx, "deployment_schedule", current.id, values)


def _has_slug(tx: Transaction, current: DeploymentSchedule, slug: str) -> bool:
    params = (current.deployment_id, slug)
    return tx.fetch_one("SELECT 1 FROM deployment_schedule WHERE deployment_id = ? AND slug = ?", params) is not None


def _taken(slug: str | None) -> str:
    return f"The deployment has a schedule with the slug {slug!r} already. Choose another slug, or update that one."
