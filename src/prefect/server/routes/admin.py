"""The routes about the server itself: its settings, its version, and where results go by default."""

from __future__ import annotations

from prefect._version import __version__
from prefect.client.schemas.objects import ServerDefaultResultStorage, ServerDefaultResultStorageUpdate
from prefect.server.database.store import Transaction
from prefect.server.models import configuration as models
from prefect.server.routes._table import Reply, Whole, route
from prefect.settings import Settings, get_current_settings


@route("GET", "/admin/settings", writes=False)
def read_settings(tx: Transaction) -> Reply[Settings]:
    """Read the settings of the server; secrets are masked."""
    # As JSON already: the model itself would hand its secrets to callers in this process.
    return Reply(200, get_current_settings().model_dump(mode="json"))  # type: ignore[arg-type]


@route("GET", "/admin/version", writes=False)
def read_version(tx: Transaction) -> str:
    """Read the version of the server's package."""
    return __version__


@route("GET", "/admin/storage", writes=False)
def read_server_default_result_storage(tx: Transaction) -> ServerDefaultResultStorage:
    """Read where results go when nobody says otherwise."""
    return models.read_default_storage(tx)


@route("PUT", "/admin/storage")
def update_server_default_result_storage(
    tx: Transaction, storage: Whole[ServerDefaultResultStorageUpdate]
) -> ServerDefaultResultStorage:
    """Let results go to a block when nobody says otherwise."""
    return models.set_default_storage(tx, storage.default_result_storage_block_id)


@route("DELETE", "/admin/storage", status=204)
def clear_server_default_result_storage(tx: Transaction) -> None:
    """Let results go where each client stores them when nobody says otherwise."""
    models.clear_default_storage(tx)
