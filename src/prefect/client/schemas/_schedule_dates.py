"""Computes the dates of schedules: pure functions from rules to instants.

Rules speak of the clock on the wall of one time zone. Dates are generated as naive wall times and placed in the zone
one by one: a wall time that occurs twice stands for its first occurrence, one that is skipped for the end of the gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from prefect.types._datetime import UTC, now

if TYPE_CHECKING:
    from dateutil.rrule import rrule, rruleset

MAX_ITERATIONS = 1000
"""The largest number of dates that one call gives."""

_LARGEST_CLOCK_CHANGE = timedelta(hours=26)  # a zone that moves across the date line skips, or repeats, a day
_SEARCH_HORIZON = timedelta(days=50 * 366)
"""How far into the future a rule may have its next date; a rule that never matches must end somewhere."""

_LARGEST_COUNT = 100_000
"""How many dates of a rule with a count and with conditions are followed from its start, as none can be skipped."""

RRULE_ANCHOR = datetime(2020, 1, 1)  # noqa: DTZ001 - a wall time
"""The wall time at which a recurrence rule starts that does not say when."""


def is_valid_timezone(v: str) -> bool:
    """Whether a text is the IANA name of a time zone."""
    try:
        ZoneInfo(v)
    except (ValueError, OSError, LookupError):  # unknown, a path that leaves the database, or a folder in it
        return False
    return True


def take(dates: Iterable[datetime], n: int, first: datetime, last: datetime | None) -> list[datetime]:
    """The first `n` of ascending dates that lie between two instants, without repetitions."""
    taken: list[datetime] = []
    n = min(n, MAX_ITERATIONS)
    newest: datetime | None = None
    for date in dates:
        if len(taken) >= n:
            break
        # Dates of one zone compare by their wall times, and of those some occur twice.
        instant = date.astimezone(UTC)
        if last is not None and instant > last:
            break
        if instant >= first and (newest is None or instant > newest):
            newest = instant
            taken.append(date)
    return taken


# -- wall times ------------------------------------------------------------------------------------------------------


def _place(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clocks of a zone show a wall time."""
    placed = wall.replace(tzinfo=zone)
    instant = placed.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return placed
    return _end_of_gap(instant, zone).astimezone(zone)


def _end_of_gap(after: datetime, zone: tzinfo) -> datetime:
    """The instant of the clock change that lies at most a day before `after`, to the second."""
    low, high = after - _LARGEST_CLOCK_CHANGE, after
    target = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).utcoffset() == target:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _wall_before(first: datetime, zone: tzinfo) -> datetime:
    """A wall time from which on the rules are followed, so that no date at or after `first` is missed."""
    local = first.astimezone(zone)
    wall = local.replace(tzinfo=None)
    changed = (first - _LARGEST_CLOCK_CHANGE).astimezone(zone).utcoffset() != local.utcoffset()
    return wall - _LARGEST_CLOCK_CHANGE if changed else wall


# -- intervals -------------------------------------------------------------------------------------------------------


def interval_dates(interval: timedelta, anchor: datetime, timezone: str, first: datetime) -> Iterator[datetime]:
    """The dates of an interval schedule, from about `first` on: whole days on the wall clock, the rest elapsed time."""
    zone = ZoneInfo(timezone)
    anchor = anchor.astimezone(zone)
    wall = anchor.replace(tzinfo=None)
    days, rest = timedelta(days=interval.days), interval - timedelta(days=interval.days)
    step = (first - anchor - _LARGEST_CLOCK_CHANGE) // interval if days else -((anchor - first) // interval)
    while True:
        try:
            if days:
                # In a gap, `fold=0` reads the wall time with the offset before it: the clock shows it shifted.
                date = (wall + step * days).replace(tzinfo=zone).astimezone(UTC) + step * rest
            else:
                date = anchor.astimezone(UTC) + step * rest
            yield date.astimezone(zone)
        except OverflowError:
            return  # past the year 9999
        step += 1


# -- cron ------------------------------------------------------------------------------------------------------------

_RANDOM_OR_HASHED = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)


def require_cron(expression: str) -> None:
    """Raise `ValueError` unless the text is a cron line that always means the same times."""
    from croniter import croniter  # noqa: PLC0415 - loaded only where a cron line is

    if not expression.startswith("@") and _RANDOM_OR_HASHED.search(expression):
        raise ValueError(f'Random and Hashed expressions are unsupported, received: "{expression}"')
    if not croniter.is_valid(expression):
        raise ValueError(f'Invalid cron string: "{expression}"')


