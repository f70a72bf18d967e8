"""The base of all settings classes: reads its fields from the sources, names what is wrong, renders variables."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    SecretStr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json, to_jsonable_python

from prefect.settings import _snapshot
from prefect.settings._shape import Leaf, shape_of
from prefect.settings.sources import (
    EnvFilterSettingsSource,
    FilteredDotEnvSettingsSource,
    InitSettingsSource,
    PrefectTomlConfigSettingsSource,
    ProfileSettingsTomlLoader,
    PyprojectTomlConfigSettingsSource,
    SecretFilesSource,
    SettingsSource,
)

MASK = "**********"


class PrefectSettingsConfigDict(ConfigDict, total=False):
    """Configuration of a settings class: pydantic's, and where its values are found."""

    env_prefix: str
    env_file: str | None
    toml_file: str | None
    prefect_toml_table_header: tuple[str, ...]
    pyproject_toml_table_header: tuple[str, ...]


def build_settings_config(path: tuple[str, ...] = (), frozen: bool = False) -> PrefectSettingsConfigDict:
    """Configure a settings class by its place in the tree.

    Args:
        path: The place, as in `("server", "api")`. It makes the prefix of environment variables
            (`PREFECT_SERVER_API_`) and the headers of the TOML tables (`[server.api]`).
        frozen: Whether fields of an instance are read-only.
    """
    return PrefectSettingsConfigDict(
        env_prefix="_".join(("PREFECT", *path)).upper() + "_",
        env_file=".env",
        extra="ignore",
        toml_file="prefect.toml",
        prefect_toml_table_header=path,
        pyproject_toml_table_header=("tool", "prefect", *path),
        frozen=frozen,
    )


class PrefectBaseSettings(BaseModel):
    """A group of settings whose fields come from arguments, environment, files, and the active profile.

    Fields that are such groups themselves read their own values. A given value that does not fit raises a
    `ValidationError` whose locations are the paths of the settings.
    """

    model_config = PrefectSettingsConfigDict(
        # Most processes never need the validators of whole groups: see `_fill`.
        defer_build=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        validate_default=True,
        protected_namespaces=(),
        env_prefix="",
    )

    def __init__(self, **values: Any) -> None:
        token = None if _snapshot.current.get() else _snapshot.current.set(_snapshot.read_snapshot())
        try:
            explicit = self._collect(values)
            if type(self).__module__.startswith("prefect.settings.models."):
                self._fill(explicit, runtime=values)
            else:
                super().__init__(**explicit)
        finally:
            if token is not None:
                _snapshot.current.reset(token)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseModel],
        init_settings: SettingsSource,
        env_settings: SettingsSource,
        dotenv_settings: SettingsSource,
        file_secret_settings: SettingsSource,
    ) -> tuple[Callable[[], dict[str, Any]], ...]:
        """The sources of a class, strongest first. Override it to add or leave out some."""
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            file_secret_settings,
            PrefectTomlConfigSettingsSource(settings_cls),
            PyprojectTomlConfigSettingsSource(settings_cls),
            ProfileSettingsTomlLoader(settings_cls),
        )

    def to_environment_variables(
        self, exclude_unset: bool = False, include_secrets: bool = True, include_aliases: bool = False
    ) -> dict[str, str]:
        """Environment variables that reproduce these settings in another process.

        Args:
            exclude_unset: Leave out what was not set explicitly, by any source.
            include_secrets: Give secrets in clear, not masked.
            include_aliases: Repeat values under the older names of their settings.

        Returns:
            Values by canonical name. Settings that are None have no text form and are left out.
        """
        variables: dict[str, str] = {}
        shape = shape_of(type(self))
        for field_name in type(self).model_fields:
            value = self.__dict__[field_name]
            leaf = shape.leaves.get(field_name)
            if isinstance(value, PrefectBaseSettings):
                variables |= value.to_environment_variables(exclude_unset, include_secrets, include_aliases)
            elif (
                leaf is not None
                and value is not None
                and not (exclude_unset and field_name not in self.model_fields_set)
            ):
                text = render_variable(value, include_secrets)
                variables |= dict.fromkeys(leaf.names if include_aliases else leaf.names[:1], text)
        return variables

    def _collect(self, values: dict[str, Any]) -> dict[str, Any]:
        """What the sources say, by field name."""
        cls = type(self)
        explicit: dict[str, Any] = {}
        for source in sources_of(cls, values):
            for name, value in source().items():
                explicit.setdefault(name, value)
        return explicit

    def _fill(self, explicit: dict[str, Any], runtime: dict[str, Any]) -> None:
        """Set all fields without the validator of the whole class.

        The classes of this package trust their defaults and validate the few values that are given one by one, so that
        a process does not pay for building validators for all settings.
        """
        shape = shape_of(type(self))
        values: dict[str, Any] = {}
        errors: list[InitErrorDetails] = []
        given: set[str] = set()
        for name in type(self).model_fields:
            try:
                if name in shape.groups:
                    values[name] = group = _build_group(shape.groups[name], explicit.get(name))
                    is_given = name in explicit or bool(group.model_fields_set)
                else:
                    leaf = shape.leaves[name]
                    is_given = name in explicit
                    values[name] = leaf.validate(explicit[name]) if is_given else leaf.default()
            except ValidationError as error:
                leaf = shape.leaves.get(name)
                origin = "" if leaf is None or name in runtime else _origin(leaf, type(self))
                errors += _relocate(error, name, origin, hide=leaf is not None and leaf.is_secret)
            else:
                if is_given:
                    given.add(name)
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        object.__setattr__(self, "__dict__", values)
        object.__setattr__(self, "__pydantic_fields_set__", given)
        object.__setattr__(self, "__pydantic_extra__", None)
        object.__setattr__(self, "__pydantic_private__", None)
        self.model_post_init(None)
        try:
            self._complete()
        except ValueError as error:
            problem = InitErrorDetails(
                type=PydanticCustomError("value_error", "{reason}", {"reason": str(error)}), loc=(), input=MASK
            )
            raise ValidationError.from_exception_data(type(self).__name__, [problem]) from error

    def _put(self, name: str, value: Any) -> None:
        """Set a field without counting it as given."""
        vars(self)[name] = value

    def _complete(self) -> None:
        """Compute what follows from the values of the group; raise `ValueError` if they contradict one another."""

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """As pydantic does; with `context={"include_secrets": True}` secrets in clear."""
        data = handler(self)
        if info.context and info.context.get("include_secrets"):
            for name in data:
                secret = self.__dict__.get(name)
                if isinstance(secret, SecretStr):
                    data[name] = secret.get_secret_value()
        return data


