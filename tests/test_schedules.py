import datetime

import pytest

from prefect.schedules import Cron, Interval, RRule, Schedule

UTC = datetime.timezone.utc


def test_cron_keeps_its_options():
    schedule = Cron("0 9 * * 1-5", timezone="Europe/Oslo", day_or=False, active=False, parameters={"a": 1}, slug="week")
    assert (schedule.cron, schedule.timezone, schedule.day_or, schedule.active) == (
        "0 9 * * 1-5",
        "Europe/Oslo",
        False,
        False,
    )
    assert (schedule.parameters, schedule.slug, schedule.interval, schedule.rrule) == ({"a": 1}, "week", None, None)


@pytest.mark.parametrize("cron", ["@daily", "*/5 * * * *", "* * * * * *", "0 0 L * *", "0 0 * * FRI", "0 0 * MAR THU"])
def test_what_cron_knows_is_accepted(cron):
    assert Cron(cron).cron == cron


@pytest.mark.parametrize("cron", ["bad", "60 * * * *", "H * * * *", "R R * * *", "h(0-5) * * * *", ""])
def test_what_cron_does_not_know_or_what_changes_with_each_reading_is_refused(cron):
    with pytest.raises(ValueError, match="cron string|unsupported"):
        Cron(cron)
    with pytest.raises(ValueError):
        Schedule(cron=cron)


def test_an_interval_is_given_in_seconds_or_as_a_duration():
    assert Interval(60).interval == Interval(datetime.timedelta(minutes=1)).interval == datetime.timedelta(seconds=60)
    assert Interval(1.5).interval == datetime.timedelta(milliseconds=1500)


def test_an_interval_is_anchored_now_by_default():
    before = datetime.datetime.now(UTC)
    assert before <= Interval(60).anchor_date <= datetime.datetime.now(UTC)
    anchor = datetime.datetime(2024, 1, 1, tzinfo=UTC)
    assert Interval(60, anchor_date=anchor).anchor_date == anchor


def test_recurrence_rules_are_checked():
    assert RRule("FREQ=MONTHLY;BYDAY=-1FR", timezone="UTC").rrule == "FREQ=MONTHLY;BYDAY=-1FR"
    with pytest.raises(ValueError, match='Invalid RRule string "bad"'):
        RRule("bad")


def test_a_schedule_is_of_one_kind():
    with pytest.raises(ValueError, match="Found: interval, cron"):
        Schedule(cron="* * * * *", interval=datetime.timedelta(1))


def test_parameters_are_not_shared_with_the_caller():
    given = {"a": 1}
    schedule = Cron("* * * * *", parameters=given)
    given["a"] = 2
    assert schedule.parameters == {"a": 1}


def test_schedules_cannot_be_changed():
    with pytest.raises(AttributeError):
        Cron("* * * * *").active = False


def test_expressions_are_given_by_position_only():
    with pytest.raises(TypeError):
        Cron(cron="* * * * *")