def cron_dates(expression: str, timezone: str, day_or: bool, first: datetime) -> Iterator[datetime]:
    """The dates of a cron line, from about `first` on."""
    from croniter import croniter  # noqa: PLC0415 - loaded only where a cron line is

    zone = ZoneInfo(timezone)
    line = croniter(
        expression,
        _wall_before(first, zone) - timedelta(microseconds=1),  # the line gives what comes after
        day_or=day_or,
        max_years_between_matches=_SEARCH_HORIZON // timedelta(days=366),
    )
    for wall in line.all_next(datetime):
        yield _place(wall, zone)


# -- recurrence rules ------------------------------------------------------------------------------------------------

_ZONE_PARAMETER = re.compile(r";TZID=[^:;\n]*", re.IGNORECASE)
_UTC_MARK = re.compile(r"(\d{8}T\d{6})Z", re.IGNORECASE)
_UNITS: dict[int, timedelta] = {  # by dateutil's number of the frequency
    2: timedelta(weeks=1),
    3: timedelta(days=1),
    4: timedelta(hours=1),
    5: timedelta(minutes=1),
    6: timedelta(seconds=1),
}


def _in_wall_time(text: str) -> str:
    return _UTC_MARK.sub(r"\1", _ZONE_PARAMETER.sub("", text))


def parse_rrule(text: str) -> rrule | rruleset:
    """Read a recurrence rule; its dates are naive wall times.

    Raises:
        ValueError: The text is no recurrence rule.
    """
    from dateutil.rrule import rrulestr  # noqa: PLC0415 - loaded only where a recurrence rule is

    if not text.strip():
        raise ValueError("empty string")
    if re.search(r"\bINTERVAL=[+-]?0+\b", text, re.IGNORECASE):
        raise ValueError("INTERVAL must be at least 1")
    try:
        return rrulestr(_in_wall_time(text), dtstart=RRULE_ANCHOR)
    except ValueError:
        raise
    except Exception as error:  # the parser stumbles over malformed text in many ways
        raise ValueError(f"{type(error).__name__}: {error}") from error


def read_rrule(text: str, timezone: str) -> rrule | rruleset:
    """Read a recurrence rule; its dates are in the time zone."""
    from dateutil.rrule import rruleset  # noqa: PLC0415 - loaded only where a recurrence rule is

    zone = ZoneInfo(timezone)
    rules = parse_rrule(text)
    if not isinstance(rules, rruleset):
        return _rule_in_zone(rules, zone)
    placed = rruleset(cache=True)
    parts: Any = rules
    for rule in parts._rrule:
        placed.rrule(_rule_in_zone(rule, zone))
    for rule in parts._exrule:
        placed.exrule(_rule_in_zone(rule, zone))
    for wall in parts._rdate:
        placed.rdate(wall.replace(tzinfo=zone))
    for wall in parts._exdate:
        placed.exdate(wall.replace(tzinfo=zone))
    return placed


def _rule_in_zone(rule: Any, zone: tzinfo) -> rrule:
    until = None if rule._until is None else rule._until.replace(tzinfo=zone)
    return rule.replace(dtstart=rule._dtstart.replace(tzinfo=zone), until=until)


def format_rrule(rule: Any) -> tuple[str, str]:
    """Write down a rule, or a set of rules, of dateutil: the text, and the name of its time zone.

    Raises:
        ValueError: The rules start at several instants or in several time zones.
    """
    from dateutil.rrule import rrule, rruleset  # noqa: PLC0415 - loaded only where a recurrence rule is

    if isinstance(rule, rrule):
        start: Any = rule._dtstart  # type: ignore[attr-defined] - dateutil has no other way to ask
        return str(rule), _name_of_zone(start.tzinfo)
    if not isinstance(rule, rruleset):
        raise ValueError(f"Cannot write down {rule!r} as a recurrence rule: expected dateutil's rrule or rruleset.")
    parts: Any = rule
    starts = {each._dtstart for each in (*parts._rrule, *parts._exrule)}
    if len(starts) > 1:
        raise ValueError(f"rruleset has too many dtstarts: {starts}. All rules of one schedule start at one instant.")
    zones = {_name_of_zone(date.tzinfo) for date in (*starts, *parts._rdate, *parts._exdate)}
    if len(zones) > 1:
        raise ValueError(f"rruleset has too many dtstart timezones: {zones}. Give all dates in one time zone.")
    lines = [f"DTSTART:{_in_digits(start)}" for start in starts]
    lines += [_rule_line(each) for each in parts._rrule]
    lines += [_rule_line(each).replace("RRULE:", "EXRULE:") for each in parts._exrule]
    lines += [
        f"{name}:{_in_digits(date)}" for name in ("RDATE", "EXDATE") for date in getattr(parts, f"_{name.lower()}")
    ]
    return "\n".join(lines), zones.pop() if zones else "UTC"


