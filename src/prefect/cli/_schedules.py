"""Reads a schedule from the options of a command."""

from datetime import datetime
from typing import Any

from prefect.cli import _output
from prefect.cli._api import compose
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.types._datetime import parse_datetime


def schedule_of(
    interval: float | None,
    anchor_date: str | None,
    rrule: str | None,
    cron: str | None,
    day_or: bool,
    timezone: str | None,
) -> SCHEDULE_TYPES | None:
    """The schedule that the options of a command say; None if they say none.

    Args:
        interval: Seconds between two runs.
        anchor_date: From when these are counted, in ISO 8601.
        rrule: A recurrence rule, or a JSON object with `rrule` and `timezone`.
        cron: A cron line.
        day_or: Whether a cron line that names days of both kinds wants either.
        timezone: The name of a time zone.
    """
    given = 3 - [interval, rrule, cron].count(None)
    if given > 1:
        _output.fail("Exactly one of --interval, --rrule, or --cron must be provided.")
    if anchor_date is not None and interval is None:
        _output.fail("An anchor date can only be provided with --interval.")
    if given == 0:
        return None
    zone = {} if timezone is None else {"timezone": timezone}
    if interval is not None:
        anchor = {} if anchor_date is None else {"anchor_date": _instant(anchor_date)}
        return compose(IntervalSchedule, interval=interval, **anchor, **zone)
    if cron is not None:
        return compose(CronSchedule, cron=cron, day_or=day_or, **zone)
    return compose(RRuleSchedule, **{**_rrule(rrule or ""), **zone})


def _instant(text: str) -> datetime:
    try:
        return parse_datetime(text)
    except ValueError:
        _output.fail(f"The anchor date {text!r} is no instant. Write it like 2026-01-31T09:00:00+01:00.")


def _rrule(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        return {"rrule": text}
    # Imported here because few rules are written so.
    import json  # noqa: PLC0415

    try:
        return json.loads(text)
    except ValueError as error:
        _output.fail(f"--rrule is not JSON: {error}.")
