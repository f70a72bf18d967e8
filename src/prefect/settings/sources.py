"""Where values of settings come from, strongest first: environment, `.env`, prefect.toml, pyproject.toml, profile.

A source is made for one settings class and answers, when called, with the values that it has for the fields of it.
Groups below the class ask their own sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from prefect.settings import _snapshot
from prefect.settings._shape import Leaf, shape_of

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from typing_extensions import Self

DEFAULT_PREFECT_TOML_PATH = _snapshot.PREFECT_TOML_PATH


class SettingsSource:
    """Base of all sources: finds values by field."""

    label: ClassVar[str] = ""
    """What users call this source, as in `PREFECT_API_URL='…' (from env)`."""

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        self.settings_cls = settings_cls
        self._snapshot = _snapshot.current.get() or _snapshot.read_snapshot()

    def __call__(self) -> dict[str, Any]:
        """The values that this source has, by field name."""
        values: dict[str, Any] = {}
        for name, leaf in shape_of(self.settings_cls).leaves.items():
            found = self.find(leaf)
            if found is not None:
                values[name] = found[1]
        return values

    def find(self, leaf: Leaf) -> tuple[str, Any] | None:
        """The name under which the source knows a setting, and its value; None if it says nothing about it."""
        return None

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Value, name, and whether the value is text that still must be parsed."""
        found = self.find(shape_of(self.settings_cls).leaves[field_name])
        return (None, field_name, False) if found is None else (found[1], field_name, False)


