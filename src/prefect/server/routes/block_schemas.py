"""The routes of block schemas."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import BlockSchemaCreate
from prefect.client.schemas.filters import BlockSchemaFilter
from prefect.client.schemas.objects import BlockSchema
from prefect.server.database.store import Transaction
from prefect.server.models import block_schemas as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Reply, Whole, route

_TAGS = ("Block schemas",)


@route("POST", "/block_schemas/", status=201, also=(200,), tags=_TAGS)
def create_block_schema(tx: Transaction, block_schema: Whole[BlockSchemaCreate]) -> Reply[BlockSchema]:
    """Register a block schema; 200 with the one that is there when checksum and version are known."""
    schema, is_new = models.create_block_schema(tx, block_schema)
    return Reply(201 if is_new else 200, schema)


@route("GET", "/block_schemas/{id}", writes=False, tags=_TAGS)
def read_block_schema_by_id(tx: Transaction, id: UUID) -> BlockSchema:
    """Read a block schema by its id."""
    return models.read_block_schema(tx, id)


@route("GET", "/block_schemas/checksum/{checksum}", writes=False, query=("version",), tags=_TAGS)
def read_block_schema_by_checksum(tx: Transaction, checksum: str, version: str | None = None) -> BlockSchema:
    """Read a block schema by its checksum: the newest, or that of one version."""
    return models.read_block_schema_by_checksum(tx, checksum, version)


@route("POST", "/block_schemas/filter", writes=False, tags=_TAGS)
def read_block_schemas(
    tx: Transaction,
    block_schemas: BlockSchemaFilter | None = None,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[BlockSchema]:
    """Read the block schemas that meet a filter."""
    return models.read_block_schemas(tx, block_schemas, checked_limit(limit), offset)


@route("DELETE", "/block_schemas/{id}", status=204, tags=_TAGS)
def delete_block_schema(tx: Transaction, id: UUID) -> None:
    """Delete a block schema with its documents."""
    models.delete_block_schema(tx, id)
