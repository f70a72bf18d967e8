"""Makes of the schedules of a project file what is stored."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from pydantic import ValidationError

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.deployments._project.entries import DeploymentEntry, ProjectError, ScheduleEntry
from prefect.types._datetime import parse_datetime


def schedules_of(entry: DeploymentEntry) -> list[DeploymentScheduleCreate]:
    """The schedules of an entry whose placeholders are filled.

    Raises:
        ProjectError: One of them is not valid.
    """
    return [_stored(each) for each in entry.schedules or () if not each.is_empty]


def _stored(given: ScheduleEntry) -> DeploymentScheduleCreate:
    said = given.model_dump(include={"active", "parameters", "slug", "replaces"}, exclude_none=True)
    try:
        return DeploymentScheduleCreate(schedule=_schedule(given), **said)
    except (ValidationError, ValueError) as error:
        reason = error
        if isinstance(error, ValidationError):
            reason = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        shown = given.model_dump(mode="json", exclude_unset=True)
        raise ProjectError(f"The schedule {json.dumps(shown)} is not valid: {reason}") from error


def _schedule(given: ScheduleEntry) -> SCHEDULE_TYPES:
    zone: dict[str, Any] = {} if given.timezone is None else {"timezone": given.timezone}
    if given.cron is not None:
        days = {} if given.day_or is None else {"day_or": given.day_or}
        return CronSchedule.model_validate({"cron": given.cron, **days, **zone})
    if given.interval is not None:
        anchor = {} if given.anchor_date is None else {"anchor_date": _instant(given.anchor_date)}
        return IntervalSchedule.model_validate({"interval": given.interval, **anchor, **zone})
    rule: dict[str, Any] = {"rrule": given.rrule}
    if (given.rrule or "").lstrip().startswith("{"):
        # A rule may stand as JSON, together with its time zone.
        rule = json.loads(given.rrule or "")
    return RRuleSchedule(**{**rule, **zone})


def _instant(value: Any) -> datetime:
    found = parse_datetime(str(value))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
