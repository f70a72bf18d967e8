"""What a deployment is made of: by each of the ways to make one."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.deployments import _flows
from tests.deployments._flows import etl, plain

from prefect import flow
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.exceptions import InvalidNameError, MissingFlowError
from prefect.schedules import Cron, Interval
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.annotations import freeze

HERE = Path(_flows.__file__)
DAILY = CronSchedule(cron="0 9 * * *")


def schedules_of(**options):
    return [each.schedule for each in plain.to_deployment("d", **options).schedules]


# -- what the flow says --------------------------------------------------------------------------------------------------


def test_a_deployment_is_as_its_flow_says():
    made = etl.to_deployment("nightly")
    assert (made.full_name, made.version, made.description) == ("etl/nightly", "v7", inspect.getdoc(etl.fn))
    assert (made.tags, made.parameters, made.schedules, made.job_variables) == ([], {}, [], {})
    assert (made.paused, made.enforce_parameter_schema, made.work_pool_name) == (False, True, None)


def test_what_is_given_stands_before_what_the_flow_says():
    made = etl.to_deployment("d", version="1.0", description="mine", tags=["b", "a"], paused=True)
    assert (made.version, made.description, made.tags, made.paused) == ("1.0", "mine", ["b", "a"], True)


async def test_async_code_awaits_it():
    made = await etl.to_deployment("d", cron="0 9 * * *")
    assert [each.schedule for each in made.schedules] == [DAILY]
    assert (await etl.ato_deployment("e")).full_name == "etl/e"
    assert etl.to_deployment("f", _sync=True).full_name == "etl/f"


@pytest.mark.parametrize("name", ["a/b", "100%", "a&b", "a>b", "<a>"])
def test_a_name_with_characters_that_have_a_meaning_is_refused(name):
    with pytest.raises(InvalidNameError, match="/ % & > <"):
        etl.to_deployment(name)


def test_of_a_name_that_is_a_file_the_stem_is_taken():
    assert etl.to_deployment("flows/my_etl.py").name == "my_etl"
    assert RunnerDeployment(name="my_etl.py").name == "my_etl"


def test_an_option_that_there_is_not_is_refused_by_name():
    with pytest.raises(TypeError, match="crom"):
        etl.to_deployment("d", crom="0 9 * * *")


def test_the_sync_form_shows_the_signature_of_the_async_one():
    assert list(inspect.signature(etl.to_deployment).parameters) == list(
        inspect.signature(etl.ato_deployment).parameters
    )


# -- where the flow is ---------------------------------------------------------------------------------------------------


def test_the_entrypoint_is_the_file_relative_to_the_working_directory(monkeypatch):
    monkeypatch.chdir(HERE.parent.parent)
    assert etl.to_deployment("d").entrypoint == "deployments/_flows.py:etl"
    monkeypatch.chdir(HERE.parent)
    assert _flows.Jobs.nightly.to_deployment("d").entrypoint == "_flows.py:Jobs.nightly"


def test_the_entrypoint_may_lead_out_of_the_working_directory(folder):
    entrypoint = etl.to_deployment("d").entrypoint
    assert entrypoint.startswith("..")
    assert (folder / entrypoint.partition(":")[0]).resolve() == HERE


def test_the_entrypoint_may_be_a_module():
    made = etl.to_deployment("d", entrypoint_type=EntrypointType.MODULE_PATH)
    assert (made.entrypoint, made.entrypoint_type) == ("tests.deployments._flows.etl", EntrypointType.MODULE_PATH)


def test_the_main_module_is_named_as_others_import_it(folder):
    import subprocess
    import sys

    (folder / "job.py").write_text(
        "from prefect import flow\n"
        "from prefect.types.entrypoint import EntrypointType\n"
        "@flow\ndef f(): ...\n"
        "if __name__ == '__main__':\n"
        "    print(f.to_deployment('d', entrypoint_type=EntrypointType.MODULE_PATH).entrypoint)\n"
    )
    for command in (["job.py"], ["-m", "job"]):
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "job.f"


def test_a_flow_that_no_file_holds_is_refused():
    namespace = {"__name__": "__nowhere__"}
    exec("from prefect import flow\n@flow\ndef typed_in(): ...", namespace)
    with pytest.raises(ValueError, match="'typed-in' was defined interactively"):
        namespace["typed_in"].to_deployment("d")


def test_a_flow_that_runs_will_not_find_is_warned_of():
    @flow
    def inner(): ...

    for make in (inner.to_deployment, lambda name: RunnerDeployment.from_flow(inner, name)):
        with pytest.warns(UserWarning, match="defined inside a function") as caught:
            make("d")
        assert caught[0].filename == __file__


def test_a_deployment_is_made_of_an_entrypoint(monkeypatch, folder):
    monkeypatch.chdir(HERE.parent)
    made = RunnerDeployment.from_entrypoint("_flows.py:etl", "d", parameters={"x": freeze(3)}, tags=["t"])
    assert (made.full_name, made.entrypoint, made.version, made.tags) == ("etl/d", "_flows.py:etl", "v7", ["t"])
    assert made.parameters == {"x": 3}
    assert RunnerDeployment.from_entrypoint("_flows.py:etl", "d", flow_name="other").full_name == "other/d"


def test_an_entrypoint_without_a_flow_is_refused(monkeypatch):
    monkeypatch.chdir(HERE.parent)
    with pytest.raises(MissingFlowError, match="nothing_here"):
        RunnerDeployment.from_entrypoint("_flows.py:nothing_here", "d")


def test_a_flow_whose_packages_are_missing_can_be_deployed(folder):
    (folder / "heavy.py").write_text(
        "import a_package_that_is_not_there as np\nfrom prefect import flow\n\n"
        "@flow(name='heavy', version='3')\ndef work(size: int, at: np.dtype = np.zero):\n    '''Crunch.'''\n"
    )
    made = RunnerDeployment.from_entrypoint("heavy.py:work", "d")
    assert (made.full_name, made.version, made.description) == ("heavy/d", "3", "Crunch.")
    assert list(made._parameter_openapi_schema.properties) == ["size", "at"]


# -- schedules -----------------------------------------------------------------------------------------------------------


def test_one_or_several_of_a_kind_of_schedule():
    [minutely] = schedules_of(interval=60)
    assert minutely.interval == timedelta(minutes=1)
    both = schedules_of(interval=[60, timedelta(hours=2)])
    assert [each.interval for each in both] == [timedelta(minutes=1), timedelta(hours=2)]
    assert schedules_of(cron=["0 9 * * *", "@hourly"]) == [DAILY, CronSchedule(cron="@hourly")]
    [rule] = schedules_of(rrule="FREQ=DAILY")
    assert isinstance(rule, RRuleSchedule)
    assert len(schedules_of(rrule=("FREQ=DAILY", "FREQ=WEEKLY"))) == 2
    assert schedules_of(schedules=[]) == schedules_of() == schedules_of(cron=[]) == []


def test_a_schedule_says_all_that_belongs_to_it():
    made = plain.to_deployment("d", schedule=Cron("0 9 * * *", slug="s", active=False, parameters={"x": 1}))
    assert made.schedules == [DeploymentScheduleCreate(schedule=DAILY, slug="s", active=False, parameters={"x": 1})]


def test_schedules_may_be_written_in_every_way():
    given = [
        Interval(60, slug="i"),
        DAILY,
        {"schedule": {"cron": "0 9 * * *"}, "active": False},
        {"schedule": Cron("0 9 * * *", active=False), "slug": "c"},
        DeploymentScheduleCreate(schedule=DAILY, max_scheduled_runs=3),
        {"slug": "existing", "active": False},
    ]
    first, *others = plain.to_deployment("d", schedules=given).schedules
    assert isinstance(first.schedule, IntervalSchedule) and first.slug == "i"
    assert others == [
        DeploymentScheduleCreate(schedule=DAILY),
        DeploymentScheduleCreate(schedule=DAILY, active=False),
        DeploymentScheduleCreate(schedule=DAILY, active=False, slug="c", parameters={}, replaces=None),
        DeploymentScheduleCreate(schedule=DAILY, max_scheduled_runs=3),
        DeploymentScheduleUpdate(slug="existing", active=False),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cron": "0 9 * * *", "interval": 60}, "Only one of .* got interval and cron"),
        ({"schedule": Cron("@daily"), "schedules": []}, "Only one of .* got schedule and schedules"),
        ({"cron": "every day"}, "every day"),
        ({"interval": 0}, "interval"),
        ({"rrule": "FREQ=SOMETIMES"}, "SOMETIMES"),
        ({"schedules": ["@daily"]}, "Invalid schedule: '@daily'"),
        ({"schedules": [{"active": False}]}, "needs a `schedule`, or the `slug`"),
        ({"schedule": 3}, "Invalid schedule: 3"),
    ],
)
def test_schedules_that_cannot_be_read_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        plain.to_deployment("d", **options)


def test_a_single_schedule_in_place_of_a_list_is_named():
    with pytest.raises(TypeError, match="Give a single one as `schedule`"):
        plain.to_deployment("d", schedules=Cron("@daily"))


# -- the rest ------------------------------------------------------------------------------------------------------------


def test_a_limit_may_say_what_becomes_of_other_runs():
    assert plain.to_deployment("d", concurrency_limit=3).concurrency_limit == 3
    limit = ConcurrencyLimitConfig(limit=2, collision_strategy="CANCEL_NEW", grace_period_seconds=90)
    made = plain.to_deployment("d", concurrency_limit=limit)
    assert (made.concurrency_limit, made.concurrency_options.model_dump(mode="json")) == (
        2,
        {"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 90},
    )


def test_a_frozen_parameter_has_one_value_only_and_the_flow_stays_as_it_was():
    made = etl.to_deployment("d", parameters={"x": freeze(5), "names": ["b"]})
    assert made.parameters == {"x": 5, "names": ["b"]}
    x = made._parameter_openapi_schema.properties["x"]
    assert (x["enum"], x["readOnly"], x["type"], x["description"]) == ([5], True, "integer", "How much of it.")
    assert "readOnly" not in etl.parameters.properties["x"]


def test_a_parameter_that_there_is_not_cannot_be_frozen():
    with pytest.raises(ValueError, match="Cannot freeze 'y'.*has 'x', 'names'"):
        etl.to_deployment("d", parameters={"y": freeze(5)})


def test_triggers_get_names_by_their_place():
    triggers = [
        DeploymentEventTrigger(expect={"a"}),
        DeploymentEventTrigger(expect={"b"}, name="mine"),
        {"expect": ["c"], "parameters": {"x": 2}},
    ]
    made = etl.to_deployment("d", triggers=triggers)
    assert [each.name for each in made.triggers] == ["d__automation_1", "mine", "d__automation_3"]


@pytest.mark.parametrize("fields", [{"storage": "https://example.com/code.git"}, {"version_type": "svn"}])
def test_fields_that_cannot_be_are_refused(fields):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        RunnerDeployment(name="d", flow_name="f", **fields)
