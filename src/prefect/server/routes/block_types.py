"""The routes of block types, and of the block documents that are found by type and name."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect._upcalls import resolve
from prefect.client.schemas.actions import BlockTypeCreate, BlockTypeUpdate
from prefect.client.schemas.filters import (
    BlockDocumentFilter,
    BlockDocumentFilterBlockTypeId,
    BlockSchemaFilter,
    BlockTypeFilter,
)
from prefect.client.schemas.objects import BlockDocument, BlockType
from prefect.server.database.store import Transaction
from prefect.server.models import block_documents
from prefect.server.models import block_types as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route

_TAGS = ("Block types",)
_ALL = 2**31 - 1
_DOCUMENT_TAGS = ("Block types", "Block types", "Block documents")


@route("POST", "/block_types/", status=201, tags=_TAGS)
def create_block_type(tx: Transaction, block_type: Whole[BlockTypeCreate]) -> BlockType:
    """Register a block type."""
    return models.create_block_type(tx, block_type)


@route("GET", "/block_types/{id}", writes=False, tags=_TAGS)
def read_block_type_by_id(tx: Transaction, id: UUID) -> BlockType:
    """Read a block type by its id."""
    return models.read_block_type(tx, id)


@route("GET", "/block_types/slug/{slug}", writes=False, tags=_TAGS)
def read_block_type_by_slug(tx: Transaction, slug: str) -> BlockType:
    """Read a block type by its slug."""
    return models.read_block_type_by_slug(tx, slug)


@route("POST", "/block_types/filter", writes=False, tags=_TAGS)
def read_block_types(
    tx: Transaction,
    block_types: BlockTypeFilter | None = None,
    block_schemas: BlockSchemaFilter | None = None,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[BlockType]:
    """Read the block types that meet filters."""
    return models.read_block_types(tx, block_types, block_schemas, checked_limit(limit), offset)


@route("PATCH", "/block_types/{id}", status=204, tags=_TAGS)
def update_block_type(tx: Transaction, id: UUID, block_type: Whole[BlockTypeUpdate]) -> None:
    """Change a block type."""
    models.update_block_type(tx, id, block_type)


@route("DELETE", "/block_types/{id}", status=204, tags=_TAGS)
def delete_block_type(tx: Transaction, id: UUID) -> None:
    """Delete a block type with its schemas and documents."""
    models.delete_block_type(tx, id)


@route("POST", "/block_types/install_system_block_types", tags=_TAGS)
def install_system_block_types(tx: Transaction) -> None:
    """Register the block types that belong to the product."""
    models.install_protected_types(tx, resolve("describe_system_blocks")())


@route(
    "GET",
    "/block_types/slug/{slug}/block_documents",
    writes=False,
    query=("include_secrets",),
    tags=_DOCUMENT_TAGS,
)
def read_block_documents_for_block_type(
    tx: Transaction, slug: str, include_secrets: bool = False
) -> list[BlockDocument]:
    """Read the block documents of a type."""
    block_type = models.read_block_type_by_slug(tx, slug)
    return block_documents.read_block_documents(
        tx,
        BlockDocumentFilter(block_type_id=BlockDocumentFilterBlockTypeId(any_=[block_type.id])),
        include_secrets=include_secrets,
        limit=_ALL,
    )


@route(
    "GET",
    "/block_types/slug/{slug}/block_documents/name/{block_document_name}",
    writes=False,
    query=("include_secrets",),
    tags=_DOCUMENT_TAGS,
)
def read_block_document_by_name_for_block_type(
    tx: Transaction, slug: str, block_document_name: str, include_secrets: bool = False
) -> BlockDocument:
    """Read a block document by its type and name."""
    return block_documents.read_block_document_by_name(tx, slug, block_document_name, include_secrets=include_secrets)
