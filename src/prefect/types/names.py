"""The names that users give to things: which characters they may hold."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, overload

from pydantic import AfterValidator, BeforeValidator, Field

LOWERCASE_LETTERS_NUMBERS_AND_DASHES_ONLY_REGEX = "^[a-z0-9-]*$"
LOWERCASE_LETTERS_NUMBERS_AND_UNDERSCORES_REGEX = "^[a-z0-9_]*$"
LOWERCASE_LETTERS_NUMBERS_AND_DASHES_OR_UNDERSCORES_REGEX = "^[a-z0-9-_]*$"

_DASHES = re.compile(r"[a-z0-9-]*\Z")
_UNDERSCORES = re.compile(r"[a-z0-9_]*\Z")
_DASHES_AND_UNDERSCORES = re.compile(r"[a-z0-9_-]*\Z")


@overload
def raise_on_name_alphanumeric_dashes_only(value: str, field_name: str = ...) -> str: ...
@overload
def raise_on_name_alphanumeric_dashes_only(value: None, field_name: str = ...) -> None: ...
def raise_on_name_alphanumeric_dashes_only(value: str | None, field_name: str = "value") -> str | None:
    """Return the value if it holds lower-case letters, digits and dashes only; raise `ValueError` otherwise."""
    if value is not None and not _DASHES.match(value):
        raise ValueError(f"{field_name} must only contain lowercase letters, numbers, and dashes.")
    return value


@overload
def raise_on_name_alphanumeric_underscores_only(value: str, field_name: str = ...) -> str: ...
@overload
def raise_on_name_alphanumeric_underscores_only(value: None, field_name: str = ...) -> None: ...
def raise_on_name_alphanumeric_underscores_only(value: str | None, field_name: str = "value") -> str | None:
    """Return the value if it holds lower-case letters, digits and underscores only; raise `ValueError` otherwise."""
    if value is not None and not _UNDERSCORES.match(value):
        raise ValueError(f"{field_name} must only contain lowercase letters, numbers, and underscores.")
    return value


def raise_on_name_alphanumeric_dashes_underscores_only(value: str, field_name: str = "value") -> str:
    """Return the value if it holds lower-case letters, digits, dashes and underscores only, or raise `ValueError`."""
    if not _DASHES_AND_UNDERSCORES.match(value):
        raise ValueError(f"{field_name} must only contain lowercase letters, numbers, and dashes or underscores.")
    return value


BANNED_CHARACTERS = ["/", "%", "&", ">", "<"]
WITHOUT_BANNED_CHARACTERS = "^[^/%&><]+$"
WITHOUT_BANNED_CHARACTERS_EMPTY_OK = "^[^/%&><]*$"

Name = Annotated[str, Field(pattern=WITHOUT_BANNED_CHARACTERS)]
NameOrEmpty = Annotated[str, Field(pattern=WITHOUT_BANNED_CHARACTERS_EMPTY_OK)]


def non_emptyish(value: str) -> str:
    """Return the value if it holds more than spaces and quotes; raise `ValueError` otherwise."""
    if isinstance(value, str) and not value.strip("' \""):
        raise ValueError("name cannot be an empty string")
    return value


NonEmptyishName = Annotated[Name, BeforeValidator(non_emptyish)]

BlockDocumentName = Annotated[
    Name, AfterValidator(partial(raise_on_name_alphanumeric_dashes_only, field_name="Block document name"))
]
BlockTypeSlug = Annotated[
    str, AfterValidator(partial(raise_on_name_alphanumeric_dashes_only, field_name="Block type slug"))
]
ArtifactKey = Annotated[str, AfterValidator(partial(raise_on_name_alphanumeric_dashes_only, field_name="Artifact key"))]

MAX_VARIABLE_NAME_LENGTH = 255

VariableName = Annotated[
    str,
    AfterValidator(partial(raise_on_name_alphanumeric_dashes_underscores_only, field_name="Variable name")),
    Field(max_length=MAX_VARIABLE_NAME_LENGTH),
]

MAX_ASSET_KEY_LENGTH = 512
RESTRICTED_ASSET_CHARACTERS = [*"\n\r\t\0 #?&%\"'<>[]{}|\\^`"]
URI_REGEX = re.compile("^[a-z0-9]+://")


def validate_uri(value: str) -> str:
    """Return the value if it starts with `scheme://`; raise `ValueError` otherwise."""
    if not URI_REGEX.match(value):
        raise ValueError("Key must be a valid URI, e.g. storage://bucket/folder/asset.csv")
    return value


def validate_valid_asset_key(value: str) -> str:
    """Return the value if it can be the key of an asset; raise `ValueError` otherwise."""
    for character in RESTRICTED_ASSET_CHARACTERS:
        if character in value:
            raise ValueError(f"Asset key cannot contain {character!r}")
    if len(value) > MAX_ASSET_KEY_LENGTH:
        raise ValueError(f"Asset key cannot exceed {MAX_ASSET_KEY_LENGTH} characters")
    return validate_uri(value)


URILike = Annotated[str, AfterValidator(validate_uri)]
ValidAssetKey = Annotated[str, AfterValidator(validate_valid_asset_key), Field(max_length=MAX_ASSET_KEY_LENGTH)]
