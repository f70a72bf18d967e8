"""Block documents: the data of blocks, encrypted as it is stored and without its secrets as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import BlockDocumentCreate, BlockDocumentUpdate
from prefect.client.schemas.filters import BlockDocumentFilter, BlockSchemaFilter, BlockTypeFilter
from prefect.client.schemas.objects import BlockDocument, BlockSchema, BlockType
from prefect.client.schemas.sorting import BlockDocumentSort
from prefect.server.database.filters.blocks import block_document_clause
from prefect.server.database.store import Transaction
from prefect.server.encryption import decrypt, encrypt
from prefect.server.models._block_references import (
    MAX_DEPTH,
    References,
    is_reference,
    lock_documents,
    read_references,
    reference_target,
    write_references,
)
from prefect.server.models._block_secrets import Path, masked, secret_paths, unmasked
from prefect.server.models._rows import decode_time, placeholders
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models.block_schemas import SCHEMA_COLUMNS, TYPE_COLUMNS, schema_from_row
from prefect.server.models.configuration import clear_default_storage, read_default_storage
from prefect.server.models.errors import ApiError, Conflict, Forbidden, NotFound
from prefect.server.models.events import record_event

_TABLES = (
    "block_document JOIN block_schema ON block_schema.id = block_document.block_schema_id "
    "JOIN block_type ON block_type.id = block_document.block_type_id"
)
_SELECT = (
    "SELECT block_document.id, block_document.created, block_document.updated, block_document.name, "
    f"block_document.data, block_document.is_anonymous, {SCHEMA_COLUMNS}, {TYPE_COLUMNS} FROM {_TABLES}"
)

_ORDER = {
    BlockDocumentSort.NAME_DESC: "block_document.name DESC, block_document.id",
    BlockDocumentSort.NAME_ASC: "block_document.name ASC, block_document.id",
    BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC: "block_type.name ASC, block_document.name ASC, block_document.id",
}


# -- writing ---------------------------------------------------------------------------------------------------------


def create_block_document(tx: Transaction, wanted: BlockDocumentCreate) -> BlockDocument:
    """Store a new block document; values of the form `{"$ref": {"block_document_id": …}}` become references.

    Returns:
        The document, with its secrets masked.

    Raises:
        Conflict: There is a document of this type and name, or the schema does not exist.
        ApiError: 400, the schema is of another block type, or a reference cannot be.
    """
    _require_schema_of_type(tx, wanted.block_schema_id, wanted.block_type_id, missing=409)
    id, name = uuid4(), wanted.name or f"anonymous-{uuid4()}"
    references = {key: reference_target(key, value) for key, value in wanted.data.items() if is_reference(value)}
    data = {key: value for key, value in wanted.data.items() if key not in references}
    stored = tx.execute(
        "INSERT INTO block_document (id, created, updated, name, data, is_anonymous, block_type_id, block_schema_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (block_type_id, name) DO NOTHING",
        (
            id,
            tx.now,
            tx.now,
            name,
            encrypt(tx, data),
            wanted.is_anonymous,
            wanted.block_type_id,
            wanted.block_schema_id,
        ),
    )
    if not stored:
        raise Conflict(_taken(name))
    # The name is somebody else's now: it does not lead to the document any more that once had it.
    tx.execute(
        "DELETE FROM block_document_former_name WHERE block_type_id = ? AND name = ?", (wanted.block_type_id, name)
    )
    write_references(tx, str(id), {}, references)
    return _read_and_record(tx, "created", id)


def update_block_document(
    tx: Transaction, id: UUID, changes: BlockDocumentUpdate, *, sees_secrets: bool = True
) -> None:
    """Change the data of a document, or move it to another schema of its type.

    A secret that comes back masked stays what it is; so does a reference whose key comes back as it was read.

    Args:
        tx: The transaction.
        id: Of the document.
        changes: What to change.
        sees_secrets: Whether whoever changes it may see its secrets.

    Raises:
        NotFound: There is no document of this id.
        Forbidden: The other schema would uncover secrets that the caller may not see.
        ApiError: 400, the schema is missing or of another type, or a reference cannot be.
    """
    targets = [reference_target(key, value) for key, value in changes.data.items() if is_reference(value)]
    lock_documents(tx, {str(id), *targets})
    current = _stored(tx, id)
    values: dict[str, Any] = {}
    schema = current.schema
    if changes.block_schema_id is not None and changes.block_schema_id != schema.id:
        schema = _require_schema_of_type(tx, changes.block_schema_id, current.type.id, missing=400)
        uncovered = sorted(set(current.paths) - set(secret_paths(schema.fields)))
        if uncovered and not sees_secrets:
            fields = ", ".join(".".join(path) for path in uncovered)
            raise Forbidden(
                f"Block schema {str(schema.id)!r} does not keep {fields} secret, and this API key may not see secrets. "
                "Use a key that was made with `--secrets` or for an admin."
            )
        values["block_schema_id"] = schema.id
    references = current.references
    if "data" in changes.model_fields_set:
        paths = [*current.paths, *secret_paths(schema.fields)]
        data, references = _changed_data(_Expansion(tx, [current]), current, changes, paths)
        values["data"] = encrypt(tx, data)
    update_row(tx, "block_document", id, values)
    write_references(tx, str(id), current.references, references)
    _read_and_record(tx, "updated", id)


def _changed_data(
    expansion: _Expansion, current: _Stored, changes: BlockDocumentUpdate, paths: Sequence[Path]
) -> tuple[dict[str, Any], References]:
    shown = expansion.data(current, include_secrets=False)
    clear = expansion.data(current, include_secrets=True)
    restored = unmasked(changes.data, clear, paths)
    data = dict(current.data) if changes.merge_existing_data else {}
    references = dict(current.references) if changes.merge_existing_data else {}
    for key, value in changes.data.items():
        data.pop(key, None)
        references.pop(key, None)
        if is_reference(value):
            references[key] = reference_target(key, value)
        elif key in current.references and value in (shown.get(key), clear.get(key)):
            references[key] = current.references[key]
        else:
            data[key] = restored[key]
    return data, references


def rename_block_document(tx: Transaction, id: UUID, name: str) -> None:
    """Give a document another name. Its former names lead to it until another document of its type takes them.

    Raises:
        NotFound: There is no document of this id.
        Conflict: Another document of this type has the name.
    """
    current = _stored(tx, id)
    if current.name == name:
        return
    type_id = current.type.id
    if tx.fetch_one("SELECT 1 FROM block_document WHERE block_type_id = ? AND name = ?", (type_id, name)) is not None:
        raise Conflict(_taken(name))
    update_row(tx, "block_document", id, {"name": name})
    tx.execute("DELETE FROM block_document_former_name WHERE block_type_id = ? AND name = ?", (type_id, name))
    tx.execute(
        "INSERT INTO block_document_former_name (block_type_id, name, block_document_id) VALUES (?, ?, ?)",
        (type_id, current.name, id),
    )
    _read_and_record(tx, "updated", id)


def delete_block_document(tx: Transaction, id: UUID) -> None:
    """Delete a document; those that refer to it lose the reference.

    Raises:
        NotFound: There is no document of this id.
    """
    stored = _stored(tx, id)
    document = _Expansion(tx, [stored]).document(stored, include_secrets=False)
    if read_default_storage(tx).default_result_storage_block_id == id:
        clear_default_storage(tx)
    if delete_row(tx, "block_document", id):
        _record(tx, "deleted", document)


def _require_schema_of_type(tx: Transaction, schema_id: UUID, type_id: UUID, *, missing: int) -> BlockSchema:
    row = tx.fetch_one(
        f"SELECT {SCHEMA_COLUMNS}, {TYPE_COLUMNS} FROM block_schema "
        "JOIN block_type ON block_type.id = block_schema.block_type_id WHERE block_schema.id = ?",
        (schema_id,),
    )
    if row is None:
        raise ApiError(missing, f"The block schema {str(schema_id)!r} does not exist. Register it first.")
    schema = schema_from_row(row)
    if schema.block_type_id != type_id:
        raise ApiError(
            400,
            f"The block schema {str(schema_id)!r} is of the block type {str(schema.block_type_id)!r}, not "
            f"{str(type_id)!r}. Use a schema of the document's own type.",
        )
    return schema


def _taken(name: str) -> str:
    return f"A block of this type with the name {name!r} exists already. Update that one, or choose another name."


# -- reading ---------------------------------------------------------------------------------------------------------


def read_block_document(tx: Transaction, id: UUID, *, include_secrets: bool = False) -> BlockDocument:
    """The document of an id, with the documents that it refers to in the place of the references.

    Raises:
        NotFound: There is none.
    """
    stored = _stored(tx, id)
    return _Expansion(tx, [stored]).document(stored, include_secrets=include_secrets)


def read_block_document_by_name(
    tx: Transaction, type_slug: str, name: str, *, include_secrets: bool = False
) -> BlockDocument:
    """The document of a block type that has a name, or else had it last.

    Raises:
        NotFound: There is none.
    """
    row = tx.fetch_one(
        f"{_SELECT} WHERE block_type.slug = ? AND block_document.name = ?", (type_slug, name)
    ) or tx.fetch_one(
        f"{_SELECT} JOIN block_document_former_name AS former ON former.block_document_id = block_document.id "
        "WHERE block_type.slug = ? AND former.name = ?",
        (type_slug, name),
    )
    if row is None:
        raise NotFound(f"Block document {f'{type_slug}/{name}'!r} not found.")
    stored = _from_rows(tx, [row])[0]
    return _Expansion(tx, [stored]).document(stored, include_secrets=include_secrets)


def read_block_documents(
    tx: Transaction,
    documents: BlockDocumentFilter | None = None,
    types: BlockTypeFilter | None = None,
    schemas: BlockSchemaFilter | None = None,
    *,
    include_secrets: bool = False,
    sort: BlockDocumentSort | None = BlockDocumentSort.NAME_ASC,
    limit: int,
    offset: int = 0,
) -> list[BlockDocument]:
    """The documents that meet filters. Anonymous ones are left out unless the filter says otherwise."""
    where = block_document_clause(tx.dialect, documents, types, schemas)
    rows = tx.fetch_all(
        f"{_SELECT} WHERE {where.sql} ORDER BY {_ORDER[sort or BlockDocumentSort.NAME_ASC]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    found = _from_rows(tx, rows)
    expansion = _Expansion(tx, found)
    return [expansion.document(stored, include_secrets=include_secrets) for stored in found]


def count_block_documents(
    tx: Transaction,
    documents: BlockDocumentFilter | None = None,
    types: BlockTypeFilter | None = None,
    schemas: BlockSchemaFilter | None = None,
) -> int:
    """How many documents meet filters."""
    where = block_document_clause(tx.dialect, documents, types, schemas)
    return count_rows(tx, f"{_TABLES} WHERE {where.sql}", where.params)


# -- what is stored, and what is made of it --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document as it is stored: its own data in clear, without the documents that it refers to."""

    id: str
    row: Any
    data: dict[str, Any]
    references: References
    schema: BlockSchema
    type: BlockType
    paths: list[Path]

    @property
    def name(self) -> str:
        return self.row["name"]


