"""Which runs a schedule wants: how far ahead, how many, and at which hours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.server.models.scheduling import Horizon, planned_dates

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def dates(schedule, start=NOON, **bounds):
    settings = {"end": start + 100 * DAY, "min_time": HOUR, "min_runs": 3, "max_runs": 100}
    return planned_dates(DeploymentSchedule(schedule=schedule), Horizon(start, **{**settings, **bounds}))


def every(interval, anchor="2026-01-01T00:00:00Z", **fields):
    return {"interval": interval, "anchor_date": anchor, **fields}


def test_at_least_so_many_runs_are_wanted():
    assert dates(every(DAY)) == [NOON + DAY / 2 + n * DAY for n in range(3)]


def test_at_least_so_long_ahead_runs_are_wanted():
    assert dates(every(MINUTE)) == [NOON + n * MINUTE for n in range(61)]
    assert dates(every(7 * MINUTE))[-2] < NOON + HOUR <= dates(every(7 * MINUTE))[-1]


def test_never_more_than_so_many_runs_are_wanted():
    assert dates(every(1), max_runs=100) == [NOON + timedelta(seconds=n) for n in range(100)]
    assert len(dates(every(DAY), max_runs=2)) == 2
    assert dates(every(DAY), max_runs=0) == []
    assert dates(every(DAY), max_runs=-1) == []


def test_never_further_ahead_than_so_long_runs_are_wanted():
    assert len(dates(every(60 * DAY, anchor=NOON))) == 2
    assert dates({"cron": "0 0 1 1 *"}) == []
    assert dates(every(DAY), end=NOON - DAY) == []


def test_nothing_before_the_start_is_wanted():
    assert dates(every(HOUR), start=NOON + MINUTE)[0] == NOON + HOUR
    assert dates(every(HOUR))[0] == NOON


def test_a_rule_that_ends_wants_no_more():
    rule = {"rrule": "DTSTART:20260601T110000\nRRULE:FREQ=HOURLY;COUNT=3"}
    assert dates(rule) == [NOON, NOON + HOUR]
    assert dates({"rrule": "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;COUNT=2"}) == []


def test_a_rule_that_never_matches_wants_nothing():
    assert dates({"rrule": "DTSTART:20200101T000000\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}) == []


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "0 9 * * *", "timezone": "America/New_York"},
        {"interval": DAY, "anchor_date": "2026-01-01T09:00:00-05:00", "timezone": "America/New_York"},
        {"rrule": "DTSTART:20260101T090000\nRRULE:FREQ=DAILY", "timezone": "America/New_York"},
    ],
    ids=["cron", "interval", "rrule"],
)
@pytest.mark.parametrize("change", [datetime(2026, 3, 8), datetime(2026, 11, 1)], ids=["spring", "autumn"])  # noqa: DTZ001 - wall times
def test_a_local_hour_is_kept_when_the_clocks_change(schedule, change):
    zone = ZoneInfo("America/New_York")
    start = (change - 2 * DAY).replace(tzinfo=zone)
    local = [date.astimezone(zone).replace(tzinfo=None) for date in dates(schedule, start, min_runs=5)]
    assert local == [change.replace(hour=9) + (n - 2) * DAY for n in range(5)]


def test_an_hour_that_is_repeated_is_scheduled_by_elapsed_time_or_once():
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 11, 1, 0, tzinfo=zone).astimezone(timezone.utc)
    elapsed = dates({"interval": HOUR, "anchor_date": start.isoformat(), "timezone": zone.key}, start, min_runs=5)
    assert [date - start for date in elapsed] == [n * HOUR for n in range(5)]
    on_the_clock = dates({"cron": "0 * * * *", "timezone": zone.key}, start, min_runs=5)
    assert [date - start for date in on_the_clock] == [n * HOUR for n in (0, 1, 3, 4, 5)]


def test_an_hour_that_is_skipped_is_scheduled_once_after_the_gap():
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 3, 8, 0, tzinfo=zone).astimezone(timezone.utc)
    found = dates({"cron": "30 2 * * *", "timezone": zone.key}, start, min_runs=2)
    local = [date.astimezone(zone).replace(tzinfo=None) for date in found]
    assert local == [datetime(2026, 3, 8, 3, 0), datetime(2026, 3, 9, 2, 30)]  # noqa: DTZ001 - wall times
