"""Reads connection URLs, also those written for SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class DatabaseURL:
    """Where the database is: a SQLite path (`None`: in memory) or a libpq connection URL."""

    dialect: str
    path: Path | None = None
    conninfo: str | None = None

    @property
    def label(self) -> str:
        """How error messages name the database; never holds a password."""
        if self.dialect == "sqlite":
            return str(self.path or ":memory:")
        parts = urlsplit(self.conninfo or "")
        return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def parse_database_url(url: str) -> DatabaseURL:
    """Read a connection URL such as `sqlite+aiosqlite:////tmp/p.db` or `postgresql+asyncpg://user@host/name`.

    Raises:
        ValueError: The scheme is neither SQLite nor PostgreSQL.
    """
    scheme, separator, rest = url.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if not separator or dialect not in ("sqlite", "postgresql", "postgres"):
        raise ValueError(
            f"Cannot use the database URL with scheme {scheme!r}: expected sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME. Set PREFECT_SERVER_DATABASE_CONNECTION_URL."
        )
    if dialect == "sqlite":
        location, _, query = rest.partition("?")
        if location in ("", "/", "/:memory:") or ":memory:" in location or "mode=memory" in query:
            return DatabaseURL("sqlite")
        location = location.removeprefix("/").removeprefix("file:")
        return DatabaseURL("sqlite", path=Path(unquote(location)))
    parts = urlsplit("postgresql://" + rest)
    # These are asyncpg's and SQLAlchemy's own words; libpq would refuse them.
    foreign = {"prepared_statement_cache_size", "statement_cache_size", "async_fallback", "server_settings"}
    options = [
        ("sslmode" if key == "ssl" else key, value) for key, value in parse_qsl(parts.query) if key not in foreign
    ]
    return DatabaseURL("postgresql", conninfo=urlunsplit(parts._replace(query=urlencode(options))))
