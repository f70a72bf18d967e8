"""Flows in a file of their own, as those that are deployed are."""

from __future__ import annotations

from prefect import flow


@flow(version="v7")
def etl(x: int = 1, names: list[str] = ["a"]):
    """Move data.

    Args:
        x: How much of it.
    """
    return x


@flow(name="plain flow")
def plain():
    return "plain"


@flow
def takes_anything(value=None):
    return value


class Jobs:
    @flow
    @staticmethod
    def nightly(day: str):
        return day
