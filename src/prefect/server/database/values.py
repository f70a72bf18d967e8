"""Turns Python values into what both databases store, the same way for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from pydantic_core import PydanticSerializationError, from_json, to_json

from prefect.server.database.errors import ValueRefused

Params = Sequence[Any] | Mapping[str, Any]

_PLAIN = frozenset({str, int, float, bool, type(None), bytes})


def encode_time(value: datetime) -> str:
    """Render an aware instant as fixed-width UTC text, so that text order is time order."""
    if value.tzinfo is not timezone.utc:
        value = value.astimezone(timezone.utc)
    if value.microsecond:  # then orjson writes the same, in a quarter of the time
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)[1:-1].decode()
    return value.isoformat(timespec="microseconds")[:26] + "Z"


def plain_time(value: datetime) -> datetime | str:
    """An instant as `Transaction.insert_many` takes it: as it is where it becomes fixed-width text by itself."""
    return value if value.microsecond and value.tzinfo is timezone.utc else encode_time(value)


def encode_json(value: Any) -> str:
    """Render a JSON value (models too) as text, which `decode_json` reads.

    Raises:
        ValueRefused: It holds text that is no Unicode, or is nested too deeply.
    """
    try:
        return orjson.dumps(value, default=_jsonable, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError as error:
        if error.__cause__ is None:  # else `_jsonable` has refused, and no request holds what it refuses
            return encode_any_json(value)
        raise


_SLOW = " "
"""What a JSON text begins with that orjson must not read: it makes a float of a whole number of more than 64 bits."""

_SLOW_BEGINNINGS = frozenset({_SLOW, _SLOW.encode()})


def encode_any_json(value: Any, fallback: Callable[[Any], Any] | None = None) -> str:
    """Render what orjson cannot, whole numbers of any size; as `encode_json` otherwise.

    Args:
        fallback: Makes JSON values of what is none.

    Raises:
        ValueRefused: It holds text that is no Unicode, or is nested too deeply.
    """
    try:
        return _SLOW + to_json(value, inf_nan_mode="null", fallback=fallback).decode()
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ValueRefused(f"it cannot be written as JSON: {error}") from error


def decode_json(text: str | bytes) -> Any:
    """Read a JSON text as `encode_json` has written it."""
    return from_json(text) if text[:1] in _SLOW_BEGINNINGS else orjson.loads(text)


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"Cannot store a {type(value).__name__} as JSON: {value!r}")


def encode(value: Any) -> Any:
    """Render one bound parameter."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is UUID:
        return orjson.dumps(value)[1:-1].decode()  # as str(value), in a third of the time
    if kind is datetime:
        return encode_time(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return encode_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):  # subclasses, such as secrets' plain text
        return str(value)
    return encode_json(value)


def encode_params(params: Params) -> Any:
    """Render the parameters of one statement."""
    if isinstance(params, Mapping):
        return {name: value if type(value) in _PLAIN else encode(value) for name, value in params.items()}
    return [value if type(value) in _PLAIN else encode(value) for value in params]
