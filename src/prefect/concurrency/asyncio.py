"""Slots for async code: `concurrency` and `rate_limit`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect._plans import run_plan_async
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.concurrency._errors import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
from prefect.concurrency._guards import TaskGuard
from prefect.concurrency._policy import SlotRequest, plan_acquire, plan_release

__all__ = ["AcquireConcurrencySlotTimeoutError", "ConcurrencySlotAcquisitionError", "concurrency", "rate_limit"]


@asynccontextmanager
async def concurrency(
    names: str | list[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    holder: ConcurrencyLeaseHolder | None = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> AsyncGenerator[None, None]:
    """Hold slots of concurrency limits while the block runs, waiting for them first.

    Slots of all limits are taken together. They are held by a lease that is renewed in the background, so that they
    become free by themselves when this process dies. Slots that the API grants to a waiting block that was cancelled
    are given back.

    Args:
        names: The limits. Those that do not exist are skipped with a warning; inactive ones never hold anything up.
        occupy: How many slots to take of each.
        timeout_seconds: How long to wait for them; None waits for ever.
        max_retries: How many attempts to make after the first; None makes any number.
        lease_duration: Seconds after which the slots become free when this process dies, 60 to 86,400.
        strict: Raise when a limit does not exist, and stop the block when the lease is lost.
        holder: Whom the slots are for, as the API shows it.
        raise_on_lease_renewal_failure: Stop the block when the lease cannot be renewed; as `strict` by default.
            Without it a warning is logged and the block goes on.

    Raises:
        AcquireConcurrencySlotTimeoutError: The slots did not become free in time.
        ConcurrencySlotAcquisitionError: They cannot be had, no attempts are left, or the lease was lost.

    Example:
        ```python
        async with concurrency("database", occupy=1):
            await query()
        ```
    """
    request = SlotRequest.for_names(
        names,
        slots=occupy,
        timeout_seconds=timeout_seconds,
        max_retries=max_retries,
        lease_seconds=lease_duration,
        strict=strict,
        holder=holder,
    )
    held = await run_plan_async(plan_acquire(request))
    if held is None:
        yield
        return
    ends_block = strict if raise_on_lease_renewal_failure is None else raise_on_lease_renewal_failure
    try:
        with TaskGuard(held, ends_block):
            yield
    finally:
        await run_plan_async(plan_release(held))


async def rate_limit(
    names: str | list[str], occupy: int = 1, timeout_seconds: float | None = None, strict: bool = False
) -> None:
    """Wait until slots of rate limits can be taken. They are not given back: they free themselves with time.

    Args:
        names: The limits, each with a `slot_decay_per_second`. Those that do not exist are skipped with a warning.
        occupy: How many slots to take of each.
        timeout_seconds: How long to wait for them; None waits for ever.
        strict: Raise when a limit does not exist.

    Raises:
        AcquireConcurrencySlotTimeoutError: The slots did not become free in time.
        ConcurrencySlotAcquisitionError: They cannot be had.
    """
    request = SlotRequest.for_names(
        names, slots=occupy, mode="rate_limit", timeout_seconds=timeout_seconds, strict=strict
    )
    await run_plan_async(plan_acquire(request))
