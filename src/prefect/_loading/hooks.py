"""Runs hooks of a flow run outside of its own process, which cannot: it was killed, or is being ended.

`python -m prefect._loading.hooks KIND` runs those of the run that `PREFECT__FLOW_RUN_ID` names. It reads the state from the first
line of stdin, and the flow, as `prefect._loading.shipping` has packed it, from the rest; without that, it loads the flow.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import UUID

from prefect._engine.flow_run import FlowExecution
from prefect._loading.flow_runs import load_flow, load_flow_run
from prefect._loading.shipping import unpack_flow
from prefect._plans import run_plan
from prefect._state_values import format_exception
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import flow_run_logger


def run_state_hooks(kind: str, flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """Run the hooks of one kind in the context of a run; what goes wrong with them is logged.

    Args:
        kind: "on_crashed" or "on_cancellation".
        flow: The flow that has the hooks.
        flow_run: The run.
        state: What it has entered.
    """
    execution = FlowExecution(flow, dict(flow_run.parameters), flow_run)
    execution.state = state
    run_plan(execution.run_hooks(getattr(flow, f"{kind}_hooks")))


def main(kind: str, state: State, packed: bytes) -> None:
    """Get the flow of the run of this process, and run its hooks."""
    ensure_logging_setup()
    flow_run = load_flow_run(UUID(os.environ["PREFECT__FLOW_RUN_ID"]))
    try:
        flow = unpack_flow(packed)[0] if packed else load_flow(flow_run)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises when it is loaded
        message = "The %s hooks of the flow cannot run, as it could not be loaded: %s"
        flow_run_logger(flow_run).warning(message, kind, format_exception(error))
        return
    run_state_hooks(kind, flow, flow_run, state)


if __name__ == "__main__":
    said, _, rest = sys.stdin.buffer.read().partition(b"\n")
    main(sys.argv[1], State.model_validate_json(said), rest)
