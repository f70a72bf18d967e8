"""Finds the values in a request that a database finds hard, to name them when it has refused one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

_MOST_BITS = 63


def hard_places(value: Any, place: str) -> Iterator[str]:
    """Where there is text with a NUL or with half a surrogate pair, or a whole number of more than 64 bits.

    Args:
        value: What the request holds at `place`.
        place: The path to it, its parts separated by dots.
    """
    if isinstance(value, str):
        if _is_hard(value):
            yield place
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from hard_places(getattr(value, name, None), f"{place}.{name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str) and _is_hard(key):
                yield f"{place} (a key)"
            else:
                yield from hard_places(item, f"{place}.{key}")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for number, item in enumerate(value):
            yield from hard_places(item, f"{place}.{number}")
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        yield place


def _is_hard(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
