"""What is done to a database as a whole: look at its version, and begin it anew."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from prefect.server.database.migrations import Migration, all_migrations, split_statements
from prefect.server.database.store import Transaction, open_store
from prefect.server.database.url import parse_database_url

_CREATES = re.compile(r"^\s*(?:CREATE TABLE(?: IF NOT EXISTS)?|ALTER TABLE \w+ RENAME TO) (\w+)", re.IGNORECASE)


class SchemaVersion(NamedTuple):
    """Where a database stands; versions count migrations, and 0 is a database that holds nothing yet."""

    label: str
    """Names the database, without a password."""
    version: int
    newest: int

    @property
    def pending(self) -> tuple[Migration, ...]:
        """The migrations that the database lacks."""
        return all_migrations()[self.version :]


def read_schema_version(url: str) -> SchemaVersion:
    """Look at a database without changing it.

    Args:
        url: A SQLite or PostgreSQL connection URL.

    Raises:
        ValueError: It is neither.
        StorageError: The database cannot be read, is damaged, newer than this release, or another program's.
    """
    parsed = parse_database_url(url)
    if parsed.dialect == "sqlite":
        from prefect.server.database.sqlite import read_version  # noqa: PLC0415 - each driver loads only when used
    else:
        from prefect.server.database.postgres import read_version  # noqa: PLC0415 - as above
    return SchemaVersion(parsed.label, read_version(parsed), len(all_migrations()))


def read_database_clock(url: str) -> datetime | None:
    """What time it is for a PostgreSQL server; None for SQLite, which has the clock of its process.

    Raises:
        StorageError: The database cannot be reached.
    """
    parsed = parse_database_url(url)
    if parsed.dialect == "sqlite":
        return None
    from prefect.server.database.postgres import read_clock  # noqa: PLC0415 - as above

    return read_clock(parsed)


def reset_database(url: str) -> int:
    """Drop this project's tables with all that they hold, and make them anew, in one transaction.

    Other tables in the same database stay. Returns how many tables were dropped.

    Raises:
        StorageError: The database cannot be used, is newer than this release, or another program's.
    """
    return open_store(url).write(_begin_anew)


def _begin_anew(tx: Transaction) -> int:
    statements = [
        statement
        for migration in all_migrations()
        for statement in split_statements(tx.dialect.translate(migration.sql()))
    ]
    made = dict.fromkeys(found[1] for statement in statements if (found := _CREATES.match(statement)))
    cascade = " CASCADE" if tx.dialect.name == "postgresql" else ""
    # Those that refer to others were made after them.
    for name in reversed(made):
        tx.execute(f"DROP TABLE IF EXISTS {name}{cascade}")
    for statement in statements:
        tx.execute(statement)
    return len(made)
