"""The options that every way of making a deployment takes, as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyOptions

if TYPE_CHECKING:
    from prefect.deployments._versions import VersionType
    from prefect.schedules import Schedule

Intervals: TypeAlias = Iterable[int | float | timedelta] | int | float | timedelta
Texts: TypeAlias = Iterable[str] | str


class DeploymentOptions(TypedDict, total=False):
    """What may be said of a deployment, whichever way its flow is found."""

    interval: Intervals | None
    cron: Texts | None
    rrule: Texts | None
    paused: bool | None
    schedule: Schedule | None
    schedules: Sequence[Any] | None
    concurrency_limit: int | ConcurrencyLimitConfig | None
    parameters: dict[str, Any] | None
    triggers: list[Any] | None
    description: str | None
    tags: list[str] | None
    version: str | None
    version_type: VersionType | None
    enforce_parameter_schema: bool
    work_pool_name: str | None
    work_queue_name: str | None
    job_variables: dict[str, Any] | None
    _sla: Any


def options_among(arguments: Mapping[str, Any]) -> DeploymentOptions:
    """The options among the arguments of a function that takes them beside others."""
    names = DeploymentOptions.__annotations__
    return DeploymentOptions(**{name: value for name, value in arguments.items() if name in names})  # type: ignore[typeddict-item]


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names that a function gives them, with its defaults.

    Raises:
        TypeError: The function does not take them.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments


def split_limit(limit: int | ConcurrencyLimitConfig | None) -> tuple[int | None, ConcurrencyOptions | None]:
    """How many runs may go at once, and how that limit works; the API keeps them apart."""
    if not isinstance(limit, ConcurrencyLimitConfig):
        return limit, None
    options = ConcurrencyOptions(collision_strategy=limit.collision_strategy)
    if limit.grace_period_seconds is not None:
        options.grace_period_seconds = limit.grace_period_seconds
    return limit.limit, options
