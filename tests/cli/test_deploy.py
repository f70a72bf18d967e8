"""`prefect deploy`, against an API in this process: what is chosen, what is stored, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect.blocks.system import Secret
from prefect.cli._runner import Invocation, invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import temporary_settings
from prefect.variables import Variable
from prefect.workers.process import ProcessWorker

FLOWS = '''
from prefect import flow

@flow
def my_etl(x: int = 1, name: str = "a"):
    """Move data."""

@flow(name="the other", version="v3")
def other(): ...
'''
STEPS = """
def make(a="made"):
    return {"word": a, "image": f"registry/{a}:1"}

async def amake(word):
    return {"got": f"got {word}"}

def gives_an_object():
    return {"thing": object()}

def fails():
    raise ValueError("It fails.")
"""


@pytest.fixture(autouse=True)
def project(client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with flows, and a work pool to deploy them to."""
    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name="mine", type="process", base_job_template=template))
    Path("flows.py").write_text(FLOWS)
    Path("my_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    yield Path.cwd()
    for name in ("my_steps", "my_images"):
        sys.modules.pop(name, None)


def entry(name: str = "one", more: str = "", flow: str = "my_etl") -> str:
    lines = [f"- name: {name}", f"  entrypoint: flows.py:{flow}", "  work_pool: {name: mine}"]
    return "\n".join([*lines, *(f"  {line}" for line in more.splitlines())]) + "\n"


def write(*entries: str, top: str = "") -> None:
    Path("prefect.yaml").write_text(f"{top}deployments:\n{''.join(entries)}")


def deploy(*words: str, exit_code: int = 0, input: str = "") -> str:
    """What `prefect deploy` prints."""
    result: Invocation = invoke(["deploy", *words], input)
    assert result.exit_code == exit_code, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture
def stored(client: SyncPrefectClient):
    """Reads a deployment; None if there is none of that name."""

    def read(name: str = "my-etl/one") -> DeploymentResponse | Any:
        try:
            return client.read_deployment_by_name(name)
        except ObjectNotFound:
            return None

    return read


# -- one entry ---------------------------------------------------------------------------------------------------------


def test_an_entry_is_deployed(stored, project: Path):
    write(
        entry(
            more="""tags: [a, b]
version: v1
parameters: {x: 5}
concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}
schedules:
- <<: *nine
  slug: nine
- {interval: PT10M, active: false, parameters: {x: 2}, slug: often}"""
        ),
        top="nine: &nine {cron: 0 9 * * *, timezone: Europe/Berlin}\n",
    )
    said = deploy()
    assert "'my-etl/one' successfully created" in said and "prefect deployment run 'my-etl/one'" in said
    assert "prefect worker start --pool 'mine'" in said
    found = stored()
    assert (found.tags, found.version, found.parameters, found.description) == (
        ["a", "b"],
        "v1",
        {"x": 5},
        "Move data.",
    )
    assert found.global_concurrency_limit.limit == 2
    assert found.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert found.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(project)}}]
    schedules = {each.slug: each for each in found.schedules}
    assert (schedules["nine"].schedule.cron, schedules["nine"].schedule.timezone) == ("0 9 * * *", "Europe/Berlin")
    often = schedules["often"]
    assert (often.schedule.interval, often.active, often.parameters) == (timedelta(minutes=10), False, {"x": 2})
    assert "successfully updated" in deploy()


def test_a_deployed_flow_runs_where_the_file_says(stored, client: SyncPrefectClient):
    write(entry(more="parameters: {x: 7}"))
    deploy()
    run = client.create_flow_run_from_deployment(stored().id)
    assert invoke(["flow-run", "execute", str(run.id)]).exit_code == 0
    assert client.read_flow_run(run.id).state.is_completed()


