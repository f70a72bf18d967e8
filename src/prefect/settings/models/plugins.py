"""How plugins are loaded."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field

from prefect.settings._types import TextSet, also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.sources import (
    PrefectTomlConfigSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsSource,
)


def _formerly(field_name: str) -> Any:
    name = field_name.upper()
    return also_named(field_name, f"PREFECT_PLUGINS_{name}", f"PREFECT_EXPERIMENTS_PLUGINS_{name}")


class PluginsSettings(PrefectBaseSettings):
    """How plugins are loaded."""

    model_config = build_settings_config(("plugins",))

    enabled: bool = Field(default=False, description="Load plugins.", validation_alias=_formerly("enabled"))
    allow: TextSet = Field(
        default_factory=set,
        description="Names of the only plugins to load, comma-separated. Empty means all.",
        validation_alias=_formerly("allow"),
    )
    deny: TextSet = Field(
        default_factory=set,
        description="Names of plugins not to load, comma-separated.",
        validation_alias=_formerly("deny"),
    )
    setup_timeout_seconds: float = Field(
        default=20.0,
        description="Seconds that a plugin may take to set up.",
        validation_alias=_formerly("setup_timeout_seconds"),
    )
    strict: bool = Field(
        default=False,
        description="Fail when a plugin that is required fails, instead of going on without it.",
        validation_alias=_formerly("strict"),
    )
    safe_mode: bool = Field(
        default=False, description="Load plugins, but do not run them.", validation_alias=_formerly("safe_mode")
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseModel],
        init_settings: SettingsSource,
        env_settings: SettingsSource,
        dotenv_settings: SettingsSource,
        file_secret_settings: SettingsSource,
    ) -> tuple[Callable[[], dict[str, Any]], ...]:
        """The sources of every class, and the TOML tables where these settings were before."""
        sources = super().settings_customise_sources(
            settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        )
        former = (
            PrefectTomlConfigSettingsSource(settings_cls).at("experiments", "plugins"),
            PyprojectTomlConfigSettingsSource(settings_cls).at("tool", "prefect", "experiments", "plugins"),
        )
        return (*sources[:-1], *former, sources[-1])
