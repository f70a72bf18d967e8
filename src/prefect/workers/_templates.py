"""Merges what a work pool, a deployment and a run say about a job: pure data, nothing is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.utilities.templating import apply_values

ENV = "env"
"""The one variable whose keys are merged, not replaced as a whole."""
_LATER = "ctx."
"""What a name says of the run; it is known when the run is prepared."""


def merge_job_variables(weaker: Mapping[str, Any], stronger: Mapping[str, Any]) -> dict[str, Any]:
    """Lay job variables over others.

    A variable replaces that of the same name; `env` is merged key by key. A dotted name such as `resources.limits.cpu`
    sets one value within what the weaker ones say; where both forms stand side by side, the plain one wins.
    """
    merged = _expanded(weaker)
    for name, value in _expanded(stronger).items():
        if name == ENV:
            merged[name] = _merged_env(merged.get(name), value)
        elif name in stronger or name not in merged:
            merged[name] = value
        else:  # it stood in dotted names only
            merged[name] = _deep(merged[name], value)
    return merged


def _expanded(variables: Mapping[str, Any]) -> dict[str, Any]:
    expanded: dict[str, Any] = {}
    for path, value in variables.items():
        if "." in path:
            nested = value
            for key in reversed(path.split(".")):
                nested = {key: nested}
            expanded = _deep(expanded, nested)
    return _deep(expanded, {name: value for name, value in variables.items() if "." not in name})


def _deep(weaker: Any, stronger: Any) -> Any:
    if not (isinstance(weaker, dict) and isinstance(stronger, dict)):
        return stronger
    merged = dict(weaker)
    for key, value in stronger.items():
        merged[key] = _deep(weaker[key], value) if key in weaker else value
    return merged


def _merged_env(weaker: Any, stronger: Any) -> Any:
    # Some workers take lists of variables; those are not merged.
    if isinstance(weaker, dict) and isinstance(stronger, dict):
        return weaker | stronger
    return stronger


def variable_defaults(base_job_template: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a template's variables have where nobody says another one."""
    properties = base_job_template["variables"].get("properties") or {}
    return {name: about["default"] for name, about in properties.items() if about.get("default") is not None}


def fill_job_configuration(base_job_template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What a template makes of job variables; blocks and variables of the API are still placeholders.

    Args:
        base_job_template: A work pool's: `job_configuration` with placeholders, and the schema of its `variables`.
        values: Job variables of a deployment and its run.

    Raises:
        ValueError: The template lacks one of its parts.
    """
    for part in ("job_configuration", "variables"):
        if not isinstance(base_job_template.get(part), dict):
            raise ValueError(
                f"The base job template has no {part!r}: it needs a mapping for each of 'job_configuration' and "
                f"'variables', but is {dict(base_job_template)!r}. Set another one with `prefect work-pool update`."
            )
    configuration = base_job_template["job_configuration"]
    known = merge_job_variables(variable_defaults(base_job_template), values)
    filled = apply_values(configuration, known)
    literal = configuration.get(ENV)
    if isinstance(literal, dict) and isinstance(known.get(ENV), dict):
        filled[ENV] = filled.get(ENV, {}) | known[ENV]
    if isinstance(configuration.get("name"), str):
        name = apply_values({"name": configuration["name"]}, known, skip_prefixes=[_LATER])
        filled |= name
    return filled


def fill_name(name: str, flow: Any, flow_run: Any) -> str | None:
    """A job's name, with what it says of the flow and the run filled in: `{{ ctx.flow.name }}-{{ ctx.flow_run.id }}`."""
    if "{{" not in name:
        return name
    about = {key: thing.model_dump(mode="json") for key, thing in (("flow", flow), ("flow_run", flow_run)) if thing}
    return apply_values({"name": name}, {"ctx": about}).get("name")
