"""Validates data against JSON schemas, allowing for values that are not known yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, UnknownType, best_match
from jsonschema.exceptions import ValidationError as JSONSchemaValidationError
from jsonschema.validators import Draft202012Validator, extend
from referencing.exceptions import Unresolvable

from prefect.utilities.schema_tools.hydration import HydrationError, Placeholder

__all__ = [
    "PLACEHOLDERS_VALIDATOR_NAME",
    "CircularSchemaRefError",
    "ValidationError",
    "build_error_obj",
    "is_valid",
    "is_valid_schema",
    "preprocess_schema",
    "prioritize_placeholder_errors",
    "process_properties",
    "validate",
]

PLACEHOLDERS_VALIDATOR_NAME = "_placeholders"
"""The name under which errors of values that cannot be had are reported."""


class CircularSchemaRefError(Exception):
    """A schema refers to itself without an end."""


class ValidationError(Exception):
    """Data does not fit its schema."""


# --- the validator ----------------------------------------------------------------------------------------------------

_formats = jsonschema.FormatChecker()


@_formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    # RFC 3339 wants an offset; a flow also takes instants without, as Python writes them.
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", value):
        return False
    # Which days and hours there are is asked of Python; in Python 3.10 it knows neither "Z" nor any number of digits.
    datetime.fromisoformat(value[:19].upper())
    return True


@_formats.checks("time")
def _is_time(value: object) -> bool:
    pattern = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


def _unless_placeholder(check: Any) -> Any:
    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[JSONSchemaValidationError]:
        if not isinstance(instance, Placeholder):
            yield from check(validator, value, instance, schema) or ()

    return checked


_Validator = extend(
    Draft202012Validator,
    validators={keyword: _unless_placeholder(check) for keyword, check in Draft202012Validator.VALIDATORS.items()},
)


def _placeholder_errors(obj: Any, path: tuple[str | int, ...] = ()) -> Iterator[JSONSchemaValidationError]:
    if isinstance(obj, HydrationError):
        yield JSONSchemaValidationError(
            obj.message, validator=PLACEHOLDERS_VALIDATOR_NAME, path=path, instance=obj, schema={}
        )
    elif isinstance(obj, dict):
        for key, value in obj.items():
            yield from _placeholder_errors(value, (*path, key))
    elif isinstance(obj, list):
        for index, value in enumerate(obj):
            yield from _placeholder_errors(value, (*path, index))


def validate(
    obj: dict[str, Any],
    schema: Mapping[str, Any],
    raise_on_error: bool = False,
    preprocess: bool = True,
    ignore_required: bool = False,
    allow_none_with_default: bool = False,
) -> list[JSONSchemaValidationError]:
    """Return what in some data does not fit a schema.

    A value that stands for one which is not known yet fits everything; one that stands for an error fits nothing.

    Args:
        raise_on_error: Raise the most telling error instead.
        preprocess: Allow None for optional properties; see `preprocess_schema`.
        ignore_required: Do not ask for required properties.
        allow_none_with_default: Allow None for properties with a default too.

    Raises:
        ValidationError: The data does not fit, and `raise_on_error` is set; or the schema itself is not in order.
        CircularSchemaRefError: The schema refers to itself without an end.
    """
    prepared = preprocess_schema(schema, allow_none_with_default) if preprocess else schema
    if ignore_required:
        prepared = _without_required(prepared)
    validator = _Validator(prepared, format_checker=_formats)
    try:
        errors = [*_placeholder_errors(obj), *validator.iter_errors(obj)]
    except RecursionError as error:
        raise CircularSchemaRefError(
            "The schema refers to itself without an end. Give one of its definitions a type of its own."
        ) from error
    except Unresolvable as error:
        raise ValidationError(f"Validation failed. The schema refers to what it does not define: {error}") from error
    except (UnknownType, TypeError, AttributeError, re.error) as error:
        raise ValidationError(f"Validation failed. The schema is not a valid JSON schema: {error}") from error
    if raise_on_error and errors:
        telling = best_match(errors) or errors[0]
        where = ".".join(str(part) for part in telling.absolute_path)
        field = f" for field {where!r}" if where else ""
        raise ValidationError(f"Validation failed{field}. Failure reason: {telling.message}")
    return errors


def is_valid(obj: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    """Say whether some data fits a schema."""
    return not validate(obj, schema)


def is_valid_schema(schema: Mapping[str, Any], preprocess: bool = True) -> None:
    """Check that something is a JSON schema.

    Args:
        preprocess: Check what `preprocess_schema` makes of it.

    Raises:
        ValueError: It is none.
    """
    if schema is None:
        return
    if not isinstance(schema, Mapping):
        raise ValueError(f"Invalid schema: a schema is an object, not {schema!r}.")
    try:
        Draft202012Validator.check_schema(preprocess_schema(schema) if preprocess else schema)
    except SchemaError as error:
        raise ValueError(f"Invalid schema: {error.message}") from error
    except RecursionError as error:
        raise ValueError("Invalid schema: it is nested too deeply.") from error


# --- preparing schemas ------------------------------------------------------------------------------------------------


def preprocess_schema(schema: Mapping[str, Any], allow_none_with_default: bool = False) -> Mapping[str, Any]:
    """Return a schema in which optional properties may be None, in the current draft's terms.

    A property is optional if it has a `type`, is not required and has no default.

    Args:
        allow_none_with_default: Properties with a default may be None too.
    """
    prepared = deepcopy(dict(schema))
    definitions = prepared.get("definitions")
    for part in [prepared, *(definitions.values() if isinstance(definitions, dict) else ())]:
        if isinstance(part, dict) and isinstance(part.get("properties"), dict):
            process_properties(part["properties"], _required(part), allow_none_with_default)
    return prepared


def _required(schema: dict[str, Any]) -> list[str]:
    required = schema.get("required")
    return required if isinstance(required, list) else []


def process_properties(
    properties: dict[str, dict[str, Any]], required_fields: list[str], allow_none_with_default: bool = False
) -> None:
    """Change the schemas of properties so that optional ones may be None; see `preprocess_schema`."""
    for name, schema in properties.items():
        if not isinstance(schema, dict):
            continue
        if isinstance(schema.get("properties"), dict):
            process_properties(schema["properties"], _required(schema), allow_none_with_default)
        # Items listed one by one are called differently since draft 2020-12.
        if isinstance(schema.get("items"), list):
            schema["prefixItems"] = schema.pop("items")
        has_default = "default" in schema and not allow_none_with_default
        if "type" in schema and name not in required_fields and not has_default:
            schema["anyOf"] = [{"type": schema.pop("type")}, {"type": "null"}]


def _without_required(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        # A property may be called "required"; then it is a schema and no list.
        return {
            key: _without_required(value)
            for key, value in schema.items()
            if not (key == "required" and isinstance(value, list))
        }
    return [_without_required(item) for item in schema] if isinstance(schema, list) else schema


# --- reporting --------------------------------------------------------------------------------------------------------


def prioritize_placeholder_errors(errors: list[JSONSchemaValidationError]) -> list[JSONSchemaValidationError]:
    """Return errors without those of values that are not known yet, or that are reported as errors themselves."""
    reported = {tuple(error.absolute_path) for error in errors if error.validator == PLACEHOLDERS_VALIDATOR_NAME}
    kept: list[JSONSchemaValidationError] = []
    for error in errors:
        if error.validator == PLACEHOLDERS_VALIDATOR_NAME:
            kept.append(error)
        elif tuple(error.absolute_path) not in reported and not isinstance(error.instance, Placeholder):
            kept.append(error)
    return kept


def build_error_obj(errors: list[JSONSchemaValidationError]) -> dict[str, Any]:
    """Return errors as nested objects, each with a property or index and the errors there, for a form to show."""
    root: list[Any] = []
    for error in prioritize_placeholder_errors(errors):
        place = root
        for part in _path(error):
            place = _errors_at(place, part)
        place.append(error.message)
    return {"errors": root, "valid": not root}


def _path(error: JSONSchemaValidationError) -> list[str | int]:
    path = list(error.absolute_path)
    if error.validator == "required" and (missing := re.match(r"'(.*)' is a required property", error.message)):
        path.append(missing[1])
    return path


def _errors_at(errors: list[Any], part: str | int) -> list[Any]:
    kind = "index" if isinstance(part, int) else "property"
    for entry in errors:
        if isinstance(entry, dict) and entry.get(kind) == part:
            return entry["errors"]
    entry = {kind: part, "errors": []}
    errors.append(entry)
    return entry["errors"]
