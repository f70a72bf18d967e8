"""How runners behave."""

import warnings

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import LogLevel


class RunnerServerSettings(PrefectBaseSettings):
    """The web server of a runner."""

    model_config = build_settings_config(("runner", "server"))

    enable: bool = Field(default=False, description="Answer health checks over HTTP.")
    host: str = Field(default="localhost", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on.")
    log_level: LogLevel = Field(default="ERROR", description="Level of the web server's log.")
    missed_polls_tolerance: int = Field(
        default=2, description="Polls that may be missed before the runner reports itself as unhealthy."
    )


class RunnerSettings(PrefectBaseSettings):
    """How runners, as in `flow.serve`, behave."""

    model_config = build_settings_config(("runner",))

    process_limit: int = Field(default=5, description="Flow runs that one runner executes at a time.")
    poll_frequency: int = Field(default=10, description="Seconds between polls for scheduled runs.")
    crash_on_cancellation_failure: bool = Field(
        default=False, description="Mark a run as crashed when its process cannot be cancelled."
    )
    auto_install_dependencies: bool = Field(
        default=False, description="Install the dependencies that a flow's project declares before running it."
    )
    server: RunnerServerSettings = Field(
        default_factory=RunnerServerSettings, description="The web server of a runner."
    )

    @property
    def heartbeat_frequency(self) -> int | None:
        """Seconds between heartbeats, which is a setting of flows: `flows.heartbeat_frequency`."""
        # Imported here because the active settings hold this class.
        from prefect.settings.context import get_current_settings  # noqa: PLC0415

        warnings.warn(
            "`settings.runner.heartbeat_frequency` is deprecated. Use `settings.flows.heartbeat_frequency`, set by"
            " PREFECT_FLOWS_HEARTBEAT_FREQUENCY.",
            DeprecationWarning,
            stacklevel=2,
        )
        return get_current_settings().flows.heartbeat_frequency
