"""Flows: named, upserted by name, and never changed by running."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import FlowCreate, FlowUpdate
from prefect.client.schemas.objects import Flow
from prefect.client.schemas.sorting import FlowSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, dumps
from prefect.server.models.events import record_event
from prefect.server.models.run_deletion import delete_flow_run_records
from prefect.types._ids import uuid7

_COLUMNS = "flow.id, flow.created, flow.updated, flow.name, flow.tags, flow.labels"
_JSON_COLUMNS = ("tags", "labels")


def create_flow(tx: Transaction, wanted: FlowCreate) -> tuple[Flow, bool]:
    """Register a flow.

    Returns:
        The flow, and whether it is new. One of that name that is known already is returned as it is.
    """
    existing = read_flow_by_name(tx, wanted.name)
    if existing is not None:
        return existing, False
    id, tags, labels = uuid7(), wanted.tags or [], wanted.labels or {}
    stored = tx.execute(
        "INSERT INTO flow (id, created, updated, name, tags, labels) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO NOTHING",
        (id, tx.now, tx.now, wanted.name, dumps(tags), dumps(labels)),
    )
    if not stored:  # another server was faster
        existing = read_flow_by_name(tx, wanted.name)
        assert existing is not None
        return existing, False
    flow = Flow(id=id, created=tx.now, updated=tx.now, name=wanted.name, tags=list(tags), labels=dict(labels))
    _record_flow_event(tx, "created", flow)
    return flow, True


def read_flow(tx: Transaction, id: UUID) -> Flow | None:
    """A flow, by its id."""
    return _flow(tx.fetch_one(f"SELECT {_COLUMNS} FROM flow WHERE id = ?", (id,)))


def read_flow_by_name(tx: Transaction, name: str) -> Flow | None:
    """A flow, by its name."""
    return _flow(tx.fetch_one(f"SELECT {_COLUMNS} FROM flow WHERE name = ?", (name,)))


def _flow(row: Any | None) -> Flow | None:
    return None if row is None else Flow.model_validate(decode_json(row, _JSON_COLUMNS))


def update_flow(tx: Transaction, id: UUID, changes: FlowUpdate) -> bool:
    """Change a flow's tags; whether there is such a flow."""
    if "tags" in changes.model_fields_set:
        found = tx.execute("UPDATE flow SET tags = ?, updated = ? WHERE id = ?", (dumps(changes.tags), tx.now, id)) > 0
    else:
        found = tx.fetch_one("SELECT 1 FROM flow WHERE id = ?", (id,)) is not None
    if found:
        flow = read_flow(tx, id)
        assert flow is not None
        _record_flow_event(tx, "updated", flow)
    return found


def delete_flow(tx: Transaction, id: UUID) -> bool:
    """Delete a flow with all its deployments and runs; whether there was such a flow."""
    flow = read_flow(tx, id)
    if flow is None:
        return False
    _delete_deployments(tx, id)
    delete_flow_run_records(tx, "SELECT id FROM flow_run WHERE flow_id = ?", (id,))
    tx.execute("DELETE FROM flow WHERE id = ?", (id,))
    _record_flow_event(tx, "deleted", flow)
    return True


def _delete_deployments(tx: Transaction, id: UUID) -> None:
    if tx.fetch_one("SELECT 1 FROM deployment WHERE flow_id = ? LIMIT 1", (id,)) is not None:
        from prefect.server.models.deployments import delete_deployments_of_flow  # noqa: PLC0415 - few flows have some

        delete_deployments_of_flow(tx, id)


def _record_flow_event(tx: Transaction, what: str, flow: Flow) -> None:
    record_event(
        tx,
        f"prefect.flow.{what}",
        {"prefect.resource.id": f"prefect.flow.{flow.id}", "prefect.resource.name": flow.name},
        payload={"name": flow.name, "tags": flow.tags, "labels": flow.labels},
    )


# -- many ------------------------------------------------------------------------------------------------------------

_ORDER = {
    FlowSort.CREATED_DESC: "flow.created DESC, flow.id DESC",
    FlowSort.UPDATED_DESC: "flow.updated DESC, flow.id DESC",
    FlowSort.NAME_ASC: "flow.name ASC",
    FlowSort.NAME_DESC: "flow.name DESC",
}


def read_flows(tx: Transaction, where: Clause, sort: FlowSort, limit: int, offset: int = 0) -> list[Flow]:
    """The flows that meet a condition."""
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM flow WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [Flow.model_validate(decode_json(row, _JSON_COLUMNS)) for row in rows]


def count_flows(tx: Transaction, where: Clause) -> int:
    """How many flows meet a condition."""
    row = tx.fetch_one(f"SELECT COUNT(*) AS total FROM flow WHERE {where.sql}", where.params)
    assert row is not None
    return row["total"]
