"""Brings the ways in which schedules may be written into the one form in which deployments keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.client.schemas.schedules import SCHEDULE_TYPES, construct_schedule, is_schedule_type
from prefect.schedules import Schedule

FlexibleScheduleList: TypeAlias = Sequence[DeploymentScheduleCreate | dict[str, Any] | SCHEDULE_TYPES]

_ScheduleRequest: TypeAlias = DeploymentScheduleCreate | DeploymentScheduleUpdate


def create_deployment_schedule_create(
    schedule: SCHEDULE_TYPES | Schedule, active: bool | None = True
) -> DeploymentScheduleCreate:
    """The request that adds a schedule to a deployment.

    Args:
        schedule: A schedule as users write it, or as the API keeps it.
        active: Whether it makes runs. A schedule as users write it says so itself.
    """
    if isinstance(schedule, Schedule):
        return DeploymentScheduleCreate.from_schedule(schedule)
    return DeploymentScheduleCreate(schedule=schedule, active=True if active is None else active)


def normalize_to_deployment_schedule(
    schedules: FlexibleScheduleList | None,
) -> list[DeploymentScheduleCreate | DeploymentScheduleUpdate]:
    """Bring each schedule of a list, whichever way it is written, into the form of a request.

    Args:
        schedules: Schedules as users write them (`Cron`, `Interval`, `RRule`), as the API keeps them, requests, or
            dictionaries with the keys of a request. A dictionary without a schedule changes the one of its `slug`.

    Raises:
        ValueError: One of them is no schedule.
    """
    return [_request(each) for each in schedules or ()]


def _request(given: Any) -> _ScheduleRequest:
    if isinstance(given, (DeploymentScheduleCreate, DeploymentScheduleUpdate)):
        return given
    if isinstance(given, Schedule) or is_schedule_type(given):
        return create_deployment_schedule_create(given)
    if isinstance(given, Mapping):
        return _from_mapping(given)
    raise ValueError(
        f"Invalid schedule: {given!r}. Expected a schedule such as Cron('0 9 * * *'), a dictionary such as"
        " {'schedule': {'cron': '0 9 * * *'}, 'active': True}, or a `DeploymentScheduleCreate`."
    )


def _from_mapping(given: Mapping[str, Any]) -> _ScheduleRequest:
    schedule = given.get("schedule")
    if schedule is None:
        if "slug" not in given:
            raise ValueError(
                f"Invalid schedule: {dict(given)!r}. It needs a `schedule`, or the `slug` of an existing one."
            )
        return DeploymentScheduleUpdate(**given)
    if isinstance(schedule, Schedule):
        # What stands beside the schedule has precedence over what it says itself.
        own = DeploymentScheduleCreate.from_schedule(schedule).model_dump(exclude_unset=True, exclude={"schedule"})
        schedule = DeploymentScheduleCreate.from_schedule(schedule).schedule
        return DeploymentScheduleCreate(**{**own, **given, "schedule": schedule})
    return DeploymentScheduleCreate(**given)


def construct_schedules(
    interval: Iterable[int | float | timedelta] | int | float | timedelta | None = None,
    cron: Iterable[str] | str | None = None,
    rrule: Iterable[str] | str | None = None,
    schedule: Schedule | SCHEDULE_TYPES | None = None,
    schedules: FlexibleScheduleList | Sequence[Schedule] | None = None,
) -> list[DeploymentScheduleCreate | DeploymentScheduleUpdate]:
    """The schedules that the options of a deployment describe.

    Args:
        interval: Time between two runs, a number in seconds; several make several schedules.
        cron: A cron line, or several.
        rrule: A recurrence rule, or several.
        schedule: One schedule.
        schedules: Any number of schedules.

    Raises:
        ValueError: More than one of them is given, or one cannot be read.
    """
    options: dict[str, Any] = {
        "interval": interval,
        "cron": cron,
        "rrule": rrule,
        "schedule": schedule,
        "schedules": schedules,
    }
    given = [(name, value) for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise ValueError(
            "Only one of interval, cron, rrule, schedule, or schedules can be provided, got"
            f" {' and '.join(name for name, _ in given)}. Give several schedules as `schedules=[…]`."
        )
    if not given:
        return []
    [(kind, value)] = given
    if kind == "schedules":
        if isinstance(value, (Schedule, Mapping, str)) or not isinstance(value, Iterable):
            raise TypeError(f"`schedules` must be a list of schedules, not {value!r}. Give a single one as `schedule`.")
        return normalize_to_deployment_schedule(list(value))
    if kind == "schedule":
        return normalize_to_deployment_schedule([value])
    values: list[Any] = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    return [DeploymentScheduleCreate(schedule=construct_schedule(**{kind: each}), active=True) for each in values]
