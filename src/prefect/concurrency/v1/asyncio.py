"""Slots of the limits on tags, for async code."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from prefect._plans import run_plan_async
from prefect.concurrency._errors import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
from prefect.concurrency._policy import TaskRunSlotRequest, plan_acquire, plan_release

__all__ = ["AcquireConcurrencySlotTimeoutError", "ConcurrencySlotAcquisitionError", "concurrency"]


@asynccontextmanager
async def concurrency(
    names: str | list[str], task_run_id: UUID, timeout_seconds: float | None = None
) -> AsyncGenerator[None, None]:
    """Hold one slot of each tag's limit for a task run while the block runs, waiting for them first.

    Args:
        names: The tags. Those without a limit are skipped.
        task_run_id: The task run that holds the slots.
        timeout_seconds: How long to wait for them; None waits for ever.

    Raises:
        AcquireConcurrencySlotTimeoutError: The slots did not become free in time.
        ConcurrencySlotAcquisitionError: They cannot be had.
    """
    request = TaskRunSlotRequest.for_names(names, task_run_id=task_run_id, timeout_seconds=timeout_seconds)
    held = await run_plan_async(plan_acquire(request))
    try:
        yield
    finally:
        if held is not None:
            await run_plan_async(plan_release(held))
