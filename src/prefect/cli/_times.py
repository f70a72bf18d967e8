"""Instants and spans of time in words."""

from datetime import datetime, timedelta, timezone

_UNITS = [
    ("year", 31_557_600),
    ("month", 2_629_800),
    ("week", 604_800),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
]
"""Names and lengths in seconds, the longest first."""


def relative(instant: datetime, now: datetime | None = None) -> str:
    """How long ago an instant was, or how far ahead it is: "2 minutes ago", "in 5 minutes"."""
    seconds = (instant - (now or datetime.now(timezone.utc))).total_seconds()
    span = _in_words(abs(seconds))
    return f"in {span}" if seconds > 0 else f"{span} ago"


def absolute(instant: datetime) -> str:
    """An instant to the millisecond, in UTC: "2026-01-31 12:00:00.000"."""
    return instant.astimezone(timezone.utc).isoformat(" ", "milliseconds")[:-6]


def span(duration: timedelta) -> str:
    """A span of time: "0.217 s", "1:02:03"."""
    seconds = duration.total_seconds()
    return f"{seconds:.3f} s" if abs(seconds) < 60 else str(timedelta(seconds=round(seconds)))


def _in_words(seconds: float) -> str:
    for name, length in _UNITS:
        if seconds >= length:
            return _counted(int(seconds // length), name)
    return "a few seconds" if seconds < 10 else _counted(int(seconds), "second")


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
