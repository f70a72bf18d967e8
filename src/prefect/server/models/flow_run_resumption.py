"""Resumes paused flow runs: checks the input that they wait for, then lets them go on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAbortDetails
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, loads
from prefect.server.models.errors import NotFound
from prefect.server.models.flow_run_inputs import put_flow_run_input, read_flow_run_input
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.models.flow_runs import read_flow_run

_VARIABLES = "SELECT name, value FROM variable"


class _Unacceptable(Exception):
    """The input is not what the run waits for."""


def resume_flow_run(
    tx: Transaction, flow_run_id: UUID, run_input: dict[str, Any] | None
) -> tuple[OrchestrationResult[Any], bool]:
    """Let a paused run go on: in its process, or, when it was suspended, as a scheduled run.

    Args:
        run_input: What the run waits for, as its schema demands.

    Returns:
        What became of it, and whether a state was stored.

    Raises:
        NotFound: There is no such run.
    """
    run = read_flow_run(tx, flow_run_id)
    if run is None:
        raise NotFound(f"Flow run with id {flow_run_id} not found", bare=True)
    state = run.state
    if state is None or state.type != StateType.PAUSED:
        return _refused(SetStateStatus.ABORT, None, "Only a paused flow run can be resumed."), False
    keyset = state.state_details.run_input_keyset
    accepted: dict[str, Any] | None = None
    if keyset:
        try:
            accepted = _accept(tx, flow_run_id, keyset, run_input or {})
        except _Unacceptable as problem:
            return _refused(SetStateStatus.REJECT, state, str(problem)), False
    outcome = set_flow_run_state(tx, flow_run_id, _next_state(state))
    assert outcome is not None
    if keyset and accepted and outcome.status == SetStateStatus.ACCEPT:
        put_flow_run_input(tx, flow_run_id, keyset["response"], dumps(accepted))
    return outcome.result(), outcome.is_written


def _next_state(paused: State[Any]) -> StateCreate:
    if paused.state_details.pause_reschedule:
        return StateCreate(type=StateType.SCHEDULED, name="Resuming")
    return StateCreate(type=StateType.RUNNING)


def _refused(status: SetStateStatus, state: State[Any] | None, reason: str) -> OrchestrationResult[Any]:
    return OrchestrationResult(state=state, status=status, details=StateAbortDetails(reason=reason))


def _accept(tx: Transaction, flow_run_id: UUID, keyset: dict[str, str], run_input: dict[str, Any]) -> dict[str, Any]:
    """The input, its placeholders replaced, once it is what the stored schema demands."""
    stored = read_flow_run_input(tx, flow_run_id, keyset.get("schema", ""))
    if stored is None:
        raise _Unacceptable("The schema of the input that this run waits for is not stored.")
    try:
        schema = loads(stored.value)
    except ValueError:
        raise _Unacceptable("The schema of the input that this run waits for is not JSON.") from None
    # Only runs that wait for input need what reads schemas and templates.
    from prefect.utilities.schema_tools import (  # noqa: PLC0415
        CircularSchemaRefError,
        HydrationContext,
        HydrationError,
        ValidationError,
        hydrate,
        validate,
    )

    context = HydrationContext(
        workspace_variables={row["name"]: loads(row["value"]) for row in tx.fetch_all(_VARIABLES)},
        render_workspace_variables=True,
        raise_on_error=True,
        render_jinja=True,
    )
    try:
        hydrated = hydrate(run_input, context)
    except HydrationError as error:
        raise _Unacceptable(f"The input could not be filled in: {error}") from None
    try:
        validate(hydrated, schema, raise_on_error=True)
    except ValidationError as error:
        raise _Unacceptable(f"The input is not what the run waits for: {error}") from None
    except CircularSchemaRefError:
        raise _Unacceptable("The schema of the input refers to itself.") from None
    return hydrated
