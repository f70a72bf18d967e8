"""Defaults of flows."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import TaskRetryDelaySeconds


class FlowsSettings(PrefectBaseSettings):
    """Defaults of flows, read when a flow is defined."""

    model_config = build_settings_config(("flows",))

    heartbeat_frequency: int | None = Field(
        default=180,
        ge=30,
        description="Seconds between the heartbeats of a flow run.",
        validation_alias=also_named(
            "heartbeat_frequency", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "PREFECT_RUNNER_HEARTBEAT_FREQUENCY"
        ),
    )
    default_retries: int = Field(
        default=0,
        ge=0,
        description="How often to repeat a flow that failed.",
        validation_alias=also_named("default_retries", "PREFECT_FLOWS_DEFAULT_RETRIES", "PREFECT_FLOW_DEFAULT_RETRIES"),
    )
    default_retry_delay_seconds: TaskRetryDelaySeconds = Field(
        default=0,
        description="Seconds before a retry, or several numbers, one for each retry.",
        validation_alias=also_named(
            "default_retry_delay_seconds",
            "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS",
            "PREFECT_FLOW_DEFAULT_RETRY_DELAY_SECONDS",
        ),
    )
