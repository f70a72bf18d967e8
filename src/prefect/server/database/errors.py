"""What can go wrong with the database, each with what to do about it.

StorageError
├── DatabaseUnavailable   the file or server cannot be opened, is read-only, full, or stays locked
├── DatabaseDamaged       SQLite says that the file is malformed, or that it is no database
├── DatabaseNewer         a later release has migrated it
├── DatabaseForeign       it holds tables of another program
├── RequestTooLarge       a request made a statement that is too large for the database
└── ValueRefused          a value is larger than, or not of the form that, the database can hold
"""

from __future__ import annotations

from prefect.exceptions import PrefectException


class StorageError(PrefectException):
    """The database refused an operation; nothing of that operation was stored."""


class DatabaseUnavailable(StorageError):
    """The database cannot be opened or written right now."""


class DatabaseDamaged(StorageError):
    """The database file is not a readable SQLite database any more."""

    def __init__(self, where: str, reason: object) -> None:
        super().__init__(
            f"The database {where!r} is damaged ({reason}). Nothing was written to it. Restore a backup, or recover what "
            f"is readable with `sqlite3 {where} .recover | sqlite3 recovered.db`, or move the file away to start afresh."
        )


class DatabaseNewer(StorageError):
    """The database was migrated by a later release than this one."""

    def __init__(self, where: str, found: int, known: int) -> None:
        super().__init__(
            f"The database {where!r} has schema version {found}, but this release knows versions up to {known}. "
            "Upgrade prefect on this machine, or point PREFECT_SERVER_DATABASE_CONNECTION_URL at another database."
        )
        self.found, self.known = found, known


class DatabaseForeign(StorageError):
    """The database holds tables that this project did not make."""

    def __init__(self, where: str, marker: str) -> None:
        super().__init__(
            f"The database {where!r} was made by another program (it has the table {marker!r}) and is left untouched. "
            "Move the file away, or point PREFECT_SERVER_DATABASE_CONNECTION_URL or PREFECT_HOME somewhere else."
        )


class ValueRefused(StorageError):
    """The database cannot hold a value, such as a number of more than 64 bits."""


class RequestTooLarge(StorageError):
    """A request made a statement that is too large for the database: a filter with too long a list, for instance."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The request asks for more at once than the database can answer ({reason}). Give its filters shorter "
            "lists, and send several requests."
        )
