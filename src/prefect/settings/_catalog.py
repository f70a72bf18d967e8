"""Every setting by path and by variable name, and where its value comes from."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect.settings import _snapshot
from prefect.settings._shape import Leaf, shape_of
from prefect.settings.base import PrefectBaseSettings, sources_of, validate_setting
from prefect.settings.sources import SettingsSource

if TYPE_CHECKING:
    from typing import TypeAlias

    from prefect.settings.legacy import Setting

    SettingKey: TypeAlias = str | Setting
else:
    SettingKey = Any

NOT_IN_PROFILES = frozenset({"home", "profiles_path"})
"""Settings that say where profiles are, so that no profile can hold them."""


class Entry(NamedTuple):
    """One setting in the tree."""

    path: str
    leaf: Leaf
    group: type[PrefectBaseSettings]

    @property
    def name(self) -> str:
        """The canonical variable."""
        return self.leaf.names[0]

    def validate(self, value: Any) -> Any:
        """Turn a value into the type of the setting.

        Raises:
            pydantic.ValidationError: It does not fit; the location is the path of the setting.
        """
        return validate_setting(self.path, self.leaf, value)


class Origin(NamedTuple):
    """Where the value of a setting comes from."""

    source: str
    name: str
    value: Any


@cache
def entries() -> Mapping[str, Entry]:
    """All settings, by path."""
    # Imported here because the root of the tree itself looks settings up.
    from prefect.settings.models.root import Settings  # noqa: PLC0415

    return {entry.path: entry for entry in _walk(Settings, "")}


@cache
def paths_by_variable() -> Mapping[str, str]:
    """Paths of settings, by canonical and older variable names."""
    paths: dict[str, str] = {}
    for entry in entries().values():
        for name in entry.leaf.names:
            paths.setdefault(name, entry.path)
    return paths


def path_of(key: SettingKey) -> str:
    """The path of a setting that is named by path, variable, or setting object.

    Raises:
        ValueError: There is no such setting.
    """
    text = str(getattr(key, "accessor", key))
    path = text if text in entries() else paths_by_variable().get(text.upper())
    if path is None:
        raise ValueError(
            f"Unknown setting: {text!r}. Expected a path such as 'api.url' or a name such as 'PREFECT_API_URL'."
        )
    return path


def origins() -> dict[str, Origin]:
    """For each setting that a source sets now, by path: the strongest one, and the value as it is written there."""
    found: dict[str, Origin] = {}
    with _snapshot.reading(_snapshot.current.get() or _snapshot.read_snapshot()):
        sources = cache(
            lambda group: [source for source in sources_of(group, {}) if isinstance(source, SettingsSource)]
        )
        for entry in entries().values():
            for source in sources(entry.group):
                value = source.find(entry.leaf)
                if value is not None:
                    found.setdefault(entry.path, Origin(source.label, *value))
    return found


def _walk(group: type[PrefectBaseSettings], prefix: str) -> list[Entry]:
    shape = shape_of(group)
    found = [Entry(prefix + name, leaf, group) for name, leaf in shape.leaves.items()]
    for name, below in shape.groups.items():
        if issubclass(below, PrefectBaseSettings):
            found += _walk(below, f"{prefix}{name}.")
    return found
