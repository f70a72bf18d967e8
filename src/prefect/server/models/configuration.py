"""What the server keeps about itself in its database: named values, and the default storage of results."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.objects import ServerDefaultResultStorage
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, loads
from prefect.server.models.errors import Invalid, NotFound

_DEFAULT_STORAGE = "server-default-result-storage"
_STORAGE_CAPABILITY = "write-path"


def read_configuration(tx: Transaction, key: str) -> dict[str, Any] | None:
    """The JSON object of a key; None when there is none."""
    row = tx.fetch_one("SELECT value FROM configuration WHERE key = ?", (key,))
    return None if row is None else loads(row["value"])


def write_configuration(tx: Transaction, key: str, value: dict[str, Any]) -> None:
    """Store the JSON object of a key, in place of the one that was there."""
    tx.execute(
        "INSERT INTO configuration (id, created, updated, key, value) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated = excluded.updated",
        (uuid4(), tx.now, tx.now, key, dumps(value)),
    )


def agree_on_configuration(tx: Transaction, key: str, value: dict[str, Any]) -> dict[str, Any]:
    """Store the JSON object of a key unless it has one; of several servers that do so, all get that of the first.

    Returns:
        The object that the key has now.
    """
    tx.execute(
        "INSERT INTO configuration (id, created, updated, key, value) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO NOTHING",
        (uuid4(), tx.now, tx.now, key, dumps(value)),
    )
    agreed = read_configuration(tx, key)
    assert agreed is not None
    return agreed


def delete_configuration(tx: Transaction, key: str) -> None:
    """Forget the value of a key."""
    tx.execute("DELETE FROM configuration WHERE key = ?", (key,))


# -- default storage of results --------------------------------------------------------------------------------------


def read_default_storage(tx: Transaction) -> ServerDefaultResultStorage:
    """Where results go when nobody says otherwise. A block that was deleted meanwhile counts as none."""
    value = read_configuration(tx, _DEFAULT_STORAGE)
    id = None if value is None else value["block_document_id"]
    if id is not None and tx.fetch_one("SELECT 1 FROM block_document WHERE id = ?", (id,)) is None:
        id = None
    return ServerDefaultResultStorage(default_result_storage_block_id=id)


def set_default_storage(tx: Transaction, block_document_id: UUID) -> ServerDefaultResultStorage:
    """Let results go to a block when nobody says otherwise.

    Raises:
        NotFound: There is no such block.
        Invalid: It is of a type that cannot store files.
    """
    row = tx.fetch_one(
        "SELECT block_document.name, block_schema.capabilities FROM block_document "
        "JOIN block_schema ON block_schema.id = block_document.block_schema_id WHERE block_document.id = ?",
        (block_document_id,),
    )
    if row is None:
        raise NotFound(f"Block document {str(block_document_id)!r} not found.")
    if _STORAGE_CAPABILITY not in loads(row["capabilities"]):
        raise Invalid(
            f"The block {row['name']!r} cannot store results: its type lacks the capability {_STORAGE_CAPABILITY!r}. "
            "Choose a block of a storage type, such as local-file-system."
        )
    write_configuration(tx, _DEFAULT_STORAGE, {"block_document_id": str(block_document_id)})
    return ServerDefaultResultStorage(default_result_storage_block_id=block_document_id)


def clear_default_storage(tx: Transaction) -> None:
    """Let results go where each client stores them when nobody says otherwise."""
    delete_configuration(tx, _DEFAULT_STORAGE)
