"""Block types: the kinds of blocks that somebody has registered."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape, unescape
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import BlockSchemaCreate, BlockTypeCreate, BlockTypeUpdate
from prefect.client.schemas.filters import BlockSchemaFilter, BlockTypeFilter
from prefect.client.schemas.objects import BlockType
from prefect.server.database.filters.blocks import block_type_clause
from prefect.server.database.store import Transaction
from prefect.server.models._statements import delete_row, update_row
from prefect.server.models.block_schemas import create_block_schema
from prefect.server.models.errors import Conflict, Forbidden, NotFound
from prefect.server.models.events import record_event

_COLUMNS = "id, created, updated, name, slug, logo_url, documentation_url, description, code_example, is_protected"
_CONTENT = ("name", "slug", "logo_url", "documentation_url", "description", "code_example", "is_protected")
_SHOWN_AS_MARKUP = ("description", "code_example")


def create_block_type(tx: Transaction, wanted: BlockTypeCreate, *, is_protected: bool = False) -> BlockType:
    """Register a block type.

    Args:
        is_protected: Whether it belongs to the product: it may have a reserved name, and cannot be deleted.

    Raises:
        Forbidden: The name is reserved.
        Conflict: There is a block type with this slug.
    """
    if not is_protected and wanted.name.casefold().startswith("prefect"):
        raise Forbidden(
            f"Block type names beginning with 'Prefect' are reserved, got {wanted.name!r}. Choose another name."
        )
    values = _escaped(wanted.model_dump())
    created = BlockType(id=uuid4(), created=tx.now, updated=tx.now, is_protected=is_protected, **values)
    stored = tx.execute(
        f"INSERT INTO block_type ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (slug) DO NOTHING",
        (created.id, tx.now, tx.now, *(getattr(created, name) for name in _CONTENT)),
    )
    if not stored:
        raise Conflict(f"A block type with the slug {wanted.slug!r} exists already.")
    _record(tx, "created", created)
    return created


def read_block_type(tx: Transaction, id: UUID) -> BlockType:
    """The block type of an id.

    Raises:
        NotFound: There is none.
    """
    return _found(tx.fetch_one(f"SELECT {_COLUMNS} FROM block_type WHERE id = ?", (id,)), id)


def read_block_type_by_slug(tx: Transaction, slug: str) -> BlockType:
    """The block type of a slug.

    Raises:
        NotFound: There is none.
    """
    return _found(tx.fetch_one(f"SELECT {_COLUMNS} FROM block_type WHERE slug = ?", (slug,)), slug)


def read_block_types(
    tx: Transaction, types: BlockTypeFilter | None, schemas: BlockSchemaFilter | None, limit: int, offset: int
) -> list[BlockType]:
    """The block types that meet filters, by name."""
    where = block_type_clause(tx.dialect, types, schemas)
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM block_type WHERE {where.sql} ORDER BY name, slug LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [BlockType.model_validate(dict(row)) for row in rows]


def update_block_type(tx: Transaction, id: UUID, changes: BlockTypeUpdate) -> None:
    """Change those fields of a block type that the request sets to something else.

    Raises:
        NotFound: There is no block type of this id.
    """
    current = read_block_type(tx, id)
    given = _escaped({name: getattr(changes, name) for name in changes.model_fields_set})
    values = {name: value for name, value in given.items() if value != getattr(current, name)}
    if values and update_row(tx, "block_type", id, values):
        _record(tx, "updated", current.model_copy(update=values))


def delete_block_type(tx: Transaction, id: UUID) -> None:
    """Delete a block type with its schemas and documents.

    Raises:
        NotFound: There is no block type of this id.
        Forbidden: It is protected.
    """
    block_type = read_block_type(tx, id)
    if block_type.is_protected:
        raise Forbidden(f"The block type {block_type.slug!r} is protected and cannot be deleted.")
    if delete_row(tx, "block_type", id):
        _record(tx, "deleted", block_type)


def install_protected_types(tx: Transaction, definitions: Iterable[tuple[BlockTypeCreate, BlockSchemaCreate]]) -> None:
    """Register the block types that belong to the product, with their schemas; what is there is brought up to date."""
    for wanted, schema in definitions:
        row = tx.fetch_one("SELECT id FROM block_type WHERE slug = ?", (wanted.slug,))
        if row is None:
            id = create_block_type(tx, wanted, is_protected=True).id
        else:
            id = UUID(str(row["id"]))
            changes = wanted.model_dump(include=BlockTypeUpdate.updatable_fields())
            update_block_type(tx, id, BlockTypeUpdate(**changes))
            tx.execute("UPDATE block_type SET is_protected = ? WHERE id = ?", (True, id))
        create_block_schema(tx, schema.model_copy(update={"block_type_id": id}))


def _escaped(values: dict[str, Any]) -> dict[str, Any]:
    # Stored so that showing it as markup is harmless. What was read, and comes back, is not escaped once more.
    shown = {name: values[name] for name in _SHOWN_AS_MARKUP if values.get(name) is not None}
    return values | {name: escape(unescape(text), quote=False) for name, text in shown.items()}


def _found(row: Any, key: UUID | str) -> BlockType:
    if row is None:
        raise NotFound(f"Block type {str(key)!r} not found.")
    return BlockType.model_validate(dict(row))


def _record(tx: Transaction, what: str, block_type: BlockType) -> None:
    record_event(
        tx,
        f"prefect.block-type.{what}",
        {"prefect.resource.id": f"prefect.block-type.{block_type.id}", "prefect.resource.name": block_type.name},
        payload={name: getattr(block_type, name) for name in _CONTENT},
    )
