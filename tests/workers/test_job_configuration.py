"""Job configurations: templates and job variables merged, and prepared for a run."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field, ValidationError

import prefect
from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_KEY, PREFECT_LOGGING_EXTRA_LOGGERS, temporary_settings
from prefect.workers.base import BaseJobConfiguration, BaseVariables


class Manifest(BaseJobConfiguration):
    image: Any = None
    resources: Any = None
    body: dict[str, Any] | None = Field(
        default=None,
        json_schema_extra={
            "template": {"cpu": "{{ cpu }}", "text": "a {{ cpu }} b", "list": ["{{ cpu }}", "{{ no }}"]}
        },
    )


VARIABLES = {
    "properties": {
        "cpu": {"default": 2},
        "memory": {"default": None},
        "image": {"default": "python"},
        "env": {"default": {"DEFAULT": "d"}},
        "resources": {"default": {"limits": {"cpu": 1}, "kept": True}},
    }
}


async def filled(values: dict[str, Any] | None = None, variables: Any = VARIABLES, **template: Any) -> Manifest:
    base = {"job_configuration": {**Manifest.json_template(), **template}, "variables": variables}
    return await Manifest.from_template_and_values(base, values or {}, client=Api())


class Api:
    """What a configuration asks the API for."""

    def __init__(self, deployment: Any = None) -> None:
        self.deployment = deployment
        self.flow = Flow(id=uuid4(), name="etl")

    async def read_variable_by_name(self, name: str) -> Any:
        return {"image": Value("from-variable")}.get(name)

    async def read_block_document_by_name(self, name: str, block_type_slug: str) -> Any:
        return Document({"value": f"{block_type_slug}/{name}"})

    async def read_flow(self, id: Any) -> Flow:
        return self.flow

    async def read_deployment(self, id: Any) -> Any:
        return self.deployment


class Value:
    def __init__(self, value: Any) -> None:
        self.value = value


class Document:
    def __init__(self, data: Any) -> None:
        self.data = data


# -- templates ---------------------------------------------------------------------------------------------------------


def test_each_field_is_a_placeholder_or_has_a_template_of_its_own():
    assert Manifest.json_template() == {
        "command": "{{ command }}",
        "env": "{{ env }}",
        "labels": "{{ labels }}",
        "name": "{{ name }}",
        "image": "{{ image }}",
        "resources": "{{ resources }}",
        "body": {"cpu": "{{ cpu }}", "text": "a {{ cpu }} b", "list": ["{{ cpu }}", "{{ no }}"]},
    }


async def test_defaults_fill_what_nobody_sets_and_keep_their_type():
    configuration = await filled()

    assert configuration.image == "python"
    assert configuration.body == {"cpu": 2, "text": "a 2 b", "list": [2]}
    assert configuration.env == {"DEFAULT": "d"}
    assert configuration.name is None


async def test_values_come_before_defaults_also_when_they_are_null():
    configuration = await filled({"cpu": None, "image": "mine"})

    assert configuration.image == "mine"
    assert configuration.body is not None and configuration.body["cpu"] is None


async def test_the_environment_is_merged_through_all_layers():
    configuration = await filled({"env": {"VALUE": "v", "LITERAL": "over"}}, env={"LITERAL": "l", "CPU": "{{ cpu }}"})

    assert configuration.env == {"LITERAL": "over", "CPU": "2", "DEFAULT": "d", "VALUE": "v"}


async def test_a_null_in_the_environment_is_kept_until_the_run_is_prepared():
    assert (await filled({"env": {"DEFAULT": None}})).env == {"DEFAULT": None}


async def test_dotted_names_set_one_value():
    configuration = await filled({"resources.limits.cpu": 5, "env.MORE": "m"})

    assert configuration.resources == {"limits": {"cpu": 5}, "kept": True}
    assert configuration.env == {"DEFAULT": "d", "MORE": "m"}


async def test_dotted_names_are_merged_into_a_plain_value_beside_them_which_wins():
    configuration = await filled({"resources.limits.cpu": 5, "resources.a": 1, "resources": {"a": 2}})

    assert configuration.resources == {"limits": {"cpu": 5}, "a": 2}


async def test_blocks_and_variables_are_filled_in_after_the_values():
    configuration = await filled(
        {"image": "{{ prefect.variables.image }}"}, resources="{{ prefect.blocks.secret.token }}"
    )

    assert configuration.image == "from-variable"
    assert configuration.resources == "secret/token"


async def test_the_environment_of_the_worker_is_known_to_templates_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKER_ONLY", "here")

    configuration = await filled({"image": "{{ $WORKER_ONLY }}"}, resources="/data/{{ $WORKER_ONLY }}")

    assert (configuration.image, configuration.resources) == ("{{ $WORKER_ONLY }}", "/data/here")


async def test_what_a_name_says_of_the_run_waits_for_the_run():
    assert (await filled(name="{{ ctx.flow.name }}-{{ cpu }}")).name == "{{ ctx.flow.name }}-2"


@pytest.mark.parametrize("missing", ["job_configuration", "variables"])
async def test_a_template_without_one_of_its_parts_is_refused(missing: str):
    template = {"job_configuration": {}, "variables": {}}
    del template[missing]

    with pytest.raises(ValueError, match=f"no '{missing}'.*work-pool update"):
        await BaseJobConfiguration.from_template_and_values(template, {})


async def test_an_environment_that_is_no_mapping_is_refused():
    with pytest.raises(ValidationError, match="mapping of names to values, not 'A=1'"):
        await filled({"env": "A=1"})


def test_values_of_the_environment_become_text():
    assert BaseJobConfiguration(env={"A": 1, "B": None, "C": True}).env == {"A": "1", "B": None, "C": "True"}  # type: ignore[dict-item]


def test_the_schema_of_variables_has_definitions_beside_it():
    class Inner(BaseModel):
        a: int = 1

    class Variables(BaseVariables):
        inner: Inner | None = None

    schema = Variables.model_json_schema()

    assert schema["properties"]["inner"]["anyOf"][0] == {"$ref": "#/definitions/Inner"}
    assert schema["definitions"]["Inner"]["properties"]["a"]["default"] == 1


# -- a run -------------------------------------------------------------------------------------------------------------


def make_run(**more: Any) -> tuple[FlowRun, DeploymentResponse]:
    flow_id, deployment_id = uuid4(), uuid4()
    deployment = DeploymentResponse(
        id=deployment_id,
        flow_id=flow_id,
        name="nightly",
        updated="2026-01-01T02:00:00+02:00",
        tags=["a", "b"],  # type: ignore[arg-type]
    )
    return FlowRun(flow_id=flow_id, name="My Run!", deployment_id=deployment_id, tags=["b", "c"], **more), deployment


def pool(**template: Any) -> WorkPool:
    base = {"job_configuration": {**Manifest.json_template(), **template}, "variables": VARIABLES}
    return WorkPool(id=uuid4(), name="a pool", type="any", base_job_template=base)


async def test_the_variables_of_the_run_come_before_those_of_its_deployment():
    flow_run, deployment = make_run(job_variables={"env": {"B": "run"}, "cpu": 7, "resources.limits.memory": "3"})
    deployment.job_variables = {
        "env": {"A": "dep", "B": "dep"},
        "image": "dep",
        "cpu": 3,
        "resources": {"limits": {"cpu": 9}},
    }

    configuration = await Manifest.resolve_for_flow_run(
        flow_run,
        client=Api(deployment),
        work_pool=pool(env={"LITERAL": "l"}),
        worker_name="w",  # type: ignore[arg-type]
    )

    assert configuration.image == "dep"
    assert configuration.body is not None and configuration.body["cpu"] == 7
    assert configuration.resources == {"limits": {"cpu": 9, "memory": "3"}}
    assert {key: configuration.env[key] for key in ("LITERAL", "DEFAULT", "A", "B")} == {
        "LITERAL": "l",
        "DEFAULT": "d",
        "A": "dep",
        "B": "run",
    }
    assert configuration.env["PREFECT__DEPLOYMENT_NAME"] == "nightly"


def test_the_environment_of_a_run_holds_the_settings_who_starts_it_and_the_jobs_own():
    flow_run, deployment = make_run()
    worker_id = uuid4()
    configuration = BaseJobConfiguration(
        env={"PREFECT_API_KEY": None, "PREFECT_LOGGING_EXTRA_LOGGERS": "mine", "OWN": "o"}
    )

    with temporary_settings({PREFECT_API_KEY: "secret", PREFECT_LOGGING_EXTRA_LOGGERS: "theirs"}):
        configuration.prepare_for_flow_run(
            flow_run,
            deployment=deployment,
            flow=Flow(id=flow_run.flow_id, name="etl"),
            work_pool=pool(),
            worker_name="w 1",
            worker_id=worker_id,
        )

    assert configuration.env["PREFECT_LOGGING_EXTRA_LOGGERS"] == "mine"
    assert "PREFECT_API_KEY" not in configuration.env
    assert {name: value for name, value in configuration.env.items() if not name.startswith("PREFECT_")} | {
        name: value for name, value in configuration.env.items() if name.startswith("PREFECT__")
    } == {
        "OWN": "o",
        "PREFECT__FLOW_RUN_ID": str(flow_run.id),
        "PREFECT__WORKER_ID": str(worker_id),
        "PREFECT__WORKER_NAME": "w 1",
        "PREFECT__FLOW_ID": str(flow_run.flow_id),
        "PREFECT__FLOW_NAME": "etl",
        "PREFECT__DEPLOYMENT_ID": str(deployment.id),
        "PREFECT__DEPLOYMENT_NAME": "nightly",
    }


def test_secrets_travel_to_the_run():
    configuration = BaseJobConfiguration()
    with temporary_settings({PREFECT_API_KEY: "the-key"}):
        configuration.prepare_for_flow_run(make_run()[0])
    assert configuration.env["PREFECT_API_KEY"] == "the-key"


def test_labels_say_what_the_infrastructure_is_for_and_the_jobs_own_win():
    flow_run, deployment = make_run()
    work_pool = pool()
    configuration = BaseJobConfiguration(labels={"mine": "1", "prefect.io/flow-name": "other"})

    configuration.prepare_for_flow_run(
        flow_run,
        deployment=deployment,
        flow=Flow(id=flow_run.flow_id, name="etl"),
        work_pool=work_pool,
        worker_name="w 1",
    )

    assert configuration.labels == {
        "prefect.io/flow-run-id": str(flow_run.id),
        "prefect.io/flow-run-name": "My Run!",
        "prefect.io/version": prefect.__version__.split("+")[0],
        "prefect.io/flow-id": str(flow_run.flow_id),
        "prefect.io/flow-name": "other",
        "prefect.io/deployment-id": str(deployment.id),
        "prefect.io/deployment-name": "nightly",
        "prefect.io/deployment-updated": "2026-01-01T00:00:00+00:00",
        "prefect.io/work-pool-name": "a pool",
        "prefect.io/work-pool-id": str(work_pool.id),
        "prefect.io/worker-name": "w 1",
        "mine": "1",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "My Run!"),
        ("fixed", "fixed"),
        ("{{ ctx.flow.name }}-{{ ctx.flow_run.name }}", "etl-My Run!"),
        ("{{ ctx.flow.name }}", "etl"),
        ("{{ ctx.nothing }}", "My Run!"),
    ],
)
def test_the_name_may_tell_of_the_flow_and_the_run(name: str | None, expected: str):
    flow_run, _ = make_run()
    configuration = BaseJobConfiguration(name=name)
    configuration.prepare_for_flow_run(flow_run, flow=Flow(id=flow_run.flow_id, name="etl"))
    assert configuration.name == expected


def test_the_command_is_the_one_that_all_images_know():
    configuration = BaseJobConfiguration(command="")
    configuration.prepare_for_flow_run(make_run()[0])
    assert configuration.command == "prefect flow-run execute"
    assert configuration.is_using_a_runner


def test_events_about_a_job_concern_its_objects_and_their_tags():
    flow_run, deployment = make_run()
    configuration = BaseJobConfiguration()
    configuration.prepare_for_flow_run(flow_run, deployment, Flow(id=flow_run.flow_id, name="etl", tags=["f"]))

    assert [(resource.role, resource.id) for resource in configuration._related_resources()] == [
        ("deployment", f"prefect.deployment.{deployment.id}"),
        ("flow", f"prefect.flow.{flow_run.flow_id}"),
        ("flow-run", f"prefect.flow-run.{flow_run.id}"),
        *(("tag", f"prefect.tag.{tag}") for tag in "abcf"),
    ]
