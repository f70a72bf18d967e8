"""Proposes states for the runs that a worker deals with, until the API has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio

from prefect._engine.heartbeats import keep_alive
from prefect.client._calls.flow_runs import set_flow_run_state
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Abort
from prefect.logging.loggers import get_logger
from prefect.workers._patience import patiently

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

logger = get_logger("workers")


async def propose(
    client: PrefectClient, flow_run_id: UUID, state: State, *, force: bool = False, holds: bool = False
) -> State:
    """Propose a state for a run.

    An API that is away is waited for: a run must not stay as it is because one answer was lost, and a proposal that was
    accepted before its answer was lost is known again.

    Args:
        client: Sends the proposal.
        flow_run_id: The run.
        state: The state.
        force: Pass by most rules.
        holds: This process answers for the run from now on; when it dies, the run ends with it.

    Returns:
        The state that the run has now, which may be another one.

    Raises:
        Abort: The API does not let the run go on here.
        ObjectNotFound: There is no such run.
    """
    call = set_flow_run_state(flow_run_id, state, force)
    if holds:
        call.as_holder()
    while True:
        result: Any = await patiently(lambda: client.send(call), logger)
        if holds:
            keep_alive()
        if result.status is SetStateStatus.WAIT:
            await anyio.sleep(result.details.delay_seconds)
            continue
        if result.status is SetStateStatus.ABORT:
            raise Abort(result.details.reason)
        return result.state
