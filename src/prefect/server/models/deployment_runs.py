"""Runs of deployments: made on request, and handed to runners when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from prefect.client.schemas.actions import DeploymentFlowRunCreate, FlowRunCreate, StateCreate
from prefect.client.schemas.objects import CreatedBy, FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.clauses import Clause, all_of, is_between, is_in
from prefect.server.database.store import Transaction
from prefect.server.models._deployment_rows import Record, read_record
from prefect.server.models.deployment_queues import read_queue_places, read_variables_schema, resolve_queue
from prefect.server.models.deployments import mark_deployments_ready
from prefect.server.models.errors import ApiError, NotFound
from prefect.server.models.flow_runs import RunOrigin, create_flow_run, read_flow_runs
from prefect.server.models.parameter_checks import (
    hydrated_parameters,
    require_valid_job_variables,
    require_valid_parameters,
)


def create_deployment_run(
    tx: Transaction, deployment_id: UUID, wanted: DeploymentFlowRunCreate, *, created_by: CreatedBy | None = None
) -> tuple[FlowRun, bool]:
    """Make a run of a deployment, scheduled for now unless the request has another state.

    Returns:
        The run, and whether it is new. A run of the same flow with the same idempotency key is returned as it is.

    Raises:
        NotFound: There is no such deployment.
        ApiError: 400; parameters cannot be filled in, or a queue is named without a pool.
        Conflict: The parameters do not fit their schema.
        Invalid: The job variables do not fit the work pool, or the schema refers to itself.
    """
    record = read_record(tx, deployment_id)
    if record is None:
        raise NotFound(f"Deployment {str(deployment_id)!r} not found")
    parameters = hydrated_parameters(tx, {**record["parameters"], **wanted.parameters}, "flow run")
    enforces = wanted.enforce_parameter_schema
    if record["enforce_parameter_schema"] if enforces is None else enforces:
        require_valid_parameters(parameters, record["parameter_openapi_schema"], "flow run")
    job_variables = {**record["job_variables"], **(wanted.job_variables or {})}
    schema = read_variables_schema(tx, record["work_queue_id"])
    require_valid_job_variables(job_variables, schema, ignore_required=False)
    queue_id = _queue(tx, record, wanted.work_queue_name)
    place = None if queue_id is None else read_queue_places(tx, {queue_id}).get(queue_id)
    run = FlowRunCreate(
        flow_id=record["flow_id"],
        deployment_id=deployment_id,
        name=wanted.name or None,
        parameters=parameters,
        context=wanted.context,
        state=wanted.state or StateCreate(type=StateType.SCHEDULED),
        empirical_policy=wanted.empirical_policy,
        tags=list(dict.fromkeys([*record["tags"], *wanted.tags])),
        idempotency_key=wanted.idempotency_key,
        parent_task_run_id=wanted.parent_task_run_id,
        infrastructure_document_id=wanted.infrastructure_document_id or record["infrastructure_document_id"],
        job_variables=wanted.job_variables or {},
        labels={**record["labels"], **(wanted.labels or {})},
    )
    origin = RunOrigin(
        created_by=created_by,
        deployment_version=record["version"],
        work_queue_id=None if place is None else queue_id,
        work_queue_name=None if place is None else place.queue_name,
        work_pool_id=None if place is None else place.pool_id,
        work_pool_name=None if place is None else place.pool_name,
    )
    return create_flow_run(tx, run, origin)


def _queue(tx: Transaction, record: Record, queue_name: str | None) -> UUID | None:
    own: UUID | None = record["work_queue_id"]
    if not queue_name:
        return own
    place = None if own is None else read_queue_places(tx, {own}).get(own)
    if place is None:
        raise ApiError(
            400,
            f"The run cannot wait in the work queue {queue_name!r}: its deployment has no work pool. Leave out "
            "`work_queue_name`, or give the deployment a work pool.",
        )
    return resolve_queue(tx, place.pool_name, queue_name)


def read_due_runs(
    tx: Transaction, deployment_ids: Sequence[UUID], before: datetime | None, limit: int
) -> list[FlowRun]:
    """The scheduled runs of deployments, the earliest first, for a runner to start.

    The deployments count as ready from now on: somebody takes their runs.

    Args:
        before: Only runs that are due until this instant.
        limit: At most so many.
    """
    where = all_of(
        is_in("flow_run.deployment_id", list(deployment_ids)),
        Clause("flow_run.state_type = 'SCHEDULED'"),
        is_between("flow_run.next_scheduled_start_time", None, before),
    )
    runs = read_flow_runs(tx, where, FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC, limit)
    mark_deployments_ready(tx, deployment_ids)
    return runs
