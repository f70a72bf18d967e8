"""How the inputs of flow runs are stored and found; one plan for the sync and the async form of each operation."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from prefect import _current
from prefect._asking import ask
from prefect._plans import Plan, Sleep
from prefect.client._calls import flow_runs as calls
from prefect.client.schemas.objects import FlowRunInput
from prefect.exceptions import ObjectNotFound

_FIRST_PAUSE_SECONDS = 0.1
"""After the first look for an input; each further pause is twice as long, up to the poll interval."""


def ensure_flow_run_id(flow_run_id: UUID | None = None) -> UUID:
    """The given flow run, or else the current one.

    Raises:
        RuntimeError: There is neither.
    """
    found = flow_run_id or _current.flow_run_id()
    if found is None:
        raise RuntimeError("Must either provide a flow run ID or be within a flow run.")
    return found


def plan_create_input(key: str, value: Any, flow_run_id: UUID | None, sender: str | None) -> Plan[None]:
    """Store an input under a new key."""
    text = to_json(value).decode()
    yield ask(calls.create_flow_run_input(ensure_flow_run_id(flow_run_id), key=key, value=text, sender=sender))


def plan_read_input(key: str, flow_run_id: UUID | None) -> Plan[Any]:
    """The input under a key; None when there is none."""
    try:
        text = yield ask(calls.read_flow_run_input(ensure_flow_run_id(flow_run_id), key=key))
    except ObjectNotFound:
        return None
    return FlowRunInput(flow_run_id=ensure_flow_run_id(flow_run_id), key=key, value=text).decoded_value


def plan_filter_inputs(
    key_prefix: str, limit: int, exclude_keys: set[str] | None, flow_run_id: UUID | None
) -> Plan[list[FlowRunInput]]:
    """The inputs whose keys begin with a prefix, oldest first."""
    call = calls.filter_flow_run_input(
        ensure_flow_run_id(flow_run_id), key_prefix=key_prefix, limit=limit, exclude_keys=exclude_keys or set()
    )
    return (yield ask(call))


def plan_delete_input(key: str, flow_run_id: UUID | None) -> Plan[None]:
    """Delete the input under a key."""
    yield ask(calls.delete_flow_run_input(ensure_flow_run_id(flow_run_id), key=key))


def plan_next_input(
    key_prefix: str, exclude_keys: set[str], flow_run_id: UUID, timeout: float | None, poll_interval: float
) -> Plan[FlowRunInput]:
    """Wait for an input whose key begins with a prefix.

    Raises:
        TimeoutError: None came within `timeout` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = min(_FIRST_PAUSE_SECONDS, poll_interval)
    while True:
        found = yield from plan_filter_inputs(key_prefix, 1, exclude_keys, flow_run_id)
        if found:
            return found[0]
        left = pause if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"Timed out waiting for input: none came within {timeout} seconds")
        yield Sleep(min(pause, left))
        pause = min(pause * 2, poll_interval)
