"""Logs on the server."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerLogsSettings(PrefectBaseSettings):
    """Logs on the server."""

    model_config = build_settings_config(("server", "logs"))

    stream_out_enabled: bool = Field(default=False, description="Let clients subscribe to logs.")
    stream_publishing_enabled: bool = Field(default=False, description="Publish arriving logs to subscribers.")
