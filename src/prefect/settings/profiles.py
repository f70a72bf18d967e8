"""Profiles: named sets of settings in `profiles.toml`."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from prefect.exceptions import ProfileSettingsValidationError
from prefect.settings import _profiles_file, _snapshot
from prefect.settings._catalog import entries, paths_by_variable
from prefect.settings.base import render_variable
from prefect.settings.constants import DEFAULT_PROFILES_PATH
from prefect.settings.context import current_profile_file, get_current_profile
from prefect.settings.legacy import Setting, setting_at


class Profile(BaseModel):
    """A named set of settings."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    name: str
    settings: dict[Setting, Any] = Field(default_factory=dict)
    """Values by setting, as they are written in the profile. Settings may be given by name or path; unknown ones are
    left out with a warning."""
    source: Path | None = None
    """The file that the profile was read from."""

    _for_integrations: dict[str, str] = PrivateAttr(default_factory=dict)
    """Variables of the settings of separate packages, which are not part of the tree."""

    @field_validator("settings", mode="before")
    @classmethod
    def _keep_known(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        known: dict[Setting, Any] = {}
        canonical: set[Setting] = set()
        for key, setting_value in value.items():
            try:
                setting = setting_at(key)
            except ValueError:
                warnings.warn(f"{key!r} in a profile is not a setting. It is ignored.", UserWarning, stacklevel=2)
                continue
            if setting not in canonical:
                known[setting] = setting_value
            if getattr(key, "name", key) == setting.name:
                canonical.add(setting)
        return known

    def to_environment_variables(self) -> dict[str, str]:
        """The settings as environment variables, under canonical names."""
        own = {
            setting.name: value if isinstance(value, str) else render_variable(value)
            for setting, value in self.settings.items()
            if value is not None
        }
        return own | self._for_integrations

    def validate_settings(self) -> None:
        """Check all values.

        Raises:
            ProfileSettingsValidationError: Some do not fit their settings; its `errors` say which and why.
        """
        errors: list[tuple[Setting, ValidationError]] = []
        for setting, value in self.settings.items():
            try:
                entries()[setting.accessor].validate(value)
            except ValidationError as error:
                errors.append((setting, error))
        if errors:
            raise ProfileSettingsValidationError(errors)


class ProfilesCollection:
    """Profiles by name, one of them active."""

    def __init__(self, profiles: Iterable[Profile], active: str | None = None) -> None:
        self.profiles_by_name = {profile.name: profile for profile in profiles}
        self.active_name = active

    @property
    def names(self) -> set[str]:
        """Names of all profiles."""
        return set(self.profiles_by_name)

    @property
    def active_profile(self) -> Profile | None:
        """The active profile, if there is one."""
        return None if self.active_name is None else self[self.active_name]

    def set_active(self, name: str | None, check: bool = True) -> None:
        """Choose the active profile.

        Args:
            name: Name of a profile; None for none.
            check: Demand that the profile exists.

        Raises:
            ValueError: It does not.
        """
        if check and name is not None and name not in self.profiles_by_name:
            raise ValueError(f"Unknown profile name {name!r}. Known are: {', '.join(sorted(self.names))}.")
        self.active_name = name

    def update_profile(self, name: str, settings: dict[Setting, Any], source: Path | None = None) -> Profile:
        """Change settings of a profile, or add a profile.

        Args:
            settings: New values. None removes a setting from the profile.
            source: The file that the profile belongs to, if it is a new one.
        """
        present = self.profiles_by_name.get(name)
        merged = dict(present.settings) if present else {}
        for key, value in settings.items():
            setting = setting_at(key)
            if value is None:
                merged.pop(setting, None)
            else:
                merged[setting] = value
        if source is None and present is not None and present.source != DEFAULT_PROFILES_PATH:
            source = present.source
        profile = Profile(name=name, settings=merged, source=source)
        if present is not None:
            profile._for_integrations = present._for_integrations
        self.profiles_by_name[name] = profile
        return profile

    def add_profile(self, profile: Profile) -> None:
        """Add a profile.

        Raises:
            ValueError: There is one of this name already.
        """
        if profile.name in self.profiles_by_name:
            raise ValueError(f"Profile {profile.name!r} exists already. Choose another name.")
        self.profiles_by_name[profile.name] = profile

    def remove_profile(self, name: str) -> None:
        """Remove a profile.

        Raises:
            KeyError: There is none of this name.
        """
        del self.profiles_by_name[name]

    def without_profile_source(self, path: Path | None) -> "ProfilesCollection":
        """The profiles that were not read from the given file."""
        return ProfilesCollection(
            [profile for profile in self.profiles_by_name.values() if profile.source != path], self.active_name
        )

    def to_dict(self) -> dict[str, Any]:
        """The content of a profiles file."""
        return {
            "active": self.active_name,
            "profiles": {name: profile.to_environment_variables() for name, profile in self.profiles_by_name.items()},
        }

    def items(self) -> list[tuple[str, Profile]]:
        """Names and profiles."""
        return list(self.profiles_by_name.items())

    def __getitem__(self, name: str) -> Profile:
        return self.profiles_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.profiles_by_name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProfilesCollection):
            return NotImplemented
        return (self.profiles_by_name, self.active_name) == (other.profiles_by_name, other.active_name)

    __hash__ = None  # type: ignore[assignment] - a collection changes