def sources_of(cls: type[PrefectBaseSettings], values: dict[str, Any]) -> tuple[Any, ...]:
    """The sources of a settings class, strongest first."""
    return cls.settings_customise_sources(
        cls,
        InitSettingsSource(cls, values),
        EnvFilterSettingsSource(cls),
        FilteredDotEnvSettingsSource(cls),
        SecretFilesSource(cls),
    )


def validate_setting(path: str, leaf: Leaf, value: Any) -> Any:
    """Turn a value into the type of one setting.

    Raises:
        pydantic.ValidationError: It does not fit; the location is the path of the setting.
    """
    *groups, name = path.split(".")
    try:
        return leaf.validate(value)
    except ValidationError as error:
        problems = _relocate(error, name, "", hide=leaf.is_secret)
        for problem in problems:
            problem["loc"] = (*groups, *problem.get("loc", ()))
        raise ValidationError.from_exception_data("Settings", problems) from None


def render_variable(value: Any, include_secrets: bool = True) -> str:
    """The text that, as an environment variable, is read back as the value."""
    if isinstance(value, SecretStr):
        return value.get_secret_value() if include_secrets else MASK
    if isinstance(value, (set, frozenset, list, tuple)):
        items: Iterable[Any] = sorted(value) if isinstance(value, (set, frozenset)) else value
        return ",".join(str(item) for item in items)
    if isinstance(value, dict):
        return to_json(value).decode()
    return str(to_jsonable_python(value)) if isinstance(value, timedelta) else str(value)


def _build_group(group: type[BaseModel], given: Any) -> Any:
    if isinstance(given, group):
        return given
    return group(**given) if isinstance(given, dict) else group()


def _relocate(error: ValidationError, field_name: str, origin: str, hide: bool) -> list[InitErrorDetails]:
    """The problems of one field as problems of the class around it."""
    return [
        InitErrorDetails(
            type=PydanticCustomError(cast(Any, problem["type"]), "{reason}", {"reason": problem["msg"] + origin}),
            loc=(field_name, *problem["loc"]),
            input=MASK if hide else problem["input"],
        )
        for problem in error.errors(include_url=False, include_context=False)
    ]


def _origin(leaf: Leaf, cls: type[PrefectBaseSettings]) -> str:
    """Where the value of a setting comes from, for the end of a message."""
    for source in sources_of(cls, {}):
        found = source.find(leaf) if isinstance(source, SettingsSource) else None
        if found is not None:
            return f" (from {source.label}: {found[0]})"
    return ""


__all__ = ["PrefectBaseSettings", "PrefectSettingsConfigDict", "build_settings_config"]
