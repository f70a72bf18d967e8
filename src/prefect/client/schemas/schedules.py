"""The kinds of schedule: an interval, a cron line, or a recurrence rule; and the dates that each of them gives."""

import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self

from prefect.client.schemas import _schedule_dates
from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._schedule_dates import MAX_ITERATIONS as MAX_ITERATIONS
from prefect.client.schemas._schedule_dates import is_valid_timezone as is_valid_timezone
from prefect.types import Date, DateTime
from prefect.types._datetime import UTC, in_utc_unless_aware, now, parse_datetime

if TYPE_CHECKING:
    import dateutil.rrule

MAX_RRULE_LENGTH = 6500
DEFAULT_ANCHOR_DATE = Date(2020, 1, 1)


def _require_timezone(name: str | None) -> str | None:
    if name and not is_valid_timezone(name):
        raise ValueError(f'Invalid timezone: "{name}" (specify in IANA tzdata format, for example, America/New_York)')
    return name


_TimeZoneName = Annotated[str | None, AfterValidator(_require_timezone)]

AnchorDate = DateTime


class _Schedule(PrefectBaseModel):
    model_config = ConfigDict(extra="forbid")


class IntervalSchedule(_Schedule):
    """A run every so often, counted from an anchor.

    Whole days are counted on the clock of the time zone, so that a daily run keeps its hour when clocks change; the
    rest of the interval is elapsed time.

    Attributes:
        interval: Time between two runs, more than zero; seconds in JSON.
        anchor_date: An instant at which a run takes place; runs before it are counted back from it. A naive one is UTC.
        timezone: An IANA name; by default that of the anchor, or UTC.
    """

    interval: Annotated[datetime.timedelta, Field(gt=datetime.timedelta(0))]
    anchor_date: DateTime = Field(default_factory=now)
    timezone: _TimeZoneName = None

    @model_validator(mode="after")
    def _take_timezone_of_anchor(self) -> Self:
        if self.timezone is None:
            zone = self.anchor_date.tzinfo
            self.timezone = zone.key if isinstance(zone, ZoneInfo) else "UTC"
        return self

    async def get_dates(
        self, n: int | None = None, start: datetime.datetime | None = None, end: datetime.datetime | None = None
    ) -> list[DateTime]:
        """The first dates of the schedule, as `dates_of` gives them."""
        return dates_of(self, n, start, end)


class CronSchedule(_Schedule):
    """A run whenever a cron line matches the clock of the time zone.

    Attributes:
        cron: Five fields, a sixth for seconds, or a keyword such as `@daily`.
        timezone: An IANA name; UTC by default.
        day_or: When day of month and day of week are both restricted: whether one of them is enough.
    """

    cron: str
    timezone: _TimeZoneName = None
    day_or: bool = True

    @field_validator("cron")
    @classmethod
    def _require_cron(cls, value: str) -> str:
        _schedule_dates.require_cron(value)
        return value

    async def get_dates(
        self, n: int | None = None, start: datetime.datetime | None = None, end: datetime.datetime | None = None
    ) -> list[DateTime]:
        """The first dates of the schedule, as `dates_of` gives them."""
        return dates_of(self, n, start, end)


