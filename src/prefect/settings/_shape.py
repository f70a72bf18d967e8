"""What a settings class consists of: its own values, their variable names, and the groups below it."""

import json
import types
from collections.abc import Collection
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

_TEXT = (str, str | None)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class Leaf:
    """One setting of a class: a field that is not a group."""

    def __init__(self, field_name: str, field: FieldInfo, prefix: str) -> None:
        self.field_name = field_name
        self.field = field
        self.names = _variable_names(field_name, field, prefix)
        """Environment variables that set it, in upper case; the first is the canonical one."""

    def default(self) -> Any:
        """The declared default, made afresh."""
        factory: Any = self.field.default_factory
        return self.field.get_default() if factory is None else factory()

    def validate(self, value: Any) -> Any:
        """Turn a given value into the setting's type.

        Raises:
            pydantic.ValidationError: The value does not fit.
        """
        if isinstance(value, str) and not self.field.metadata:
            # The first validator in a process makes pydantic look for plugins, which takes longer than reading all
            # settings; so the simplest values do without.
            if self.field.annotation in _TEXT:
                return value
            if self.field.annotation is Path:
                return Path(value)
            if self.field.annotation is bool and value.lower() in _TRUTH:
                return _TRUTH[value.lower()]
        return self._adapter.validate_python(self.decode(value) if isinstance(value, str) else value)

    def decode(self, text: str) -> Any:
        """Read text that holds a JSON array or object, where the setting's type may be one; else return it as it is."""
        if text.lstrip()[:1] in ("[", "{") and self._is_collection:
            try:
                return json.loads(text)
            except ValueError:
                return text
        return text

    @cached_property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return SecretStr in _parts(self.field.annotation)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        annotation: Any = self.field.annotation
        for constraint in self.field.metadata:
            annotation = Annotated[annotation, constraint]
        return TypeAdapter(annotation)

    @cached_property
    def _is_collection(self) -> bool:
        return any(
            isinstance(part, type)
            and issubclass(part, (Collection, BaseModel))
            and not issubclass(part, (str, bytes, bytearray))
            for part in _parts(self.field.annotation)
        )


class Shape:
    """The leaves and groups of one settings class, in the order of its fields."""

    def __init__(self, settings_cls: type[BaseModel]) -> None:
        prefix = str(settings_cls.model_config.get("env_prefix", ""))
        self.groups: dict[str, type[BaseModel]] = {}
        self.leaves: dict[str, Leaf] = {}
        for name, field in settings_cls.model_fields.items():
            group = field.annotation
            if isinstance(group, type) and hasattr(group, "settings_customise_sources"):
                self.groups[name] = group
            else:
                self.leaves[name] = Leaf(name, field, prefix)


@cache
def shape_of(settings_cls: type[BaseModel]) -> Shape:
    """The shape of a settings class."""
    return Shape(settings_cls)


def _variable_names(field_name: str, field: FieldInfo, prefix: str) -> tuple[str, ...]:
    names = [prefix.upper() + field_name.upper()]
    alias = field.validation_alias
    for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
        if isinstance(choice, AliasPath):
            choice = choice.path[0] if len(choice.path) == 1 else None
        if isinstance(choice, str) and choice != field_name and choice.upper() not in names:
            names.append(choice.upper())
    return tuple(names)


def _parts(annotation: Any) -> set[Any]:
    """The plain types that an annotation is made of: `Annotated` unwrapped, unions and generics taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return {part for member in get_args(annotation) for part in _parts(member)}
    return {origin if origin is not None else annotation}
