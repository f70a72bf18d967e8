"""Spreads intervals at random, so that many processes do not act at once."""

from __future__ import annotations

import math
import random

__all__ = [
    "bounded_poisson_interval",
    "clamped_poisson_interval",
    "exponential_cdf",
    "lower_clamp_multiple",
    "poisson_interval",
]


def poisson_interval(average_interval: float, lower: float = 0, upper: float = 1) -> float:
    """Return a random interval between the events of a Poisson process.

    Args:
        average_interval: The mean interval.
        lower: The smallest probability to draw, 0..1; above 0 it excludes the shortest intervals.
        upper: The largest probability to draw, 0..1; below 1 it excludes the longest intervals.
    """
    # A probability of one would stand for an endless interval.
    return -math.log(max(1 - random.uniform(lower, upper), 1e-10)) * average_interval


def exponential_cdf(x: float, average_interval: float) -> float:
    """Return the probability that an interval of a Poisson process is at most `x`."""
    return 1 - math.exp(-x / average_interval)


def lower_clamp_multiple(k: float) -> float:
    """Return the lower bound, as a multiple of the mean, that goes with the upper bound `k`.

    Intervals below the one are as likely as those above the other, so cutting off both keeps the mean about where it is.
    """
    if k >= 50:
        # 2 ** k gets too large to be worth computing, and the bound is nothing to speak of.
        return 0.0
    return math.log(max(2**k / (2**k - 1), 1e-10), 2)


def clamped_poisson_interval(average_interval: float, clamping_factor: float = 0.3) -> float:
    """Return a random interval of a Poisson process, without the longest ones.

    Args:
        average_interval: The mean interval.
        clamping_factor: How far above the mean the longest interval is, as a part of the mean.

    Raises:
        ValueError: The factor is not above zero.
    """
    if clamping_factor <= 0:
        raise ValueError(f"`clamping_factor` must be > 0, not {clamping_factor!r}.")
    upper_multiple = 1 + clamping_factor
    bounds = (average_interval * lower_clamp_multiple(upper_multiple), average_interval * upper_multiple)
    return poisson_interval(average_interval, *(exponential_cdf(bound, average_interval) for bound in bounds))


def bounded_poisson_interval(lower_bound: float, upper_bound: float) -> float:
    """Return a random interval of a Poisson process between two bounds, whose mean is the middle of them."""
    average = (lower_bound + upper_bound) / 2
    return poisson_interval(average, exponential_cdf(lower_bound, average), exponential_cdf(upper_bound, average))
