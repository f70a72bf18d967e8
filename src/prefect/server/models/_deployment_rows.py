"""Deployments as rows, as answers of the API, and as events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_json, dumps, placeholders
from prefect.server.models.deployment_queues import QueuePlace, read_queue_places
from prefect.server.models.events import record_event

COLUMNS = (
    "id",
    "created",
    "updated",
    "flow_id",
    "name",
    "version",
    "description",
    "path",
    "entrypoint",
    "tags",
    "labels",
    "parameters",
    "parameter_openapi_schema",
    "enforce_parameter_schema",
    "pull_steps",
    "job_variables",
    "paused",
    "status",
    "last_polled",
    "work_queue_id",
    "storage_document_id",
    "infrastructure_document_id",
    "concurrency_limit_id",
    "concurrency_options",
    "created_by",
    "updated_by",
)
JSON_COLUMNS = (
    "tags",
    "labels",
    "parameters",
    "parameter_openapi_schema",
    "pull_steps",
    "job_variables",
    "concurrency_options",
    "created_by",
    "updated_by",
)
_IDS = (
    "id",
    "flow_id",
    "work_queue_id",
    "storage_document_id",
    "infrastructure_document_id",
    "concurrency_limit_id",
)
_SELECT = f"SELECT {', '.join(f'deployment.{name}' for name in COLUMNS)} FROM deployment"

Record = dict[str, Any]
"""The columns of a deployment, with JSON read and ids as UUIDs."""


def read_record(tx: Transaction, id: UUID, *, lock: bool = False) -> Record | None:
    """The columns of one deployment.

    Args:
        lock: Keep it from changing until the transaction ends. Whoever changes a deployment, its schedules or the runs
            that its schedules make does this first, so that the scheduler never works from a schedule of before.
    """
    row = tx.fetch_one(f"{_SELECT} WHERE deployment.id = ?{tx.dialect.for_update() if lock else ''}", (id,))
    return None if row is None else decode_record(row)


def read_records(tx: Transaction, rest: str, params: Sequence[Any]) -> list[Record]:
    """The columns of the deployments that a condition selects.

    Args:
        rest: What follows the table's name.
        params: The values of its parameters.
    """
    return [decode_record(row) for row in tx.fetch_all(f"{_SELECT} {rest}", params)]


def decode_record(row: Any) -> Record:
    """The columns of a deployment from its row."""
    record = decode_json(row, JSON_COLUMNS)
    record.update((name, decode_id(record[name])) for name in _IDS)
    for name in ("paused", "enforce_parameter_schema"):
        record[name] = bool(record[name])
    return record


def encode_column(name: str, value: Any) -> Any:
    """A value as its column stores it."""
    return dumps(value) if name in JSON_COLUMNS and value is not None else value


# -- answers ---------------------------------------------------------------------------------------------------------


def deployment_responses(tx: Transaction, records: Sequence[Record]) -> list[DeploymentResponse]:
    """Deployments as the API answers them: with their schedules, their limits and the names of their queues."""
    if not records:
        return []
    from prefect.server.models.concurrency_limits_v2 import read_limits_by_id  # noqa: PLC0415 - few flows need limits

    schedules = schedules_by_deployment(tx, [record["id"] for record in records])
    limits = read_limits_by_id(tx, {id for record in records if (id := record["concurrency_limit_id"]) is not None})
    places = read_queue_places(tx, {id for record in records if (id := record["work_queue_id"]) is not None})
    return [
        DeploymentResponse.model_validate(
            {
                **_fields(record, places.get(record["work_queue_id"])),
                "schedules": schedules.get(record["id"], []),
                "global_concurrency_limit": limits.get(record["concurrency_limit_id"]),
            }
        )
        for record in records
    ]


_NOT_ANSWERED = ("concurrency_limit_id", "work_queue_id")


def _fields(record: Record, place: QueuePlace | None) -> dict[str, Any]:
    fields = {name: value for name, value in record.items() if name not in _NOT_ANSWERED}
    if place is not None:
        fields["work_queue_id"] = record["work_queue_id"]
        fields["work_queue_name"] = place.queue_name
        fields["work_pool_name"] = place.pool_name
    return fields


SCHEDULE_COLUMNS = "id, created, updated, deployment_id, schedule, active, max_scheduled_runs, parameters, slug"


def read_schedule_rows(tx: Transaction, deployment_ids: Sequence[UUID]) -> list[Any]:
    """The rows of the schedules of deployments, those that were changed last first."""
    return tx.fetch_all(
        f"SELECT {SCHEDULE_COLUMNS} FROM deployment_schedule "
        f"WHERE deployment_id IN ({placeholders(len(deployment_ids))}) ORDER BY updated DESC, id DESC",
        deployment_ids,
    )


def schedule_from_row(row: Any) -> DeploymentSchedule:
    """A schedule from its row."""
    return DeploymentSchedule.model_validate(decode_json(row, ("schedule", "parameters")))


def schedules_by_deployment(tx: Transaction, deployment_ids: Sequence[UUID]) -> dict[UUID, list[DeploymentSchedule]]:
    """The schedules of deployments, those that were changed last first."""
    schedules: dict[UUID, list[DeploymentSchedule]] = {}
    for schedule in map(schedule_from_row, read_schedule_rows(tx, deployment_ids)):
        assert schedule.deployment_id is not None
        schedules.setdefault(schedule.deployment_id, []).append(schedule)
    return schedules


# -- events ----------------------------------------------------------------------------------------------------------

_TOLD_CHANGES = {
    "concurrency_limit_id": "concurrency_limit_id",
    "concurrency_options": "concurrency_options",
    "description": "description",
    "enforce_parameter_schema": "enforce_parameter_schema",
    "entrypoint": "entrypoint",
    "infra_overrides": "job_variables",  # by the name that it once had
    "labels": "labels",
    "parameter_openapi_schema": "parameter_openapi_schema",
    "parameters": "parameters",
    "path": "path",
    "paused": "paused",
    "pull_steps": "pull_steps",
    "tags": "tags",
    "version": "version",
    "work_queue_id": "work_queue_id",
}
"""The names under which an event tells of changes, and their columns."""


def record_deployment_event(
    tx: Transaction, what: str, record: Record, payload: Mapping[str, Any] | None = None
) -> None:
    """Store the event `prefect.deployment.<what>`."""
    record_event(
        tx,
        f"prefect.deployment.{what}",
        {"prefect.resource.id": f"prefect.deployment.{record['id']}", "prefect.resource.name": record["name"]},
        related=_related(tx, record),
        payload=payload,
    )


def record_deployment_update(tx: Transaction, before: Record, after: Record) -> None:
    """Store the event that tells what has changed about a deployment; none when nothing has that matters."""
    updates = {
        told: {"from": before[column], "to": after[column]}
        for told, column in _TOLD_CHANGES.items()
        if before[column] != after[column]
    }
    if updates:
        record_deployment_event(tx, "updated", after, {"updated_fields": list(updates), "updates": updates})


def _related(tx: Transaction, record: Record) -> list[dict[str, str]]:
    related: list[dict[str, str]] = []

    def add(kind: str, id: UUID, role: str, **labels: str) -> None:
        related.append({"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": role, **labels})

    flow = tx.fetch_one("SELECT name FROM flow WHERE id = ?", (record["flow_id"],))
    if flow is not None:
        add("flow", record["flow_id"], "flow", **{"prefect.resource.name": flow["name"]})
    queue_id: UUID | None = record["work_queue_id"]
    place = None if queue_id is None else read_queue_places(tx, {queue_id}).get(queue_id)
    if place is not None and queue_id is not None:
        add("work-queue", queue_id, "work-queue", **{"prefect.resource.name": place.queue_name})
        pool_labels = {"prefect.resource.name": place.pool_name, "prefect.work-pool.type": place.pool_type}
        add("work-pool", place.pool_id, "work-pool", **pool_labels)
    for kind, column, role in (
        ("block-document", "storage_document_id", "storage"),
        ("block-document", "infrastructure_document_id", "infrastructure"),
        ("concurrency-limit", "concurrency_limit_id", "concurrency-limit"),
    ):
        if record[column] is not None:
            add(kind, record[column], role)
    return related
