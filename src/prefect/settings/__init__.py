"""Settings of Prefect: read them with `get_current_settings()`, change them with `temporary_settings()`.

Every setting is also an object named after its environment variable: `from prefect.settings import PREFECT_API_URL`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.settings.constants import DEFAULT_PROFILES_PATH
from prefect.settings.context import get_current_settings, temporary_settings
from prefect.settings.models.root import Settings, canonical_environment_prefix

if TYPE_CHECKING:
    from prefect.settings.legacy import Setting
    from prefect.settings.profiles import (
        Profile,
        ProfilesCollection,
        load_current_profile,
        load_profile,
        load_profiles,
        save_profiles,
        update_current_profile,
    )

    PREFECT_API_AUTH_STRING: Setting
    PREFECT_API_KEY: Setting
    PREFECT_API_URL: Setting
    PREFECT_UI_URL: Setting

    def __getattr__(name: str) -> Setting: ...

else:
    # Few processes touch profiles themselves, or settings as objects.
    _OF_PROFILES = frozenset(
        {
            "Profile",
            "ProfilesCollection",
            "load_current_profile",
            "load_profile",
            "load_profiles",
            "save_profiles",
            "update_current_profile",
        }
    )

    def __getattr__(name: str) -> Any:
        if name in _OF_PROFILES:
            value = getattr(import_module("prefect.settings.profiles"), name)
        elif name.startswith("PREFECT_"):
            try:
                value = import_module("prefect.settings.legacy").setting_named(name)
            except KeyError:
                raise AttributeError(f"{name!r} is not a setting of Prefect.") from None
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


__all__ = [
    "DEFAULT_PROFILES_PATH",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_KEY",
    "PREFECT_API_URL",
    "PREFECT_UI_URL",
    "Profile",
    "ProfilesCollection",
    "Settings",
    "canonical_environment_prefix",
    "get_current_settings",
    "load_current_profile",
    "load_profile",
    "load_profiles",
    "save_profiles",
    "temporary_settings",
    "update_current_profile",
]
