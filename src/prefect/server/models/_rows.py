"""Reads what both databases hand out: JSON as text, instants as text or datetimes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from prefect.server.database.values import decode_json as loads
from prefect.server.database.values import encode_json

dumps = encode_json


def decode_time(value: Any) -> datetime | None:
    """An instant as a database hands it out."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(f"{value[:26]}+00:00")


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def microseconds(at: datetime) -> int:
    """An instant as `Dialect.microseconds` has it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def decode_id(value: Any) -> UUID | None:
    """An id as a database hands it out."""
    return value if value is None or isinstance(value, UUID) else UUID(value)


def decode_json(row: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    """A row as a dictionary, with these columns read from JSON."""
    values = dict(row)
    for column in columns:
        text = values[column]
        if text is not None:
            values[column] = loads(text)
    return values


def placeholders(count: int) -> str:
    """That many `?`, separated by commas."""
    return ", ".join("?" * count)
