"""Runs steps: functions named in data, whose inputs are templates and whose outputs fill the templates of later ones."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from prefect.deployments.steps._events import emit_step_event
from prefect.deployments.steps._requirements import import_step_function
from prefect.utilities.asyncutils import run_sync_in_worker_thread
from prefect.utilities.templating import apply_values, resolve_block_document_references, resolve_variables

__all__ = ["RESERVED_KEYWORDS", "StepExecutionError", "run_step", "run_steps"]

RESERVED_KEYWORDS: set[str] = {"id", "requires"}
"""Inputs that are for whoever runs a step, not for its function: a name for its outputs, and packages that it needs."""


class StepExecutionError(Exception):
    """A step failed; the cause tells why."""


async def run_step(step: dict[str, Any], upstream_outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run one step.

    In its inputs, `{{ name }}` stands for outputs of earlier steps, `{{ prefect.blocks.type.name }}` for the data of a
    block, `{{ prefect.variables.name }}` for a variable and `{{ $NAME }}` for the environment.

    Args:
        step: The full name of a function, and its keyword arguments, as in `{"package.module.function": {"a": 1}}`;
            `requires` may name packages, which are installed if they are missing.
        upstream_outputs: What earlier steps gave, by name.

    Returns:
        What the function returns.

    Raises:
        ValueError: The step is not of that form.
        Exception: What the function raises.
    """
    name, inputs = split_step(step)
    keywords = {key: inputs[key] for key in inputs.keys() & RESERVED_KEYWORDS}
    inputs = {key: value for key, value in inputs.items() if key not in RESERVED_KEYWORDS}
    inputs = apply_values(inputs, dict(upstream_outputs or {}))
    inputs = await resolve_block_document_references(inputs)
    inputs = await resolve_variables(inputs)
    function = await import_step_function(name, keywords.get("requires"))
    return await _call(function, inputs)


def split_step(step: Any) -> tuple[str, dict[str, Any]]:
    """The name and the inputs of a step.

    Raises:
        ValueError: It is not a mapping of one name to a mapping of inputs.
    """
    if not isinstance(step, Mapping) or not step:
        raise ValueError(
            f"A step is the full name of a function with its inputs, as 'package.function: {{}}', not {step!r}."
        )
    name, inputs = next(iter(step.items()))
    if len(step) > 1:
        extra = ", ".join(str(key) for key in list(step)[1:])
        raise ValueError(
            f"Step has unexpected additional keys: {extra}. Write each step as an item of its own, and indent the inputs "
            f"of {name!r} below it."
        )
    if inputs is None:
        return str(name), {}
    if not isinstance(inputs, Mapping):
        raise ValueError(f"The inputs of step {name!r} are names with values, not {inputs!r}.")
    return str(name), dict(inputs)


async def _call(function: Callable[..., Any], inputs: dict[str, Any]) -> Any:
    # Of a pair of functions, sync and async, the async one.
    function = getattr(function, "aio", function)
    if inspect.iscoroutinefunction(function):
        return await function(**inputs)
    result = await run_sync_in_worker_thread(function, **inputs)
    return await result if inspect.isawaitable(result) else result


async def run_steps(
    steps: list[dict[str, Any]],
    upstream_outputs: dict[str, Any] | None = None,
    print_function: Any = print,
    deployment: Any | None = None,
    flow_run: Any | None = None,
    logger: Any | None = None,
) -> dict[str, Any]:
    """Run steps one after the other, each with the outputs of those before it.

    A step that returns a dictionary adds its keys to the outputs; if it has an `id`, the dictionary stands under that
    name too.

    Args:
        steps: As of `run_step`; empty ones are skipped.
        upstream_outputs: What there is before the first one.
        print_function: Told of each step, and of deprecations with `style="yellow"`.
        deployment: Named in the events of the steps.
        flow_run: The run whose code the steps fetch. Each step emits an event about it.
        logger: Told of each step in the place of `print_function`.

    Returns:
        All outputs.

    Raises:
        StepExecutionError: A step failed; those after it did not run.
        ValueError: A step is not of the right form.
    """
    outputs = dict(upstream_outputs or {})
    for index, step in enumerate(steps):
        if not step:
            continue
        name, inputs = split_step(step)
        short = name.rpartition(".")[2]
        if logger is not None:
            logger.info("Executing deployment step: %s", short)
        else:
            print_function(f" > Running {short} step...")
        try:
            result = await _run_watching_for_deprecations(step, outputs, print_function)
        except Exception as error:
            emit_step_event("failed", index, name, inputs, flow_run, deployment)
            raise StepExecutionError(f"Encountered error while running {name}: {error}") from error
        emit_step_event("executed", index, name, inputs, flow_run, deployment)
        if logger is not None:
            logger.info("Deployment step %r completed successfully", short)
        if isinstance(result, Mapping):
            outputs.update(result)
            if inputs.get("id"):
                outputs[inputs["id"]] = dict(result)
    if logger is not None:
        logger.info("All deployment steps completed successfully")
    return outputs


async def _run_watching_for_deprecations(step: dict[str, Any], outputs: dict[str, Any], print_function: Any) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category=DeprecationWarning)
        result = await run_step(step, outputs)
    for text in dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, DeprecationWarning)):
        if print_function is print:
            print_function(text)
        else:
            print_function(text, style="yellow")
    for each in caught:
        if not issubclass(each.category, DeprecationWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return result