def _stored(tx: Transaction, id: UUID) -> _Stored:
    row = tx.fetch_one(f"{_SELECT} WHERE block_document.id = ?", (id,))
    if row is None:
        raise NotFound(f"Block document {str(id)!r} not found.")
    return _from_rows(tx, [row])[0]


def _from_rows(tx: Transaction, rows: Sequence[Any]) -> list[_Stored]:
    references = read_references(tx, [str(row["id"]) for row in rows])
    schemas: dict[str, BlockSchema] = {}
    found = []
    for row in rows:
        id, schema_id = str(row["id"]), str(row["s_id"])
        if schema_id not in schemas:
            schemas[schema_id] = schema_from_row(row)
        schema = schemas[schema_id]
        assert schema.block_type is not None
        data = decrypt(tx, row["data"])
        own = references.get(id, {})
        found.append(_Stored(id, row, data, own, schema, schema.block_type, secret_paths(schema.fields)))
    return found


class _Expansion:
    """Documents together with all that they refer to, directly or not; read level by level."""

    def __init__(self, tx: Transaction, roots: Sequence[_Stored]) -> None:
        self._known = {stored.id: stored for stored in roots}
        level = list(roots)
        for _ in range(MAX_DEPTH):
            missing = {target for stored in level for target in stored.references.values()} - self._known.keys()
            if not missing:
                break
            ids = sorted(missing)
            rows = tx.fetch_all(f"{_SELECT} WHERE block_document.id IN ({placeholders(len(ids))})", ids)
            level = _from_rows(tx, rows)
            self._known.update((stored.id, stored) for stored in level)

    def data(self, stored: _Stored, *, include_secrets: bool, depth: int = 0) -> dict[str, Any]:
        """The data of a document, with that of the documents it refers to in its places."""
        full = dict(stored.data)
        for key, target in self._targets(stored, depth):
            full[key] = self.data(target, include_secrets=include_secrets, depth=depth + 1)
        return full if include_secrets else masked(full, stored.paths)

    def document(self, stored: _Stored, *, include_secrets: bool) -> BlockDocument:
        """A document as it is shown."""
        row = stored.row
        return BlockDocument(
            id=UUID(stored.id),
            created=decode_time(row["created"]),
            updated=decode_time(row["updated"]),
            name=stored.name,
            data=self.data(stored, include_secrets=include_secrets),
            block_schema_id=stored.schema.id,
            block_schema=stored.schema,
            block_type_id=stored.type.id,
            block_type_name=stored.type.name,
            block_type=stored.type,
            block_document_references=self._references(stored, 0),
            is_anonymous=bool(row["is_anonymous"]),
        )

    def _references(self, stored: _Stored, depth: int) -> dict[str, dict[str, Any]]:
        return {
            key: {
                "block_document": {
                    "id": target.id,
                    "name": target.name,
                    "block_type": target.type.model_dump(mode="json"),
                    "is_anonymous": bool(target.row["is_anonymous"]),
                    "block_document_references": self._references(target, depth + 1),
                }
            }
            for key, target in self._targets(stored, depth)
        }

    def _targets(self, stored: _Stored, depth: int) -> list[tuple[str, _Stored]]:
        if depth >= MAX_DEPTH:
            return []
        return [(key, self._known[id]) for key, id in stored.references.items() if id in self._known]


