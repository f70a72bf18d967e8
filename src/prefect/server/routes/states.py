"""The routes of the states that runs have had."""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.objects import State
from prefect.server.database.store import Transaction
from prefect.server.models import states as models
from prefect.server.routes._table import NotFound, route


@route("GET", "/flow_run_states/{id}", writes=False)
def read_flow_run_state(tx: Transaction, id: UUID) -> State:
    """Read a state of a flow run."""
    state = models.read_flow_run_state(tx, id)
    if state is None:
        raise NotFound(f"Flow run state {str(id)!r} not found")
    return state


@route("GET", "/flow_run_states/", writes=False, query=("flow_run_id",))
def read_flow_run_states(tx: Transaction, flow_run_id: UUID) -> list[State]:
    """Read the states that a flow run has had, oldest first."""
    return models.read_flow_run_states(tx, flow_run_id)


@route("GET", "/task_run_states/{id}", writes=False)
def read_task_run_state(tx: Transaction, id: UUID) -> State:
    """Read a state of a task run."""
    state = models.read_task_run_state(tx, id)
    if state is None:
        raise NotFound(f"Task run state {str(id)!r} not found")
    return state


@route("GET", "/task_run_states/", writes=False, query=("task_run_id",))
def read_task_run_states(tx: Transaction, task_run_id: UUID) -> list[State]:
    """Read the states that a task run has had, oldest first."""
    return models.read_task_run_states(tx, task_run_id)
