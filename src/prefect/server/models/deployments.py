"""Deployments: upserted by flow and name, changed, found, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import DeploymentCreate, DeploymentUpdate
from prefect.client.schemas.objects import CreatedBy, DeploymentStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._deployment_rows import (
    COLUMNS,
    Record,
    deployment_responses,
    encode_column,
    read_record,
    read_records,
    record_deployment_event,
    record_deployment_update,
)
from prefect.server.models._rows import decode_id, loads, placeholders
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models.deployment_limits import drop_own_limit, link_limit, set_own_limit
from prefect.server.models.deployment_queues import read_queue_places, read_variables_schema, resolve_queue
from prefect.server.models.deployment_schedules import delete_scheduled_runs, merge_schedules, replace_schedules
from prefect.server.models.errors import Conflict, NotFound
from prefect.server.models.parameter_checks import (
    hydrated_parameters,
    require_valid_job_variables,
    require_valid_parameters,
)

_EMPTY_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
_DEFAULTS: dict[str, Any] = {
    "tags": [],
    "labels": {},
    "parameters": {},
    "parameter_openapi_schema": _EMPTY_SCHEMA,
    "enforce_parameter_schema": True,
    "pull_steps": [],
    "job_variables": {},
    "paused": False,
    "status": DeploymentStatus.NOT_READY,
}
_PLAIN = (
    "version",
    "description",
    "path",
    "entrypoint",
    "tags",
    "parameters",
    "parameter_openapi_schema",
    "enforce_parameter_schema",
    "pull_steps",
    "job_variables",
    "paused",
    "storage_document_id",
    "infrastructure_document_id",
    "concurrency_options",
)
"""What a request sets as it stands."""
_NEVER_NULL = ("tags", "parameters", "enforce_parameter_schema", "job_variables", "paused")


def create_deployment(
    tx: Transaction, wanted: DeploymentCreate, *, created_by: CreatedBy | None = None
) -> tuple[DeploymentResponse, bool]:
    """Store a deployment, or change the one of the same flow and name.

    Of a deployment that exists only what the request mentions changes, but for its parameters and schedules: those are
    replaced.

    Returns:
        The deployment, and whether it is new.

    Raises:
        Conflict: There is no such flow or block document.
        NotFound: There is no such work pool or limit.
        ApiError: The job variables do not fit the work pool.
    """
    values = _given(wanted) | {"parameters": wanted.parameters or {}}
    labels = _labels(tx, wanted)
    before = _locked_by_name(tx, wanted.flow_id, wanted.name)
    if wanted.model_fields_set & {"work_pool_name", "work_queue_name"}:
        values["work_queue_id"] = _wanted_queue(tx, before, wanted)
    _require_documents(tx, values)
    after = (
        None
        if before is not None
        else _insert(tx, wanted, {"pull_steps": [], **values, "labels": labels, "created_by": _plain(created_by)})
    )
    if after is None:
        before = before or _locked_by_name(tx, wanted.flow_id, wanted.name)  # another server was faster
        assert before is not None
        if "labels" in wanted.model_fields_set:
            values["labels"] = labels
        after = _store(tx, before, {**values, "updated_by": _plain(created_by)} if created_by else values)
        delete_scheduled_runs(tx, after["id"], "future")
    schema = read_variables_schema(tx, after["work_queue_id"])
    require_valid_job_variables(after["job_variables"], schema, ignore_required=True)
    after = _apply_limit(tx, after, wanted)
    replace_schedules(tx, after["id"], wanted.schedules)
    if before is None:
        record_deployment_event(tx, "created", after)
    else:
        record_deployment_update(tx, before, after)
    return deployment_responses(tx, [after])[0], before is None


def update_deployment(
    tx: Transaction, id: UUID, changes: DeploymentUpdate, *, updated_by: CreatedBy | None = None
) -> None:
    """Change what a request mentions of a deployment. The runs that its schedules have made are made anew.

    Raises:
        NotFound: There is no such deployment, work pool or limit.
        ApiError: 400; parameters cannot be filled in.
        Conflict: Parameters or job variables do not fit; there is no such block document.
        Invalid: The schedules of the request are not clear.
    """
    before = read_record(tx, id, lock=True)
    if before is None:
        raise NotFound(f"Deployment {str(id)!r} not found")
    values = _given(changes)
    if "parameters" in values:
        values["parameters"] = hydrated_parameters(tx, values["parameters"], f"deployment {before['name']!r}")
        if values.get("enforce_parameter_schema", before["enforce_parameter_schema"]):
            schema = values.get("parameter_openapi_schema", before["parameter_openapi_schema"])
            what = f"deployment {before['name']!r}"
            require_valid_parameters(values["parameters"], schema, what, ignore_required=True)
    if changes.model_fields_set & {"work_pool_name", "work_queue_name"}:
        values["work_queue_id"] = _wanted_queue(tx, before, changes)
    _require_documents(tx, values)
    if "job_variables" in values:
        schema = read_variables_schema(tx, values.get("work_queue_id", before["work_queue_id"]))
        require_valid_job_variables(values["job_variables"], schema, ignore_required=True, status=409)
    after = _store(tx, before, {**values, "updated_by": _plain(updated_by)} if updated_by else values)
    after = _apply_limit(tx, after, changes)
    if changes.schedules is not None:
        merge_schedules(tx, id, changes.schedules)
    delete_scheduled_runs(tx, id, "all" if after["paused"] and not before["paused"] else "future")
    record_deployment_update(tx, before, after)


def set_paused(tx: Transaction, id: UUID, paused: bool) -> None:
    """Let the schedules of a deployment rest, and delete the runs that they have made; or let them work again.

    Raises:
        NotFound: There is no such deployment.
    """
    before = read_record(tx, id, lock=True)
    if before is None:
        raise NotFound(f"Deployment {str(id)!r} not found")
    after = _store(tx, before, {"paused": paused})
    if paused:
        delete_scheduled_runs(tx, id, "all")
    record_deployment_update(tx, before, after)


def delete_deployment(tx: Transaction, id: UUID) -> bool:
    """Delete a deployment with its schedules, the limit of its own, and its runs that nothing has started.

    Other runs stay, and keep its id.

    Returns:
        Whether there was such a deployment.
    """
    record = read_record(tx, id, lock=True)
    if record is None:
        return False
    delete_scheduled_runs(tx, id, "all_and_manual")
    drop_own_limit(tx, record)
    delete_row(tx, "deployment", id)
    record_deployment_event(tx, "deleted", record)
    return True


def delete_deployments_of_flow(tx: Transaction, flow_id: UUID) -> None:
    """Delete the deployments of a flow, as `delete_deployment` does."""
    for row in tx.fetch_all("SELECT id FROM deployment WHERE flow_id = ? ORDER BY id", (flow_id,)):
        id = decode_id(row["id"])
        assert id is not None
        delete_deployment(tx, id)


# -- reading ---------------------------------------------------------------------------------------------------------


def read_deployment(tx: Transaction, id: UUID) -> DeploymentResponse:
    """The deployment of an id.

    Raises:
        NotFound: There is none.
    """
    record = read_record(tx, id)
    if record is None:
        raise NotFound(f"Deployment {str(id)!r} not found")
    return deployment_responses(tx, [record])[0]


def read_deployment_by_name(tx: Transaction, flow_name: str, name: str) -> DeploymentResponse:
    """The deployment of a flow's name and its own.

    Raises:
        NotFound: There is none.
    """
    records = read_records(
        tx,
        "WHERE deployment.name = ? AND deployment.flow_id = (SELECT id FROM flow WHERE name = ?)",
        (name, flow_name),
    )
    if not records:
        raise NotFound(f"Deployment {f'{flow_name}/{name}'!r} not found")
    return deployment_responses(tx, records)[0]


_LIMIT = "(SELECT slot_limit FROM concurrency_limit WHERE concurrency_limit.id = deployment.concurrency_limit_id)"
_ORDER = {
    DeploymentSort.CONCURRENCY_LIMIT_ASC: f"{_LIMIT} ASC NULLS LAST, deployment.id",
    DeploymentSort.CONCURRENCY_LIMIT_DESC: f"{_LIMIT} DESC NULLS LAST, deployment.id",
    DeploymentSort.CREATED_DESC: "deployment.created DESC, deployment.id",
    DeploymentSort.UPDATED_DESC: "deployment.updated DESC, deployment.id",
    DeploymentSort.NAME_ASC: "deployment.name ASC, deployment.id",
    DeploymentSort.NAME_DESC: "deployment.name DESC, deployment.id",
}


def read_deployments(
    tx: Transaction, where: Clause, sort: DeploymentSort, limit: int, offset: int = 0
) -> list[DeploymentResponse]:
    """The deployments that meet a condition."""
    rest = f"WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?"
    return deployment_responses(tx, read_records(tx, rest, (*where.params, limit, offset)))


def read_deployment_ids(tx: Transaction, where: Clause, limit: int) -> list[UUID]:
    """The ids of deployments that meet a condition."""
    rows = tx.fetch_all(
        f"SELECT deployment.id FROM deployment WHERE {where.sql} ORDER BY deployment.id LIMIT ?", (*where.params, limit)
    )
    return [id for row in rows if (id := decode_id(row["id"])) is not None]


def count_deployments(tx: Transaction, where: Clause) -> int:
    """How many deployments meet a condition."""
    return count_rows(tx, f"deployment WHERE {where.sql}", where.params)


def mark_deployments_ready(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Note that somebody has asked for the runs of deployments just now; those that nobody had asked for are ready."""
    chosen = sorted(ids, key=str)
    if not chosen:
        return
    inside = f"deployment.id IN ({placeholders(len(chosen))})"
    # Locked in the order of their ids, as the scheduler does: nobody waits for somebody who waits.
    polled = read_records(tx, f"WHERE {inside} ORDER BY deployment.id{tx.dialect.for_update()}", chosen)
    tx.execute(
        f"UPDATE deployment SET last_polled = ?, status = ? WHERE {inside}", (tx.now, DeploymentStatus.READY, *chosen)
    )
    for record in polled:
        if record["status"] != DeploymentStatus.READY:
            record_deployment_event(tx, "ready", record)


