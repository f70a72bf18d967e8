"""The routes of what is sent to flow runs."""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.objects import FlowRunInput
from prefect.server.database.store import Transaction
from prefect.server.models import flow_run_inputs as models
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.server.models.flow_runs import read_flow_run
from prefect.server.routes._table import Reply, route


@route("POST", "/flow_runs/{id}/input", status=201)
def create_flow_run_input(tx: Transaction, id: UUID, key: str, value: bytes, sender: str | None = None) -> None:
    """Store an input for a flow run."""
    if read_flow_run(tx, id) is None:
        raise NotFound(f"Flow run {str(id)!r} not found")
    if models.create_flow_run_input(tx, id, key, value.decode(), sender) is None:
        raise Conflict(f"Flow run {str(id)!r} has an input under the key {key!r} already.")


@route("POST", "/flow_runs/{id}/input/filter", writes=False)
def filter_flow_run_input(
    tx: Transaction,
    id: UUID,
    prefix: str,
    limit: int = 1,
    exclude_keys: list[str] = [],  # noqa: B006 - never changed, and told in the API description
) -> list[FlowRunInput]:
    """Read the inputs of a flow run whose keys start with a prefix, oldest first."""
    if limit < 0:
        raise Invalid(f"Invalid limit: must not be negative, got {limit}.")
    return models.filter_flow_run_inputs(tx, id, prefix, limit, exclude_keys)


@route("GET", "/flow_runs/{id}/input/{key}", writes=False, media_type="text/plain")
def read_flow_run_input(tx: Transaction, id: UUID, key: str) -> Reply[str]:
    """Read what was sent to a flow run under a key, as it was sent."""
    found = models.read_flow_run_input(tx, id, key)
    if found is None:
        raise NotFound(f"Flow run input {key!r} not found")
    return Reply(200, found.value, "text/plain")


@route("DELETE", "/flow_runs/{id}/input/{key}", status=204)
def delete_flow_run_input(tx: Transaction, id: UUID, key: str) -> None:
    """Delete an input of a flow run."""
    if not models.delete_flow_run_input(tx, id, key):
        raise NotFound(f"Flow run input {key!r} not found")
