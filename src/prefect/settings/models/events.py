"""How a process sends events."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class EventsSettings(PrefectBaseSettings):
    """How a process sends events."""

    model_config = build_settings_config(("events",))

    worker_max_queue_size: int = Field(
        default=0, ge=0, description="Events that may wait to be sent; more are dropped with a warning. 0 is no limit."
    )
