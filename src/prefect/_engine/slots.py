"""Concurrency slots for the tags of a task run."""

from __future__ import annotations

import time
from typing import Any

from prefect._plans import Plan

_FORGET_AFTER_SECONDS = 5.0
_unlimited: dict[frozenset[str], float] = {}
"""Tag sets that were seen to have no limit, and until when that is believed."""


def acquire(run: Any) -> Plan[Any]:
    """Take one slot of every limit `tag:<tag>` of the run's tags; None when there is none to take."""
    tags = frozenset(run.record.tags)
    now = time.monotonic()
    if _unlimited.get(tags, 0) > now:
        return None
    from prefect.concurrency._tags import acquire_tag_slots  # noqa: PLC0415 - only runs with tags need it

    lease = yield from acquire_tag_slots(tags, run.record.id)
    if lease is None:
        if len(_unlimited) > 1000:
            _unlimited.clear()
        _unlimited[tags] = now + _FORGET_AFTER_SECONDS
    return lease


def release(lease: Any) -> Plan[None]:
    """Give the slots back."""
    from prefect.concurrency._tags import release_tag_slots  # noqa: PLC0415 - only runs with tags need it

    yield from release_tag_slots(lease)