def test_options_are_laid_over_the_entry(stored):
    write(entry(more="tags: [a]\nparameters: {x: 3}\nschedules:\n- {cron: 0 9 * * *}\nenforce_parameter_schema: false"))
    deploy(
        *("-t", "z", "--version", "v9", "-d", "mine", "-q", "queue", "-cl", "4", "--param", "name=7", "--timezone", "Asia/Tokyo"),
        *("-jv", "working_dir=/tmp", "-jv", '{"stream_output": false}', "--interval", "60", "--anchor-date", "2024-01-01"),
    )  # fmt: skip
    found = stored()
    assert (found.tags, found.version, found.description, found.work_queue_name) == (["z"], "v9", "mine", "queue")
    assert found.parameters == {"x": 3, "name": 7}
    assert found.job_variables == {"working_dir": "/tmp", "stream_output": False}
    assert found.global_concurrency_limit.limit == 4
    assert not found.enforce_parameter_schema
    assert {each.schedule.timezone for each in found.schedules} == {"Asia/Tokyo"}
    [interval] = [each.schedule for each in found.schedules if hasattr(each.schedule, "interval")]
    assert interval.anchor_date.isoformat() == "2024-01-01T00:00:00+00:00"
    deploy("--enforce-parameter-schema", "--params=-", input='{"x": 9}')
    assert (stored().enforce_parameter_schema, stored().parameters) == (True, {"x": 9})


def test_a_tag_may_stand_alone(stored):
    write(entry(more="tags: nightly"))
    deploy()
    assert stored().tags == ["nightly"]


def test_options_are_enough(stored):
    assert "There is no file 'prefect.yaml'" in deploy("flows.py:my_etl", "-n", "one", "-p", "mine")
    assert stored().entrypoint == "flows.py:my_etl"
    Path("prefect.yaml").write_text("deployments: {a: 1}")
    assert "deployments: should be a valid list" in deploy("flows.py:my_etl", "-n", "two", "-p", "mine")
    assert stored("my-etl/two") is not None


def test_a_setting_names_the_work_pool(stored):
    with temporary_settings({"deployments.default_work_pool_name": "mine"}):
        deploy("flows.py:my_etl", "-n", "one")
    assert stored().work_pool_name == "mine"


