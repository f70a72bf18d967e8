"""The routes of the runs of deployments: made on request, one or many, and handed to runners."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import DeploymentFlowRunCreate
from prefect.client.schemas.objects import FlowRun
from prefect.server.database.errors import ValueRefused
from prefect.server.database.store import Store, Transaction
from prefect.server.models import deployment_runs as models
from prefect.server.models.creators import creator
from prefect.server.models.deployments import read_deployment
from prefect.server.routes._pages import check_parameter_size, checked_limit
from prefect.server.routes._table import ABSENT, ApiError, Caller, Reply, Whole, route
from prefect.types import DateTime

_MOST_AT_ONCE = 100


@route("POST", "/deployments/get_scheduled_flow_runs", answers="list[FlowRunResponse]")
def get_scheduled_flow_runs_for_deployments(
    tx: Transaction,
    deployment_ids: list[UUID],
    scheduled_before: DateTime = ABSENT,
    limit: int = ABSENT,
    *,
    caller: Caller,
) -> list[FlowRun]:
    """Read the scheduled runs of deployments, for a runner to start.

    With the header `Prefer: wait=N`, the answer comes as soon as there are some, after N seconds at the latest.
    """
    before = None if scheduled_before is None else scheduled_before + caller.waited
    return models.read_due_runs(tx, deployment_ids, before, checked_limit(limit))


@route("POST", "/deployments/{id}/create_flow_run", also=(201,), answers="FlowRunResponse")
def create_flow_run_from_deployment(
    tx: Transaction, id: UUID, flow_run: Whole[DeploymentFlowRunCreate], caller: Caller
) -> Reply[FlowRun]:
    """Create a run of a deployment, or read the one of the same flow and idempotency key."""
    check_parameter_size(flow_run.parameters)
    run, is_new = models.create_deployment_run(tx, id, flow_run, created_by=creator(caller))
    return Reply(201 if is_new else 200, run)


@route("POST", "/deployments/{id}/create_flow_run/bulk", answers="FlowRunBulkCreateResponse")
def bulk_create_flow_runs_from_deployment(
    store: Store, id: UUID, flow_runs: Whole[list[DeploymentFlowRunCreate]], caller: Caller
) -> dict[str, Any]:
    """Create runs of a deployment, one transaction each; what is wrong with one does not keep the others."""
    if len(flow_runs) > _MOST_AT_ONCE:
        raise ApiError(400, f"At most {_MOST_AT_ONCE} flow runs are created at once, got {len(flow_runs)}.")
    store.read(lambda tx: read_deployment(tx, id))
    results: list[dict[str, Any]] = []
    for wanted in flow_runs:
        try:
            check_parameter_size(wanted.parameters)
            run, _ = store.write(
                lambda tx, wanted=wanted: models.create_deployment_run(tx, id, wanted, created_by=creator(caller))
            )
        except (ApiError, OverflowError, UnicodeError, ValueRefused) as error:
            reason = str(error.detail if isinstance(error, ApiError) else error)
            results.append({"flow_run_id": None, "status": "FAILED", "error": reason})
        else:
            results.append({"flow_run_id": run.id, "status": "CREATED", "error": None})
    return {"results": results}
