"""How Prefect logs."""

from typing import Any, Literal

from pydantic import Field

from prefect.settings._types import HomePath, TextItems, also_named, in_home
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import LogLevel


def max_log_size_smaller_than_batch_size(values: dict[str, Any]) -> dict[str, Any]:
    """Check that a single message fits into a batch.

    Raises:
        ValueError: It does not.
    """
    batch_size, max_log_size = values.get("batch_size"), values.get("max_log_size")
    if batch_size is not None and max_log_size is not None and batch_size < max_log_size:
        raise ValueError(
            f"PREFECT_LOGGING_TO_API_MAX_LOG_SIZE ({max_log_size}) is larger than"
            f" PREFECT_LOGGING_TO_API_BATCH_SIZE ({batch_size}). Lower the first or raise the second."
        )
    return values


class LoggingToAPISettings(PrefectBaseSettings):
    """How records of runs are sent to the API."""

    model_config = build_settings_config(("logging", "to_api"))

    enabled: bool = Field(default=True, description="Send records of runs to the API.")
    batch_interval: float = Field(default=2.0, description="Seconds between batches.")
    batch_size: int = Field(default=4_000_000, description="Largest batch, in bytes.")
    max_log_size: int = Field(
        default=1_000_000,
        description="Largest message, in bytes; longer ones are cut. At most `cloud.max_log_size` when connected to Cloud.",
    )
    when_missing_flow: Literal["warn", "error", "ignore"] = Field(
        default="warn", description="What to do with a record for the API that belongs to no flow run."
    )

    def _complete(self) -> None:
        max_log_size_smaller_than_batch_size(dict(vars(self)))


class LoggingSettings(PrefectBaseSettings):
    """How Prefect logs."""

    model_config = build_settings_config(("logging",))

    level: LogLevel = Field(default="INFO", description="Level of Prefect's loggers. DEBUG in debug and test mode.")
    config_path: HomePath = Field(
        default_factory=in_home("logging.yml"),
        description="File with a logging configuration to use instead of the built-in one, if it exists.",
        validation_alias=also_named("config_path", "PREFECT_LOGGING_CONFIG_PATH", "PREFECT_LOGGING_SETTINGS_PATH"),
    )
    extra_loggers: TextItems = Field(
        default_factory=list,
        description="Names of further loggers whose records of runs go to the API, comma-separated.",
    )
    log_prints: bool = Field(default=False, description="Log what flows and tasks print.")
    colors: bool = Field(default=True, description="Colour the console log where the terminal can.")
    markup: bool = Field(default=False, description="Interpret square brackets in messages as styles.")
    to_api: LoggingToAPISettings = Field(
        default_factory=LoggingToAPISettings, description="How records of runs are sent to the API."
    )