def test_schedules_that_are_not_spoken_of_stay(stored):
    write(entry(more="schedules:\n- {cron: 0 9 * * *}"))
    deploy()
    for more in ("", "schedules: []", "schedule: {}", "schedules:\n- {}"):
        write(entry(more=more))
        deploy()
        assert len(stored().schedules) == 1
    write(entry(more="schedule: {rrule: FREQ=DAILY, timezone: UTC}"))
    deploy()
    [schedule] = stored().schedules
    assert "FREQ=DAILY" in schedule.schedule.rrule


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("schedules:\n- {cron: odd}", '{"cron": "odd"} is not valid'),
        ("schedules:\n- {interval: 60, timezone: Mars}", "Mars"),
        ("schedules:\n- {cron: 0 9 * * *, interval: 60}", "one: schedules.0: a schedule has exactly one of"),
        ("schedules:\n- {cron: 0 9 * * *, odd: 1}", "one: schedules.0.odd: no such key"),
        ("schedule: {cron: 0 9 * * *}\nschedules:\n- {interval: 50}", "both 'schedule' and 'schedules'"),
        ("concurrency_limit: 0", "above 0, not 0"),
        ("concurrency_limit: {limit: 1, collision_strategy: ODD}", "not 'ODD'"),
        ("parameters: {x: no number}", "'no number' is not of type 'integer'"),
        ("version_type: odd", "no version type 'odd'"),
        ("triggers:\n- {type: odd}", "'odd'"),
        ("triggers:\n- {type: event, thresold: 3}", "names no events"),
        ("sla:\n- {name: s}", "Prefect Cloud"),
        ("build:\n- my_steps.fails: {}", "It fails."),
        ("build:\n- my_steps.make: {}\n  my_steps.fails: {}", "unexpected additional keys: my_steps.fails"),
        ("build:\n- my_steps.gives_an_object: {}\nparameters: {x: '{{ thing }}'}", "The parameter 'x' cannot be stored"),
        ("entrypoint: flows.py:nothing", "'nothing' not found"),
        ("work_pool: {name: none}", "work pool 'none' which does not exist"),
        ("name: a/b", "contains one of the characters"),
        ("tags: ['{{ prefect.blocks.secret.none }}']", "'none' of type 'secret'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_said(more: str, says: str, client: SyncPrefectClient):
    keys = {line.partition(":")[0] for line in more.splitlines() if not line.startswith((" ", "-"))}
    plain = [line for line in entry().splitlines() if line.strip("- ").partition(":")[0] not in keys]
    text = "\n".join([*plain, *(f"  {line}" for line in more.splitlines())]).strip()
    write(("- " + text.removeprefix("- ")) + "\n")
    said = deploy(exit_code=1)
    assert says in said and "Traceback" not in said
    assert client.read_deployments() == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--all -n one", "Use only one"),
        ("--param x=1 --params {}", "only pass one"),
        ("--param x", "'x' cannot be read. Write it as key=value"),
        ("--params [1]", "is not a JSON object"),
        ("-jv nope", "'nope' cannot be read"),
        ("--interval 60 --anchor-date odd", "'odd' is no instant"),
        ("--rrule {}", "is no rule"),
        ("--trigger {bad", "Failed to parse trigger: {bad"),
        ("--trigger none.yaml", "There is no file 'none.yaml'"),
        ("--collision-strategy CANCEL_NEW", "give --concurrency-limit too"),
        ("--sla {}", "Prefect Cloud"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(words: str, says: str, client: SyncPrefectClient):
    write(entry())
    said = deploy(*words.split(), exit_code=1)
    assert says in said and "Traceback" not in said
    assert client.read_deployments() == []


@pytest.mark.parametrize("words", [("--odd",), ("flows.py:my_etl", "more"), ("-cl", "many")])
def test_words_that_are_no_options_are_misuse(words: tuple[str, ...]):
    assert invoke(["deploy", *words]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-n one -p mine", "An entrypoint must be provided"),
        ("flows.py:my_etl -p mine", "name must be provided"),
        ("flows.py:my_etl -n one", "A work pool is required"),
        ("flows.py:my_etl -n one -n two -p mine", "one new one has one --name"),
        ("--all", "There are no deployments in 'prefect.yaml'"),
    ],
)
def test_what_is_missing_is_said(words: str, says: str):
    assert says in deploy(*words.split(), exit_code=1)


# -- several entries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "deployed"),
    [
        ("--all", {"my-etl/one", "the other/two"}),
        ("-n one", {"my-etl/one"}),
        ("-n one -n two", {"my-etl/one", "the other/two"}),
        ("-n my_etl/one", {"my-etl/one"}),
        ("-n my-etl/one", {"my-etl/one"}),
        ("-n the~other/two", {"the other/two"}),
        ("-n *o*", {"my-etl/one", "the other/two"}),
        ("-n other/*", {"the other/two"}),
        ("-n none -n two", {"the other/two"}),
        ("flows.py:my_etl -n two", {"my-etl/two"}),
        ("flows.py:my_etl -n new -p mine", {"my-etl/new"}),
    ],
)
def test_names_choose_entries(words: str, deployed: set[str], stored):
    write(entry("one"), entry("two", flow="other"))
    deploy(*(word.replace("~", " ") for word in words.split()))
    names = ("my-etl/one", "my-etl/two", "my-etl/new", "the other/one", "the other/two", "the other/new")
    assert {name for name in names if stored(name) is not None} == deployed


@pytest.mark.parametrize("words", ["", "-n none", "-n x*"])
def test_without_a_choice_nothing_is_deployed(words: str, client: SyncPrefectClient):
    write(entry("one"), entry("two"))
    said = deploy(*words.split(), exit_code=1)
    assert "'one', 'two'" in said
    assert client.read_deployments() == []


def test_options_are_not_for_several(stored):
    write(entry("one"), entry("two"))
    assert "will be ignored" in deploy("--all", "-t", "a")
    assert stored().tags == []


def test_the_only_entry_may_go_by_another_name(stored):
    write(entry(more="tags: [a]"))
    assert "its only entry is deployed by this name" in deploy("-n", "two")
    assert stored("my-etl/two").tags == ["a"] and stored() is None


def test_a_failure_tells_what_was_deployed_before(stored):
    write(entry("one"), entry("two", flow="nothing"), entry("three"))
    said = deploy("--all", exit_code=1)
    assert "Deployed before: 'one'. Not deployed: 'two', 'three'." in said
    assert stored() is not None and stored("my-etl/three") is None


# -- placeholders and steps --------------------------------------------------------------------------------------------


