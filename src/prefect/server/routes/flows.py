"""The routes that every flow takes: it is registered, read, changed and deleted."""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.actions import FlowCreate, FlowUpdate
from prefect.client.schemas.objects import Flow
from prefect.server.database.store import Transaction
from prefect.server.models import flows as models
from prefect.server.routes._table import NotFound, Reply, Whole, route


@route("POST", "/flows/", also=(201,))
def create_flow(tx: Transaction, flow: Whole[FlowCreate]) -> Reply[Flow]:
    """Register a flow, or read the one of that name."""
    known, is_new = models.create_flow(tx, flow)
    return Reply(201 if is_new else 200, known)


@route("GET", "/flows/{id}", writes=False)
def read_flow(tx: Transaction, id: UUID) -> Flow:
    """Read a flow."""
    return _found(models.read_flow(tx, id), id)


@route("GET", "/flows/name/{name}", writes=False)
def read_flow_by_name(tx: Transaction, name: str) -> Flow:
    """Read the flow of a name."""
    return _found(models.read_flow_by_name(tx, name), name)


def _found(flow: Flow | None, by: UUID | str) -> Flow:
    if flow is None:
        raise NotFound(f"Flow {str(by)!r} not found")
    return flow


@route("PATCH", "/flows/{id}", status=204)
def update_flow(tx: Transaction, id: UUID, flow: Whole[FlowUpdate]) -> None:
    """Change a flow."""
    if not models.update_flow(tx, id, flow):
        raise NotFound(f"Flow {str(id)!r} not found")


@route("DELETE", "/flows/{id}", status=204)
def delete_flow(tx: Transaction, id: UUID) -> None:
    """Delete a flow with all its runs."""
    if not models.delete_flow(tx, id):
        raise NotFound(f"Flow {str(id)!r} not found")
