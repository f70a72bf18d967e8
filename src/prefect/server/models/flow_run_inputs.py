"""Inputs: texts that are sent to flow runs, each under a key."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prefect.client.schemas.objects import FlowRunInput
from prefect.server.database.filters.clauses import all_of, is_not_in
from prefect.server.database.filters.patterns import starts_with
from prefect.server.database.store import Transaction
from prefect.types._ids import uuid7

_COLUMNS = "id, created, updated, flow_run_id, key, value, sender"


def create_flow_run_input(
    tx: Transaction, flow_run_id: UUID, key: str, value: str, sender: str | None = None
) -> FlowRunInput | None:
    """Store an input; None when the run has one under that key already."""
    made = FlowRunInput(
        id=uuid7(), created=tx.now, updated=tx.now, flow_run_id=flow_run_id, key=key, value=value, sender=sender
    )
    stored = tx.execute(
        f"INSERT INTO flow_run_input ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (flow_run_id, key) DO NOTHING",
        (made.id, tx.now, tx.now, flow_run_id, key, value, sender),
    )
    return made if stored else None


def put_flow_run_input(tx: Transaction, flow_run_id: UUID, key: str, value: str) -> None:
    """Store an input in the place of one that the run may have under that key."""
    delete_flow_run_input(tx, flow_run_id, key)
    create_flow_run_input(tx, flow_run_id, key, value)


def read_flow_run_input(tx: Transaction, flow_run_id: UUID, key: str) -> FlowRunInput | None:
    """The input of a flow run under a key."""
    row = tx.fetch_one(f"SELECT {_COLUMNS} FROM flow_run_input WHERE flow_run_id = ? AND key = ?", (flow_run_id, key))
    return None if row is None else FlowRunInput.model_validate(dict(row))


def filter_flow_run_inputs(
    tx: Transaction, flow_run_id: UUID, prefix: str, limit: int, exclude_keys: Sequence[str] = ()
) -> list[FlowRunInput]:
    """The inputs of a flow run whose keys start with a prefix, oldest first."""
    where = all_of(starts_with(tx.dialect, "key", prefix) if prefix else None, is_not_in("key", list(exclude_keys)))
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM flow_run_input WHERE flow_run_id = ? AND ({where.sql}) ORDER BY created, id LIMIT ?",
        (flow_run_id, *where.params, limit),
    )
    return [FlowRunInput.model_validate(dict(row)) for row in rows]


def delete_flow_run_input(tx: Transaction, flow_run_id: UUID, key: str) -> bool:
    """Delete an input; whether there was one under that key."""
    return tx.execute("DELETE FROM flow_run_input WHERE flow_run_id = ? AND key = ?", (flow_run_id, key)) > 0