def test_placeholders_are_filled(stored, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OF_ENV", "of env")
    Variable.set("word", "of a variable")
    Secret(value="hidden").save("mine")
    write(
        entry(
            "one-{{ OF_ENV }}",
            """version: "{{ m.word }}"
description: "{{ image }} {{ unknown }}{{ $UNKNOWN }}"
tags: ["{{ $OF_ENV }}", "{{ prefect.variables.word }}", "{{ unknown }}"]
parameters: {name: "{{ word }} {{ ctx.flow_run.id }}"}""",
        ).replace(
            "{name: mine}",
            '{name: mine, job_variables: {env: {S: "{{ prefect.blocks.secret.mine }}", I: "{{ image }}"}}}',
        ),
        top="""
build:
- my_steps.make: {id: m, a: "{{ $OF_ENV }}"}
push:
- my_steps.amake: {word: "{{ word }}"}
pull:
- my.pull: {b: "{{ prefect.blocks.secret.mine }}", v: "{{ prefect.variables.word }}", g: "{{ got }}", u: "{{ unknown }}"}
""",
    )
    said = deploy()
    assert "Running make step" in said and "Nothing fills {{ $UNKNOWN }}, {{ unknown }}" in said
    found = stored("my-etl/one-of env")
    assert (found.version, found.description) == ("of env", "registry/of env:1 ")
    assert found.tags == ["of env", "of a variable"]
    assert found.parameters == {"name": "of env {{ ctx.flow_run.id }}"}
    # The worker fills it in: secrets are not stored with the deployment.
    assert found.job_variables == {"env": {"S": "{{ prefect.blocks.secret.mine }}", "I": "registry/of env:1"}}
    assert found.pull_steps == [
        {
            "my.pull": {
                "b": "{{ prefect.blocks.secret.mine }}",
                "v": "{{ prefect.variables.word }}",
                "g": "got of env",
                "u": "{{ unknown }}",
            }
        }
    ]


@pytest.mark.parametrize(
    ("more", "pull"),
    [
        ("", {"global.pull": {"w": "top", "g": "got top"}}),
        ("build: {my_steps.make: {a: own}}", {"global.pull": {"w": "own", "g": "got own"}}),
        ("build: null\npush: []", {"global.pull": {"w": "{{ word }}", "g": "{{ got }}"}}),
        ("pull: {own.pull: {w: '{{ word }}'}}", {"own.pull": {"w": "top"}}),
        ("pull: []", None),
    ],
)
def test_steps_of_an_entry_stand_in_the_place_of_those_for_all(more: str, pull: dict[str, Any] | None, stored):
    write(
        entry(more=more),
        top="build:\n- my_steps.make: {a: top}\npush:\n- my_steps.amake: {word: '{{ word }}'}\n"
        "pull:\n- global.pull: {w: '{{ word }}', g: '{{ got }}'}\n",
    )
    deploy()
    assert stored().pull_steps == ([pull] if pull else [])


@pytest.mark.parametrize(
    ("image", "build", "directory"),
    [
        ("", "build: {my_images.build_docker_image: {dockerfile: auto}}", "/opt/prefect/folder"),
        (", job_variables: {image: a}", "", "/opt/prefect"),
    ],
)
def test_code_is_looked_for_in_the_image(image: str, build: str, directory: str, stored):
    Path("my_images.py").write_text("def build_docker_image(dockerfile): ...")
    write(entry(more=build).replace("{name: mine}", f"{{name: mine{image}}}"))
    deploy()
    assert stored().pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": directory}}]


# -- triggers ----------------------------------------------------------------------------------------------------------


def test_triggers_become_automations(stored, client: SyncPrefectClient):
    write(
        entry(
            more="""triggers:
- {expect: [a.b], parameters: {name: "{{ event.id }}"}}
- {type: event, name: named, enabled: false, match: {prefect.resource.id: "{{ word }}"}}"""
        ),
        top="build: {my_steps.make: {a: x.y}}\n",
    )
    deploy()

    def automations() -> dict[str, Any]:
        found = client.read_resource_related_automations(f"prefect.deployment.{stored().id}")
        return {each.name: each for each in found}

    first, second = automations()["one__automation_1"], automations()["named"]
    assert first.actions[0].parameters == {"name": "{{ event.id }}"}
    assert second.enabled is False
    assert json.loads(second.trigger.model_dump_json())["match"] == {"prefect.resource.id": "x.y"}
    Path("t.yaml").write_text("triggers:\n- {expect: [of.yaml]}\n")
    deploy("--trigger", "t.yaml", "--trigger", '{"expect": ["of.options"]}')
    assert [each.trigger.expect for _, each in sorted(automations().items())] == [{"of.yaml"}, {"of.options"}]
