"""Shows one object for people: a line for each of its fields that says something."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import click
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from prefect.cli import _times

_LONGEST_VALUE = 80
"""JSON that is longer is spread over several lines."""


class _Inner(dict[str, Any]):
    """The fields of an object that is inside another; unlike a dictionary of the user, it is not shown as JSON."""


def show(thing: BaseModel | dict[str, Any]) -> None:
    """Print the fields of an object, leaving out empty ones, or all items of a dictionary."""
    fields = _told_fields(thing) if isinstance(thing, BaseModel) else thing
    # Not wrapped: ids and other values stay in one piece for copying.
    click.echo("\n".join(_lines(fields)))


def _told_fields(model: BaseModel, is_inner: bool = False) -> _Inner:
    """The fields that are not empty; of what is inside another object, not those that are zero or false either."""
    told = _Inner()
    for name, value in model:
        if is_inner and not value:
            continue
        shown = _told_fields(value, is_inner=True) if isinstance(value, BaseModel) else value
        if shown is not None and shown not in ("", [], {}, set()):
            told[name] = shown
    return told


def _lines(fields: dict[str, Any]) -> Iterator[str]:
    width = max(map(len, fields), default=0) + 1
    for name, value in fields.items():
        lines = list(_lines(value)) if isinstance(value, _Inner) else _text(value).split("\n")
        if len(lines) > 1 or isinstance(value, _Inner):
            yield f"{name}:"
            yield from (f"  {line}" for line in lines)
        else:
            yield f"{name + ':':<{width}} {lines[0]}".rstrip()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{_times.absolute(value)} UTC ({_times.relative(value)})"
    if isinstance(value, timedelta):
        return _times.span(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value
    plain = to_jsonable_python(value, fallback=str)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, list) and all(isinstance(item, str) for item in plain):
        return ", ".join(plain)
    short = json.dumps(plain, ensure_ascii=False)
    return short if len(short) <= _LONGEST_VALUE else json.dumps(plain, indent=2, ensure_ascii=False)
