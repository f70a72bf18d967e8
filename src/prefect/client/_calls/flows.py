"""Requests about flows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import NOT_FOUND, Call, given, id_of, many, nothing, one
from prefect.client.schemas.objects import Flow


def create_flow(flow: Any) -> Call[UUID]:
    """Create a flow, given as an object with a name; gives its id, also when it exists."""
    return create_flow_from_name(flow.name)


def create_flow_from_name(flow_name: str) -> Call[UUID]:
    """Create a flow; gives its id, also when it exists."""
    return Call("POST", "/flows/", body={"name": flow_name}, parse=id_of)


def delete_flow(flow_id: UUID) -> Call[None]:
    """Delete a flow with all its runs and deployments."""
    return Call("DELETE", "/flows/{id}", {"id": flow_id}, parse=nothing, errors=NOT_FOUND)


def read_flow(flow_id: UUID) -> Call[Flow]:
    """Read a flow."""
    return Call("GET", "/flows/{id}", {"id": flow_id}, parse=one(Flow))


def read_flow_by_name(flow_name: str) -> Call[Flow]:
    """Read a flow by its name."""
    return Call("GET", "/flows/name/{name}", {"name": flow_name}, parse=one(Flow))


def read_flows(
    *,
    flow_filter: Any = None,
    flow_run_filter: Any = None,
    task_run_filter: Any = None,
    deployment_filter: Any = None,
    work_pool_filter: Any = None,
    work_queue_filter: Any = None,
    sort: Any = None,
    limit: int | None = None,
    offset: int = 0,
) -> Call[list[Flow]]:
    """Read the flows that match all filters."""
    body = given(
        flows=flow_filter,
        flow_runs=flow_run_filter,
        task_runs=task_run_filter,
        deployments=deployment_filter,
        work_pools=work_pool_filter,
        work_queues=work_queue_filter,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    return Call("POST", "/flows/filter", body=body, parse=many(Flow))