class InitSettingsSource(SettingsSource):
    """Values that were given as arguments."""

    label = "runtime"

    def __init__(self, settings_cls: type[BaseModel], init_kwargs: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self.init_kwargs = init_kwargs

    def __call__(self) -> dict[str, Any]:
        return dict(self.init_kwargs)


class SecretFilesSource(SettingsSource):
    """Files named after settings. No folder for them is defined, so there are none."""

    label = "secret files"

    def __call__(self) -> dict[str, Any]:
        return {}


class _VariablesSource(SettingsSource):
    """Values that are text under variable names."""

    def __init__(
        self,
        settings_cls: type[BaseModel],
        variables: Mapping[str, Any],
        prefix: str | None = None,
        ignore_empty: bool | None = None,
        none_text: str | None = None,
        left_out: Iterable[str] | None = None,
    ) -> None:
        super().__init__(settings_cls)
        self.env_vars = variables
        self._prefix = prefix
        self._ignore_empty = ignore_empty
        self._none_text = none_text
        self._left_out = frozenset(name.upper() for name in left_out or ())

    def __call__(self) -> dict[str, Any]:
        return super().__call__() if self.env_vars else {}

    def find(self, leaf: Leaf) -> tuple[str, Any] | None:
        names = leaf.names if self._prefix is None else ((self._prefix + leaf.field_name).upper(), *leaf.names[1:])
        for name in names:
            text = self.env_vars.get(name)
            if text is None or name in self._left_out or (text == "" and self._ignore_empty):
                continue
            if text == self._none_text:
                return name, None
            return name, leaf.decode(text) if isinstance(text, str) else text
        return None


class EnvFilterSettingsSource(_VariablesSource):
    """The environment of the process. Names match in any case."""

    label = "env"

    def __init__(
        self,
        settings_cls: type[BaseModel],
        case_sensitive: bool | None = None,
        env_prefix: str | None = None,
        env_nested_delimiter: str | None = None,
        env_ignore_empty: bool | None = None,
        env_parse_none_str: str | None = None,
        env_parse_enums: bool | None = None,
        env_filter: list[str] | None = None,
    ) -> None:
        """Make the source.

        Args:
            env_prefix: Prefix of canonical names, instead of the class's own.
            env_ignore_empty: Treat empty values as not set.
            env_parse_none_str: Text that means None.
            env_filter: Names of variables to leave out.
            case_sensitive, env_nested_delimiter, env_parse_enums: Accepted for compatibility; names never depend on
                case, nested groups have sources of their own, and the setting's type decides how text is read.
        """
        snapshot = _snapshot.current.get() or _snapshot.read_snapshot()
        super().__init__(settings_cls, snapshot.environ, env_prefix, env_ignore_empty, env_parse_none_str, env_filter)


class FilteredDotEnvSettingsSource(_VariablesSource):
    """The `.env` file of the current folder."""

    label = ".env file"

    def __init__(
        self,
        settings_cls: type[BaseModel],
        env_file: Path | str | Sequence[Path | str] | None = Path(),
        env_file_encoding: str | None = None,
        case_sensitive: bool | None = None,
        env_prefix: str | None = None,
        env_nested_delimiter: str | None = None,
        env_ignore_empty: bool | None = None,
        env_parse_none_str: str | None = None,
        env_parse_enums: bool | None = None,
        env_blacklist: list[str] | None = None,
    ) -> None:
        """Make the source.

        Args:
            env_file: One or more files, later ones stronger; None for none. The default stands for `.env`.
            env_prefix: Prefix of canonical names, instead of the class's own.
            env_ignore_empty: Treat empty values as not set.
            env_parse_none_str: Text that means None.
            env_blacklist: Names of variables to leave out.
            env_file_encoding: Accepted for compatibility; files are UTF-8.
            case_sensitive, env_nested_delimiter, env_parse_enums: Accepted for compatibility, as for the environment.
        """
        super().__init__(settings_cls, {}, env_prefix, env_ignore_empty, env_parse_none_str, env_blacklist)
        if env_file == Path():
            self.env_vars = self._snapshot.dotenv
        elif env_file is not None:
            files = [env_file] if isinstance(env_file, (str, Path)) else env_file
            self.env_vars = {name: value for file in files for name, value in _snapshot.read_dotenv(Path(file)).items()}
        self.env_blacklist = env_blacklist


class TomlConfigSettingsSourceBase(SettingsSource):
    """One table of a TOML file. Keys are the names of fields."""

    toml_file_path: Path | None = None
    toml_table_header: tuple[str, ...] = ()

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        super().__init__(settings_cls)
        self._document: Mapping[str, Any] = {}
        self.toml_data: Mapping[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        return super().__call__() if self.toml_data else {}

    def at(self, *header: str) -> Self:
        """Point the source at another table of its file."""
        self.toml_table_header = header
        self.toml_data = _snapshot.table(self._document, header)
        return self

    def find(self, leaf: Leaf) -> tuple[str, Any] | None:
        if leaf.field_name in self.toml_data:
            return ".".join((*self.toml_table_header, leaf.field_name)), self.toml_data[leaf.field_name]
        return None

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:
        """The value as it is: TOML has types."""
        return value


class PrefectTomlConfigSettingsSource(TomlConfigSettingsSourceBase):
    """The table of `prefect.toml` in the current folder that belongs to the class."""

    label = "prefect.toml"

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        super().__init__(settings_cls)
        self.toml_file_path = _snapshot.PREFECT_TOML_PATH
        self._document = self._snapshot.prefect_toml
        self.at(*settings_cls.model_config.get("prefect_toml_table_header", ()))


class PyprojectTomlConfigSettingsSource(TomlConfigSettingsSourceBase):
    """The table below `tool.prefect` of `pyproject.toml` in the current folder that belongs to the class."""

    label = "pyproject.toml"

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        super().__init__(settings_cls)
        self.toml_file_path = _snapshot.PYPROJECT_PATH
        self._document = self._snapshot.pyproject
        self.at(*settings_cls.model_config.get("pyproject_toml_table_header", ("tool", "prefect")))


class ProfileSettingsTomlLoader(_VariablesSource):
    """The active profile. It cannot hold the settings that say where profiles are."""

    label = "profile"

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        snapshot = _snapshot.current.get() or _snapshot.read_snapshot()
        super().__init__(settings_cls, snapshot.profile, left_out=("PREFECT_HOME", "PREFECT_PROFILES_PATH"))
        self.profiles_path = _snapshot.profiles_path(snapshot)
        self.profile_settings = snapshot.profile
