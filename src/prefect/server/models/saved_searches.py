"""Saved searches: what the user interface remembers of its lists."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import SavedSearchCreate
from prefect.client.schemas.objects import SavedSearch
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, dumps
from prefect.server.models._statements import delete_row
from prefect.server.models.errors import NotFound

_COLUMNS = "id, created, updated, name, filters"


def save_search(tx: Transaction, search: SavedSearchCreate) -> tuple[SavedSearch, bool]:
    """Store a search under its name, in place of the one that was there.

    Returns:
        The search, and whether its name is new.
    """
    id = uuid4()
    tx.execute(
        f"INSERT INTO saved_search ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET filters = excluded.filters, updated = excluded.updated",
        (id, tx.now, tx.now, search.name, dumps(search.filters)),
    )
    stored = _search(tx.fetch_one(f"SELECT {_COLUMNS} FROM saved_search WHERE name = ?", (search.name,)))
    return stored, stored.id == id


def read_saved_search(tx: Transaction, id: UUID) -> SavedSearch:
    """The search of an id.

    Raises:
        NotFound: There is none.
    """
    row = tx.fetch_one(f"SELECT {_COLUMNS} FROM saved_search WHERE id = ?", (id,))
    if row is None:
        raise NotFound(f"Saved search {str(id)!r} not found.")
    return _search(row)


def read_saved_searches(tx: Transaction, limit: int, offset: int) -> list[SavedSearch]:
    """All searches, by name."""
    rows = tx.fetch_all(f"SELECT {_COLUMNS} FROM saved_search ORDER BY name LIMIT ? OFFSET ?", (limit, offset))
    return [_search(row) for row in rows]


def delete_saved_search(tx: Transaction, id: UUID) -> None:
    """Delete a search.

    Raises:
        NotFound: There is none of this id.
    """
    if not delete_row(tx, "saved_search", id):
        raise NotFound(f"Saved search {str(id)!r} not found.")


def _search(row: Any) -> SavedSearch:
    return SavedSearch.model_validate(decode_json(row, ("filters",)))
