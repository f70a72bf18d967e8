"""Decides whether a failed attempt is tried again, and when."""

from __future__ import annotations

import inspect
from typing import Any

from prefect._engine.effects import Call
from prefect._plans import Plan
from prefect.client.schemas.objects import State
from prefect.utilities.math import clamped_poisson_interval


def retry_delay(run: Any, state: State, attempt: int) -> Plan[float | None]:
    """Seconds until the next attempt of a task run, or None when there is none.

    Args:
        run: The execution; its task has `retries`, `retry_delay_seconds`, `retry_jitter_factor`, `retry_condition_fn`.
        state: The failed state of this attempt.
        attempt: How many attempts came before this one.
    """
    task = run.task
    if attempt >= task.retries:
        return None
    condition = task.retry_condition_fn
    if condition is not None:
        try:
            wanted = yield Call(condition, (task, run.task_run, state))
            if inspect.isawaitable(wanted):  # a callable object whose __call__ is async
                wanted = yield Call(_await, (wanted,))
        except Exception:
            run.logger.error(
                "The retry_condition_fn of task %r raised, so the run is not tried again", task.name, exc_info=True
            )
            return None
        if not wanted:
            return None
    return delay_before(task, attempt)


def delay_before(spec: Any, attempt: int) -> float:
    """The delay before the attempt that follows `attempt`, with jitter."""
    nominal = spec.retry_delay_seconds
    if isinstance(nominal, (list, tuple)):
        nominal = nominal[min(attempt, len(nominal) - 1)] if nominal else 0
    if not nominal:
        return 0.0
    jitter = spec.retry_jitter_factor
    return clamped_poisson_interval(nominal, clamping_factor=jitter) if jitter else float(nominal)


async def _await(awaitable: Any) -> Any:
    return await awaitable
