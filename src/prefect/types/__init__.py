"""Annotated scalars: the small types that settings, models and user code share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, Secret, TypeAdapter
from pydantic_core import from_json

from prefect.types._datetime import Date, DateTime
from prefect.types.names import (
    BANNED_CHARACTERS,
    MAX_VARIABLE_NAME_LENGTH,
    WITHOUT_BANNED_CHARACTERS,
    Name,
    NameOrEmpty,
    NonEmptyishName,
    URILike,
    ValidAssetKey,
)

__all__ = [
    "BANNED_CHARACTERS",
    "MAX_VARIABLE_NAME_LENGTH",
    "MAX_VARIABLE_VALUE_LENGTH",
    "WITHOUT_BANNED_CHARACTERS",
    "ClientRetryExtraCodes",
    "Date",
    "DateTime",
    "JsonStringOrDict",
    "KeyValueLabelsField",
    "ListOfNonEmptyStrings",
    "LogLevel",
    "Name",
    "NameOrEmpty",
    "NonEmptyishName",
    "NonNegativeFloat",
    "NonNegativeInteger",
    "NonNegativeTimeDelta",
    "PositiveInteger",
    "SecondsTimeDelta",
    "SecretDict",
    "StatusCode",
    "StrictVariableValue",
    "TaskRetryDelaySeconds",
    "URILike",
    "ValidAssetKey",
]

T = TypeVar("T")

# -- numbers ---------------------------------------------------------------------------------------------------------

NonNegativeInteger = Annotated[int, Field(ge=0)]
PositiveInteger = Annotated[int, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0.0)]
StatusCode = Annotated[int, Field(ge=100, le=599)]

# -- times -----------------------------------------------------------------------------------------------------------


def _require_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(
            f"Unknown time zone {name!r}: expected an IANA name, for example 'America/New_York'."
        ) from error
    return name


TimeZone = Annotated[str, AfterValidator(_require_time_zone), Field(default="UTC")]


def _seconds_to_timedelta(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return timedelta(seconds=float(value))
        except ValueError:
            return value  # an ISO 8601 duration, or nothing that pydantic accepts
    return value


SecondsTimeDelta = Annotated[timedelta, BeforeValidator(_seconds_to_timedelta)]


def _require_non_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError(f"schedule_after must be non-negative, got {value.total_seconds()} seconds")
    return value


NonNegativeTimeDelta = Annotated[timedelta, AfterValidator(_require_non_negative)]

# -- values of variables ---------------------------------------------------------------------------------------------

MAX_VARIABLE_VALUE_LENGTH = 5000

VariableValue = str | int | bool | float | dict[str, Any] | list[Any] | None


def check_variable_value(value: object) -> object:
    """Return the value if it can be the value of a variable: JSON of at most 5000 characters.

    Raises:
        ValueError: The value has no JSON form, or a longer one.
    """
    try:
        # Integers may be of any size, which faster encoders refuse.
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("Variable value must be serializable to JSON") from error
    if len(text) > MAX_VARIABLE_VALUE_LENGTH:
        raise ValueError(f"Variable value must be less than {MAX_VARIABLE_VALUE_LENGTH} characters")
    return value


StrictVariableValue = Annotated[VariableValue, BeforeValidator(check_variable_value)]

# -- texts that stand for something else -----------------------------------------------------------------------------

LaxUrl = Annotated[str, BeforeValidator(str)]


def _read_json_text(value: Any) -> Any:
    return from_json(value) if isinstance(value, str | bytes) else value


JsonStringOrDict = Annotated[dict[str, str], BeforeValidator(_read_json_text)]
ListOfNonEmptyStrings = Annotated[
    list[str],
    BeforeValidator(lambda value: [str(item) for item in value if item] if hasattr(value, "__iter__") else value),
]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


class SecretDict(Secret[dict[str, Any]]):
    """A dictionary whose values are shown to nobody who does not ask for them."""


def validate_set_T_from_delim_string(value: str | T | set[T] | None, type_: Any, delim: str | None = None) -> set[T]:
    """Read a set from a text such as `"500,502"`, from one value, or from several.

    Args:
        value: The text, value or values; `None` and an empty text give the empty set.
        type_: What each member has to be.
        delim: What separates the members in a text; a comma by default.
    """
    if not value and value != 0:
        return set()
    adapter: TypeAdapter[T] = TypeAdapter(type_)
    validate: Callable[[Any], T] = adapter.validate_python
    if isinstance(value, str):
        return {validate(part.strip()) for part in value.split(delim or ",")}
    if isinstance(value, set | list | tuple | frozenset):
        return {validate(member) for member in value}
    return {validate(value)}


ClientRetryExtraCodes = Annotated[
    str | StatusCode | set[StatusCode] | None,
    BeforeValidator(partial(validate_set_T_from_delim_string, type_=StatusCode)),
]


def parse_retry_delay_input(value: Any) -> Any:
    """Read a retry delay from a text: a number of seconds, or several separated by commas.

    Raises:
        ValueError: A part of the text is not a number.
    """
    if not isinstance(value, str):
        return value
    delays = []
    for part in value.split(","):
        if text := part.strip():
            try:
                delays.append(float(text))
            except ValueError as error:
                raise ValueError(f"Invalid number format {text!r} for retry delay.") from error
    if not delays:
        return None
    return delays[0] if len(delays) == 1 else delays


TaskRetryDelaySeconds = Annotated[str | int | float | list[float] | None, BeforeValidator(parse_retry_delay_input)]

# -- labels ----------------------------------------------------------------------------------------------------------

_Label = bool | int | float | str


def cast_none_to_empty_dict(value: Any) -> dict[str, Any]:
    """Read `None` as `{}`."""
    return {} if value is None else value


def convert_none_to_empty_dict(v: dict[str, _Label] | None) -> dict[str, _Label]:
    """Read `None`, and anything else that is empty, as `{}`."""
    return v or {}


KeyValueLabels = Annotated[dict[str, _Label], BeforeValidator(cast_none_to_empty_dict)]
KeyValueLabelsField = Annotated[
    KeyValueLabels, Field(default_factory=dict), BeforeValidator(convert_none_to_empty_dict)
]
