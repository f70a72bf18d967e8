"""Requests about the server itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import Call, nothing, one
from prefect.client.schemas.objects import ServerDefaultResultStorage


def hello() -> Call[str]:
    """Ask the API for a greeting."""
    return Call("GET", "/hello")


def api_version() -> Call[str]:
    """The release of the API's package."""
    return Call("GET", "/admin/version")


def read_server_default_result_storage() -> Call[ServerDefaultResultStorage]:
    """Read which block stores results by default."""
    return Call("GET", "/admin/storage", parse=one(ServerDefaultResultStorage))


def update_server_default_result_storage(default_result_storage_block_id: UUID) -> Call[Any]:
    """Choose the block that stores results by default."""
    body = {"default_result_storage_block_id": default_result_storage_block_id}
    return Call("PUT", "/admin/storage", body=body, parse=one(ServerDefaultResultStorage))


def clear_server_default_result_storage() -> Call[None]:
    """Store results locally by default again."""
    return Call("DELETE", "/admin/storage", parse=nothing)
