"""Experimental features."""

import warnings

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.models.plugins import PluginsSettings


class ExperimentsSettings(PrefectBaseSettings):
    """Experimental features."""

    model_config = build_settings_config(("experiments",))

    warn: bool = Field(
        default=True,
        description="Warn when an experimental feature is used.",
        validation_alias=also_named("warn", "PREFECT_EXPERIMENTS_WARN", "PREFECT_EXPERIMENTAL_WARN"),
    )

    @property
    def plugins(self) -> PluginsSettings:
        """The plugin settings, which have a group of their own: `settings.plugins`."""
        # Imported here because the active settings hold this class.
        from prefect.settings.context import get_current_settings  # noqa: PLC0415

        warnings.warn(
            "`settings.experiments.plugins` is deprecated. Use `settings.plugins`.", DeprecationWarning, stacklevel=2
        )
        return get_current_settings().plugins
