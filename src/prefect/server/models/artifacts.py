"""Artifacts: what runs publish for people to look at. Those that share a key are versions of one collection."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.objects import Artifact, ArtifactCollection
from prefect.client.schemas.sorting import ArtifactCollectionSort, ArtifactSort
from prefect.server.database.filters.artifacts import ArtifactFilters
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, dumps
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models.errors import NotFound
from prefect.server.models.events import record_event
from prefect.types._ids import uuid7

_CONTENT = (
    "artifact.key, artifact.type, artifact.description, artifact.data, artifact.metadata_, artifact.flow_run_id, "
    "artifact.task_run_id"
)
_COLUMNS = f"artifact.id, artifact.created, artifact.updated, {_CONTENT}"
# Everything but its identity is read from the latest artifact, so that the two cannot disagree.
_COLLECTION_TABLES = "artifact_collection AS collection JOIN artifact ON artifact.id = collection.latest_id"
_COLLECTION = (
    "SELECT collection.id, collection.created, collection.updated, collection.latest_id, "
    f"{_CONTENT} FROM {_COLLECTION_TABLES}"
)
_JSON_COLUMNS = ("data", "metadata_")

_MAX_EVENT_DATA = 1_000_000
"""Longest data, in characters of JSON, that is repeated in events."""


def create_artifact(tx: Transaction, wanted: ArtifactCreate) -> Artifact:
    """Store a new artifact. One with a key becomes the latest of its collection."""
    artifact = Artifact(id=uuid7(), created=tx.now, updated=tx.now, **wanted.model_dump())
    tx.execute(
        "INSERT INTO artifact (id, created, updated, key, type, description, data, metadata_, flow_run_id, "
        "task_run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            artifact.id,
            tx.now,
            tx.now,
            artifact.key,
            artifact.type,
            artifact.description,
            _json(artifact.data),
            _json(artifact.metadata_),
            artifact.flow_run_id,
            artifact.task_run_id,
        ),
    )
    if artifact.key is not None:
        _lead_collection(tx, artifact)
    return artifact


def _lead_collection(tx: Transaction, artifact: Artifact) -> None:
    # The upsert locks the row, so that of two artifacts made at once the one stored last is the latest.
    id = uuid7()
    tx.execute(
        "INSERT INTO artifact_collection (id, created, updated, key, latest_id) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET latest_id = excluded.latest_id, updated = excluded.updated",
        (id, tx.now, tx.now, artifact.key, artifact.id),
    )
    collection = _collection_of_key(tx, artifact.key)
    assert collection is not None
    _record(tx, "created" if collection.id == id else "updated", collection)


def read_artifact(tx: Transaction, id: UUID) -> Artifact:
    """The artifact of an id.

    Raises:
        NotFound: There is none.
    """
    return _found(tx.fetch_one(f"SELECT {_COLUMNS} FROM artifact WHERE id = ?", (id,)), id)


def read_latest_artifact(tx: Transaction, key: str) -> Artifact:
    """The newest artifact with a key.

    Raises:
        NotFound: No artifact has this key.
    """
    row = tx.fetch_one(f"SELECT {_COLUMNS} FROM {_COLLECTION_TABLES} WHERE collection.key = ?", (key,))
    return _found(row, key)


_ARTIFACT_ORDER = {
    ArtifactSort.CREATED_DESC: "artifact.created DESC, artifact.id DESC",
    ArtifactSort.UPDATED_DESC: "artifact.updated DESC, artifact.id DESC",
    ArtifactSort.ID_DESC: "artifact.id DESC",
    ArtifactSort.KEY_DESC: "artifact.key DESC, artifact.id DESC",
    ArtifactSort.KEY_ASC: "artifact.key ASC, artifact.id DESC",
}


def read_artifacts(
    tx: Transaction, filters: ArtifactFilters, sort: ArtifactSort, limit: int, offset: int
) -> list[Artifact]:
    """The artifacts that meet filters."""
    where = filters.clause(tx.dialect)
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM artifact WHERE {where.sql} ORDER BY {_ARTIFACT_ORDER[sort]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [Artifact.model_validate(decode_json(row, _JSON_COLUMNS)) for row in rows]


def count_artifacts(tx: Transaction, filters: ArtifactFilters) -> int:
    """How many artifacts meet filters."""
    where = filters.clause(tx.dialect)
    return count_rows(tx, f"artifact WHERE {where.sql}", where.params)


def update_artifact(tx: Transaction, id: UUID, changes: ArtifactUpdate) -> None:
    """Change those fields of an artifact that the request sets.

    Raises:
        NotFound: There is no artifact of this id.
    """
    current = read_artifact(tx, id)
    set_values = {name: getattr(changes, name) for name in changes.model_fields_set}
    if not set_values:
        return
    artifact = Artifact.model_validate(dict(current) | set_values)
    update_row(
        tx,
        "artifact",
        id,
        {
            name: getattr(artifact, name) if name == "description" else _json(getattr(artifact, name))
            for name in set_values
        },
    )
    if artifact.key is None:
        return
    if tx.execute("UPDATE artifact_collection SET updated = ? WHERE latest_id = ?", (tx.now, id)):
        collection = _collection_of_key(tx, artifact.key)
        assert collection is not None
        _record(tx, "updated", collection)


def delete_artifact(tx: Transaction, id: UUID) -> None:
    """Delete an artifact. Where it was the latest of its collection, the newest that remains becomes that.

    Raises:
        NotFound: There is no artifact of this id.
    """
    artifact = read_artifact(tx, id)
    if artifact.key is None:
        delete_row(tx, "artifact", id)
        return
    # Held until the end, the lock keeps the key's other writers from choosing the artifact that goes.
    tx.fetch_one(f"SELECT id FROM artifact_collection WHERE key = ?{tx.dialect.for_update()}", (artifact.key,))
    collection = _collection_of_key(tx, artifact.key)
    delete_row(tx, "artifact", id)
    if collection is not None and collection.latest_id == id:
        _repoint_collection(tx, collection)


def _repoint_collection(tx: Transaction, collection: ArtifactCollection) -> None:
    newest = tx.fetch_one(
        "SELECT id FROM artifact WHERE key = ? ORDER BY created DESC, id DESC LIMIT 1", (collection.key,)
    )
    if newest is None:
        delete_row(tx, "artifact_collection", collection.id)
        _record(tx, "deleted", collection)
        return
    update_row(tx, "artifact_collection", collection.id, {"latest_id": newest["id"]})
    repointed = _collection_of_key(tx, collection.key)
    assert repointed is not None
    _record(tx, "updated", repointed)


def repair_collections(tx: Transaction, limit: int) -> int:
    """Mend collections whose latest artifact was deleted together with its run.

    Args:
        limit: Mend at most this many.

    Returns:
        How many were mended.
    """
    rows = tx.fetch_all(
        "SELECT id, key, latest_id, created, updated FROM artifact_collection AS collection WHERE NOT EXISTS "
        "(SELECT 1 FROM artifact WHERE artifact.id = collection.latest_id) LIMIT ?",
        (limit,),
    )
    for row in rows:
        _repoint_collection(tx, ArtifactCollection.model_validate(dict(row)))
    return len(rows)


# -- collections -----------------------------------------------------------------------------------------------------

_COLLECTION_ORDER = {
    ArtifactCollectionSort.CREATED_DESC: "collection.created DESC, collection.id DESC",
    ArtifactCollectionSort.UPDATED_DESC: "collection.updated DESC, collection.id DESC",
    ArtifactCollectionSort.ID_DESC: "collection.id DESC",
    ArtifactCollectionSort.KEY_DESC: "collection.key DESC",
    ArtifactCollectionSort.KEY_ASC: "collection.key ASC",
}


def read_collections(
    tx: Transaction, filters: ArtifactFilters, sort: ArtifactCollectionSort, limit: int, offset: int
) -> list[ArtifactCollection]:
    """The collections whose latest artifact meets filters."""
    where = filters.clause(tx.dialect)
    rows = tx.fetch_all(
        f"{_COLLECTION} WHERE {where.sql} ORDER BY {_COLLECTION_ORDER[sort]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [_collection(row) for row in rows]


def count_collections(tx: Transaction, filters: ArtifactFilters) -> int:
    """How many collections have a latest artifact that meets filters."""
    where = filters.clause(tx.dialect)
    return count_rows(tx, f"{_COLLECTION_TABLES} WHERE {where.sql}", where.params)


def _collection_of_key(tx: Transaction, key: str | None) -> ArtifactCollection | None:
    row = tx.fetch_one(f"{_COLLECTION} WHERE collection.key = ?", (key,))
    return None if row is None else _collection(row)


# -- rows and events -------------------------------------------------------------------------------------------------


def _json(value: Any) -> str | None:
    return None if value is None else dumps(value)


def _found(row: Any, key: UUID | str) -> Artifact:
    if row is None:
        raise NotFound(f"Artifact {str(key)!r} not found.")
    return Artifact.model_validate(decode_json(row, _JSON_COLUMNS))


def _collection(row: Any) -> ArtifactCollection:
    return ArtifactCollection.model_validate(decode_json(row, _JSON_COLUMNS))


def _record(tx: Transaction, what: str, collection: ArtifactCollection) -> None:
    related = [{"prefect.resource.id": f"prefect.artifact.{collection.latest_id}", "prefect.resource.role": "latest"}]
    for kind, id in (("flow-run", collection.flow_run_id), ("task-run", collection.task_run_id)):
        if id is not None:
            related.append({"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": kind})
    payload: dict[str, Any] = {"key": collection.key, "type": collection.type, "description": collection.description}
    if len(dumps(collection.data)) <= _MAX_EVENT_DATA:
        payload["data"] = collection.data
    record_event(
        tx,
        f"prefect.artifact-collection.{what}",
        {
            "prefect.resource.id": f"prefect.artifact-collection.{collection.id}",
            "prefect.resource.name": collection.key,
        },
        related=related,
        payload=payload,
    )
