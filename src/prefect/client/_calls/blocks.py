"""Requests about block types, schemas and documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import EXISTS, NOT_FOUND, Call, given, many, nothing, one
from prefect.client.schemas.actions import (
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockSchemaCreate,
    BlockTypeCreate,
    BlockTypeUpdate,
)
from prefect.client.schemas.objects import BlockDocument, BlockSchema, BlockType


def create_block_type(block_type: BlockTypeCreate) -> Call[BlockType]:
    """Create a block type."""
    return Call("POST", "/block_types/", body=block_type, parse=one(BlockType), errors=EXISTS)


def read_block_type_by_slug(slug: str) -> Call[BlockType]:
    """Read a block type."""
    return Call("GET", "/block_types/slug/{slug}", {"slug": slug}, parse=one(BlockType), errors=NOT_FOUND)


def read_block_types() -> Call[list[BlockType]]:
    """Read all block types."""
    return Call("POST", "/block_types/filter", body={}, parse=many(BlockType))


def update_block_type(block_type_id: UUID, block_type: BlockTypeUpdate) -> Call[None]:
    """Change a block type."""
    return Call("PATCH", "/block_types/{id}", {"id": block_type_id}, body=block_type, parse=nothing, errors=NOT_FOUND)


def delete_block_type(block_type_id: UUID) -> Call[None]:
    """Delete a block type with its schemas and documents."""
    return Call("DELETE", "/block_types/{id}", {"id": block_type_id}, parse=nothing, errors=NOT_FOUND)


def create_block_schema(block_schema: BlockSchemaCreate) -> Call[BlockSchema]:
    """Create a block schema, or read the one with the same checksum and version."""
    return Call("POST", "/block_schemas/", body=block_schema, parse=one(BlockSchema), errors=EXISTS)


def read_block_schema_by_checksum(checksum: str, version: str | None = None) -> Call[BlockSchema]:
    """Read a block schema."""
    return Call(
        "GET",
        "/block_schemas/checksum/{checksum}",
        {"checksum": checksum},
        query=given(version=version),
        parse=one(BlockSchema),
        errors=NOT_FOUND,
    )


def read_block_schemas() -> Call[list[BlockSchema]]:
    """Read all block schemas."""
    return Call("POST", "/block_schemas/filter", body={}, parse=many(BlockSchema))


def get_most_recent_block_schema_for_block_type(block_type_id: UUID) -> Call[BlockSchema | None]:
    """Read the newest schema of a block type; None when it has none."""
    body = {"block_schemas": {"block_type_id": {"any_": [str(block_type_id)]}}, "limit": 1}
    return Call("POST", "/block_schemas/filter", body=body, parse=_first)


def _first(body: Any) -> BlockSchema | None:
    found = many(BlockSchema)(body)
    return found[0] if found else None


def create_block_document(block_document: BlockDocumentCreate, include_secrets: bool = True) -> Call[BlockDocument]:
    """Create a block document."""
    return Call("POST", "/block_documents/", body=block_document, parse=one(BlockDocument), errors=EXISTS)


def update_block_document(block_document_id: UUID, block_document: BlockDocumentUpdate) -> Call[None]:
    """Change a block document."""
    return Call(
        "PATCH",
        "/block_documents/{id}",
        {"id": block_document_id},
        body=block_document,
        parse=nothing,
        errors=NOT_FOUND,
    )


def delete_block_document(block_document_id: UUID) -> Call[None]:
    """Delete a block document."""
    return Call("DELETE", "/block_documents/{id}", {"id": block_document_id}, parse=nothing, errors=NOT_FOUND)


def read_block_document(block_document_id: UUID, include_secrets: bool = True) -> Call[BlockDocument]:
    """Read a block document; its secrets are masked unless asked for."""
    return Call(
        "GET",
        "/block_documents/{id}",
        {"id": block_document_id},
        query={"include_secrets": include_secrets},
        parse=one(BlockDocument),
        errors=NOT_FOUND,
    )


def read_block_document_by_name(name: str, block_type_slug: str, include_secrets: bool = True) -> Call[BlockDocument]:
    """Read a block document by its type and name."""
    return Call(
        "GET",
        "/block_types/slug/{slug}/block_documents/name/{block_document_name}",
        {"slug": block_type_slug, "block_document_name": name},
        query={"include_secrets": include_secrets},
        parse=one(BlockDocument),
        errors=NOT_FOUND,
    )


def read_block_documents(
    block_schema_type: str | None = None,
    offset: int | None = None,
    limit: int | None = None,
    include_secrets: bool = True,
) -> Call[list[BlockDocument]]:
    """Read block documents."""
    body = given(block_schema_type=block_schema_type, offset=offset, limit=limit, include_secrets=include_secrets)
    return Call("POST", "/block_documents/filter", body=body, parse=many(BlockDocument))


def read_block_documents_by_type(
    block_type_slug: str, offset: int | None = None, limit: int | None = None, include_secrets: bool = True
) -> Call[list[BlockDocument]]:
    """Read the block documents of a type."""
    return Call(
        "GET",
        "/block_types/slug/{slug}/block_documents",
        {"slug": block_type_slug},
        query=given(offset=offset, limit=limit, include_secrets=include_secrets),
        parse=many(BlockDocument),
    )
