"""The routes of block documents."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import BlockDocumentCreate, BlockDocumentUpdate
from prefect.client.schemas.filters import BlockDocumentFilter, BlockSchemaFilter, BlockTypeFilter
from prefect.client.schemas.objects import BlockDocument
from prefect.client.schemas.sorting import BlockDocumentSort
from prefect.server.database.store import Transaction
from prefect.server.models import block_documents as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Caller, Whole, route
from prefect.types.names import BlockDocumentName

_TAGS = ("Block documents",)


@route("POST", "/block_documents/", status=201, tags=_TAGS)
def create_block_document(tx: Transaction, block_document: Whole[BlockDocumentCreate]) -> BlockDocument:
    """Create a block document."""
    return models.create_block_document(tx, block_document)


@route("POST", "/block_documents/filter", writes=False, tags=_TAGS)
def read_block_documents(
    tx: Transaction,
    limit: int = ABSENT,
    block_documents: BlockDocumentFilter | None = None,
    block_types: BlockTypeFilter | None = None,
    block_schemas: BlockSchemaFilter | None = None,
    include_secrets: bool = False,
    sort: BlockDocumentSort | None = BlockDocumentSort.NAME_ASC,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[BlockDocument]:
    """Read the block documents that meet filters."""
    return models.read_block_documents(
        tx,
        block_documents,
        block_types,
        block_schemas,
        include_secrets=include_secrets,
        sort=sort,
        limit=checked_limit(limit),
        offset=offset,
    )


@route("POST", "/block_documents/count", writes=False, tags=_TAGS)
def count_block_documents(
    tx: Transaction,
    block_documents: BlockDocumentFilter | None = None,
    block_types: BlockTypeFilter | None = None,
    block_schemas: BlockSchemaFilter | None = None,
) -> int:
    """Count the block documents that meet filters."""
    return models.count_block_documents(tx, block_documents, block_types, block_schemas)


@route("GET", "/block_documents/{id}", writes=False, query=("include_secrets",), tags=_TAGS)
def read_block_document_by_id(tx: Transaction, id: UUID, include_secrets: bool = False) -> BlockDocument:
    """Read a block document; its secrets are masked unless they are asked for."""
    return models.read_block_document(tx, id, include_secrets=include_secrets)


@route("PATCH", "/block_documents/{id}", status=204, tags=_TAGS)
def update_block_document_data(
    tx: Transaction, id: UUID, block_document: Whole[BlockDocumentUpdate], caller: Caller
) -> None:
    """Change the data of a block document."""
    models.update_block_document(tx, id, block_document, sees_secrets=caller.sees_secrets)


@route("POST", "/block_documents/{id}/rename", status=204, tags=_TAGS)
def rename_block_document(tx: Transaction, id: UUID, name: BlockDocumentName) -> None:
    """Give a block document another name; the former one leads to it until another document takes it."""
    models.rename_block_document(tx, id, name)


@route("DELETE", "/block_documents/{id}", status=204, tags=_TAGS)
def delete_block_document(tx: Transaction, id: UUID) -> None:
    """Delete a block document."""
    models.delete_block_document(tx, id)