def _rule_line(rule: rrule) -> str:
    return str(rule).splitlines()[-1]


def _in_digits(date: datetime) -> str:
    return date.strftime("%Y%m%dT%H%M%S")


def _name_of_zone(zone: tzinfo | None) -> str:
    if zone is None:
        return "UTC"
    # Zones of zoneinfo, pytz and dateutil keep their name in different places.
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or getattr(zone, "_filename", None)
    return str(name or zone.tzname(None) or "UTC").rpartition("zoneinfo/")[2]


def rrule_dates(text: str, timezone: str, first: datetime) -> Iterator[datetime]:
    """The dates of a recurrence rule, from about `first` on."""
    from dateutil.rrule import rruleset  # noqa: PLC0415 - loaded only where a recurrence rule is

    zone = ZoneInfo(timezone)
    begin = _wall_before(first, zone)
    rules: Any = parse_rrule(text)
    if isinstance(rules, rruleset):
        parts: Any = rules
        parts._rrule = [_narrowed(rule, begin) for rule in parts._rrule]
        parts._exrule = [_narrowed(rule, begin) for rule in parts._exrule]
    else:
        rules = _narrowed(rules, begin)
    for wall in rules:
        if wall >= begin:
            yield _place(wall, zone)


_DAY_CONDITIONS = ("bymonth", "bymonthday", "byyearday", "byweekno", "byweekday", "byeaster")
_TIME_CONDITIONS = ("byhour", "byminute", "bysecond")


def _can_match(rule: Any) -> bool:
    """Whether a rule may have dates at all: dateutil follows one that never matches until the year 9999."""
    from dateutil.rrule import DAILY, YEARLY, rrule  # noqa: PLC0415 - loaded only where a recurrence rule is

    if rule._freq < DAILY:
        return True  # few steps lead there
    conditions = rule._original_rule
    # A period has as many dates as its times combine to; a position after these is empty.
    times = [conditions.get(name) or (0,) for name in _TIME_CONDITIONS[rule._freq - DAILY :]]
    size = prod(len(values) if isinstance(values, tuple) else 1 for values in times)
    positions = rule._bysetpos
    if positions and all(abs(position) > size for position in positions):
        return False
    days = {name: conditions[name] for name in _DAY_CONDITIONS if conditions.get(name) is not None}
    return not days or next(iter(rrule(YEARLY, dtstart=RRULE_ANCHOR, **days)), None) is not None


def _narrowed(rule: Any, begin: datetime) -> Iterable[datetime]:
    """The dates of a rule, followed from close to `begin` and into the far future only, so that they come cheaply."""
    if not _can_match(rule):
        return ()
    start, count = rule._dtstart, rule._count
    unit = _UNITS.get(rule._freq)
    if unit is not None and start < begin:
        # A whole number of its intervals keeps what the rule takes from its start: the time, the day of the week.
        stride = unit * rule._interval
        skipped = (begin - start) // stride
        if count is None:
            start += skipped * stride
        elif not any(rule._original_rule.values()):
            start += skipped * stride
            count -= skipped
    horizon = max(begin, start) + _SEARCH_HORIZON
    until = horizon if rule._until is None else min(rule._until, horizon)
    # dateutil does not accept a count together with an end.
    unbounded = rule.replace(dtstart=start, count=None, until=until)
    return unbounded if count is None else islice(unbounded, min(max(count, 0), _LARGEST_COUNT))


def with_start(text: str, timezone: str, instant: datetime | None = None) -> str:
    """Give a recurrence rule that does not say when it starts a start, so that it means the same on every day.

    Rules by the minute or second start at the newest of their dates before `instant` (now, by default): counted from
    years ago, their next date would be far away.
    """
    if re.search(r"DTSTART", text, re.IGNORECASE) or not re.search(r"FREQ=", text, re.IGNORECASE):
        return text
    start = RRULE_ANCHOR
    rules: Any = parse_rrule(text)
    for rule in getattr(rules, "_rrule", [rules])[:1]:
        if rule._freq >= 5 and rule._count is None:
            wall = (instant or now()).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
            stride = _UNITS[rule._freq] * rule._interval
            start += (wall - start) // stride * stride
    return f"DTSTART:{_in_digits(start)}\n{text}"
