"""Blocks as they are stored: their types, the schemas of these, and the documents."""

from typing import Any
from uuid import UUID

from pydantic import Field, model_validator
from typing_extensions import Self

from prefect.client.schemas._base import ObjectBaseModel, publish
from prefect.types import LaxUrl, Name
from prefect.types.names import BlockDocumentName

__all__ = [
    "DEFAULT_BLOCK_SCHEMA_VERSION",
    "BlockDocument",
    "BlockDocumentReference",
    "BlockSchema",
    "BlockSchemaReference",
    "BlockType",
]

DEFAULT_BLOCK_SCHEMA_VERSION = "non-versioned"


class BlockType(ObjectBaseModel):
    """A kind of block."""

    name: Name
    slug: str
    logo_url: LaxUrl | None = None
    documentation_url: LaxUrl | None = None
    description: str | None = None
    code_example: str | None = None
    is_protected: bool = False


class BlockSchema(ObjectBaseModel):
    """The fields of a kind of block, in one version."""

    checksum: str
    fields: dict[str, Any] = Field(default_factory=dict)
    block_type_id: UUID | None
    block_type: BlockType | None = None
    capabilities: list[str] = Field(default_factory=list)
    version: str = DEFAULT_BLOCK_SCHEMA_VERSION


class BlockSchemaReference(ObjectBaseModel):
    """One kind of block has a field that holds another."""

    parent_block_schema_id: UUID
    parent_block_schema: BlockSchema | None = None
    reference_block_schema_id: UUID
    reference_block_schema: BlockSchema | None = None
    name: str


class BlockDocument(ObjectBaseModel):
    """One block."""

    name: BlockDocumentName | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    block_schema_id: UUID
    block_schema: BlockSchema | None = None
    block_type_id: UUID
    block_type_name: str | None = None
    block_type: BlockType | None = None
    block_document_references: dict[str, dict[str, Any]] = Field(default_factory=dict)
    is_anonymous: bool = False

    @model_validator(mode="after")
    def _require_name(self) -> Self:
        require_name_unless_anonymous(self.name, self.is_anonymous)
        return self


def require_name_unless_anonymous(name: str | None, is_anonymous: bool) -> None:
    """Raise `ValueError` for a block document that nobody could load."""
    if not name and not is_anonymous:
        raise ValueError("Names must be provided for block documents.")


class BlockDocumentReference(ObjectBaseModel):
    """One block holds another."""

    parent_block_document_id: UUID
    parent_block_document: BlockDocument | None = None
    reference_block_document_id: UUID
    reference_block_document: BlockDocument | None = None
    name: str

    @model_validator(mode="after")
    def _require_two_documents(self) -> Self:
        if self.parent_block_document_id == self.reference_block_document_id:
            raise ValueError(
                "`parent_block_document_id` and `reference_block_document_id` cannot be the same:"
                f" both are {str(self.parent_block_document_id)!r}."
            )
        return self


publish(globals(), __all__, "prefect.client.schemas.objects")
