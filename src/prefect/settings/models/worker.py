"""How workers behave."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class WorkerWebserverSettings(PrefectBaseSettings):
    """The web server of a worker."""

    model_config = build_settings_config(("worker", "webserver"))

    host: str = Field(default="0.0.0.0", description="Address to listen on for health checks.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on for health checks.")


class WorkerSettings(PrefectBaseSettings):
    """How workers behave."""

    model_config = build_settings_config(("worker",))

    debug_mode: bool = Field(default=False, description="Log what the worker does in detail.")
    heartbeat_seconds: float = Field(default=30, description="Seconds between heartbeats to the API.")
    query_seconds: float = Field(default=10, description="Seconds between polls for scheduled runs.")
    prefetch_seconds: float = Field(default=10, description="How many seconds before its start a run may be taken.")
    enable_cancellation: bool = Field(
        default=False, description="Let the worker end the infrastructure of runs that are being cancelled."
    )
    cancellation_poll_seconds: float = Field(default=120, description="Seconds between polls for runs to cancel.")
    webserver: WorkerWebserverSettings = Field(
        default_factory=WorkerWebserverSettings, description="The web server of a worker."
    )
