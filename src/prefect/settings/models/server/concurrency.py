"""Concurrency limits on the server."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerConcurrencySettings(PrefectBaseSettings):
    """Concurrency limits on the server."""

    model_config = build_settings_config(("server", "concurrency"))

    lease_storage: str = Field(
        default="prefect.server.concurrency.lease_storage.memory",
        description="Module that keeps the leases of concurrency slots.",
    )
    initial_deployment_lease_duration: float = Field(
        default=300.0,
        ge=30.0,
        le=3600.0,
        description="Seconds that a run may hold the slot of its deployment before it has renewed the lease.",
    )
    maximum_concurrency_slot_wait_seconds: float = Field(
        default=30, ge=0, description="Longest delay in seconds that a client is told to wait for a slot."
    )
