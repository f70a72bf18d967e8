"""The kinds of schedule that a deployment can have."""

from prefect.client.schemas.schedules import (
    DEFAULT_ANCHOR_DATE,
    MAX_ITERATIONS,
    AnchorDate,
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    dates_of,
)

__all__ = [
    "DEFAULT_ANCHOR_DATE",
    "MAX_ITERATIONS",
    "SCHEDULE_TYPES",
    "AnchorDate",
    "CronSchedule",
    "IntervalSchedule",
    "RRuleSchedule",
    "dates_of",
]

SCHEDULE_TYPES = IntervalSchedule | CronSchedule | RRuleSchedule