# -- parts -----------------------------------------------------------------------------------------------------------


def _given(wanted: DeploymentCreate | DeploymentUpdate) -> dict[str, Any]:
    """The columns that a request sets as they stand."""
    values: dict[str, Any] = {}
    for name in _PLAIN:
        if name in wanted.model_fields_set:
            value: Any = getattr(wanted, name)
            if value is None and name in _NEVER_NULL:
                if isinstance(wanted, DeploymentCreate) or name in ("paused", "enforce_parameter_schema"):
                    continue
                value = _DEFAULTS[name]
            if name == "parameter_openapi_schema" and value == {}:
                value = _EMPTY_SCHEMA
            if name == "concurrency_options" and value is not None:
                value = value.model_dump(mode="json")
            values[name] = value
    return values


def _plain(by: CreatedBy | None) -> dict[str, Any] | None:
    return None if by is None else by.model_dump(mode="json")


def _labels(tx: Transaction, wanted: DeploymentCreate) -> dict[str, Any]:
    flow = tx.fetch_one("SELECT labels FROM flow WHERE id = ?", (wanted.flow_id,))
    if flow is None:
        raise Conflict(f"Deployment {wanted.name!r} cannot be stored: there is no flow {str(wanted.flow_id)!r}.")
    return {**loads(flow["labels"]), "prefect.flow.id": str(wanted.flow_id), **(wanted.labels or {})}


