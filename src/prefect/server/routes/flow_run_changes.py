"""The routes that change, resume and delete flow runs."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import FlowRunUpdate, StateCreate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAbortDetails
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.store import Store, Transaction
from prefect.server.models import flow_runs as models
from prefect.server.models._deployment_rows import read_record
from prefect.server.models.deployment_queues import read_variables_schema
from prefect.server.models.errors import ApiError, NotFound
from prefect.server.models.flow_run_resumption import resume_flow_run as resume
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.orchestration.policies import CORE_FLOW_POLICY, MINIMAL_FLOW_POLICY
from prefect.server.routes._pages import check_parameter_size
from prefect.server.routes._table import Reply, Whole, route
from prefect.types import KeyValueLabels


@route("PATCH", "/flow_runs/{id}", status=204)
def update_flow_run(tx: Transaction, id: UUID, flow_run: Whole[FlowRunUpdate]) -> None:
    """Change a flow run."""
    check_parameter_size(flow_run.parameters or {})
    if flow_run.job_variables is not None:
        _check_job_variables_may_change(tx, id, flow_run.job_variables)
    if not models.update_flow_run(tx, id, flow_run):
        raise NotFound(f"Flow run {str(id)!r} not found")


def _check_job_variables_may_change(tx: Transaction, id: UUID, job_variables: dict[str, Any]) -> None:
    run = models.read_flow_run(tx, id)
    if run is None:
        raise NotFound(f"Flow run {str(id)!r} not found")
    if run.state_type != StateType.SCHEDULED:
        state = None if run.state_type is None else run.state_type.value
        raise ApiError(400, f"The job variables of flow run {str(id)!r} cannot change: it is {state}, not SCHEDULED.")
    record = None if run.deployment_id is None else read_record(tx, run.deployment_id)
    if record is None:
        raise ApiError(400, f"The job variables of flow run {str(id)!r} cannot change: it has no deployment.")
    queue_id = record["work_queue_id"] if run.work_queue_id is None else run.work_queue_id
    schema = read_variables_schema(tx, queue_id)
    if schema is not None:
        from prefect.server.models.parameter_checks import require_valid_job_variables  # noqa: PLC0415 - loads jsonschema

        require_valid_job_variables({**record["job_variables"], **job_variables}, schema, ignore_required=False)


@route("PATCH", "/flow_runs/{id}/labels", status=204)
def update_flow_run_labels(tx: Transaction, id: UUID, labels: Whole[KeyValueLabels]) -> None:
    """Merge labels into those of a flow run."""
    if not models.update_flow_run_labels(tx, id, labels):
        raise NotFound(f"Flow run with id {id} not found", bare=True)


@route("DELETE", "/flow_runs/{id}", status=204)
def delete_flow_run(tx: Transaction, id: UUID) -> None:
    """Delete a flow run with its task runs, states, inputs and logs."""
    if not models.delete_flow_run(tx, id):
        raise NotFound(f"Flow run {str(id)!r} not found")


@route("POST", "/flow_runs/{id}/resume")
def resume_flow_run(tx: Transaction, id: UUID, run_input: dict[str, Any] | None = None) -> Reply[OrchestrationResult]:
    """Resume a paused flow run, with the input that it waits for."""
    result, is_written = resume(tx, id, run_input)
    return Reply(201 if is_written else 200, result)


# -- many at a time --------------------------------------------------------------------------------------------------


@route("POST", "/flow_runs/bulk_delete", answers="FlowRunBulkDeleteResponse")
def bulk_delete_flow_runs(
    tx: Transaction,
    flow_runs: FlowRunFilter | None = None,
    limit: Annotated[int, Field(ge=1, le=50)] = 50,
) -> dict[str, Any]:
    """Delete the flow runs that meet a filter."""
    where = RunFilters(flow_runs=flow_runs).flow_run_clause(tx.dialect)
    ids = models.read_flow_run_ids(tx, where, limit)
    return {"deleted": [id for id in ids if models.delete_flow_run(tx, id)]}


@route("POST", "/flow_runs/bulk_set_state", answers="FlowRunBulkSetStateResponse")
def bulk_set_flow_run_state(
    store: Store,
    state: StateCreate,
    flow_runs: FlowRunFilter | None = None,
    force: bool = False,
    limit: Annotated[int, Field(ge=1, le=50)] = 50,
) -> dict[str, Any]:
    """Propose a state for each of the flow runs that meet a filter, one transaction each."""
    policy = MINIMAL_FLOW_POLICY if force else CORE_FLOW_POLICY
    wanted = RunFilters(flow_runs=flow_runs)
    ids = store.read(lambda tx: models.read_flow_run_ids(tx, wanted.flow_run_clause(tx.dialect), limit))
    results: list[dict[str, Any]] = []
    for id in ids:
        try:
            outcome = store.write(lambda tx, id=id: set_flow_run_state(tx, id, state, policy=policy))
        except Exception as error:  # noqa: BLE001 - one run's trouble must not keep the others from their state
            results.append(_aborted(id, f"The state could not be set: {error}"))
            continue
        if outcome is None:
            results.append(_aborted(id, "The flow run has been deleted meanwhile."))
        else:
            result = outcome.result()
            results.append(
                {"flow_run_id": id, "status": result.status, "state": result.state, "details": result.details}
            )
    return {"results": results}


def _aborted(id: UUID, reason: str) -> dict[str, Any]:
    details = StateAbortDetails(reason=reason)
    return {"flow_run_id": id, "status": SetStateStatus.ABORT, "state": None, "details": details}
