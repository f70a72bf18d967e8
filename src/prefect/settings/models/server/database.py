"""The database of the server."""

import warnings
from typing import Any, Literal

from pydantic import Field, SecretStr

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config

PASSWORD_PLACEHOLDERS = ("${PREFECT_SERVER_DATABASE_PASSWORD}", "${PREFECT_API_DATABASE_PASSWORD}")


def _formerly(field_name: str) -> Any:
    name = field_name.upper()
    return also_named(field_name, f"PREFECT_SERVER_DATABASE_{name}", f"PREFECT_API_DATABASE_{name}")


class SQLAlchemyTLSSettings(PrefectBaseSettings):
    """TLS on connections to PostgreSQL."""

    model_config = build_settings_config(("server", "database", "sqlalchemy", "connect_args", "tls"))

    enabled: bool = Field(default=False, description="Encrypt connections.")
    ca_file: str | None = Field(default=None, description="File with the certificate authorities to trust.")
    cert_file: str | None = Field(default=None, description="File with the client's certificate.")
    key_file: str | None = Field(default=None, description="File with the key of the client's certificate.")
    check_hostname: bool = Field(default=True, description="Check that the certificate is for the database's host.")


class SQLAlchemyConnectArgsSettings(PrefectBaseSettings):
    """Properties of connections to PostgreSQL."""

    model_config = build_settings_config(("server", "database", "sqlalchemy", "connect_args"))

    application_name: str | None = Field(default=None, description="Name that the database shows for connections.")
    search_path: str | None = Field(default=None, description="Schemas to look for tables in, comma-separated.")
    statement_cache_size: int | None = Field(
        default=None, description="Statements to remember per connection. 0 is needed behind some poolers."
    )
    prepared_statement_cache_size: int | None = Field(
        default=None, description="Prepared statements to keep per connection. 0 is needed behind some poolers."
    )
    tls: SQLAlchemyTLSSettings = Field(
        default_factory=SQLAlchemyTLSSettings, description="TLS on connections to PostgreSQL."
    )


class SQLAlchemySettings(PrefectBaseSettings):
    """The pool of connections to PostgreSQL. The name is historical."""

    model_config = build_settings_config(("server", "database", "sqlalchemy"))

    connect_args: SQLAlchemyConnectArgsSettings = Field(
        default_factory=SQLAlchemyConnectArgsSettings, description="Properties of connections to PostgreSQL."
    )
    pool_size: int = Field(
        default=5,
        description="Connections that are kept open.",
        validation_alias=also_named(
            "pool_size", "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE", "PREFECT_SQLALCHEMY_POOL_SIZE"
        ),
    )
    pool_recycle: int = Field(default=3600, description="Seconds after which a connection is replaced.")
    pool_timeout: float | None = Field(
        default=30.0, description="Seconds to wait for a free connection. Unset means for ever."
    )
    max_overflow: int = Field(
        default=10,
        description="Connections that may be opened beyond `pool_size`.",
        validation_alias=also_named(
            "max_overflow", "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW", "PREFECT_SQLALCHEMY_MAX_OVERFLOW"
        ),
    )


class ServerDatabaseSettings(PrefectBaseSettings):
    """The database of the server: one URL, or its parts."""

    model_config = build_settings_config(("server", "database"))

    sqlalchemy: SQLAlchemySettings = Field(
        default_factory=SQLAlchemySettings, description="The pool of connections to PostgreSQL."
    )
    connection_url: SecretStr | None = Field(
        default=None,
        description="URL of the database, SQLite or PostgreSQL. `${PREFECT_SERVER_DATABASE_PASSWORD}` in it stands for"
        " the password. Follows the settings below if not set; `prefect.db` in the home folder without them.",
        validation_alias=_formerly("connection_url"),
    )
    driver: Literal["postgresql+asyncpg", "sqlite+aiosqlite"] | None = Field(
        default=None, description="Kind of database.", validation_alias=_formerly("driver")
    )
    host: str | None = Field(
        default=None, description="Host of the PostgreSQL server.", validation_alias=_formerly("host")
    )
    port: int | None = Field(
        default=None, description="Port of the PostgreSQL server, 5432 if not set.", validation_alias=_formerly("port")
    )
    user: str | None = Field(default=None, description="User to connect as.", validation_alias=_formerly("user"))
    name: str | None = Field(
        default=None,
        description="Name of the database, or path of the SQLite file.",
        validation_alias=_formerly("name"),
    )
    password: SecretStr | None = Field(
        default=None, description="Password of the user.", validation_alias=_formerly("password")
    )
    echo: bool = Field(default=False, description="Log each SQL statement.", validation_alias=_formerly("echo"))
    migrate_on_start: bool = Field(
        default=True,
        description="Bring the database up to date when the server starts.",
        validation_alias=_formerly("migrate_on_start"),
    )
    timeout: float | None = Field(
        default=10.0,
        description="Seconds that a statement may take, and that SQLite waits for a lock.",
        validation_alias=_formerly("timeout"),
    )
    connection_timeout: float | None = Field(
        default=5.0, description="Seconds to wait for a connection.", validation_alias=_formerly("connection_timeout")
    )
    migration_timeout: float | None = Field(
        default=None, gt=0, description="Seconds that a migration may take. Unset means no limit."
    )


def warn_on_database_password_value_without_usage(settings: ServerDatabaseSettings) -> None:
    """Warn if a password is set, but the connection URL was given without a place for it."""
    if (
        settings.password is None
        or settings.connection_url is None
        or "connection_url" not in settings.model_fields_set
    ):
        return
    url = settings.connection_url.get_secret_value()
    if settings.password.get_secret_value() not in url and not any(name in url for name in PASSWORD_PLACEHOLDERS):
        warnings.warn(
            "PREFECT_SERVER_DATABASE_PASSWORD has no effect: PREFECT_SERVER_DATABASE_CONNECTION_URL is set and does not"
            f" contain it. Put {PASSWORD_PLACEHOLDERS[0]} where the password belongs.",
            UserWarning,
            stacklevel=2,
        )
