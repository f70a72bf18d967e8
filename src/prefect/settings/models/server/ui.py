"""The web interface of the server."""

from typing import Any

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


def _formerly(field_name: str) -> Any:
    name = field_name.upper()
    return also_named(field_name, f"PREFECT_SERVER_UI_{name}", f"PREFECT_UI_{name}")


class ServerUISettings(PrefectBaseSettings):
    """The web interface of the server."""

    model_config = build_settings_config(("server", "ui"))

    enabled: bool = Field(default=True, description="Serve the web interface.", validation_alias=_formerly("enabled"))
    v2_enabled: bool = Field(default=True, description="Offer the newer web interface.")
    api_url: str | None = Field(
        default=None,
        description="URL of the API as browsers see it. Follows `api.url`, else the server's address, if not set.",
        validation_alias=_formerly("api_url"),
    )
    serve_base: str = Field(
        default="/", description="Path to serve the web interface at.", validation_alias=_formerly("serve_base")
    )
    static_directory: str | None = Field(
        default=None,
        description="Folder for the files of the web interface while they are served.",
        validation_alias=_formerly("static_directory"),
    )
    show_promotional_content: bool = Field(default=True, description="Show hints at other products.")
