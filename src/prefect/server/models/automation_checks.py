"""What an automation must not be: one that starts runs for ever, or one whose templates can never be rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefect.events.actions import CallWebhook, RunDeployment, SendNotification
from prefect.events.schemas.events import RESOURCE_ID, Resource
from prefect.server.database.store import Transaction
from prefect.server.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.server.models._deployment_rows import read_record
from prefect.server.models.deployment_queues import read_variables_schema
from prefect.server.models.errors import InvalidRequest, NotFound
from prefect.server.models.parameter_checks import require_valid_job_variables
from prefect.utilities._sandboxed_templates import TemplateProblem, check_syntax
from prefect.utilities.schema_tools import HydrationContext, HydrationError, hydrate

_STARTS_OF_RUNS = frozenset(
    {"prefect.flow-run.Scheduled", "prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.*"}
)
_ACTION_LISTS = ("actions", "actions_on_trigger", "actions_on_resolve")


def require_sound(tx: Transaction, automation: AutomationCore) -> None:
    """Check what the types of an automation do not.

    Raises:
        InvalidRequest: It would start runs without an end, or holds a template that is none.
        NotFound: It runs a deployment with job variables, and there is no such deployment.
        Invalid: These job variables do not fit the deployment's work pool.
    """
    problems = [*_endless_runs(automation), *_bad_templates(automation)]
    if problems:
        raise InvalidRequest(problems, None)
    for name in _ACTION_LISTS:
        for action in getattr(automation, name):
            if isinstance(action, RunDeployment) and action.job_variables and action.deployment_id is not None:
                _require_valid_job_variables(tx, action)


def _require_valid_job_variables(tx: Transaction, action: RunDeployment) -> None:
    assert action.deployment_id is not None
    record = read_record(tx, action.deployment_id)
    if record is None:
        raise NotFound(f"Deployment {str(action.deployment_id)!r} not found.")
    schema = read_variables_schema(tx, record["work_queue_id"])
    require_valid_job_variables(
        {**record["job_variables"], **(action.job_variables or {})}, schema, ignore_required=True
    )


def _problem(location: list[str | int], message: str, value: Any = None) -> dict[str, Any]:
    return {"type": "value_error", "loc": ["body", *location], "msg": f"Value error, {message}", "input": value}


# -- runs that start runs --------------------------------------------------------------------------------------------


def _endless_runs(automation: AutomationCore) -> Iterator[dict[str, Any]]:
    trigger = automation.trigger
    if not automation.enabled or not isinstance(trigger, EventTrigger) or trigger.posture is not Posture.Reactive:
        return
    if not trigger.expect & _STARTS_OF_RUNS:
        return
    for number, action in enumerate(automation.actions):
        if not isinstance(action, RunDeployment):
            continue
        if action.source == "inferred":
            yield _problem(
                ["actions", number],
                "Every run that this starts would fire it again: it runs the deployment of a flow run that starts. "
                "Select a deployment, and narrow `match` or `match_related` down to other flow runs.",
            )
        elif _covers_every_flow_run(trigger):
            yield _problem(
                ["actions", number],
                "The runs that this starts may fire it again: it looks at every flow run that starts. Narrow `match` "
                "or `match_related` down to flow runs that are not of the deployment which it runs.",
            )


def _covers_every_flow_run(trigger: EventTrigger) -> bool:
    related = trigger.match_related if isinstance(trigger.match_related, list) else [trigger.match_related]
    if any(specification.root for specification in related):
        return False
    # No flow run has this id; only a pattern for all of them covers it.
    return trigger.match.includes([Resource({RESOURCE_ID: "prefect.flow-run.any-of-them"})])


# -- templates -------------------------------------------------------------------------------------------------------


def _bad_templates(automation: AutomationCore) -> Iterator[dict[str, Any]]:
    for name in _ACTION_LISTS:
        for number, action in enumerate(getattr(automation, name)):
            place: list[str | int] = [name, number]
            match action:
                case SendNotification():
                    yield from _bad_text([*place, "subject"], action.subject)
                    yield from _bad_text([*place, "body"], action.body)
                case CallWebhook():
                    yield from _bad_text([*place, "payload"], action.payload)
                case RunDeployment():
                    yield from _bad_parameters([*place, "parameters"], action.parameters or {})
                case _:
                    pass


def _bad_text(place: list[str | int], text: str) -> Iterator[dict[str, Any]]:
    try:
        check_syntax(text)
    except TemplateProblem as problem:
        yield _problem(place, f"Invalid template: {problem}", text)


def _bad_parameters(place: list[str | int], value: Any) -> Iterator[dict[str, Any]]:
    """What cannot be rendered, at any depth: texts are templates, and so are the objects that say they are."""
    if isinstance(value, str):
        yield from _bad_text(place, value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _bad_parameters([*place, number], item)
    elif isinstance(value, dict):
        kind = value.get("__prefect_kind")
        if kind is not None and not isinstance(value.get("template"), str):
            made = hydrate({"value": value}, HydrationContext()).get("value")
            if isinstance(made, HydrationError):
                yield _problem(place, f"Invalid parameters: {made.message}", value)
            return
        for name, item in value.items():
            yield from _bad_parameters([*place, name], item)
