"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client._calls import blocks as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.actions import (
        BlockDocumentCreate,
        BlockDocumentUpdate,
        BlockSchemaCreate,
        BlockTypeCreate,
        BlockTypeUpdate,
    )
    from prefect.client.schemas.objects import BlockDocument, BlockSchema, BlockType


class BlocksDocumentClient(BaseClient):
    """Methods of the sync client."""

    def create_block_document(self, block_document: BlockDocumentCreate, include_secrets: bool = True) -> BlockDocument:
        """Create a block document."""
        return self.send(_calls.create_block_document(block_document, include_secrets))

    def delete_block_document(self, block_document_id: UUID) -> None:
        """Delete a block document."""
        return self.send(_calls.delete_block_document(block_document_id))

    def read_block_document(self, block_document_id: UUID, include_secrets: bool = True) -> BlockDocument:
        """Read a block document; its secrets are masked unless asked for."""
        return self.send(_calls.read_block_document(block_document_id, include_secrets))

    def read_block_documents(
        self,
        block_schema_type: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]:
        """Read block documents."""
        return self.send(_calls.read_block_documents(block_schema_type, offset, limit, include_secrets))

    def update_block_document(self, block_document_id: UUID, block_document: BlockDocumentUpdate) -> None:
        """Change a block document."""
        return self.send(_calls.update_block_document(block_document_id, block_document))


class BlocksDocumentAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_block_document(
        self, block_document: BlockDocumentCreate, include_secrets: bool = True
    ) -> BlockDocument:
        """Create a block document."""
        return await self.send(_calls.create_block_document(block_document, include_secrets))

    async def delete_block_document(self, block_document_id: UUID) -> None:
        """Delete a block document."""
        return await self.send(_calls.delete_block_document(block_document_id))

    async def read_block_document(self, block_document_id: UUID, include_secrets: bool = True) -> BlockDocument:
        """Read a block document; its secrets are masked unless asked for."""
        return await self.send(_calls.read_block_document(block_document_id, include_secrets))

    async def read_block_documents(
        self,
        block_schema_type: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]:
        """Read block documents."""
        return await self.send(_calls.read_block_documents(block_schema_type, offset, limit, include_secrets))

    async def update_block_document(self, block_document_id: UUID, block_document: BlockDocumentUpdate) -> None:
        """Change a block document."""
        return await self.send(_calls.update_block_document(block_document_id, block_document))


class BlocksSchemaClient(BaseClient):
    """Methods of the sync client."""

    def create_block_schema(self, block_schema: BlockSchemaCreate) -> BlockSchema:
        """Create a block schema, or read the one with the same checksum and version."""
        return self.send(_calls.create_block_schema(block_schema))

    def get_most_recent_block_schema_for_block_type(self, block_type_id: UUID) -> BlockSchema | None:
        """Read the newest schema of a block type; None when it has none."""
        return self.send(_calls.get_most_recent_block_schema_for_block_type(block_type_id))

    def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        """Read a block schema."""
        return self.send(_calls.read_block_schema_by_checksum(checksum, version))

    def read_block_schemas(self) -> list[BlockSchema]:
        """Read all block schemas."""
        return self.send(_calls.read_block_schemas())


class BlocksSchemaAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_block_schema(self, block_schema: BlockSchemaCreate) -> BlockSchema:
        """Create a block schema, or read the one with the same checksum and version."""
        return await self.send(_calls.create_block_schema(block_schema))

    async def get_most_recent_block_schema_for_block_type(self, block_type_id: UUID) -> BlockSchema | None:
        """Read the newest schema of a block type; None when it has none."""
        return await self.send(_calls.get_most_recent_block_schema_for_block_type(block_type_id))

    async def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        """Read a block schema."""
        return await self.send(_calls.read_block_schema_by_checksum(checksum, version))

    async def read_block_schemas(self) -> list[BlockSchema]:
        """Read all block schemas."""
        return await self.send(_calls.read_block_schemas())


class BlocksTypeClient(BaseClient):
    """Methods of the sync client."""

    def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        """Create a block type."""
        return self.send(_calls.create_block_type(block_type))

    def delete_block_type(self, block_type_id: UUID) -> None:
        """Delete a block type with its schemas and documents."""
        return self.send(_calls.delete_block_type(block_type_id))

    def read_block_document_by_name(
        self, name: str, block_type_slug: str, include_secrets: bool = True
    ) -> BlockDocument:
        """Read a block document by its type and name."""
        return self.send(_calls.read_block_document_by_name(name, block_type_slug, include_secrets))

    def read_block_documents_by_type(
        self, block_type_slug: str, offset: int | None = None, limit: int | None = None, include_secrets: bool = True
    ) -> list[BlockDocument]:
        """Read the block documents of a type."""
        return self.send(_calls.read_block_documents_by_type(block_type_slug, offset, limit, include_secrets))

    def read_block_type_by_slug(self, slug: str) -> BlockType:
        """Read a block type."""
        return self.send(_calls.read_block_type_by_slug(slug))

    def read_block_types(self) -> list[BlockType]:
        """Read all block types."""
        return self.send(_calls.read_block_types())

    def update_block_type(self, block_type_id: UUID, block_type: BlockTypeUpdate) -> None:
        """Change a block type."""
        return self.send(_calls.update_block_type(block_type_id, block_type))


class BlocksTypeAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        """Create a block type."""
        return await self.send(_calls.create_block_type(block_type))

    async def delete_block_type(self, block_type_id: UUID) -> None:
        """Delete a block type with its schemas and documents."""
        return await self.send(_calls.delete_block_type(block_type_id))

    async def read_block_document_by_name(
        self, name: str, block_type_slug: str, include_secrets: bool = True
    ) -> BlockDocument:
        """Read a block document by its type and name."""
        return await self.send(_calls.read_block_document_by_name(name, block_type_slug, include_secrets))

    async def read_block_documents_by_type(
        self, block_type_slug: str, offset: int | None = None, limit: int | None = None, include_secrets: bool = True
    ) -> list[BlockDocument]:
        """Read the block documents of a type."""
        return await self.send(_calls.read_block_documents_by_type(block_type_slug, offset, limit, include_secrets))

    async def read_block_type_by_slug(self, slug: str) -> BlockType:
        """Read a block type."""
        return await self.send(_calls.read_block_type_by_slug(slug))

    async def read_block_types(self) -> list[BlockType]:
        """Read all block types."""
        return await self.send(_calls.read_block_types())

    async def update_block_type(self, block_type_id: UUID, block_type: BlockTypeUpdate) -> None:
        """Change a block type."""
        return await self.send(_calls.update_block_type(block_type_id, block_type))