def load_profiles(include_defaults: bool = True) -> ProfilesCollection:
    """Read the profiles of the current home folder.

    Args:
        include_defaults: Add the packaged profiles that the user has not replaced.
    """
    _, path = current_profile_file()
    user = _profiles_in(path, _snapshot.read_profiles(path))
    if not include_defaults or path == DEFAULT_PROFILES_PATH:
        return user
    packaged = _profiles_in(DEFAULT_PROFILES_PATH, _snapshot.read_profiles(DEFAULT_PROFILES_PATH))
    return ProfilesCollection(
        (packaged.profiles_by_name | user.profiles_by_name).values(), user.active_name or packaged.active_name
    )


def load_profile(name: str) -> Profile:
    """Read one profile.

    Raises:
        ValueError: There is none of this name.
    """
    profiles = load_profiles()
    if name not in profiles.profiles_by_name:
        raise ValueError(f"Profile {name!r} not found. Known are: {', '.join(sorted(profiles.names))}.")
    return profiles[name]


def load_current_profile() -> Profile:
    """The profile that the current settings were made with."""
    return get_current_profile()


def save_profiles(profiles: ProfilesCollection) -> None:
    """Write the profiles file. Packaged profiles that were not changed are left out; comments in the file are kept."""
    own = profiles.without_profile_source(DEFAULT_PROFILES_PATH)
    _, path = current_profile_file()
    _profiles_file.write(path, own.to_dict())


def update_current_profile(settings: dict[str | Setting, Any]) -> Profile:
    """Change settings of the current profile and write the profiles file.

    Args:
        settings: New values by name, path, or setting object. None removes a setting from the profile.

    Raises:
        ValueError: A key is no setting.
        ProfileSettingsValidationError: A value does not fit; nothing is written.
    """
    name, _ = current_profile_file()
    new = {setting_at(key): value for key, value in settings.items()}
    Profile(name=name, settings={key: value for key, value in new.items() if value is not None}).validate_settings()
    profiles = load_profiles()
    profile = profiles.update_profile(name, new)
    save_profiles(profiles)
    return profile


def profile_from(name: str, values: Mapping[str, Any], source: Path | None = None) -> Profile:
    """A profile from the names and values of a profiles file."""
    _snapshot.warn_of_unknown(name, values, paths_by_variable())
    known = {key: value for key, value in values.items() if key in paths_by_variable()}
    profile = Profile.model_validate({"name": name, "settings": known, "source": source})
    profile._for_integrations = {key: str(values[key]) for key in values if _snapshot.is_for_integration(key)}
    return profile


def _profiles_in(path: Path, content: Mapping[str, Any]) -> ProfilesCollection:
    profiles = [
        profile_from(name, values, path)
        for name, values in _snapshot.table(content, ("profiles",)).items()
        if isinstance(values, Mapping)
    ]
    return ProfilesCollection(profiles, content.get("active"))
