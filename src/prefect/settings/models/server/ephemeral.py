"""The API that runs inside a client process."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerEphemeralSettings(PrefectBaseSettings):
    """The API that runs inside a client process when no API URL is set."""

    model_config = build_settings_config(("server", "ephemeral"))

    enabled: bool = Field(
        default=False,
        description="Run the API in the client's process when no API URL is set.",
        validation_alias=also_named(
            "enabled", "PREFECT_SERVER_EPHEMERAL_ENABLED", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"
        ),
    )
    startup_timeout_seconds: int = Field(default=20, description="Seconds that a temporary server may take to start.")
