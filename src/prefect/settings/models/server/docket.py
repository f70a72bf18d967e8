"""The queue of the server's own background work."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerDocketSettings(PrefectBaseSettings):
    """The queue of the server's own background work."""

    model_config = build_settings_config(("server", "docket"))

    name: str = Field(default="prefect-server", description="Name of the queue, shared by all replicas.")
    url: str = Field(default="memory://", description="URL of what holds the queue.")
