"""Fills the placeholders of an entry: from the API and the environment first, from what steps gave later."""

from __future__ import annotations

import os
from typing import Any

from prefect.utilities.annotations import NotSet
from prefect.utilities.templating import (
    PlaceholderType,
    apply_values,
    find_placeholders,
    get_from_dict,
    resolve_block_document_references,
    resolve_variables,
)

_AT_RUN_TIME = ["ctx."]
"""Names that are filled when a run begins."""
_STEPS = ("build", "push", "pull")


async def fill_from_surroundings(section: dict[str, Any]) -> dict[str, Any]:
    """Fill the placeholders of blocks, variables and the environment.

    Those in steps stay, which fill them themselves. In job variables, blocks whose value is text are left to the worker,
    so that a secret is not stored with the deployment.

    Args:
        section: An entry as it stands in the file.
    """
    steps, triggers = _taken_out(section)
    variables = (section.get("work_pool") or {}).get("job_variables")
    rest = {name: value for name, value in section.items() if name not in _STEPS}
    if variables:
        rest["work_pool"] = {name: value for name, value in rest["work_pool"].items() if name != "job_variables"}
    rest = await resolve_block_document_references(rest)
    if variables:
        rest["work_pool"]["job_variables"] = await resolve_block_document_references(
            variables, value_transformer=lambda placeholder, value: placeholder if isinstance(value, str) else value
        )
    rest = await resolve_variables(rest)
    filled: Any = apply_values(rest, dict(os.environ), remove_notset=False, skip_prefixes=_AT_RUN_TIME)
    return _put_back({**filled, **steps}, triggers)


def fill_from_steps(section: dict[str, Any], outputs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Fill what is left with the outputs of steps; what has no value is left out.

    Returns:
        The section, and the names that nothing has filled.
    """
    steps, triggers = _taken_out(section)
    rest = {name: value for name, value in section.items() if name not in _STEPS}
    unknown = sorted(
        placeholder.name
        for placeholder in find_placeholders(rest)
        if placeholder.type in (PlaceholderType.STANDARD, PlaceholderType.ENV_VAR)
        and not placeholder.name.startswith(tuple(_AT_RUN_TIME))
        and get_from_dict(outputs, placeholder.name, NotSet) is NotSet
    )
    filled = apply_values(rest, outputs, skip_prefixes=_AT_RUN_TIME)
    return _put_back({**filled, **steps}, triggers), unknown


def fill_pull_steps(steps: list[dict[str, Any]], outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Fill pull steps with the outputs of the steps before them, and with the environment.

    Blocks, variables, and what is not known yet, are filled when they run.
    """
    filled: Any = apply_values(steps, outputs, remove_notset=False, skip_prefixes=_AT_RUN_TIME)
    return filled


def _taken_out(section: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The parts of a section that are no templates of the deployment: its steps, and the parameters of its triggers."""
    steps = {name: section[name] for name in _STEPS if name in section}
    kept = [trigger.get("parameters") for trigger in section.get("triggers") or ()]
    if any(kept):
        # They may hold templates that are filled with the event of the trigger.
        bare = [{key: value for key, value in each.items() if key != "parameters"} for each in section["triggers"]]
        section["triggers"] = bare
    return steps, kept


def _put_back(section: dict[str, Any], kept: list[Any]) -> dict[str, Any]:
    if any(kept):
        section["triggers"] = [
            each if parameters is None else {**each, "parameters": parameters}
            for each, parameters in zip(section["triggers"], kept, strict=True)
        ]
    return section
