"""Which settings apply here: those of the process, or those that a `with` block put in their place."""

import warnings
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect.settings import _snapshot
from prefect.settings._catalog import NOT_IN_PROFILES, SettingKey, origins, paths_by_variable
from prefect.settings.models.root import Settings, tree_of

if TYPE_CHECKING:
    from prefect.settings.profiles import Profile


class ActiveSettings(NamedTuple):
    """Settings together with the profile that they were made with."""

    settings: Settings
    profile_name: str
    profile_values: Mapping[str, Any]
    """Values of the profile by variable, as they are written there."""
    profile_source: Path | None = None

    @property
    def profile(self) -> "Profile":
        """The profile."""
        # Imported here because most processes never look at their profile, only at their settings.
        from prefect.settings.profiles import profile_from  # noqa: PLC0415

        return profile_from(self.profile_name, self.profile_values, self.profile_source)


_here: ContextVar[ActiveSettings | None] = ContextVar("prefect_settings", default=None)
_process: ActiveSettings | None = None


def get_current_settings() -> Settings:
    """The settings that apply here. Those of the process are read when first asked for, then kept.

    Raises:
        pydantic.ValidationError: A source holds a value that does not fit its setting.
        ValueError: A file that holds settings cannot be read.
    """
    active = _here.get() or _process
    return (active or _read_process()).settings


def get_active_settings() -> ActiveSettings:
    """The settings that apply here, with their profile."""
    return _here.get() or _process or _read_process()


def current_profile_file() -> tuple[str, Path]:
    """Name of the current profile and the file that holds profiles. Works with settings that are not valid, too."""
    active = _here.get() or _process
    if active is not None:
        return active.profile_name, active.settings.profiles_path
    snapshot = _snapshot.read_snapshot()
    return snapshot.profile_name, _snapshot.profiles_path(snapshot)


def get_current_profile() -> "Profile":
    """The profile that the settings here were made with."""
    return get_active_settings().profile


def refresh_settings() -> None:
    """Read the settings of the process again from all sources. Blocks that are open keep theirs."""
    global _process
    _process = None
    _read_process()


@contextmanager
def activate_settings(settings: Settings, profile: "Profile | None" = None) -> Generator[ActiveSettings, None, None]:
    """Let settings apply inside the block, in this context only.

    Args:
        profile: The profile to report. The present one if not given.
    """
    present = get_active_settings()
    if profile is None:
        active = present._replace(settings=settings)
    else:
        active = ActiveSettings(settings, profile.name, profile.to_environment_variables(), profile.source)
    with _activate(active):
        yield active


@contextmanager
def temporary_settings(
    updates: Mapping[SettingKey, Any] | None = None,
    set_defaults: Mapping[SettingKey, Any] | None = None,
    restore_defaults: Iterable[SettingKey] | None = None,
) -> Generator[Settings, None, None]:
    """Change settings inside the block, in this context only.

    Args:
        updates: New values.
        set_defaults: Values for settings that nothing sets.
        restore_defaults: Settings to give their defaults, whatever source sets them.

    Keys are setting objects (`PREFECT_API_URL`), names of variables, or paths (`"api.url"`).

    Raises:
        ValueError: A key is no setting.
        pydantic.ValidationError: A value does not fit.
    """
    settings = get_current_settings().copy_with_update(updates, set_defaults, restore_defaults)
    with activate_settings(settings):
        yield settings


@contextmanager
def use_profile(
    profile: "Profile | str", override_environment_variables: bool = False, include_current_context: bool = True
) -> Generator[ActiveSettings, None, None]:
    """Use another profile inside the block, in this context only.

    Args:
        profile: A profile, or the name of one.
        override_environment_variables: Let the profile win over stronger sources, such as the environment.
        include_current_context: Keep settings of the enclosing blocks that the profile does not set.

    Raises:
        ValueError: There is no profile of this name.
    """
    # Imported here because most processes never switch profiles.
    from prefect.settings.profiles import load_profile  # noqa: PLC0415

    profile = load_profile(profile) if isinstance(profile, str) else profile
    values = profile.to_environment_variables()
    own = {setting.accessor: value for setting, value in profile.settings.items()}
    own = {path: value for path, value in own.items() if path not in NOT_IN_PROFILES}
    if include_current_context:
        settings = _switch(get_active_settings(), own, override_environment_variables)
    else:
        with _snapshot.reading(_snapshot.read_snapshot((profile.name, values))):
            settings = Settings(**(tree_of(own) if override_environment_variables else {}))
    with _activate(ActiveSettings(settings, profile.name, values, profile.source)) as active:
        yield active


@contextmanager
def use_environment(variables: Mapping[str, str]) -> Generator[ActiveSettings, None, None]:
    """Apply exactly the settings that another process handed over with `Settings.to_environment_variables`."""
    snapshot = _snapshot.Snapshot()
    snapshot.environ = variables
    with _snapshot.reading(snapshot):
        settings = Settings()
    with activate_settings(settings) as active:
        yield active


def _read_process() -> ActiveSettings:
    global _process
    snapshot = _snapshot.read_snapshot()
    _snapshot.warn_of_unknown(snapshot.profile_name, snapshot.profile, paths_by_variable())
    with _snapshot.reading(snapshot):
        _process = ActiveSettings(Settings(), snapshot.profile_name, snapshot.profile, snapshot.profile_source)
    _create_home(_process.settings.home)
    return _process


def _create_home(home: Path) -> None:
    """Create the home folder for its owner alone. A process that writes nothing there can do without it."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        warnings.warn(f"Cannot create the home folder {str(home)!r}: {error}.", UserWarning, stacklevel=1)


def _switch(active: ActiveSettings, own: Mapping[str, Any], override: bool) -> Settings:
    """Replace what the present profile contributes to the settings with what another profile does."""
    with _snapshot.reading(_snapshot.read_snapshot(("", {}))):
        outside = origins()
        stronger = set() if override else own.keys() & outside.keys()
        known = paths_by_variable()
        former = {known[name]: value for name, value in active.profile_values.items() if name in known}
        contributed = Settings(**tree_of(former)).explicit_values() if former else {}
        explicit = active.settings.explicit_values()
        leaving = [path for path in former if path not in outside and explicit.get(path) == contributed.get(path)]
    return active.settings.copy_with_update(
        updates={path: value for path, value in own.items() if path not in stronger}, restore_defaults=leaving
    )


@contextmanager
def _activate(active: ActiveSettings) -> Generator[ActiveSettings, None, None]:
    settings_token = _here.set(active)
    profile_token = _snapshot.chosen_profile.set((active.profile_name, active.profile_values))
    try:
        yield active
    finally:
        _snapshot.chosen_profile.reset(profile_token)
        _here.reset(settings_token)
