"""Makes the names of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def run_name_from(
    template: Any, name: str, parameters: Mapping[str, Any], keyword: str, run: Callable[[Callable[[], Any]], Any]
) -> str:
    """Make a run's name from a template or a callable.

    Raises:
        TypeError: It is neither, or the callable did not return a string.
        ValueError: The template names something that is not a parameter.
    """
    if isinstance(template, str):
        try:
            return template.format(**parameters)
        except (KeyError, AttributeError, IndexError, ValueError) as error:
            raise ValueError(
                f"Cannot make a run name of {name!r} from {keyword}={template!r}: {error!r}. Parameters: {sorted(parameters)}"
            ) from error
    if not callable(template):
        raise TypeError(f"{keyword} of {name!r} must be a string or a callable, not {template!r}.")
    code = getattr(template, "__code__", None)
    takes_parameters = (
        code is not None and "parameters" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    )
    made = run(lambda: template(parameters=dict(parameters)) if takes_parameters else template())
    if not isinstance(made, str):
        raise TypeError(
            f"The callable {template!r} given as {keyword} of {name!r} returned {made!r}; it must return a string."
        )
    return made


def storage_key_from(template: str, parameters: Mapping[str, Any]) -> str:
    """The key that a task's `result_storage_key` makes for one run."""
    from prefect import runtime  # noqa: PLC0415 - only tasks with a templated result key need it

    return template.format(
        flow_run=runtime.flow_run, task_run=runtime.task_run, deployment=runtime.deployment, parameters=parameters
    )
