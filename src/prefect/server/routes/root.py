"""The routes that tell whether the API is there, and which version it is."""

from __future__ import annotations

from prefect.server.database.errors import StorageError
from prefect.server.database.store import Store
from prefect.server.routes._table import Reply, route

API_VERSION = "0.8.4"

# They take the store, and not a transaction, because they must answer when the database does not.


@route("GET", "/hello", writes=False, tags=("Root",))
def hello(store: Store) -> str:
    """Say hello."""
    return "👋"


@route("GET", "/health", writes=False, tags=("Root",))
def health_check(store: Store) -> bool:
    """Say that the API answers."""
    return True


@route("GET", "/ready", writes=False, tags=("Root",))
def perform_readiness_check(store: Store) -> Reply[dict[str, str]]:
    """Say whether the database answers."""
    try:
        store.read(lambda tx: tx.fetch_one("SELECT 1"))
    except StorageError:
        return Reply(503, {"message": "Database is not available"})
    return Reply(200, {"message": "OK"})


@route("GET", "/version", writes=False, tags=("Root",))
def server_version(store: Store) -> str:
    """The version of the API."""
    return API_VERSION
