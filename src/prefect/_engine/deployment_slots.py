"""Keeps the slot that a flow run holds of its deployment's limit, while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefect.client.schemas.objects import FlowRun


@contextmanager
def slot_kept(flow_run: FlowRun, is_async: bool, has_ended: Callable[[Exception], bool]) -> Iterator[None]:
    """Renew the lease on the slot inside the block, if the run has one. When it is lost, what runs in the block is stopped
    and crashes: others may have taken the slot.

    Args:
        is_async: Whether the block runs in an asyncio task, and not in a thread of its own.
        has_ended: Told of the loss when the block is over; says whether the run has ended, of this or by itself.

    Raises:
        ConcurrencyLeaseLostError: The slot was lost, and the run has not ended.
    """
    lease_id = None if flow_run.state is None else flow_run.state.state_details.deployment_concurrency_lease_id
    if lease_id is None:
        yield
        return
    # Few runs hold slots.
    from prefect.concurrency._errors import ConcurrencyLeaseLostError  # noqa: PLC0415
    from prefect.concurrency._guards import TaskGuard, ThreadGuard  # noqa: PLC0415
    from prefect.concurrency._policy import Held, SlotRequest  # noqa: PLC0415

    held = Held(SlotRequest((f"deployment:{flow_run.deployment_id}",)), (), lease_id)
    try:
        with (TaskGuard if is_async else ThreadGuard)(held, True):
            yield
    except ConcurrencyLeaseLostError as error:
        if not has_ended(error):
            raise