# -- events ----------------------------------------------------------------------------------------------------------


def _read_and_record(tx: Transaction, what: str, id: UUID) -> BlockDocument:
    document = read_block_document(tx, id)
    _record(tx, what, document)
    return document


def _record(tx: Transaction, what: str, document: BlockDocument) -> None:
    schema, block_type = document.block_schema, document.block_type
    assert schema is not None and block_type is not None
    secret = {path[0] for path in secret_paths(schema.fields)}
    record_event(
        tx,
        f"prefect.block-document.{what}",
        {
            "prefect.resource.id": f"prefect.block-document.{document.id}",
            "prefect.resource.name": str(document.name),
        },
        related=[
            {
                "prefect.resource.id": f"prefect.block-type.{block_type.id}",
                "prefect.resource.role": "block-type",
                "prefect.resource.name": block_type.name,
            },
            {
                "prefect.resource.id": f"prefect.block-schema.{schema.id}",
                "prefect.resource.role": "block-schema",
            },
        ],
        payload={
            "name": document.name,
            "data": {
                key: value
                for key, value in document.data.items()
                if isinstance(value, str) and key not in secret and "*" not in secret
            },
            "block_schema": {
                "capabilities": schema.capabilities,
                "block_type": {"id": str(block_type.id), "name": block_type.name},
            },
        },
    )
