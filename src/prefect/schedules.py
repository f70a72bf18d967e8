"""Schedules of deployments, as users write them: `Cron`, `Interval` and `RRule`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Cron", "Interval", "RRule", "Schedule"]


@dataclass(frozen=True)
class Schedule:
    """When a deployment runs. Made by `Cron`, `Interval` or `RRule`.

    Args:
        interval: Time between two runs.
        cron: A cron expression.
        rrule: A recurrence rule of RFC 5545, as `FREQ=DAILY;BYHOUR=9`.
        timezone: IANA name of the time zone that the schedule is read in; UTC by default.
        anchor_date: An instant at which an interval schedule runs; its other instants are counted from it.
        day_or: Whether a cron expression that names days of the month and days of the week means either, as cron does,
            or both.
        active: Whether the schedule makes runs.
        parameters: Override the deployment's parameters in the schedule's runs.
        slug: Identifies the schedule within its deployment, when the deployment is updated.

    Raises:
        ValueError: More than one kind of schedule is given, or an expression cannot be read.
    """

    interval: datetime.timedelta | None = None
    cron: str | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(tz=datetime.timezone.utc))
    day_or: bool = True
    active: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    slug: str | None = None

    def __post_init__(self) -> None:
        kinds = [kind for kind in ("interval", "cron", "rrule") if getattr(self, kind) is not None]
        if len(kinds) > 1:
            raise ValueError(f"Only one schedule type can be defined at a time. Found: {', '.join(kinds)}")
        if self.cron is not None:
            _check_cron(self.cron)
        if self.rrule is not None:
            _check_rrule(self.rrule)


def _check_cron(cron: str) -> None:
    from croniter import croniter  # noqa: PLC0415 - a library that few processes need

    if not croniter.is_valid(cron):
        raise ValueError(
            f'Invalid cron string: "{cron}". Expected five fields (minute, hour, day of month, month, day of week),'
            " such as '0 9 * * 1-5', or a shorthand such as '@daily'."
        )
    # These mean something else each time that they are read.
    if any(field.upper().startswith(("R", "H")) for field in cron.split()):
        raise ValueError(f'Random and hashed expressions are unsupported, received: "{cron}"')


def _check_rrule(rrule: str) -> None:
    from dateutil.rrule import rrulestr  # noqa: PLC0415 - a library that few processes need

    try:
        rrulestr(rrule, cache=True)
    except ValueError as error:
        raise ValueError(f'Invalid RRule string "{rrule}": {error}') from error


def Cron(
    cron: str,
    /,
    timezone: str | None = None,
    day_or: bool = True,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule from a cron expression.

    Args:
        cron: The expression, such as `0 9 * * 1-5` or `@daily`.
        timezone: IANA name of the time zone that it is read in; UTC by default.
        day_or: Whether days of the month and days of the week together mean either, as cron does, or both.
        active: Whether the schedule makes runs.
        parameters: Override the deployment's parameters in the schedule's runs.
        slug: Identifies the schedule within its deployment.
    """
    return Schedule(
        cron=cron, timezone=timezone, day_or=day_or, active=active, parameters=dict(parameters or {}), slug=slug
    )


def Interval(
    interval: datetime.timedelta | float | int,
    /,
    anchor_date: datetime.datetime | None = None,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule with equal times between its runs.

    Args:
        interval: Time between two runs; a number is in seconds.
        anchor_date: An instant at which it runs; now by default.
        timezone: IANA name of the time zone in which days are counted, for intervals of a day and more.
        active: Whether the schedule makes runs.
        parameters: Override the deployment's parameters in the schedule's runs.
        slug: Identifies the schedule within its deployment.
    """
    if isinstance(interval, (int, float)):
        interval = datetime.timedelta(seconds=interval)
    return Schedule(
        interval=interval,
        anchor_date=anchor_date or datetime.datetime.now(tz=datetime.timezone.utc),
        timezone=timezone,
        active=active,
        parameters=dict(parameters or {}),
        slug=slug,
    )


def RRule(
    rrule: str,
    /,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule from a recurrence rule of RFC 5545.

    Args:
        rrule: The rule, such as `FREQ=MONTHLY;BYDAY=-1FR`.
        timezone: IANA name of the time zone that it is read in; UTC by default.
        active: Whether the schedule makes runs.
        parameters: Override the deployment's parameters in the schedule's runs.
        slug: Identifies the schedule within its deployment.
    """
    return Schedule(rrule=rrule, timezone=timezone, active=active, parameters=dict(parameters or {}), slug=slug)
