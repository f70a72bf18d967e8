"""Fills placeholders such as `{{ name }}` in nested data: with values, blocks, variables and the environment."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeVar, overload
from uuid import UUID

from prefect.exceptions import ObjectNotFound
from prefect.utilities._lazy import lazy_names
from prefect.utilities.annotations import NotSet
from prefect.utilities.collections import get_from_dict

__all__ = [
    "BLOCK_DOCUMENT_PLACEHOLDER_PREFIX",
    "ENV_VAR_PLACEHOLDER_PREFIX",
    "PLACEHOLDER_CAPTURE_REGEX",
    "VARIABLE_PLACEHOLDER_PREFIX",
    "NotSet",
    "Placeholder",
    "PlaceholderType",
    "apply_values",
    "determine_placeholder_type",
    "find_placeholders",
    "get_from_dict",
    "resolve_block_document_references",
    "resolve_variables",
]

__getattr__ = lazy_names(
    __name__, {"get_logger": "prefect.logging.loggers", "inject_client": "prefect.client.utilities"}
)

T = TypeVar("T", str, int, float, bool, dict[Any, Any], list[Any], None)

PLACEHOLDER_CAPTURE_REGEX = re.compile(r"({{\s*([\w\.\-\[\]$]+)\s*}})")
BLOCK_DOCUMENT_PLACEHOLDER_PREFIX = "prefect.blocks."
VARIABLE_PLACEHOLDER_PREFIX = "prefect.variables."
ENV_VAR_PLACEHOLDER_PREFIX = "$"


class PlaceholderType(enum.Enum):
    """What fills a placeholder."""

    STANDARD = "standard"
    BLOCK_DOCUMENT = "block_document"
    VARIABLE = "variable"
    ENV_VAR = "env_var"


class Placeholder(NamedTuple):
    """A placeholder in a text.

    Attributes:
        full_match: The placeholder as written, braces included.
        name: What stands between the braces.
        type: What fills it.
    """

    full_match: str
    name: str
    type: PlaceholderType


def determine_placeholder_type(name: str) -> PlaceholderType:
    """Return what fills a placeholder of a name."""
    if name.startswith(BLOCK_DOCUMENT_PLACEHOLDER_PREFIX):
        return PlaceholderType.BLOCK_DOCUMENT
    if name.startswith(VARIABLE_PLACEHOLDER_PREFIX):
        return PlaceholderType.VARIABLE
    if name.startswith(ENV_VAR_PLACEHOLDER_PREFIX):
        return PlaceholderType.ENV_VAR
    return PlaceholderType.STANDARD


def find_placeholders(template: Any) -> set[Placeholder]:
    """Return the placeholders in a text, or in the values of nested dictionaries and lists."""
    if isinstance(template, str):
        return set(_in_order(template))
    if isinstance(template, dict):
        template = template.values()
    elif not isinstance(template, (list, tuple)):
        return set()
    return set().union(*(find_placeholders(item) for item in template))


def _in_order(text: str) -> list[Placeholder]:
    found = PLACEHOLDER_CAPTURE_REGEX.findall(text)
    return list(dict.fromkeys(Placeholder(match, name, determine_placeholder_type(name)) for match, name in found))


# --- values -----------------------------------------------------------------------------------------------------------


@overload
def apply_values(
    template: T,
    values: dict[str, Any],
    remove_notset: Literal[True] = True,
    warn_on_notset: bool = False,
    skip_prefixes: list[str] | None = None,
) -> T: ...
@overload
def apply_values(
    template: T,
    values: dict[str, Any],
    remove_notset: Literal[False] = False,
    warn_on_notset: bool = False,
    skip_prefixes: list[str] | None = None,
) -> T | type[NotSet]: ...
def apply_values(
    template: Any,
    values: dict[str, Any],
    remove_notset: bool = True,
    warn_on_notset: bool = False,
    skip_prefixes: list[str] | None = None,
) -> Any:
    """Fill the placeholders in the values of nested data.

    A text that is nothing but one placeholder becomes the value with its type; inside a longer text it is written as
    text. Names may be paths, such as `{{ a.b[0] }}`; `{{ $NAME }}` is the environment's. Placeholders of blocks and
    variables stay for `resolve_block_document_references` and `resolve_variables`.

    Args:
        remove_notset: What has no value is removed: the key of a dictionary, the item of a list, nothing in a text.
            Otherwise its placeholder stays.
        warn_on_notset: Log a warning for each name without a value.
        skip_prefixes: Leave names alone that begin so.

    Returns:
        The filled data; `NotSet` for a single placeholder without a value.

    Raises:
        ValueError: The data holds something other than dictionaries, lists and scalars.
    """
    if template is NotSet or isinstance(template, (int, float, bool, type(None))):
        return template
    if isinstance(template, str):
        return _fill_text(template, values, remove_notset, warn_on_notset, tuple(skip_prefixes or ()))
    if isinstance(template, dict):
        filled = {}
        for key, item in template.items():
            value = apply_values(item, values, remove_notset, warn_on_notset, skip_prefixes)
            if value is not NotSet:
                filled[key] = value
            elif not remove_notset:
                filled[key] = item
        return filled
    if isinstance(template, list):
        items = (apply_values(item, values, remove_notset, warn_on_notset, skip_prefixes) for item in template)
        return [item for item in items if item is not NotSet]
    raise ValueError(f"Unexpected template type {type(template).__name__!r}")


def _fill_text(text: str, values: dict[str, Any], remove_notset: bool, warn: bool, skipped: tuple[str, ...]) -> Any:
    ours = (PlaceholderType.STANDARD, PlaceholderType.ENV_VAR)
    placeholders = [
        placeholder
        for placeholder in _in_order(text)
        if placeholder.type in ours and not (skipped and placeholder.name.startswith(skipped))
    ]
    for placeholder in placeholders:
        if placeholder.type is PlaceholderType.ENV_VAR:
            value: Any = os.environ.get(placeholder.name.removeprefix(ENV_VAR_PLACEHOLDER_PREFIX), NotSet)
            missing: Any = "" if remove_notset else placeholder.full_match
        else:
            value = get_from_dict(values, placeholder.name, NotSet)
            missing = NotSet
        if value is NotSet and warn:
            _warn_of_missing(placeholder.name)
        if placeholder.full_match == text:
            return missing if value is NotSet else value
        if value is not NotSet:
            text = text.replace(placeholder.full_match, str(value))
        elif remove_notset:
            text = text.replace(placeholder.full_match, "")
    return text


def _warn_of_missing(name: str) -> None:
    # Logging is set up by a higher layer; the standard library finds the same logger by its name.
    import logging  # noqa: PLC0415 - costs 13 ms, and warnings are rare

    logging.getLogger("prefect.utilities.templating").warning(
        "Value for placeholder %r not found in provided values. Please ensure that the placeholder is spelled "
        "correctly and that the corresponding value is provided.",
        name,
    )


# --- blocks -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _given_or_new(client: Any) -> AsyncGenerator[Any, None]:
    if client is not None:
        yield client
        return
    # The client lives in a higher layer; whoever has one passes it.
    async with import_module("prefect.client.orchestration").get_client() as new:
        yield new


async def resolve_block_document_references(
    template: T,
    client: Any | None = None,
    value_transformer: Callable[[str, Any], Any] | None = None,
) -> Any:
    """Fill the placeholders of blocks in nested data with the data of the blocks.

    `{{ prefect.blocks.<type>.<name> }}` is the data, or the one value of a block that holds nothing else, and
    `{{ prefect.blocks.<type>.<name>.key.path }}` a part of it. `{"$ref": {"block_document_id": ...}}` is the data too.

    Args:
        client: An async client of the API; one is made if needed.
        value_transformer: Gets each placeholder and its value, and returns what to put in its place.

    Raises:
        ValueError: A placeholder is malformed, leads to nothing, or would put a dictionary or list into a text.
        ObjectNotFound: There is no such block.
    """
    if not _needs(template, PlaceholderType.BLOCK_DOCUMENT) and not _has_reference(template):
        return template
    async with _given_or_new(client) as client:
        return await _fill_blocks(template, client, value_transformer)


def _needs(template: Any, kind: PlaceholderType) -> bool:
    return any(placeholder.type is kind for placeholder in find_placeholders(template))


def _reference(template: dict[Any, Any]) -> UUID | None:
    reference = template.get("$ref")
    if isinstance(reference, dict):
        reference = reference.get("block_document_id")
    # JSON schemas have references too, which are no ids.
    try:
        return reference if isinstance(reference, UUID) else UUID(str(reference))
    except ValueError:
        return None


def _has_reference(template: Any) -> bool:
    if isinstance(template, dict):
        return _reference(template) is not None or any(map(_has_reference, template.values()))
    return isinstance(template, list) and any(map(_has_reference, template))


async def _fill_blocks(template: Any, client: Any, transform: Callable[[str, Any], Any] | None) -> Any:
    if isinstance(template, dict):
        block_id = _reference(template)
        if block_id is not None:
            return (await client.read_block_document(block_id)).data
        return {key: await _fill_blocks(item, client, transform) for key, item in template.items()}
    if isinstance(template, list):
        return [await _fill_blocks(item, client, transform) for item in template]
    if not isinstance(template, str):
        return template
    text = template
    for placeholder in _of_type(template, PlaceholderType.BLOCK_DOCUMENT):
        value = await _block_value(placeholder, template, client)
        if transform is not None:
            value = transform(placeholder.full_match, value)
        if placeholder.full_match == template:
            return value
        if isinstance(value, (dict, list)):
            raise ValueError(
                f"Invalid template: {template!r}. Block placeholder {placeholder.full_match!r} resolved to a "
                f"{type(value).__name__}, which cannot be used for inline string substitution. Resolve a scalar "
                "attribute instead (e.g., '.value' or '.url')."
            )
        text = text.replace(placeholder.full_match, str(value))
    return text


def _of_type(text: str, kind: PlaceholderType) -> Iterable[Placeholder]:
    return [placeholder for placeholder in _in_order(text) if placeholder.type is kind]


async def _block_value(placeholder: Placeholder, template: str, client: Any) -> Any:
    parts = placeholder.name.removeprefix(BLOCK_DOCUMENT_PLACEHOLDER_PREFIX).split(".", 2)
    if len(parts) < 2 or not all(parts):
        raise ValueError(
            f"Invalid block placeholder format: {placeholder.name!r}. Expected format: "
            "prefect.blocks.<block-type-slug>.<block-document-name>"
        )
    slug, name, *path = parts
    try:
        block = await client.read_block_document_by_name(name=name, block_type_slug=slug)
    except ObjectNotFound as error:
        raise ObjectNotFound(
            http_exc=error.http_exc,
            help_message=f"Block not found: {name!r} of type {slug!r}. This block was referenced in your deployment or "
            "work pool configuration but no longer exists. It may have been deleted. Please check your configuration or "
            "create a new block.",
        ) from error
    data = block.data
    is_single = isinstance(data, dict) and data.keys() == {"value"}
    if not path:
        return data["value"] if is_single else data
    value = get_from_dict(data, path[0], NotSet)
    if value is NotSet and is_single:
        value = get_from_dict(data["value"], path[0], NotSet)
    if value is NotSet:
        raise ValueError(
            f"Invalid template: {template!r}. Could not resolve the keypath {path[0]!r} in the block document data."
        )
    return value


# --- variables --------------------------------------------------------------------------------------------------------


async def resolve_variables(template: T, client: Any | None = None) -> Any:
    """Fill the placeholders of variables in nested data; an unknown variable becomes an empty text.

    Args:
        client: An async client of the API; one is made if needed.
    """
    if not _needs(template, PlaceholderType.VARIABLE):
        return template
    async with _given_or_new(client) as client:
        return await _fill_variables(template, client)


async def _fill_variables(template: Any, client: Any) -> Any:
    if isinstance(template, dict):
        return {key: await _fill_variables(item, client) for key, item in template.items()}
    if isinstance(template, list):
        return [await _fill_variables(item, client) for item in template]
    if not isinstance(template, str):
        return template
    text = template
    for placeholder in _of_type(template, PlaceholderType.VARIABLE):
        variable = await client.read_variable_by_name(name=placeholder.name.removeprefix(VARIABLE_PLACEHOLDER_PREFIX))
        value = "" if variable is None else variable.value
        if placeholder.full_match == template:
            return value
        text = text.replace(placeholder.full_match, str(value))
    return text
