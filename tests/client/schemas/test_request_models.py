"""Requests: what they accept, refuse, and send."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from pydantic import ValidationError

from prefect.client.schemas import actions
from prefect.client.schemas.actions import (
    BlockTypeCreate,
    BlockTypeUpdate,
    DeploymentBranch,
    DeploymentCreate,
    DeploymentScheduleCreate,
    DeploymentUpdate,
    FlowRunCreate,
    LogCreate,
    StateCreate,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueueCreate,
    validate_base_job_template,
)
from prefect.schedules import Cron, Interval, RRule
from prefect.server.schemas.actions import require_small_parameters
from prefect.settings import temporary_settings

ID = uuid4()
TEMPLATE = {
    "variables": {"type": "object", "properties": {"image": {"type": "string"}}, "required": ["image"]},
    "job_configuration": {"image": "{{ image }}"},
}


@pytest.mark.parametrize(
    "model", [getattr(actions, name) for name in actions.__all__ if name[0].isupper() and name != "NormalizedSchedule"]
)
def test_unknown_keys_of_requests_are_errors(model: Any):
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"no_such_key": 1})
    assert ("no_such_key",) in {error["loc"] for error in caught.value.errors()}


def test_a_state_is_proposed_with_what_is_given():
    assert StateCreate(type="RUNNING").model_dump(mode="json", exclude_unset=True) == {"type": "RUNNING"}


def test_the_server_may_tell_what_was_not_given():
    sent = FlowRunCreate(flow_id=ID, tags=["a"]).model_dump(mode="json", exclude_unset=True)
    assert sent == {"flow_id": str(ID), "tags": ["a"]}


def test_logs_do_not_mention_workers_that_they_do_not_come_from():
    log = LogCreate(name="n", level=20, message="m", timestamp=datetime(2020, 1, 1, tzinfo=timezone.utc))
    assert "worker_id" not in log.model_dump(mode="json")
    assert "worker_id" not in log.model_dump_json()
    assert set(log.model_dump(exclude={"name"})) == {"level", "message", "timestamp", "flow_run_id", "task_run_id"}
    assert log.model_copy(update={"worker_id": ID}).model_dump(mode="json")["worker_id"] == str(ID)


# -- deployments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [DeploymentCreate, DeploymentUpdate])
def test_a_deployment_has_one_limit(model: Any):
    required = {"name": "d", "flow_id": ID} if model is DeploymentCreate else {}
    assert model(concurrency_limit=1, **required)
    with pytest.raises(ValidationError, match="both a concurrency limit and a global concurrency limit"):
        model(concurrency_limit=1, global_concurrency_limit_id=ID, **required)
    with pytest.raises(ValidationError, match="greater than 0"):
        model(concurrency_limit=0, **required)


@pytest.mark.parametrize("make", [lambda **values: DeploymentCreate(name="d", flow_id=ID, **values), DeploymentUpdate])
def test_job_variables_are_checked_against_the_template(make: Any):
    make(job_variables={"image": "x"}).check_valid_configuration(TEMPLATE)
    make(job_variables={"image": 1}).check_valid_configuration({})
    for variables in ({}, {"image": 1}):
        with pytest.raises(jsonschema.ValidationError):
            make(job_variables=variables).check_valid_configuration(TEMPLATE)


def test_a_branch_has_a_name():
    assert DeploymentBranch(branch="b").options.schedule_handling.value == "remove"
    with pytest.raises(ValidationError, match="cannot be empty"):
        DeploymentBranch(branch=" ")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Cron("0 9 * * *", timezone="Europe/Paris", day_or=False), {"cron": "0 9 * * *", "timezone": "Europe/Paris", "day_or": False}),
        (
            Interval(60, anchor_date=datetime(2020, 1, 1, tzinfo=timezone.utc)),
            {"interval": 60.0, "anchor_date": "2020-01-01T00:00:00Z", "timezone": "UTC"},
        ),
        (RRule("FREQ=DAILY"), {"rrule": "DTSTART:20200101T000000\nFREQ=DAILY", "timezone": "UTC"}),
    ],
)  # fmt: skip
def test_schedules_written_in_python_become_requests(schedule: Any, expected: dict[str, Any]):
    request = DeploymentScheduleCreate.from_schedule(schedule)
    assert request.schedule.model_dump(mode="json") == expected
    assert request.active


def test_what_a_schedule_says_of_its_runs_becomes_part_of_the_request():
    schedule = Cron("0 9 * * *", parameters={"a": 1}, slug="nightly", active=False)
    request = DeploymentScheduleCreate.from_schedule(schedule)
    assert (request.parameters, request.slug, request.active) == ({"a": 1}, "nightly", False)


# -- work pools and queues -------------------------------------------------------------------------------------------


def test_a_template_is_complete_or_empty():
    assert validate_base_job_template({}) == {}
    assert validate_base_job_template(TEMPLATE) == TEMPLATE
    for template in ({"x": 1}, {"variables": {}}, {"job_configuration": {}}):
        for model, required in ((WorkPoolCreate, {"name": "p"}), (WorkPoolUpdate, {})):
            with pytest.raises(ValidationError, match="must contain both"):
                model(base_job_template=template, **required)


@pytest.mark.parametrize("placeholder", ["tag", "prefect.blocks.x.y", "image.name", "$HOME"])
def test_every_placeholder_of_a_template_is_a_variable(placeholder: str):
    template = {**TEMPLATE, "job_configuration": {"a": [{"b": f"{{{{ image }}}} {{{{ {placeholder} }}}}"}]}}
    with pytest.raises(ValueError, match="undeclared") as caught:
        validate_base_job_template(template)
    assert placeholder in str(caught.value)


def test_names_of_pools_are_more_than_quotes():
    with pytest.raises(ValidationError, match="empty"):
        WorkPoolCreate(name="' \"")


def test_numbers_of_pools_and_queues_are_limited():
    for values in ({"concurrency_limit": -1}, {"priority": 0}):
        with pytest.raises(ValidationError):
            WorkQueueCreate(name="q", **values)
    with pytest.raises(ValidationError):
        WorkPoolUpdate(concurrency_limit=-1)


# -- the rest --------------------------------------------------------------------------------------------------------


def test_block_types_have_slugs():
    with pytest.raises(ValidationError, match="lowercase"):
        BlockTypeCreate(name="n", slug="A b")
    assert BlockTypeUpdate.updatable_fields() == {"logo_url", "documentation_url", "description", "code_example"}


def test_parameters_are_as_large_as_the_server_accepts():
    from prefect.settings import PREFECT_SERVER_API_MAX_PARAMETER_SIZE as MAXIMUM

    parameters = {"a": "x" * 100}
    assert require_small_parameters(parameters) is parameters
    with temporary_settings({MAXIMUM: 50}), pytest.raises(ValueError, match=r"less than 50 bytes .*got 108 bytes"):
        require_small_parameters(parameters)
    with temporary_settings({MAXIMUM: 0}):
        assert require_small_parameters(parameters)
