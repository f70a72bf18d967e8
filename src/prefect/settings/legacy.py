"""Settings as objects, one for each variable: `from prefect.settings import PREFECT_API_URL`."""

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from prefect.settings._catalog import entries, path_of, paths_by_variable
from prefect.settings.context import get_current_settings

if TYPE_CHECKING:
    from prefect.settings.models.root import Settings


class Setting:
    """A handle on one setting. It is true if the setting's current value is."""

    def __init__(self, name: str, default: Any, type_: Any, accessor: str | None = None) -> None:
        self._name = name
        self._default = default
        self._type = type_
        self.accessor = path_of(name) if accessor is None else accessor

    @property
    def name(self) -> str:
        """The environment variable."""
        return self._name

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return entries()[self.accessor].leaf.is_secret

    def default(self) -> Any:
        """The default value."""
        return self._default

    def value(self) -> Any:
        """The value that applies here; secrets in clear."""
        return self.value_from(get_current_settings())

    def value_from(self, settings: "Settings") -> Any:
        """The value in the given settings; secrets in clear."""
        value: Any = settings
        for name in self.accessor.split("."):
            value = getattr(value, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    def __bool__(self) -> bool:
        return bool(self.value())

    def __str__(self) -> str:
        return str(self.value())

    def __repr__(self) -> str:
        return f"<{self._name}: {self._type!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and self.accessor == other.accessor

    def __hash__(self) -> int:
        return hash((type(self), self.accessor))


@cache
def setting_named(name: str) -> Setting:
    """The setting object for a variable, canonical or older.

    Raises:
        KeyError: There is no such setting.
    """
    entry = entries()[paths_by_variable()[name]]
    return Setting(name, entry.leaf.default(), entry.leaf.field.annotation, entry.path)


def setting_at(key: Any) -> Setting:
    """The setting object, with its canonical name, for a path, a variable, or another setting object.

    Raises:
        ValueError: There is no such setting.
    """
    return setting_named(entries()[path_of(key)].name)