def _locked_by_name(tx: Transaction, flow_id: UUID, name: str) -> Record | None:
    records = read_records(
        tx, f"WHERE deployment.flow_id = ? AND deployment.name = ?{tx.dialect.for_update()}", (flow_id, name)
    )
    return records[0] if records else None


def _insert(tx: Transaction, wanted: DeploymentCreate, values: dict[str, Any]) -> Record | None:
    """The new deployment; None when there is one of this name already."""
    record: Record = {**dict.fromkeys(COLUMNS), **_DEFAULTS, **values}
    record.update(id=uuid4(), created=tx.now, updated=tx.now, flow_id=wanted.flow_id, name=wanted.name)
    stored = tx.execute(
        f"INSERT INTO deployment ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
        "ON CONFLICT (flow_id, name) DO NOTHING",
        [encode_column(name, record[name]) for name in COLUMNS],
    )
    return record if stored else None


def _store(tx: Transaction, before: Record, values: dict[str, Any]) -> Record:
    update_row(tx, "deployment", before["id"], {name: encode_column(name, value) for name, value in values.items()})
    return {**before, **values, "updated": tx.now}


def _wanted_queue(tx: Transaction, before: Record | None, wanted: DeploymentCreate | DeploymentUpdate) -> UUID | None:
    pool_name = wanted.work_pool_name
    if pool_name is None and wanted.work_queue_name is None:
        return None
    if "work_pool_name" not in wanted.model_fields_set and before is not None:
        place = read_queue_places(tx, {before["work_queue_id"]}).get(before["work_queue_id"])
        pool_name = None if place is None else place.pool_name
    return resolve_queue(tx, pool_name, wanted.work_queue_name)


def _require_documents(tx: Transaction, values: dict[str, Any]) -> None:
    for kind in ("storage", "infrastructure"):
        id = values.get(f"{kind}_document_id")
        if id is not None and tx.fetch_one("SELECT 1 FROM block_document WHERE id = ?", (id,)) is None:
            raise Conflict(f"There is no {kind} block with the id {str(id)!r} in this database. Save it here first.")


def _apply_limit(tx: Transaction, record: Record, wanted: DeploymentCreate | DeploymentUpdate) -> Record:
    limit_id = record["concurrency_limit_id"]
    if wanted.global_concurrency_limit_id is not None:
        limit_id = link_limit(tx, record, wanted.global_concurrency_limit_id)
    elif wanted.model_fields_set & {"concurrency_limit", "global_concurrency_limit_id"}:
        limit_id = set_own_limit(tx, record, wanted.concurrency_limit)
    if limit_id == record["concurrency_limit_id"]:
        return record
    return _store(tx, record, {"concurrency_limit_id": limit_id})
