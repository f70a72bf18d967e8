"""Instants: datetimes that always know their time zone."""

from __future__ import annotations

import datetime as _stdlib
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic_core import core_schema

UTC = _stdlib.timezone.utc

if TYPE_CHECKING:
    from typing import TypeAlias

    DateTime: TypeAlias = _stdlib.datetime
    Date: TypeAlias = _stdlib.date
else:

    class _AnyDateTime(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, _stdlib.datetime)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, _stdlib.datetime)

    class DateTime(_stdlib.datetime, metaclass=_AnyDateTime):
        """A `datetime.datetime` that knows its time zone.

        The class stands for the annotation: pydantic reads naive input as UTC. What it makes, and what fields hold,
        are plain `datetime.datetime` objects.
        """

        def __new__(cls, *args: Any, **kwargs: Any) -> _stdlib.datetime:
            return _stdlib.datetime(*args, **kwargs)  # noqa: DTZ001 - as the caller has it

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
            return core_schema.no_info_after_validator_function(in_utc_unless_aware, core_schema.datetime_schema())

    Date = _stdlib.date


def in_utc_unless_aware(value: _stdlib.datetime) -> _stdlib.datetime:
    """Read a naive datetime as UTC; leave others alone."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def now(tz: str | _stdlib.tzinfo = "UTC") -> DateTime:
    """The current instant, in the given time zone."""
    if isinstance(tz, str):
        tz = UTC if tz == "UTC" else ZoneInfo(tz)
    return _stdlib.datetime.now(tz)


def parse_datetime(text: str) -> DateTime:
    """Read an ISO 8601 date or instant; without an offset it is UTC.

    Raises:
        ValueError: The text is no ISO 8601 instant.
    """
    if text.endswith(("Z", "z")):
        text = f"{text[:-1]}+00:00"  # Python 3.10 does not read "Z"
    return in_utc_unless_aware(_stdlib.datetime.fromisoformat(text))


def from_timestamp(seconds: float, tz: str | _stdlib.tzinfo = "UTC") -> DateTime:
    """The instant that many seconds after 1970-01-01T00:00:00Z, in the given time zone."""
    return _stdlib.datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(tz) if isinstance(tz, str) else tz)
