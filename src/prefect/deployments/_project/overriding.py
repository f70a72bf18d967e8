"""Lays what the command line says over an entry of a project file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prefect.deployments._project.entries import DeploymentEntry, ProjectError
from prefect.settings import get_current_settings
from prefect.types._datetime import parse_datetime


@dataclass(frozen=True)
class Overrides:
    """Options that are said for one deployment, besides what its entry says."""

    entrypoint: str | None = None
    description: str | None = None
    version: str | None = None
    version_type: str | None = None
    tags: tuple[str, ...] = ()
    concurrency_limit: int | None = None
    collision_strategy: str | None = None
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: tuple[str, ...] = ()
    cron: tuple[str, ...] = ()
    interval: tuple[int, ...] = ()
    rrule: tuple[str, ...] = ()
    anchor_date: str | None = None
    timezone: str | None = None
    triggers: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    enforce_parameter_schema: bool | None = None

    @property
    def are_given(self) -> bool:
        """Whether anything is said."""
        return self != Overrides()


def override(entry: DeploymentEntry, said: Overrides) -> DeploymentEntry:
    """The entry with what is said laid over it. The setting for the default work pool fills in for a missing one.

    Raises:
        ProjectError: A value cannot be read, or the entry has both `schedule` and `schedules`.
    """
    data = entry.said()
    for name in ("entrypoint", "description", "version", "version_type", "enforce_parameter_schema"):
        if (value := getattr(said, name)) is not None:
            data[name] = value
    if said.tags:
        data["tags"] = list(said.tags)
    if said.parameters:
        data["parameters"] = {**(data.get("parameters") or {}), **said.parameters}
    data["work_pool"] = _work_pool(data.get("work_pool") or {}, said)
    _override_limit(data, said)
    _override_schedules(data, said)
    return DeploymentEntry.model_validate(data)


def _work_pool(pool: dict[str, Any], said: Overrides) -> dict[str, Any]:
    name = said.work_pool_name or pool.get("name") or get_current_settings().deployments.default_work_pool_name
    made: dict[str, Any] = {**pool, "name": name}
    if said.work_queue_name is not None:
        made["work_queue_name"] = said.work_queue_name
    if said.job_variables:
        made["job_variables"] = {**(pool.get("job_variables") or {}), **parse_job_variables(said.job_variables)}
    return made


def _override_limit(data: dict[str, Any], said: Overrides) -> None:
    if said.collision_strategy is not None:
        known = data.get("concurrency_limit")
        limit = said.concurrency_limit
        if limit is None:
            limit = known.get("limit") if isinstance(known, dict) else known
        if limit is None:
            raise ProjectError(
                "--collision-strategy says what becomes of runs above a limit: give --concurrency-limit too."
            )
        data["concurrency_limit"] = {"limit": limit, "collision_strategy": said.collision_strategy}
    elif said.concurrency_limit is not None:
        data["concurrency_limit"] = said.concurrency_limit


def _override_schedules(data: dict[str, Any], said: Overrides) -> None:
    single, several = data.get("schedule"), data.get("schedules")
    if single and several is not None:
        raise ProjectError("The entry has both 'schedule' and 'schedules'. Put all of its schedules below 'schedules'.")
    schedules = [each for each in ([single] if single else several or []) if each]
    schedules += [{"interval": each} for each in said.interval]
    schedules += [{"cron": each} for each in said.cron]
    schedules += [_rrule(each) for each in said.rrule]
    if said.timezone is not None:
        schedules = [{**each, "timezone": said.timezone} for each in schedules]
    if said.anchor_date is not None:
        anchor = {"anchor_date": _instant(said.anchor_date)}
        schedules = [{**each, **anchor} if each.get("interval") is not None else each for each in schedules]
    data.pop("schedule", None)
    if schedules or several is not None:
        data["schedules"] = schedules


def _rrule(text: str) -> dict[str, Any]:
    """A rule as the option takes it: RFC 5545, or a JSON object with the rule and its time zone."""
    if not text.lstrip().startswith("{"):
        return {"rrule": text}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ProjectError(f"--rrule {text!r} is not JSON: {error}.") from error
    unknown = found.keys() - {"rrule", "timezone"}
    if unknown or "rrule" not in found:
        raise ProjectError(f"--rrule {text!r} is no rule: as JSON it has a 'rrule', and may have a 'timezone'.")
    return found


def _instant(text: str) -> str:
    try:
        parse_datetime(text)
    except ValueError as error:
        raise ProjectError(
            f"The anchor date {text!r} is no instant. Write it like 2026-01-31T09:00:00+01:00."
        ) from error
    return text


def parse_job_variables(given: Iterable[str]) -> dict[str, Any]:
    """Job variables as the option takes them, each `key=value` or a JSON object.

    Raises:
        ProjectError: One is neither.
    """
    variables: dict[str, Any] = {}
    for text in given:
        if text.lstrip().startswith("{"):
            variables.update(parse_object("--job-variable", text))
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise ProjectError(f"The job variable {text!r} cannot be read. Write it as key=value, or as a JSON object.")
        variables[name.strip()] = value.strip()
    return variables


def parse_parameters(given: Iterable[str], whole: str | None) -> tuple[dict[str, Any], list[str]]:
    """Parameters as the options take them, and the names of those that were read as JSON.

    Args:
        given: Each `key=value`; a value that is JSON is read as such.
        whole: All parameters as a JSON object.

    Raises:
        ProjectError: Both are given, or one cannot be read.
    """
    given = list(given)
    if whole is not None:
        if given:
            raise ProjectError(
                "Can only pass one of `param` or `params` options: --param for each, or --params for all."
            )
        return parse_object("--params", whole), []
    parameters: dict[str, Any] = {}
    as_json: list[str] = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ProjectError(f"The parameter {text!r} cannot be read. Write it as key=value.")
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
        else:
            as_json.append(name)
    return parameters, as_json


def parse_object(option: str, text: str) -> dict[str, Any]:
    """A JSON object that is the value of an option.

    Raises:
        ProjectError: It is none.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ProjectError(f"{option} {text!r} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise ProjectError(f"{option} {text!r} is not a JSON object, such as '{{\"name\": 1}}'.")
    return found
