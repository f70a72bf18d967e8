"""The commands' door to the server's database as a whole: where it is, its version, a fresh start."""

from pathlib import Path

from prefect.server.database.errors import StorageError
from prefect.server.database.maintenance import (
    SchemaVersion,
    read_database_clock,
    read_schema_version,
    reset_database,
)
from prefect.server.database.store import open_store
from prefect.server.database.url import parse_database_url
from prefect.settings import Settings, get_current_settings

__all__ = [
    "SchemaVersion",
    "StorageError",
    "database_url",
    "read_database_clock",
    "read_schema_version",
    "reset_database",
    "sqlite_path",
    "upgrade_database",
]


def database_url(settings: Settings | None = None) -> str:
    """The connection URL of the server's database; of the current settings by default."""
    url = (settings or get_current_settings()).server.database.connection_url
    assert url is not None  # the settings derive one from the home folder
    return url.get_secret_value()


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database; None for one in memory."""
    return parse_database_url(url).path


def upgrade_database(url: str) -> None:
    """Apply the migrations that a database lacks.

    Raises:
        StorageError: The database cannot be used, is newer than this release, or another program's.
    """
    open_store(url)
