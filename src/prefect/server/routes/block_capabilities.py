"""The route of block capabilities."""

from __future__ import annotations

from prefect.server.database.store import Transaction
from prefect.server.models import block_schemas as models
from prefect.server.routes._table import route


@route("GET", "/block_capabilities/", writes=False, tags=("Block capabilities",))
def read_available_block_capabilities(tx: Transaction) -> list[str]:
    """Read what blocks of some registered type can do."""
    return models.read_capabilities(tx)
