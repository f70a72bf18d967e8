"""Instants and spans of time in words."""

from datetime import datetime, timedelta, timezone

import pytest

from prefect.cli import _times

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (10, "10 seconds"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (119, "1 minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (86_399, "23 hours"),
        (2 * 86_400, "2 days"),
        (8 * 86_400, "1 week"),
        (40 * 86_400, "1 month"),
        (800 * 86_400, "2 years"),
    ],
)
def test_a_distance_in_time_is_told_in_its_largest_unit(seconds: float, words: str):
    assert _times.relative(NOW - timedelta(seconds=seconds), NOW) == f"{words} ago"
    if seconds:
        assert _times.relative(NOW + timedelta(seconds=seconds), NOW) == f"in {words}"


def test_an_instant_is_told_in_utc():
    elsewhere = timezone(timedelta(hours=-5))
    assert _times.absolute(datetime(2026, 1, 31, 7, 0, 1, 2999, tzinfo=elsewhere)) == "2026-01-31 12:00:01.002"


def test_a_span_is_told_in_seconds_or_as_a_clock_does():
    assert _times.span(timedelta(milliseconds=217)) == "0.217 s"
    assert _times.span(timedelta(hours=1, seconds=2, milliseconds=600)) == "1:00:03"
