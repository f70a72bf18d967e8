"""Deployments on the server."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerDeploymentsSettings(PrefectBaseSettings):
    """Deployments on the server."""

    model_config = build_settings_config(("server", "deployments"))

    concurrency_slot_wait_seconds: float = Field(
        default=30.0,
        ge=0.0,
        description="Seconds before a run is proposed again that found no free slot of its deployment.",
        validation_alias=also_named(
            "concurrency_slot_wait_seconds",
            "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS",
            "PREFECT_DEPLOYMENT_CONCURRENCY_SLOT_WAIT_SECONDS",
        ),
    )
