"""Where Prefect Cloud is."""

import re

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


def default_cloud_ui_url(settings: "CloudSettings") -> str | None:
    """The address of the Cloud interface that belongs to the Cloud API."""
    url = re.sub(r"/api/?$", "", settings.api_url)
    return re.sub(r"^(https?://)api\.(?=([^/]+\.)?prefect\.(cloud|dev)\b)", r"\1app.", url)


class CloudSettings(PrefectBaseSettings):
    """Where Prefect Cloud is, and what is sent to it."""

    model_config = build_settings_config(("cloud",))

    api_url: str = Field(
        default="https://api.prefect.cloud/api",
        description="URL of the Cloud API. An API URL that starts with it counts as connected to Cloud.",
    )
    enable_orchestration_telemetry: bool = Field(
        default=True, description="Report spans of runs to Cloud when connected to it."
    )
    max_log_size: int = Field(default=25_000, description="Largest log message that Cloud takes, in characters.")
    ui_url: str | None = Field(
        default=None, description="URL of the Cloud interface. Follows `cloud.api_url` if not set."
    )

    def _complete(self) -> None:
        if self.ui_url is None:
            self._put("ui_url", default_cloud_ui_url(self))
