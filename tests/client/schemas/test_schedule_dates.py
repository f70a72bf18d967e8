"""The dates of schedules: across clock changes, between bounds, and where rules never match."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule as dateutil_rrule
from pydantic import ValidationError

from prefect.client.schemas._schedule_dates import with_start
from prefect.client.schemas.schedules import (
    CronSchedule,
    IntervalSchedule,
    NoSchedule,
    RRuleSchedule,
    construct_schedule,
    dates_of,
    is_schedule_type,
    is_valid_timezone,
)

UTC = timezone.utc
NEW_YORK = "America/New_York"
START = datetime(2024, 1, 1, tzinfo=UTC)
SPRING = datetime(2024, 3, 10, 5, tzinfo=UTC)  # midnight in New York; clocks go from 02:00 to 03:00
AUTUMN = datetime(2024, 11, 3, 4, tzinfo=UTC)  # midnight in New York; clocks go from 02:00 to 01:00


def shown(
    schedule: Any, n: int | None = None, start: datetime | None = START, end: datetime | None = None
) -> list[str]:
    return [date.isoformat() for date in dates_of(schedule, n, start, end)]


# -- bounds ----------------------------------------------------------------------------------------------------------

HOURLY = IntervalSchedule(interval=3600, anchor_date="2020-01-01T00:00:00Z")


def test_bounds_are_included():
    assert shown(HOURLY, 5, START, START + timedelta(hours=2)) == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-01T01:00:00+00:00",
        "2024-01-01T02:00:00+00:00",
    ]


@pytest.mark.parametrize("schedule", [HOURLY, CronSchedule(cron="0 * * * *"), RRuleSchedule(rrule="FREQ=HOURLY")])
def test_how_many_dates_come_without_a_number(schedule: Any):
    assert len(dates_of(schedule)) == 1
    assert len(dates_of(schedule, start=START)) == 1
    assert len(dates_of(schedule, start=START, end=START + timedelta(days=90))) == 1000
    assert len(dates_of(schedule, n=5000, start=START)) == 1000
    assert dates_of(schedule, n=0, start=START) == []


@pytest.mark.parametrize("schedule", [HOURLY, CronSchedule(cron="0 * * * *"), RRuleSchedule(rrule="FREQ=HOURLY")])
def test_dates_start_now_and_naive_bounds_are_utc(schedule: Any):
    before = datetime.now(UTC)
    assert before <= dates_of(schedule)[0] <= before + timedelta(hours=1, seconds=1)
    assert dates_of(schedule, 2, datetime(2024, 1, 1)) == dates_of(schedule, 2, START)


async def test_models_give_their_dates():
    for schedule in (HOURLY, CronSchedule(cron="0 * * * *"), RRuleSchedule(rrule="FREQ=HOURLY")):
        assert await schedule.get_dates(2, START) == dates_of(schedule, 2, START)


def test_no_schedule_has_no_dates():
    assert dates_of(NoSchedule(), 3, START) == []


# -- intervals -------------------------------------------------------------------------------------------------------


def test_dates_before_the_anchor_are_counted_back():
    schedule = IntervalSchedule(interval=timedelta(days=3), anchor_date="2025-01-01T00:00:00Z")
    assert shown(schedule, 2) == ["2024-01-01T00:00:00+00:00", "2024-01-04T00:00:00+00:00"]


def test_an_hourly_interval_fires_every_elapsed_hour():
    schedule = HOURLY.model_copy(update={"timezone": NEW_YORK})
    assert shown(schedule, 4, AUTUMN) == [
        "2024-11-03T00:00:00-04:00",
        "2024-11-03T01:00:00-04:00",
        "2024-11-03T01:00:00-05:00",
        "2024-11-03T02:00:00-05:00",
    ]


def test_a_daily_interval_keeps_its_local_hour():
    schedule = IntervalSchedule(interval=86400, anchor_date="2024-11-01T09:00:00-04:00", timezone=NEW_YORK)
    assert shown(schedule, 4, datetime(2024, 11, 1, tzinfo=UTC)) == [
        "2024-11-01T09:00:00-04:00",
        "2024-11-02T09:00:00-04:00",
        "2024-11-03T09:00:00-05:00",
        "2024-11-04T09:00:00-05:00",
    ]
    past = schedule.model_copy(update={"anchor_date": datetime(2025, 1, 1, 14, tzinfo=UTC)})
    assert shown(past, 2, datetime(2024, 11, 2, tzinfo=UTC))[0] == "2024-11-02T09:00:00-04:00"


def test_whole_days_are_local_and_the_rest_is_elapsed_time():
    schedule = IntervalSchedule(interval=36 * 3600, anchor_date="2024-11-01T09:00:00-04:00", timezone=NEW_YORK)
    assert shown(schedule, 4, datetime(2024, 11, 1, tzinfo=UTC)) == [
        "2024-11-01T09:00:00-04:00",
        "2024-11-02T21:00:00-04:00",
        "2024-11-04T09:00:00-05:00",
        "2024-11-05T21:00:00-05:00",
    ]


def test_a_local_hour_that_is_skipped_comes_back_the_next_day():
    schedule = IntervalSchedule(interval=86400, anchor_date="2024-03-08T02:30:00-05:00", timezone=NEW_YORK)
    assert shown(schedule, 3, datetime(2024, 3, 9, tzinfo=UTC)) == [
        "2024-03-09T02:30:00-05:00",
        "2024-03-10T03:30:00-04:00",
        "2024-03-11T02:30:00-04:00",
    ]


def test_short_intervals_and_old_anchors_are_followed_from_where_they_are_needed():
    schedule = IntervalSchedule(interval=timedelta(milliseconds=500), anchor_date="1990-01-01T00:00:00Z")
    assert shown(schedule, 3)[1] == "2024-01-01T00:00:00.500000+00:00"


def test_long_intervals_end_with_the_calendar():
    schedule = IntervalSchedule(interval=timedelta(days=365 * 4000), anchor_date="2020-01-01T00:00:00Z")
    assert len(dates_of(schedule, 10, START)) == 1


@pytest.mark.parametrize(
    ("anchor", "timezone", "expected"),
    [
        ("2020-01-01T00:00:00", None, "UTC"),
        ("2020-01-01T00:00:00-05:00", None, "UTC"),
        (datetime(2020, 1, 1, tzinfo=ZoneInfo("Europe/Paris")), None, "Europe/Paris"),
        (datetime(2020, 1, 1, tzinfo=ZoneInfo("Europe/Paris")), NEW_YORK, NEW_YORK),
    ],
)
def test_the_time_zone_is_that_of_the_anchor_unless_given(anchor: Any, timezone: str | None, expected: str):
    assert IntervalSchedule(interval=60, anchor_date=anchor, timezone=timezone).timezone == expected


@pytest.mark.parametrize("interval", [0, -5, timedelta(0)])
def test_intervals_are_positive(interval: Any):
    with pytest.raises(ValidationError, match="greater than 0"):
        IntervalSchedule(interval=interval)


# -- cron ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 9 * * *", "2024-01-01T09:00:00+00:00"),
        ("@daily", "2024-01-01T00:00:00+00:00"),
        ("@yearly", "2024-01-01T00:00:00+00:00"),
        ("0 0 L * *", "2024-01-31T00:00:00+00:00"),
        ("0 0 * * 5#2", "2024-01-12T00:00:00+00:00"),
        ("0 0 * jul mon-fri", "2024-07-01T00:00:00+00:00"),
        ("*/7 3-5 * * *", "2024-01-01T03:00:00+00:00"),
        ("* * * * * 15", "2024-01-01T00:00:15+00:00"),
        ("0 0 * * 7", "2024-01-07T00:00:00+00:00"),
    ],
)
def test_cron_lines(cron: str, expected: str):
    assert shown(CronSchedule(cron=cron), 1) == [expected]


@pytest.mark.parametrize("cron", ["", "bad", "60 * * * *", "* * * *", "@reboot", "@every 5m"])
def test_what_is_no_cron_line_is_refused(cron: str):
    with pytest.raises(ValidationError, match="Invalid cron string"):
        CronSchedule(cron=cron)


@pytest.mark.parametrize("cron", ["R R * * *", "H H * * *", "R(1-5) * * * *", "r * * * *"])
def test_cron_lines_mean_the_same_for_everyone(cron: str):
    with pytest.raises(ValidationError, match="unsupported"):
        CronSchedule(cron=cron)


def test_days_of_month_and_week_are_alternatives_by_default():
    either = shown(CronSchedule(cron="0 0 13 * 5"), 2)
    both = shown(CronSchedule(cron="0 0 13 * 5", day_or=False), 1)
    assert either == ["2024-01-05T00:00:00+00:00", "2024-01-12T00:00:00+00:00"]
    assert both == ["2024-09-13T00:00:00+00:00"]


def test_a_repeated_local_time_fires_once():
    hourly = CronSchedule(cron="0 * * * *", timezone=NEW_YORK)
    assert shown(hourly, 3, AUTUMN) == [
        "2024-11-03T00:00:00-04:00",
        "2024-11-03T01:00:00-04:00",
        "2024-11-03T02:00:00-05:00",
    ]
    assert shown(hourly, 1, AUTUMN + timedelta(hours=2)) == ["2024-11-03T02:00:00-05:00"]


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "0,15,30 2 * * *"])
@pytest.mark.parametrize("offset", [timedelta(0), timedelta(hours=1, minutes=50), timedelta(hours=2)])
def test_a_skipped_local_time_fires_once_where_the_gap_ends(cron: str, offset: timedelta):
    dates = shown(CronSchedule(cron=cron, timezone=NEW_YORK), 2, SPRING + offset)
    assert dates[0] == "2024-03-10T03:00:00-04:00"
    assert dates[1].startswith("2024-03-11T02:")


def test_a_day_that_is_skipped_fires_once():
    schedule = CronSchedule(cron="0 9 * * *", timezone="Pacific/Apia")  # went over the date line: no 2011-12-30
    dates = dates_of(schedule, 3, datetime(2011, 12, 29, 10, 1, tzinfo=UTC))
    assert [date.strftime("%m-%d %H:%M") for date in dates] == ["12-29 09:00", "12-31 00:00", "12-31 09:00"]


def test_a_line_that_never_matches_has_no_dates():
    assert dates_of(CronSchedule(cron="0 0 31 2 *"), 3, START) == []


# -- recurrence rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "timezone", "expected"),
    [
        ("FREQ=DAILY", "UTC", ["2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"]),
        ("RRULE:FREQ=DAILY", NEW_YORK, ["2024-01-01T00:00:00-05:00", "2024-01-02T00:00:00-05:00"]),
        ("DTSTART:20240101T090000\nRRULE:FREQ=DAILY;COUNT=1", "UTC", ["2024-01-01T09:00:00+00:00"]),
        ("FREQ=DAILY;COUNT=3", "UTC", []),
        ("DTSTART:20200101T000000Z\nFREQ=DAILY;UNTIL=20240101T000000Z", "UTC", ["2024-01-01T00:00:00+00:00"]),
        ("DTSTART:20200101T000000\nFREQ=DAILY;UNTIL=20240101T000000Z", "UTC", ["2024-01-01T00:00:00+00:00"]),
        ("DTSTART;TZID=Europe/Paris:20240101T090000\nFREQ=DAILY;COUNT=1", "UTC", ["2024-01-01T09:00:00+00:00"]),
        ("RDATE:20240105T000000", "UTC", ["2024-01-05T00:00:00+00:00"]),
        (
            "DTSTART:20240101T000000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20240102T000000",
            "UTC",
            ["2024-01-01T00:00:00+00:00", "2024-01-03T00:00:00+00:00"],
        ),
        ("DTSTART:20240101T000000\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY", "UTC", []),
    ],
)
def test_recurrence_rules(rule: str, timezone: str, expected: list[str]):
    assert shown(RRuleSchedule(rrule=rule, timezone=timezone), 2) == expected


def test_dates_of_a_rule_keep_their_local_time():
    schedule = RRuleSchedule(rrule="DTSTART:20241101T090000\nFREQ=DAILY", timezone=NEW_YORK)
    assert [date[11:] for date in shown(schedule, 3, datetime(2024, 11, 2, tzinfo=UTC))] == [
        "09:00:00-04:00",
        "09:00:00-05:00",
        "09:00:00-05:00",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=31;COUNT=3",
        "FREQ=HOURLY;BYMINUTE=1;BYSETPOS=5",
    ],
)
def test_rules_that_never_match_have_no_dates_and_do_not_hang(rule: str):
    assert dates_of(RRuleSchedule(rrule=rule), 3, START) == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("DTSTART:20231220T000000\nFREQ=MINUTELY;INTERVAL=7", "2024-01-01T00:03:00+00:00"),
        ("DTSTART:20200106T090000\nFREQ=WEEKLY;INTERVAL=2", "2024-01-01T09:00:00+00:00"),
        ("FREQ=SECONDLY;COUNT=1000000000", "2024-01-01T00:00:00+00:00"),
    ],
)
def test_old_rules_are_followed_from_where_they_are_needed(rule: str, expected: str):
    schedule = RRuleSchedule(rrule=rule)
    assert shown(schedule, 1) == [expected]
    reference = (
        schedule.to_rrule().after(START, inc=True) if "SECONDLY" not in rule else datetime(2024, 1, 1, tzinfo=UTC)
    )
    assert reference.isoformat() == expected


@pytest.mark.parametrize("rule", ["", "bad", "FREQ=NEVER", "FREQ=DAILY;BYDAY=XX", "A" * 7000])
def test_what_is_no_rule_is_refused(rule: str):
    with pytest.raises(ValidationError, match="Invalid RRule string"):
        RRuleSchedule(rrule=rule)


def test_rules_are_not_longer_than_they_may_be():
    rule = "DTSTART:20200101T000000\nRRULE:FREQ=DAILY\n" + "\n".join(["EXDATE:20200102T000000"] * 400)
    with pytest.raises(ValidationError, match="6500 are allowed"):
        RRuleSchedule(rrule=rule)


def test_rules_of_dateutil_are_written_down():
    paris = ZoneInfo("Europe/Paris")
    rule = dateutil_rrule.rrule(dateutil_rrule.DAILY, dtstart=datetime(2020, 1, 1, tzinfo=paris))
    schedule = RRuleSchedule.from_rrule(rule)
    assert (schedule.rrule, schedule.timezone) == ("DTSTART:20200101T000000\nRRULE:FREQ=DAILY", "Europe/Paris")
    assert schedule.to_rrule().after(START).isoformat() == "2024-01-02T00:00:00+01:00"


def test_sets_of_rules_are_written_down():
    rules = dateutil_rrule.rruleset()
    rules.rrule(dateutil_rrule.rrule(dateutil_rrule.DAILY, count=3, dtstart=datetime(2020, 1, 1)))
    rules.exrule(dateutil_rrule.rrule(dateutil_rrule.WEEKLY, count=1, dtstart=datetime(2020, 1, 1)))
    rules.rdate(datetime(2020, 2, 1))
    rules.exdate(datetime(2020, 1, 2))
    schedule = RRuleSchedule.from_rrule(rules)
    expected = [datetime(2020, 1, 3, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)]
    assert list(schedule.to_rrule()) == expected
    assert dates_of(schedule, 5, datetime(2020, 1, 1, tzinfo=UTC)) == expected


def test_rules_of_one_schedule_start_together():
    rules = dateutil_rrule.rruleset()
    for year in (2020, 2021):
        rules.rrule(dateutil_rrule.rrule(dateutil_rrule.DAILY, count=3, dtstart=datetime(year, 1, 1)))
    with pytest.raises(ValueError, match="too many dtstarts"):
        RRuleSchedule.from_rrule(rules)
    with pytest.raises(ValueError, match="expected dateutil's"):
        RRuleSchedule.from_rrule("FREQ=DAILY")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", "DTSTART:20200101T000000\nFREQ=DAILY"),
        ("DTSTART:20210101T000000\nFREQ=DAILY", "DTSTART:20210101T000000\nFREQ=DAILY"),
        ("FREQ=MINUTELY;INTERVAL=7", "DTSTART:20240613T052400\nFREQ=MINUTELY;INTERVAL=7"),
        ("FREQ=MINUTELY;COUNT=3", "DTSTART:20200101T000000\nFREQ=MINUTELY;COUNT=3"),
        ("RDATE:20240105T000000", "RDATE:20240105T000000"),
    ],
)
def test_rules_are_given_a_start(rule: str, expected: str):
    instant = datetime(2024, 6, 13, 9, 30, 30, tzinfo=UTC)
    assert with_start(rule, NEW_YORK, instant) == expected


# -- one of them -----------------------------------------------------------------------------------------------------


def test_a_schedule_is_built_from_what_is_given():
    assert construct_schedule(interval=60).interval == timedelta(minutes=1)
    assert construct_schedule(interval=60, anchor_date="2020-01-01").anchor_date == datetime(2020, 1, 1, tzinfo=UTC)
    assert construct_schedule(cron="* * * * *", timezone=NEW_YORK).timezone == NEW_YORK
    assert construct_schedule(rrule="FREQ=DAILY").rrule == "FREQ=DAILY"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "must be provided"),
        ({"interval": 60, "cron": "* * * * *"}, "Only one of"),
        ({"cron": "* * * * *", "anchor_date": "2020-01-01"}, "anchor date"),
        ({"timezone": "UTC"}, "timezone can only"),
    ],
)
def test_a_schedule_is_of_one_kind(arguments: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        construct_schedule(**arguments)


def test_kinds_of_schedules_are_recognised():
    assert is_schedule_type(NoSchedule())
    assert not is_schedule_type("* * * * *")


@pytest.mark.parametrize("kind", [{"interval": 60}, {"cron": "* * * * *"}, {"rrule": "FREQ=DAILY"}])
def test_time_zones_of_schedules_are_known(kind: dict[str, Any]):
    model = {"interval": IntervalSchedule, "cron": CronSchedule, "rrule": RRuleSchedule}[next(iter(kind))]
    assert model(**kind, timezone=NEW_YORK)
    with pytest.raises(ValidationError, match='Invalid timezone: "Nope"'):
        model(**kind, timezone="Nope")
    with pytest.raises(ValidationError):
        model(**kind, unknown=1)
    assert is_valid_timezone("UTC")
    assert not is_valid_timezone("../etc")
