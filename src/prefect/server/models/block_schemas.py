"""Block schemas: the fields of a block type, one row for each version of them."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import BlockSchemaCreate
from prefect.client.schemas.filters import BlockSchemaFilter
from prefect.client.schemas.objects import BlockSchema, BlockType
from prefect.server.database.filters.blocks import block_schema_clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, loads
from prefect.server.models._statements import delete_row
from prefect.server.models.errors import Conflict, Forbidden, Invalid, NotFound

SCHEMA_COLUMNS = (
    "block_schema.id AS s_id, block_schema.created AS s_created, block_schema.updated AS s_updated, "
    "block_schema.checksum AS s_checksum, block_schema.version AS s_version, block_schema.fields AS s_fields, "
    "block_schema.capabilities AS s_capabilities, block_schema.block_type_id AS s_block_type_id"
)
TYPE_COLUMNS = (
    "block_type.id AS t_id, block_type.created AS t_created, block_type.updated AS t_updated, "
    "block_type.name AS t_name, block_type.slug AS t_slug, block_type.logo_url AS t_logo_url, "
    "block_type.documentation_url AS t_documentation_url, block_type.description AS t_description, "
    "block_type.code_example AS t_code_example, block_type.is_protected AS t_is_protected"
)
_SELECT = (
    f"SELECT {SCHEMA_COLUMNS}, {TYPE_COLUMNS} FROM block_schema "
    "JOIN block_type ON block_type.id = block_schema.block_type_id"
)


def create_block_schema(tx: Transaction, wanted: BlockSchemaCreate) -> tuple[BlockSchema, bool]:
    """Register a schema of a block type. One with the same checksum and version is returned as it is.

    Returns:
        The schema, and whether it is new.

    Raises:
        Invalid: No block type is named.
        NotFound: The block type does not exist.
        Conflict: A field refers to blocks of a type or a schema that is not registered.
    """
    type_id = wanted.block_type_id
    if type_id is None:
        raise Invalid("A block schema needs a `block_type_id`, got None. Register the block type first.")
    if tx.fetch_one("SELECT 1 FROM block_type WHERE id = ?", (type_id,)) is None:
        raise NotFound(f"Block type {str(type_id)!r} not found.")
    _require_referenced_schemas(tx, wanted.fields)
    checksum, id = schema_checksum(wanted.fields), uuid4()
    stored = tx.execute(
        "INSERT INTO block_schema (id, created, updated, checksum, version, fields, capabilities, block_type_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (checksum, version) DO NOTHING",
        (
            id,
            tx.now,
            tx.now,
            checksum,
            wanted.version,
            dumps(wanted.fields),
            dumps(list(dict.fromkeys(wanted.capabilities))),
            type_id,
        ),
    )
    return read_block_schema_by_checksum(tx, checksum, wanted.version), stored == 1


def schema_checksum(fields: dict[str, Any]) -> str:
    """The checksum of a schema: of its fields without what blocks they refer to, and which of them are secret."""
    shown = _without_secret_fields(fields)
    definitions = shown.pop("definitions", None) or {}
    own = {name: each for name, each in definitions.items() if "block_schema_references" not in each}
    if own:
        shown["definitions"] = own
    # The empty object and the default separators belong to the checksum that clients compute for themselves.
    text = json.dumps([[shown], {}], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _without_secret_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secret_fields(each) for key, each in value.items() if key != "secret_fields"}
    if isinstance(value, list):
        return [_without_secret_fields(each) for each in value]
    return value


def _require_referenced_schemas(tx: Transaction, fields: dict[str, Any]) -> None:
    for name, references in (fields.get("block_schema_references") or {}).items():
        for reference in references if isinstance(references, list) else [references]:
            try:
                slug, checksum = reference["block_type_slug"], reference["block_schema_checksum"]
            except (TypeError, KeyError):
                raise Invalid(
                    f"The reference of the field {name!r} is {reference!r}: expected an object with "
                    "'block_type_slug' and 'block_schema_checksum'."
                ) from None
            _require_schema(tx, name, slug, checksum)


def _require_schema(tx: Transaction, name: str, slug: str, checksum: str) -> None:
    block_type = tx.fetch_one("SELECT id FROM block_type WHERE slug = ?", (str(slug),))
    what = None
    if block_type is None:
        what = f"the block type {slug!r}"
    elif tx.fetch_one("SELECT 1 FROM block_schema WHERE checksum = ?", (str(checksum),)) is None:
        what = f"the schema {checksum!r} of the block type {slug!r}"
    if what is not None:
        raise Conflict(f"The field {name!r} refers to {what}, which is not registered. Register it first.")


def read_block_schema(tx: Transaction, id: UUID) -> BlockSchema:
    """The schema of an id.

    Raises:
        NotFound: There is none.
    """
    row = tx.fetch_one(f"{_SELECT} WHERE block_schema.id = ?", (id,))
    if row is None:
        raise NotFound(f"Block schema {str(id)!r} not found.")
    return schema_from_row(row)


def read_block_schema_by_checksum(tx: Transaction, checksum: str, version: str | None = None) -> BlockSchema:
    """The schema of a checksum: the newest, or that of one version.

    Raises:
        NotFound: There is none.
    """
    if version is None:
        row = tx.fetch_one(
            f"{_SELECT} WHERE block_schema.checksum = ? ORDER BY block_schema.created DESC, block_schema.id LIMIT 1",
            (checksum,),
        )
    else:
        row = tx.fetch_one(
            f"{_SELECT} WHERE block_schema.checksum = ? AND block_schema.version = ?", (checksum, version)
        )
    if row is None:
        of_version = "" if version is None else f" and version {version!r}"
        raise NotFound(f"Block schema with checksum {checksum!r}{of_version} not found.")
    return schema_from_row(row)


def read_block_schemas(tx: Transaction, wanted: BlockSchemaFilter | None, limit: int, offset: int) -> list[BlockSchema]:
    """The schemas that meet a filter, newest first."""
    where = block_schema_clause(tx.dialect, wanted)
    rows = tx.fetch_all(
        f"{_SELECT} WHERE {where.sql} ORDER BY block_schema.created DESC, block_schema.id LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [schema_from_row(row) for row in rows]


def delete_block_schema(tx: Transaction, id: UUID) -> None:
    """Delete a schema with its documents.

    Raises:
        NotFound: There is no schema of this id.
        Forbidden: It belongs to a protected block type.
    """
    schema = read_block_schema(tx, id)
    if schema.block_type is not None and schema.block_type.is_protected:
        raise Forbidden(f"The block type {schema.block_type.slug!r} is protected; its schemas cannot be deleted.")
    delete_row(tx, "block_schema", id)


def read_capabilities(tx: Transaction) -> list[str]:
    """Every capability that some schema has, by name."""
    rows = tx.fetch_all("SELECT DISTINCT capabilities FROM block_schema")
    return sorted({capability for row in rows for capability in loads(row["capabilities"])})


# -- rows ------------------------------------------------------------------------------------------------------------


def type_from_row(row: Any) -> BlockType:
    """The block type that was selected as `TYPE_COLUMNS`."""
    return BlockType.model_validate({name: row[f"t_{name}"] for name in BlockType.model_fields})


def schema_from_row(row: Any) -> BlockSchema:
    """The schema that was selected as `SCHEMA_COLUMNS` and `TYPE_COLUMNS`."""
    values = {name: row[f"s_{name}"] for name in BlockSchema.model_fields if name != "block_type"}
    values["fields"] = loads(values["fields"])
    values["capabilities"] = loads(values["capabilities"])
    return BlockSchema.model_validate(values | {"block_type": type_from_row(row)})
