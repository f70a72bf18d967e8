"""The HTTP interface of the server."""

from datetime import timedelta

from pydantic import Field, SecretStr

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import SecondsTimeDelta


class ServerAPISettings(PrefectBaseSettings):
    """The HTTP interface of the server."""

    model_config = build_settings_config(("server", "api"))

    auth_string: SecretStr | None = Field(
        default=None, description="`user:password` that requests must carry as HTTP Basic authentication."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=4200, ge=1, le=65535, description="Port to listen on.")
    base_path: str | None = Field(default=None, description="Path below which the API is served, `/api` if not set.")
    default_limit: int = Field(
        default=200,
        description="Largest number of objects in one answer, and the number when a request names none.",
        validation_alias=also_named("default_limit", "PREFECT_SERVER_API_DEFAULT_LIMIT", "PREFECT_API_DEFAULT_LIMIT"),
    )
    keepalive_timeout: int = Field(default=5, description="Seconds that an idle connection is kept open.")
    csrf_protection_enabled: bool = Field(
        default=False,
        description="Demand a CSRF token with requests that change something.",
        validation_alias=also_named(
            "csrf_protection_enabled",
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED",
            "PREFECT_SERVER_CSRF_PROTECTION_ENABLED",
        ),
    )
    csrf_token_expiration: SecondsTimeDelta = Field(
        default=timedelta(hours=1),
        description="How long a CSRF token is good.",
        validation_alias=also_named(
            "csrf_token_expiration",
            "PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION",
            "PREFECT_SERVER_CSRF_TOKEN_EXPIRATION",
        ),
    )
    cors_allowed_origins: str = Field(
        default="*",
        description="Origins that browsers may call the API from, comma-separated.",
        validation_alias=also_named(
            "cors_allowed_origins", "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS", "PREFECT_SERVER_CORS_ALLOWED_ORIGINS"
        ),
    )
    cors_allowed_methods: str = Field(
        default="*",
        description="HTTP methods that browsers may use from other origins, comma-separated.",
        validation_alias=also_named(
            "cors_allowed_methods", "PREFECT_SERVER_API_CORS_ALLOWED_METHODS", "PREFECT_SERVER_CORS_ALLOWED_METHODS"
        ),
    )
    cors_allowed_headers: str = Field(
        default="*",
        description="HTTP headers that browsers may send from other origins, comma-separated.",
        validation_alias=also_named(
            "cors_allowed_headers", "PREFECT_SERVER_API_CORS_ALLOWED_HEADERS", "PREFECT_SERVER_CORS_ALLOWED_HEADERS"
        ),
    )
    websocket_ping_interval: float = Field(default=20.0, description="Seconds between pings on websockets.")
    websocket_ping_timeout: float = Field(
        default=20.0, description="Seconds to wait for the answer to a ping before a websocket is closed."
    )
    max_parameter_size: int = Field(
        default=524_288, ge=0, description="Largest parameters of a flow run, in bytes of JSON. 0 is no limit."
    )
    audit_retention_period: SecondsTimeDelta = Field(
        default=timedelta(days=90),
        gt=timedelta(0),
        description="How long the audit trail is kept: who has made which request. Deleted together with old events.",
    )
