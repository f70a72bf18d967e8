"""Random intervals."""

import statistics

import pytest

from prefect.utilities.math import (
    bounded_poisson_interval,
    clamped_poisson_interval,
    exponential_cdf,
    lower_clamp_multiple,
    poisson_interval,
)


def test_intervals_have_the_mean_that_was_asked_for():
    intervals = [poisson_interval(10) for _ in range(20_000)]
    assert min(intervals) >= 0
    assert statistics.mean(intervals) == pytest.approx(10, rel=0.1)


def test_the_longest_interval_is_finite():
    assert 0 < poisson_interval(1, lower=1) < 100


@pytest.mark.parametrize("factor", [0.1, 0.3, 1, 5])
def test_clamped_intervals_stay_below_their_bound(factor):
    intervals = [clamped_poisson_interval(10, factor) for _ in range(5_000)]
    assert max(intervals) <= 10 * (1 + factor) * 1.0001
    assert min(intervals) >= 10 * lower_clamp_multiple(1 + factor) * 0.9999
    assert statistics.mean(intervals) == pytest.approx(10, rel=0.15)


def test_both_ends_that_are_cut_off_are_as_likely():
    lower = lower_clamp_multiple(1.3)
    assert exponential_cdf(lower, 1 / 0.6931471805599453) == pytest.approx(
        1 - exponential_cdf(1.3, 1 / 0.6931471805599453)
    )
    assert lower_clamp_multiple(1) == 1
    assert lower_clamp_multiple(60) == 0


def test_a_clamp_leaves_something():
    with pytest.raises(ValueError, match="clamping_factor"):
        clamped_poisson_interval(10, 0)


def test_bounded_intervals_stay_between_their_bounds():
    intervals = [bounded_poisson_interval(2, 8) for _ in range(2_000)]
    assert 1.999 <= min(intervals) and max(intervals) <= 8.001
