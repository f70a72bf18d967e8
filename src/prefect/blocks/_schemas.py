"""Describes classes of blocks as JSON schemas: which of their fields are secret, and which hold other blocks."""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from typing_extensions import TypeAliasType

from prefect.types import SecretDict

if TYPE_CHECKING:
    from prefect.blocks.core import Block

UNIONS = (typing.Union, types.UnionType)
_SECRETS = (SecretStr, SecretBytes, Secret)

_described: ContextVar[frozenset[type[Any]]] = ContextVar("prefect_described_blocks", default=frozenset())


# -- the parts of a schema ---------------------------------------------------------------------------------------------


def describe(schema: dict[str, Any], cls: type[Block], base: type[Block]) -> None:
    """Add to the JSON schema of a class what is particular to blocks.

    Args:
        schema: What pydantic makes of the class; it is changed.
        cls: The class.
        base: The class `Block`.
    """
    description = cls.get_description()
    if description:
        schema["description"] = description
    else:
        schema.pop("description", None)
    schema["block_type_slug"] = cls.get_block_type_slug()
    properties = schema.setdefault("properties", {})
    for position, key in enumerate(field_keys(cls)):
        if key in properties:
            properties[key]["position"] = position
    schema["secret_fields"] = list(dict.fromkeys(_secret_paths(cls)))
    schema["block_schema_references"] = _references(cls, base)


def finish(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a class in the form in which it is stored."""
    if "$defs" in schema:
        schema["definitions"] = schema.pop("$defs")
    _drop_additional_properties(schema)
    return schema


def checksum(fields: dict[str, Any]) -> str:
    """The checksum of a schema.

    Which fields are secret does not count, nor does what the blocks are like that it refers to.
    """
    counted = _without_secret_fields(fields)
    definitions = counted.pop("definitions", {})
    definitions = {name: each for name, each in definitions.items() if "block_schema_references" not in each}
    if definitions:
        counted["definitions"] = definitions
    # The empty object and the default separators are part of what servers compute.
    text = json.dumps([[counted], {}], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def field_keys(cls: type[BaseModel]) -> Iterator[str]:
    """The keys of a model's fields in its data, in the order of their declaration."""
    for name, field in cls.model_fields.items():
        alias = field.validation_alias
        yield alias if isinstance(alias, str) else field.alias or name


def _without_secret_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secret_fields(each) for key, each in value.items() if key != "secret_fields"}
    if isinstance(value, list):
        return [_without_secret_fields(each) for each in value]
    return value


def _drop_additional_properties(schema: dict[str, Any]) -> None:
    # Not inside of lists such as `anyOf`: stored checksums were made so.
    schema.pop("additionalProperties", None)
    for value in schema.values():
        if isinstance(value, dict):
            _drop_additional_properties(value)


# -- blocks in fields --------------------------------------------------------------------------------------------------


def blocks_in(annotation: Any, base: type[Block]) -> Iterator[type[Block]]:
    """The classes of blocks that a field of this type can hold, itself or in a container."""
    if isinstance(annotation, type) and issubclass(annotation, base):
        yield annotation
        return
    origin = typing.get_origin(annotation)
    if origin in UNIONS or (isinstance(origin, type) and origin is not type):
        for part in typing.get_args(annotation):
            yield from blocks_in(part, base)


def nested_blocks(cls: type[Block], base: type[Block]) -> list[tuple[str, list[type[Block]]]]:
    """The fields of a class that hold blocks, with the classes of these.

    Interfaces, which any of several classes can stand for, are left out: they have no schema.
    """
    found = []
    for key, field in zip(field_keys(cls), cls.model_fields.values(), strict=True):
        nested = [each for each in blocks_in(field.annotation, base) if not each.is_interface()]
        if nested:
            found.append((key, nested))
    return found


def _references(cls: type[Block], base: type[Block]) -> dict[str, Any]:
    within = _described.get()
    token = _described.set(within | {cls})
    try:
        references: dict[str, Any] = {}
        for key, nested in nested_blocks(cls, base):
            # A class that contains itself has no checksum before it is complete.
            made = [_reference(each) for each in nested if each not in within and each is not cls]
            if made:
                references[key] = made if len(made) > 1 else made[0]
        return references
    finally:
        _described.reset(token)


def _reference(cls: type[Block]) -> dict[str, str]:
    return {
        "block_type_slug": cls.get_block_type_slug(),
        "block_schema_checksum": checksum(cls.model_json_schema()),
    }


# -- secrets in fields -------------------------------------------------------------------------------------------------


def _secret_paths(model: type[BaseModel], prefix: str = "", within: tuple[type[Any], ...] = ()) -> Iterator[str]:
    if model in within:  # its secrets further down have no end
        return
    for key, field in zip(field_keys(model), model.model_fields.values(), strict=True):
        yield from _secrets_of(field.annotation, f"{prefix}{key}", (*within, model))


def _secrets_of(annotation: Any, path: str, within: tuple[type[Any], ...]) -> Iterator[str]:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from _secrets_of(annotation.__value__, path, within)
    elif origin is Annotated:
        yield from _secrets_of(args[0], path, within)
    elif origin in UNIONS:
        for part in args:
            yield from _secrets_of(part, path, within)
    elif isinstance(annotation, TypeVar):
        yield from _secrets_of(annotation.__bound__, path, within)
    elif isinstance(origin or annotation, type):
        yield from _secrets_of_class(origin or annotation, args, path, within)


def _secrets_of_class(cls: type[Any], args: tuple[Any, ...], path: str, within: tuple[type[Any], ...]) -> Iterator[str]:
    if issubclass(cls, SecretDict):
        yield f"{path}.*"
    elif issubclass(cls, _SECRETS):
        yield path
    elif issubclass(cls, BaseModel):
        yield from _secret_paths(cls, f"{path}.", within)
    elif issubclass(cls, Mapping):
        for found in _secrets_of(args[-1], path, within) if args else ():
            yield found
            if found != path:  # below each key, as well as where older servers look
                yield f"{path}.*{found[len(path) :]}"
    else:
        for part in args:
            yield from _secrets_of(part, path, within)
