"""The routes that every flow run takes: it is created, moved between states, and read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from prefect.client.schemas.actions import FlowRunCreate, StateCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import OrchestrationResult
from prefect.server.database.store import Transaction
from prefect.server.models import flow_runs as models
from prefect.server.models.creators import creator
from prefect.server.models.deployment_queues import queue_of_run
from prefect.server.models.errors import NotFound
from prefect.server.models.flow_run_leases import follow_state
from prefect.server.models.flow_run_transitions import set_flow_run_state as propose_state
from prefect.server.orchestration.policies import CORE_FLOW_POLICY, MINIMAL_FLOW_POLICY
from prefect.server.routes._leases import lease_header
from prefect.server.routes._pages import check_parameter_size
from prefect.server.routes._table import Caller, Reply, Whole, route


@route("POST", "/flow_runs/", also=(201,), answers="FlowRunResponse")
def create_flow_run(tx: Transaction, flow_run: Whole[FlowRunCreate], caller: Caller) -> Reply[FlowRun]:
    """Create a flow run, or read the one of the same flow and idempotency key."""
    check_parameter_size(flow_run.parameters)
    origin = models.RunOrigin(creator(caller))
    if flow_run.work_pool_name is not None:
        origin = replace(origin, **queue_of_run(tx, flow_run.work_pool_name, flow_run.work_queue_name))
    run, is_new = models.create_flow_run(tx, flow_run, origin)
    held: dict[str, str] = {}
    if is_new and caller.holder is not None and run.state is not None:
        held = lease_header(follow_state(tx, run.id, run.state, caller.holder))
    return Reply(201 if is_new else 200, run, headers=held)


@route("GET", "/flow_runs/{id}", writes=False, answers="FlowRunResponse")
def read_flow_run(tx: Transaction, id: UUID) -> FlowRun:
    """Read a flow run."""
    run = models.read_flow_run(tx, id)
    if run is None:
        raise NotFound(f"Flow run {str(id)!r} not found")
    return run


@route("POST", "/flow_runs/{id}/set_state", also=(201,))
def set_flow_run_state(
    tx: Transaction, id: UUID, state: StateCreate, caller: Caller, force: bool = False
) -> Reply[OrchestrationResult]:
    """Propose a state for a flow run; a forced one is stored whatever most rules say."""
    policy = MINIMAL_FLOW_POLICY if force else CORE_FLOW_POLICY
    outcome = propose_state(tx, id, state, policy=policy, client_version=caller.client_version)
    if outcome is None:
        raise NotFound(f"Flow run with id {id} not found", bare=True)
    held: dict[str, str] = {}
    if outcome.is_written and outcome.state is not None:
        held = lease_header(follow_state(tx, id, outcome.state, caller.holder))
    return Reply(201 if outcome.is_written else 200, outcome.result(), headers=held)
