"""Settings of Prefect's own machinery."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import LogLevel


class InternalSettings(PrefectBaseSettings):
    """Settings of Prefect's own machinery."""

    model_config = build_settings_config(("internal",))

    logging_level: LogLevel = Field(
        default="ERROR",
        description="Level of the loggers below `prefect._internal`. DEBUG in debug and test mode.",
        validation_alias=also_named(
            "logging_level", "PREFECT_INTERNAL_LOGGING_LEVEL", "PREFECT_LOGGING_INTERNAL_LEVEL"
        ),
    )
