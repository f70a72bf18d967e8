"""The references between block documents: which document stands under which key of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models._rows import placeholders
from prefect.server.models.errors import ApiError

MAX_DEPTH = 50
"""How deep documents may be nested."""

References = dict[str, str]
"""Ids of documents, as text, by the key under which they stand."""


def is_reference(value: Any) -> bool:
    """Whether a value of a document's data stands for another document."""
    return isinstance(value, dict) and isinstance(value.get("$ref"), dict)


def reference_target(key: str, value: Mapping[str, Any]) -> str:
    """The id of the document that a reference names.

    Raises:
        ApiError: 400, it names none.
    """
    id = value["$ref"].get("block_document_id")
    try:
        return str(UUID(str(id)))
    except ValueError:
        raise ApiError(
            400,
            f"The reference under {key!r} names the block document {id!r}: expected "
            '{"$ref": {"block_document_id": "<uuid>"}}.',
        ) from None


def read_references(tx: Transaction, parents: Iterable[str]) -> dict[str, References]:
    """The references of documents, by the id of the document."""
    ids = list(parents)
    found: dict[str, References] = {}
    if not ids:
        return found
    for row in tx.fetch_all(
        "SELECT parent_block_document_id, name, reference_block_document_id FROM block_document_reference "
        f"WHERE parent_block_document_id IN ({placeholders(len(ids))}) ORDER BY name",
        ids,
    ):
        own = found.setdefault(str(row["parent_block_document_id"]), {})
        own[row["name"]] = str(row["reference_block_document_id"])
    return found


def write_references(tx: Transaction, parent: str, current: References, wanted: References) -> None:
    """Store the references of a document in place of the current ones.

    Raises:
        ApiError: 400, a document does not exist, or the references would form a circle or nest too deep.
    """
    new = {name: target for name, target in wanted.items() if current.get(name) != target}
    _require_documents(tx, parent, new)
    _require_a_tree(tx, parent, set(new.values()))
    for name in set(current) - {name for name in wanted if name not in new}:
        tx.execute(
            "DELETE FROM block_document_reference WHERE parent_block_document_id = ? AND name = ?", (parent, name)
        )
    for name, target in new.items():
        tx.execute(
            "INSERT INTO block_document_reference (parent_block_document_id, name, reference_block_document_id) "
            "VALUES (?, ?, ?)",
            (parent, name, target),
        )


def lock_documents(tx: Transaction, ids: set[str]) -> set[str]:
    """Keep others from changing documents until this transaction ends.

    Locking both ends of a reference, always in the order of their ids, keeps two requests from closing a circle from
    both sides, and from waiting for each other.

    Returns:
        The ids of the documents that exist.
    """
    rows = tx.fetch_all(
        f"SELECT id FROM block_document WHERE id IN ({placeholders(len(ids))}) ORDER BY id{tx.dialect.for_update()}",
        sorted(ids),
    )
    return {str(row["id"]) for row in rows}


def _require_documents(tx: Transaction, parent: str, new: References) -> None:
    if not new:
        return
    known = lock_documents(tx, {parent, *new.values()})
    for name, target in new.items():
        if target not in known:
            raise ApiError(400, f"The reference under {name!r} names the block document {target!r}, which is missing.")


def _require_a_tree(tx: Transaction, parent: str, targets: set[str]) -> None:
    if not targets:
        return
    below, level = 0, targets
    while level:
        below += 1
        if parent in level:
            raise ApiError(400, f"The block document {parent!r} cannot contain itself: its references form a circle.")
        if below > MAX_DEPTH:
            break
        level = _next_level(tx, level, "parent_block_document_id", "reference_block_document_id")
    above, level = -1, {parent}
    while level and above + below <= MAX_DEPTH:
        above += 1
        level = _next_level(tx, level, "reference_block_document_id", "parent_block_document_id")
    if above + below > MAX_DEPTH:
        raise ApiError(400, f"Block documents may be nested {MAX_DEPTH} deep; these references would go deeper.")


def _next_level(tx: Transaction, ids: set[str], from_column: str, to_column: str) -> set[str]:
    rows = tx.fetch_all(
        f"SELECT DISTINCT {to_column} AS id FROM block_document_reference "
        f"WHERE {from_column} IN ({placeholders(len(ids))})",
        sorted(ids),
    )
    return {str(row["id"]) for row in rows}
