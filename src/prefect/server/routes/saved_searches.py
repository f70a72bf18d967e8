"""The routes of saved searches."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import SavedSearchCreate
from prefect.client.schemas.objects import SavedSearch
from prefect.server.database.store import Transaction
from prefect.server.models import saved_searches as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Reply, Whole, route

_TAGS = ("SavedSearches",)


@route("PUT", "/saved_searches/", also=(201,), tags=_TAGS)
def create_saved_search(tx: Transaction, saved_search: Whole[SavedSearchCreate]) -> Reply[SavedSearch]:
    """Create a search, or replace the one of the same name."""
    search, is_new = models.save_search(tx, saved_search)
    return Reply(201 if is_new else 200, search)


@route("GET", "/saved_searches/{id}", writes=False, tags=_TAGS)
def read_saved_search(tx: Transaction, id: UUID) -> SavedSearch:
    """Read a search."""
    return models.read_saved_search(tx, id)


@route("POST", "/saved_searches/filter", writes=False, tags=_TAGS)
def read_saved_searches(
    tx: Transaction, offset: Annotated[int, Field(ge=0)] = 0, limit: int = ABSENT
) -> list[SavedSearch]:
    """Read all searches."""
    return models.read_saved_searches(tx, checked_limit(limit), offset)


@route("DELETE", "/saved_searches/{id}", status=204, tags=_TAGS)
def delete_saved_search(tx: Transaction, id: UUID) -> None:
    """Delete a search."""
    models.delete_saved_search(tx, id)
