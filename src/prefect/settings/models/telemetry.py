"""What a process reports about itself."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class TelemetrySettings(PrefectBaseSettings):
    """What a process reports about itself."""

    model_config = build_settings_config(("telemetry",))

    enable_resource_metrics: bool = Field(
        default=True, description="Measure CPU and memory of flow runs where a telemetry exporter is set up."
    )
    resource_metrics_interval_seconds: int = Field(default=10, ge=1, description="Seconds between measurements.")
