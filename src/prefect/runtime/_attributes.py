"""Attributes of a module that are computed when they are read, and that the environment may replace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

type_cast: dict[type, Callable[[str], Any]] = {
    bool: lambda text: text.lower() == "true",
    int: int,
    float: float,
    str: str,
    datetime: lambda text: _as_utc(datetime.fromisoformat(text.replace("Z", "+00:00"))),
    # An attribute that is None here has no type to follow.
    type(None): str,
}


def _as_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def read(kind: str, fields: Mapping[str, Callable[[], Any]], name: str) -> Any:
    """The value of one attribute.

    Args:
        kind: "FLOW_RUN", "TASK_RUN" or "DEPLOYMENT".
        fields: Attribute name -> function that reads it.
        name: The attribute.

    Raises:
        AttributeError: Neither the module nor the environment knows the attribute.
        ValueError: The environment replaces an attribute that is a list or a dictionary.
    """
    variable = f"PREFECT__RUNTIME__{kind}__{name.upper()}"
    replacement = os.environ.get(variable)
    reader = fields.get(name)
    if reader is None:
        if replacement is None:
            raise AttributeError(f"prefect.runtime.{kind.lower()} has no attribute {name!r}; it has {sorted(fields)}")
        return replacement
    value = reader()
    if replacement is None:
        return value
    cast = next((cast for known, cast in type_cast.items() if type(value) is known), None)
    if cast is None and isinstance(value, datetime):
        cast = type_cast[datetime]
    if cast is None:
        raise ValueError(
            f"{variable} cannot replace {name!r}: its value is a {type(value).__name__}, and only text, numbers, booleans "
            "and times can be given in the environment. Unset it."
        )
    return cast(replacement)
