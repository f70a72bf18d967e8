"""Stores, reads, finds and deletes the inputs of flow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pydantic
from pydantic_core import to_json

from prefect._compat.dispatch import async_dispatch
from prefect._plans import run_plan, run_plan_async
from prefect.client.schemas.objects import FlowRunInput
from prefect.input._plans import (
    ensure_flow_run_id,
    plan_create_input,
    plan_delete_input,
    plan_filter_inputs,
    plan_read_input,
)

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

__all__ = [
    "acreate_flow_run_input",
    "acreate_flow_run_input_from_model",
    "adelete_flow_run_input",
    "afilter_flow_run_input",
    "aread_flow_run_input",
    "create_flow_run_input",
    "create_flow_run_input_from_model",
    "delete_flow_run_input",
    "ensure_flow_run_id",
    "filter_flow_run_input",
    "read_flow_run_input",
]


async def acreate_flow_run_input_from_model(
    key: str, model_instance: pydantic.BaseModel, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Store a pydantic model as an input; see `create_flow_run_input`."""
    await _create(key, model_instance.model_dump(mode="json"), flow_run_id, sender)


@async_dispatch(acreate_flow_run_input_from_model)
def create_flow_run_input_from_model(
    key: str, model_instance: pydantic.BaseModel, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Store a pydantic model as an input; see `create_flow_run_input`."""
    run_plan(plan_create_input(key, model_instance.model_dump(mode="json"), flow_run_id, sender))


async def acreate_flow_run_input(
    client: PrefectClient, key: str, value: Any, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Store an input through a client; see `create_flow_run_input`."""
    await client.create_flow_run_input(
        flow_run_id=ensure_flow_run_id(flow_run_id), key=key, sender=sender, value=to_json(value).decode()
    )


async def _create(key: str, value: Any, flow_run_id: UUID | None = None, sender: str | None = None) -> None:
    await run_plan_async(plan_create_input(key, value, flow_run_id, sender))


@async_dispatch(_create)
def create_flow_run_input(key: str, value: Any, flow_run_id: UUID | None = None, sender: str | None = None) -> None:
    """Store an input of a flow run under a new key.

    Args:
        key: The key.
        value: A value that JSON can hold.
        flow_run_id: The run; the current one by default.
        sender: Who gives it.

    Raises:
        RuntimeError: There is no current flow run, and no id was given.
    """
    run_plan(plan_create_input(key, value, flow_run_id, sender))


async def afilter_flow_run_input(
    client: PrefectClient,
    key_prefix: str,
    limit: int = 1,
    exclude_keys: set[str] | None = None,
    flow_run_id: UUID | None = None,
) -> list[FlowRunInput]:
    """Find inputs through a client; see `filter_flow_run_input`."""
    return await client.filter_flow_run_input(
        flow_run_id=ensure_flow_run_id(flow_run_id),
        key_prefix=key_prefix,
        limit=limit,
        exclude_keys=exclude_keys or set(),
    )


async def _filter(
    key_prefix: str, limit: int = 1, exclude_keys: set[str] | None = None, flow_run_id: UUID | None = None
) -> list[FlowRunInput]:
    return await run_plan_async(plan_filter_inputs(key_prefix, limit, exclude_keys, flow_run_id))


@async_dispatch(_filter)
def filter_flow_run_input(
    key_prefix: str, limit: int = 1, exclude_keys: set[str] | None = None, flow_run_id: UUID | None = None
) -> list[FlowRunInput]:
    """Find inputs whose keys begin with a prefix, oldest first.

    Args:
        key_prefix: The prefix.
        limit: Largest number to return.
        exclude_keys: Keys to leave out.
        flow_run_id: The run; the current one by default.
    """
    return run_plan(plan_filter_inputs(key_prefix, limit, exclude_keys, flow_run_id))


async def aread_flow_run_input(client: PrefectClient, key: str, flow_run_id: UUID | None = None) -> Any:
    """Read an input through a client; see `read_flow_run_input`."""
    flow_run_id = ensure_flow_run_id(flow_run_id)
    found = await client.filter_flow_run_input(flow_run_id=flow_run_id, key_prefix=key, limit=200, exclude_keys=set())
    return next((each.decoded_value for each in found if each.key == key), None)


async def _read(key: str, flow_run_id: UUID | None = None) -> Any:
    return await run_plan_async(plan_read_input(key, flow_run_id))


@async_dispatch(_read)
def read_flow_run_input(key: str, flow_run_id: UUID | None = None) -> Any:
    """Read the value of an input; None when there is none under that key.

    Args:
        key: The key.
        flow_run_id: The run; the current one by default.
    """
    return run_plan(plan_read_input(key, flow_run_id))


async def adelete_flow_run_input(client: PrefectClient, key: str, flow_run_id: UUID | None = None) -> None:
    """Delete an input through a client; see `delete_flow_run_input`."""
    await client.delete_flow_run_input(flow_run_id=ensure_flow_run_id(flow_run_id), key=key)


async def _delete(key: str, flow_run_id: UUID | None = None) -> None:
    await run_plan_async(plan_delete_input(key, flow_run_id))


@async_dispatch(_delete)
def delete_flow_run_input(key: str, flow_run_id: UUID | None = None) -> None:
    """Delete an input.

    Args:
        key: Its key.
        flow_run_id: The run; the current one by default.
    """
    run_plan(plan_delete_input(key, flow_run_id))
