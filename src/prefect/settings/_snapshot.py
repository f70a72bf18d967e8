"""One consistent look at everything that settings are read from: environment, files, active profile."""

import os
import sys
import warnings
from collections.abc import Container, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect.settings._files import SettingsError, read_dotenv, read_toml
from prefect.settings.constants import DEFAULT_PREFECT_HOME, DEFAULT_PROFILES_PATH

DOTENV_PATH = Path(".env")
PREFECT_TOML_PATH = Path("prefect.toml")
PYPROJECT_PATH = Path("pyproject.toml")

_TEST_MODE_NAMES = (
    "PREFECT_TEST_MODE",
    "PREFECT_TESTING_TEST_MODE",
    "PREFECT_UNIT_TEST_MODE",
    "PREFECT_TESTING_UNIT_TEST_MODE",
)
_TRUE = ("1", "true", "yes", "on", "t", "y")


class Snapshot:
    """What each source says. Names of variables are in upper case. One that nothing was read into says nothing."""

    def __init__(self) -> None:
        self.environ: Mapping[str, str] = {}
        self.dotenv: Mapping[str, str] = {}
        self.prefect_toml: Mapping[str, Any] = {}
        self.pyproject: Mapping[str, Any] = {}
        """The whole document; settings are below `tool.prefect`."""
        self.profile_name = ""
        self.profile: Mapping[str, Any] = {}
        self.profile_source: Path | None = None
        self.home = DEFAULT_PREFECT_HOME.expanduser()
        """The home folder, expanded. The root settings replace it when they are given one explicitly."""


current: ContextVar[Snapshot | None] = ContextVar("prefect_settings_snapshot", default=None)
"""The snapshot that settings objects are being built from; set for the time of building."""

chosen_profile: ContextVar[tuple[str, Mapping[str, Any]] | None] = ContextVar("prefect_chosen_profile", default=None)
"""Name and values of the profile that `use_profile` made active here, if any."""


def read_snapshot(profile: tuple[str, Mapping[str, Any]] | None = None) -> Snapshot:
    """Look at all sources now.

    Args:
        profile: Name and values to use as the active profile, instead of the one that is configured.

    Raises:
        SettingsError: A `.env` or TOML file cannot be read.
    """
    snapshot = Snapshot()
    snapshot.environ = {name.upper(): value for name, value in os.environ.items()}
    snapshot.dotenv = read_dotenv(DOTENV_PATH)
    snapshot.prefect_toml = read_toml(PREFECT_TOML_PATH)
    snapshot.pyproject = read_toml(PYPROJECT_PATH)
    home = _find(snapshot, "PREFECT_HOME", "home")
    snapshot.home = Path(home if home is not None else DEFAULT_PREFECT_HOME).expanduser()
    profile = profile or chosen_profile.get()
    if profile is None:
        _choose_configured_profile(snapshot)
    else:
        snapshot.profile_name, snapshot.profile = profile
    return snapshot


@contextmanager
def reading(snapshot: Snapshot) -> Generator[None, None, None]:
    """Build settings objects inside the block from the given snapshot."""
    token = current.set(snapshot)
    try:
        yield
    finally:
        current.reset(token)


def profiles_path(snapshot: Snapshot) -> Path:
    """The file that holds the user's profiles."""
    configured = _find(snapshot, "PREFECT_PROFILES_PATH", "profiles_path")
    return in_home(configured, snapshot.home) if configured else snapshot.home / "profiles.toml"


def in_home(path: str | Path, home: Path) -> Path:
    """Expand `$PREFECT_HOME` and `~` in a path."""
    return Path(str(path).replace("${PREFECT_HOME}", str(home)).replace("$PREFECT_HOME", str(home))).expanduser()


def read_profiles(path: Path) -> Mapping[str, Any]:
    """The content of a profiles file; empty, with a warning, if it is not usable."""
    try:
        return read_toml(path)
    except SettingsError as error:
        warnings.warn(f"{error} Its profiles are ignored.", stacklevel=2)
        return {}


def is_for_integration(name: str) -> bool:
    """Whether a variable belongs to the settings of a separate package, which are not part of the tree."""
    return name.startswith("PREFECT_INTEGRATIONS_")


def warn_of_unknown(profile_name: str, values: Iterable[str], known: Container[str]) -> None:
    """Warn of names in a profile that are no settings, always from the same line, so that each is shown once."""
    for name in values:
        if name not in known and not is_for_integration(name):
            warnings.warn(
                f"{name!r} in profile {profile_name!r} is not a setting. It is ignored.", UserWarning, stacklevel=1
            )


def _find(snapshot: Snapshot, name: str, key: str) -> str | None:
    """A setting of the root that decides where profiles are, so that it cannot come from a profile."""
    for variables in (snapshot.environ, snapshot.dotenv):
        if name in variables:
            return variables[name]
    for document, header in ((snapshot.prefect_toml, ()), (snapshot.pyproject, ("tool", "prefect"))):
        value = table(document, header).get(key)
        if value is not None:
            return str(value)
    return None


def table(document: Mapping[str, Any], header: tuple[str, ...]) -> Mapping[str, Any]:
    """The table of a TOML document with the given header; empty if there is none."""
    for key in header:
        document = document.get(key, {})
        if not isinstance(document, Mapping):
            return {}
    return document


def _choose_configured_profile(snapshot: Snapshot) -> None:
    packaged = read_toml(DEFAULT_PROFILES_PATH)
    user_path = profiles_path(snapshot)
    user: Mapping[str, Any] = {} if _is_under_test(snapshot) else read_profiles(user_path)
    user_profiles = table(user, ("profiles",))
    by_variable = snapshot.environ.get("PREFECT_PROFILE")
    name = by_variable or user.get("active") or packaged["active"]
    if name not in user_profiles and name not in packaged["profiles"]:
        where = "the environment variable PREFECT_PROFILE" if by_variable else f"the file {str(user_path)!r}"
        # Printed, not warned about: filters for warnings must not hide that other settings than the wanted ones apply.
        print(
            f"Profile {name!r}, chosen by {where}, does not exist. Using {packaged['active']!r} instead.",
            file=sys.stderr,
        )
        name = packaged["active"]
    snapshot.profile_name = name
    snapshot.profile_source = user_path if name in user_profiles else DEFAULT_PROFILES_PATH
    snapshot.profile = table({**packaged["profiles"], **user_profiles}, (name,))


def _is_under_test(snapshot: Snapshot) -> bool:
    """Whether the process is in test mode, where the user's profiles do not count."""
    return any(snapshot.environ.get(name, "").lower() in _TRUE for name in _TEST_MODE_NAMES)
