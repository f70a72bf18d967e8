"""The route that tells what integration packages offer."""

from __future__ import annotations

from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.models.worker_types import worker_types
from prefect.server.routes._table import NotFound, route

_WORKER_TYPES = "aggregate-worker-metadata"


@route("GET", "/collections/views/{view}", writes=False, name="read_view_content")
def read_view_content(tx: Transaction, view: str) -> dict[str, Any]:
    """Read a view of what integration packages offer, by package."""
    if view != _WORKER_TYPES:
        raise NotFound(f"View {view!r} not found in registry: there is {_WORKER_TYPES!r}.")
    return worker_types()