class RRuleSchedule(_Schedule):
    """A run whenever a recurrence rule (RFC 5545) gives a date.

    Attributes:
        rrule: The rule, with what belongs to it (`DTSTART`, `RDATE`, `EXDATE`, `EXRULE`); at most 6500 characters.
        timezone: An IANA name, in which all dates of the rule are meant; UTC by default.
    """

    rrule: str
    timezone: str | None = Field(default="UTC", validate_default=True)

    @field_validator("rrule")
    @classmethod
    def _require_rrule(cls, value: str) -> str:
        try:
            _schedule_dates.parse_rrule(value)
        except ValueError as error:
            shown = value if len(value) <= 200 else f"{value[:200]}…"
            raise ValueError(f'Invalid RRule string "{shown}": {error}') from error
        if len(value) > MAX_RRULE_LENGTH:
            raise ValueError(
                f'Invalid RRule string "{value[:40]}…": it has {len(value)} characters, {MAX_RRULE_LENGTH} are allowed'
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _require_timezone(cls, value: str | None) -> str:
        if value and not is_valid_timezone(value):
            raise ValueError(f'Invalid timezone: "{value}"')
        return value or "UTC"

    @classmethod
    def from_rrule(cls, rrule: "dateutil.rrule.rrule | dateutil.rrule.rruleset") -> Self:
        """Write down a rule, or a set of rules, of dateutil.

        Raises:
            ValueError: The rules of the set start at several instants or in several time zones.
        """
        text, timezone = _schedule_dates.format_rrule(rrule)
        return cls(rrule=text, timezone=timezone)

    def to_rrule(self) -> "dateutil.rrule.rrule | dateutil.rrule.rruleset":
        """The rule as an object of dateutil, whose dates are in the schedule's time zone."""
        return _schedule_dates.read_rrule(self.rrule, self.timezone or "UTC")

    async def get_dates(
        self, n: int | None = None, start: datetime.datetime | None = None, end: datetime.datetime | None = None
    ) -> list[DateTime]:
        """The first dates of the schedule, as `dates_of` gives them."""
        return dates_of(self, n, start, end)


class NoSchedule(_Schedule):
    """No schedule at all: an empty object."""


SCHEDULE_TYPES = IntervalSchedule | CronSchedule | RRuleSchedule | NoSchedule


def is_schedule_type(obj: Any) -> TypeGuard[SCHEDULE_TYPES]:
    """Whether an object is a schedule of one of the kinds here."""
    return isinstance(obj, IntervalSchedule | CronSchedule | RRuleSchedule | NoSchedule)


def dates_of(
    schedule: SCHEDULE_TYPES,
    n: int | None = None,
    start: datetime.datetime | None = None,
    end: datetime.datetime | None = None,
) -> list[datetime.datetime]:
    """The dates of a schedule between two instants, both included, in ascending order.

    Args:
        schedule: The schedule.
        n: The largest number of dates; one if there is no end either, else 1000.
        start: The earliest date; the current instant by default. A naive one is UTC.
        end: The latest date. A naive one is UTC.

    Returns:
        Datetimes in the schedule's time zone; the list is empty when the schedule never matches.
    """
    if n is None:
        n = 1 if end is None else MAX_ITERATIONS
    first = in_utc_unless_aware(start) if start is not None else now()
    last = in_utc_unless_aware(end) if end is not None else None
    if isinstance(schedule, IntervalSchedule):
        dates = _schedule_dates.interval_dates(
            schedule.interval, schedule.anchor_date, schedule.timezone or "UTC", first
        )
    elif isinstance(schedule, CronSchedule):
        dates = _schedule_dates.cron_dates(schedule.cron, schedule.timezone or "UTC", schedule.day_or, first)
    elif isinstance(schedule, RRuleSchedule):
        dates = _schedule_dates.rrule_dates(schedule.rrule, schedule.timezone or "UTC", first)
    else:
        return []
    return _schedule_dates.take(dates, n, first, last)


def construct_schedule(
    interval: int | float | datetime.timedelta | None = None,
    anchor_date: datetime.datetime | str | None = None,
    cron: str | None = None,
    rrule: str | None = None,
    timezone: str | None = None,
) -> SCHEDULE_TYPES:
    """Make the schedule that the arguments describe.

    Args:
        interval: Time between two runs; a number is seconds.
        anchor_date: Where the interval is counted from: an instant, or its ISO 8601 form.
        cron: A cron line.
        rrule: A recurrence rule.
        timezone: An IANA name.

    Raises:
        ValueError: Not exactly one of `interval`, `cron` and `rrule` is given, or `anchor_date` without `interval`.
    """
    given = [name for name, value in (("interval", interval), ("cron", cron), ("rrule", rrule)) if value is not None]
    if len(given) > 1:
        raise ValueError(f"Only one of interval, cron, or rrule can be provided, got {' and '.join(given)}.")
    if anchor_date is not None and interval is None:
        raise ValueError(f"An anchor date can only be provided with an interval schedule, got {anchor_date!r}.")
    if timezone and not given:
        raise ValueError(f"A timezone can only be provided with interval, cron, or rrule, got {timezone!r}.")
    if interval is not None:
        anchor = (
            parse_datetime(anchor_date) if isinstance(anchor_date, str) else anchor_date or datetime.datetime.now(UTC)
        )
        length = interval if isinstance(interval, datetime.timedelta) else datetime.timedelta(seconds=interval)
        return IntervalSchedule(interval=length, anchor_date=anchor, timezone=timezone)
    if cron is not None:
        return CronSchedule(cron=cron, timezone=timezone)
    if rrule is not None:
        return RRuleSchedule(rrule=rrule, timezone=timezone)
    raise ValueError("Either interval, cron, or rrule must be provided")
