"""The filters of block types, block schemas and block documents."""

from __future__ import annotations

from prefect.client.schemas.filters import BlockDocumentFilter, BlockSchemaFilter, BlockTypeFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    contains_text,
    exists,
    grouped,
    is_in,
    is_true,
)


def block_type_clause(dialect: Dialect, types: BlockTypeFilter | None, schemas: BlockSchemaFilter | None) -> Clause:
    """The condition on rows of `block_type`; with a filter of schemas, the type has one that meets it."""
    return all_of(
        None if types is None else _type(dialect, types),
        None
        if schemas is None
        else exists(
            "SELECT 1 FROM block_schema WHERE block_schema.block_type_id = block_type.id",
            block_schema_clause(dialect, schemas),
        ),
    )


def _type(dialect: Dialect, wanted: BlockTypeFilter) -> Clause:
    return all_of(
        None if wanted.name is None else contains_text(dialect, "block_type.name", wanted.name.like_),
        None if wanted.slug is None else is_in("block_type.slug", wanted.slug.any_),
    )


def block_schema_clause(dialect: Dialect, wanted: BlockSchemaFilter | None) -> Clause:
    """The condition on rows of `block_schema`."""
    criteria: list[Clause] = []
    if wanted is None:
        return all_of()
    if (type_id := wanted.block_type_id) is not None:
        criteria.append(all_of(is_in("block_schema.block_type_id", type_id.any_)))
    if (capabilities := wanted.block_capabilities) is not None:
        has = dialect.json_array_has("block_schema.capabilities", "?")
        criteria.append(all_of(*(Clause(has, (name,)) for name in capabilities.all_ or ())))
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("block_schema.id", id.any_)))
    if (version := wanted.version) is not None:
        criteria.append(all_of(is_in("block_schema.version", version.any_)))
    return grouped(wanted.operator, criteria)


def block_document_clause(
    dialect: Dialect,
    documents: BlockDocumentFilter | None,
    types: BlockTypeFilter | None = None,
    schemas: BlockSchemaFilter | None = None,
) -> Clause:
    """The condition on rows of `block_document`, joined to their `block_schema` and `block_type`.

    Anonymous documents are left out, unless the filter of documents says otherwise.
    """
    return all_of(
        _document(dialect, documents or BlockDocumentFilter()),
        None if types is None else _type(dialect, types),
        None if schemas is None else block_schema_clause(dialect, schemas),
    )


def _document(dialect: Dialect, wanted: BlockDocumentFilter) -> Clause:
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("block_document.id", id.any_)))
    if (anonymous := wanted.is_anonymous) is not None:
        criteria.append(all_of(is_true("block_document.is_anonymous", anonymous.eq_)))
    if (type_id := wanted.block_type_id) is not None:
        criteria.append(all_of(is_in("block_document.block_type_id", type_id.any_)))
    if (name := wanted.name) is not None:
        like = contains_text(dialect, "block_document.name", name.like_)
        criteria.append(all_of(is_in("block_document.name", name.any_), like))
    return grouped(wanted.operator, criteria)
