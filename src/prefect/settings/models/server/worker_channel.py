"""The channel between server and workers."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerWorkerChannelSettings(PrefectBaseSettings):
    """The channel between server and workers."""

    model_config = build_settings_config(("server", "worker_channel"))

    cleanup_queue_storage: str = Field(
        default="prefect.server.worker_communication.cleanup_queue.memory",
        description="Module that keeps clean-up work for workers.",
    )
    cleanup_lease_seconds: float = Field(
        default=30.0, gt=0.0, description="Seconds that a worker has for an item before it is given to another."
    )
    cleanup_max_delivery_attempts: int = Field(default=3, ge=1, description="How often an item is handed out.")
    cleanup_completed_idempotency_retention_seconds: float | None = Field(
        default=None, ge=0.0, description="Seconds that finished items are remembered. Unset means for ever."
    )
