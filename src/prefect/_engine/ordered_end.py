"""How a flow run ends whose process was ended on purpose, by what supervises it."""

from __future__ import annotations

from typing import Any

from prefect._engine import supervision
from prefect._plans import Plan
from prefect.client.schemas.objects import State, StateType

_WORDS = {
    supervision.Order.CANCEL: "is cancelled",
    supervision.Order.RESCHEDULE: "is stopped here, and will start anew elsewhere",
    supervision.Order.RELINQUISH: "is stopped here",
}


def ended_as_ordered(execution: Any, order: supervision.Order) -> Plan[bool]:
    """End a run as the supervisor of this process has ordered; returns False if to this run it is a crash."""
    run = execution.flow_run
    if supervision.owns_state_of(run.id):
        execution.logger.info("The flow run %s.", _WORDS[order])
        execution.is_settled_elsewhere = True
        return True
    if order is not supervision.Order.CANCEL:
        return False  # the run that it is part of makes a new one when it starts again
    execution.enter_by_force(State(type=StateType.CANCELLING))
    yield from execution.run_hooks(execution.flow.on_cancellation_hooks)
    message = "The flow run that this one is part of was cancelled."
    execution.enter_by_force(State(type=StateType.CANCELLED, message=message))
    return True
