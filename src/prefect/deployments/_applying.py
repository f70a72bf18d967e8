"""Stores a deployment in the API: creates it, or changes what is stored, together with the automations of its triggers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import ValidationError

from prefect import exceptions
from prefect._asking import ask
from prefect._plans import Pair, Plan
from prefect.client._calls import automations as automation_calls
from prefect.client._calls import deployments as calls
from prefect.client._calls.flows import create_flow_from_name
from prefect.client._calls.slas import apply_slas_for_deployment
from prefect.client.base import ServerType, determine_server_type
from prefect.client.schemas.actions import DeploymentScheduleUpdate, DeploymentUpdate
from prefect.client.schemas.objects import VersionInfo
from prefect.deployments._parameters import as_stored
from prefect.deployments._versions import VersionType, infer_version_info
from prefect.deployments.schedules import normalize_to_deployment_schedule
from prefect.exceptions import ObjectNotFound

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.deployments.runner import RunnerDeployment
    from prefect.utilities.callables import ParameterSchema

_SAID_ELSEWHERE = {"name", "flow_name", "storage", "triggers", "version_type"}
"""Fields of a deployment that are stored in another form, or not at all."""


class DeploymentApplyError(RuntimeError):
    """The API refuses a deployment."""

    __module__ = "prefect.deployments.runner"


def apply_plan(
    deployment: RunnerDeployment,
    schedules: list[dict[str, Any]] | None,
    work_pool_name: str | None,
    image: str | None,
    version_info: VersionInfo | None,
) -> Plan[UUID]:
    """Store a deployment. The arguments are those of `RunnerDeployment.apply`."""
    if not deployment.flow_name:
        raise ValueError(f"The deployment {deployment.name!r} has no flow. Give it a `flow_name`.")
    if deployment._sla and determine_server_type() is not ServerType.CLOUD:
        raise ValueError(
            f"The deployment {deployment.full_name!r} has service level agreements, which Prefect Cloud knows only. Leave out"
            " `_sla`."
        )
    fields = _fields_said(deployment)
    if schedules is not None:
        fields["schedules"] = normalize_to_deployment_schedule(schedules)
    if work_pool_name is not None:
        fields["work_pool_name"] = work_pool_name
    if image is not None:
        fields["job_variables"] = {**fields.get("job_variables", {}), "image": image}
    fields.update((yield from _version_plan(deployment, version_info)))
    try:
        id = yield from _store_plan(deployment, fields)
    # The error of HTTP is looked up when one is raised: it loads httpx.
    except (exceptions.PrefectHTTPStatusError, ValidationError) as error:
        raise DeploymentApplyError(
            f"The deployment {deployment.full_name!r} could not be applied: {_reason(error)}"
        ) from error
    yield from _replace_automations_plan(deployment, id)
    if deployment._sla:
        slas = deployment._sla if isinstance(deployment._sla, list) else [deployment._sla]
        yield ask(apply_slas_for_deployment(id, slas))
    return id


def _fields_said(deployment: RunnerDeployment) -> dict[str, Any]:
    said = deployment.model_fields_set - _SAID_ELSEWHERE
    fields = {name: getattr(deployment, name) for name in type(deployment).model_fields if name in said}
    if "parameters" in fields:
        fields["parameters"] = as_stored(fields["parameters"])
    return fields


def _version_plan(deployment: RunnerDeployment, given: VersionInfo | None) -> Plan[dict[str, Any]]:
    if given is not None:
        return {"version_info": given}
    wanted = None if deployment._version_from_flow else deployment.version
    found: VersionInfo = yield Pair(infer_version_info, _infer_in_thread, wanted, deployment.version_type)
    if found.type == VersionType.SIMPLE.value:
        return {"version_info": found.model_copy(update={"version": deployment.version or ""})}
    return {"version_info": found, "version": found.version}


def _store_plan(deployment: RunnerDeployment, fields: dict[str, Any]) -> Plan[UUID]:
    try:
        stored: DeploymentResponse | None = yield ask(calls.read_deployment_by_name(deployment.full_name))
    except ObjectNotFound:
        stored = None
    pool = fields.get("work_pool_name") or (stored.work_pool_name if stored is not None else None)
    _require_work_pool(deployment, fields, pool)
    if deployment._parameter_openapi_schema is not None:
        fields["parameter_openapi_schema"] = _schema(deployment._parameter_openapi_schema)
    steps = _pull_steps(deployment)
    # Workers pull the code and find the flow in it; who serves the deployment has pulled it to the path already.
    fields["pull_steps"] = (steps or None) if pool else None
    if deployment._path is not None:
        fields["path"] = None if pool and steps else deployment._path
    if stored is not None:
        yield ask(calls.update_deployment(stored.id, _update(fields)))
        return stored.id
    flow_id = yield ask(create_flow_from_name(deployment.flow_name or ""))
    fields["pull_steps"] = fields["pull_steps"] or []
    return (
        yield ask(calls.create_deployment(flow_id, deployment.name, **{"enforce_parameter_schema": True, **fields}))
    )


def _require_work_pool(deployment: RunnerDeployment, fields: dict[str, Any], pool: str | None) -> None:
    needing = [name for name in ("work_queue_name", "job_variables") if fields.get(name)]
    if needing and not pool:
        raise ValueError(
            f"The deployment {deployment.full_name!r} has no work pool, but is given {' and '.join(needing)}. An image, a work"
            " queue and job variables mean something to the workers of a pool only: give it a `work_pool_name`."
        )


def _schema(parameters: ParameterSchema) -> dict[str, Any]:
    schema = parameters.model_dump_for_openapi()
    if not parameters.definitions:
        del schema["definitions"]
    return schema


def _pull_steps(deployment: RunnerDeployment) -> list[dict[str, Any]]:
    if deployment.storage is None:
        return []
    steps = deployment.storage.to_pull_step()
    return steps if isinstance(steps, list) else [steps]


def _update(fields: dict[str, Any]) -> DeploymentUpdate:
    if fields.get("schedules") is not None:
        schedules = [each.model_dump(exclude_unset=True) for each in fields["schedules"]]
        fields = {**fields, "schedules": [DeploymentScheduleUpdate(**each) for each in schedules]}
    return DeploymentUpdate(**fields)


def _replace_automations_plan(deployment: RunnerDeployment, id: UUID) -> Plan[None]:
    try:
        yield ask(automation_calls.delete_resource_owned_automations(f"prefect.deployment.{id}"))
    except ObjectNotFound:
        # An API without automations; one that is asked to store some says so below.
        pass
    for trigger in deployment.triggers:
        trigger.set_deployment_id(id)
        yield ask(automation_calls.create_automation(trigger.as_automation()))


def _reason(error: exceptions.PrefectHTTPStatusError | ValidationError) -> str:
    if isinstance(error, ValidationError):
        return str(error)
    try:
        answer = error.response.json()
    except ValueError:
        return str(error)
    details = answer.get("detail") or answer.get("exception_detail")
    if isinstance(details, list):
        return "; ".join(str(each.get("msg", each)) if isinstance(each, dict) else str(each) for each in details)
    return str(details or error)


async def _infer_in_thread(version: str | None, version_type: VersionType | None) -> VersionInfo:
    # It waits for git.
    return await asyncio.to_thread(infer_version_info, version, version_type)
