"""Tasks that make assets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import ParamSpec, Unpack

from prefect.assets.core import Asset

if TYPE_CHECKING:
    from prefect.tasks import MaterializingTask, TaskOptions

P = ParamSpec("P")
R = TypeVar("R")


def materialize(
    *assets: str | Asset, by: str | None = None, **task_kwargs: Unpack[TaskOptions]
) -> Callable[[Callable[P, R]], MaterializingTask[P, R]]:
    """Make a task that makes these assets: `@materialize("s3://bucket/table")`.

    Args:
        assets: The assets, or their keys.
        by: What makes them, such as "dbt".
        task_kwargs: Options of `@task`.

    Raises:
        TypeError: No asset was given.
    """
    if not assets or callable(assets[0]):
        raise TypeError("@materialize needs at least one asset: write @materialize('scheme://key').")

    def decorate(fn: Callable[P, R]) -> MaterializingTask[P, R]:
        from prefect.tasks import MaterializingTask  # noqa: PLC0415 - tasks stand above the assets that they make

        options: dict[str, Any] = dict(task_kwargs)
        options.setdefault("log_prints", None)
        return MaterializingTask(fn, assets=list(assets), materialized_by=by, **options)

    return decorate
