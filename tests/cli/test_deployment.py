"""`prefect deployment`, and `prefect deployment schedule`."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

NOBODY = UUID(int=7)
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}, "name": {"type": "string"}}}
HOURLY = DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=1)), slug="hourly")
NINE = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 9 * * *", timezone="Europe/Berlin"), active=False)


@pytest.fixture
def deploy(client: SyncPrefectClient):
    """Creates a deployment."""

    def create(name: str = "nightly", flow_name: str = "etl", **fields: Any) -> UUID:
        flow_id = client.create_flow_from_name(flow_name)
        return client.create_deployment(flow_id, name, **fields)

    return create


def shown(*arguments: str, exit_code: int = 0) -> str:
    """What `prefect deployment` prints."""
    result = invoke(["deployment", *arguments])
    assert result.exit_code == exit_code, result.stdout
    return result.stdout


def as_json(*arguments: str) -> Any:
    return json.loads(shown(*arguments, "-o", "json"))


# -- ls, inspect, delete -----------------------------------------------------------------------------------------------


def test_deployments_are_listed_by_name_or_by_age(deploy):
    deploy("b"), deploy("a"), deploy("c", "other", paused=True)
    table = shown("ls")
    assert table.index("etl/a") < table.index("etl/b") < table.index("other/c (**)")
    assert "Deployments" in table
    assert [each["name"] for each in as_json("ls", "--by-created")] == ["c", "a", "b"]
    assert [each["name"] for each in as_json("ls", "other")] == ["c"]
    assert [each["name"] for each in as_json("ls", "--flow-name", "other")] == ["c"]


def test_no_deployments_are_no_failure(client):
    assert "No deployments found." in shown("ls")
    assert as_json("ls") == []


def test_a_deployment_is_shown(deploy):
    id = deploy(tags=["t"], schedules=[HOURLY])
    found = as_json("inspect", "etl/nightly")
    assert (found["id"], found["tags"], found["schedules"][0]["slug"]) == (str(id), ["t"], "hourly")
    assert found["automations"] == []
    assert str(id) in shown("inspect", "etl/nightly")


@pytest.mark.parametrize(
    "command",
    [
        ["inspect"],
        ["delete"],
        ["run"],
        ["schedule", "ls"],
        ["schedule", "clear", "-y"],
        ["schedule", "create", "--interval", "60"],
    ],
    ids=" ".join,
)
def test_unknown_deployments_and_names_without_a_flow_fail(deploy, command):
    deploy()
    assert "'etl/x' not found" in shown(*command, "etl/x", exit_code=1)
    assert "'nightly'" in shown(*command, "nightly", exit_code=1)


def test_a_deployment_is_deleted_by_name_and_by_id(deploy):
    deploy("a"), deploy("kept")
    id = deploy("b")
    assert "Deleted" in shown("delete", "etl/a")
    assert "Deleted" in shown("delete", "--id", str(id))
    assert [each["name"] for each in as_json("ls")] == ["kept"]
    assert "not found" in shown("delete", "--id", str(NOBODY), exit_code=1)


def test_all_deployments_are_deleted_only_when_that_is_said(deploy):
    deploy("a"), deploy("b")
    shown("delete", exit_code=1)
    shown("delete", "etl/a", "--all", exit_code=1)
    assert len(as_json("ls")) == 2
    assert "Deleted 2 deployments." in shown("delete", "--all")
    assert as_json("ls") == []


# -- run ---------------------------------------------------------------------------------------------------------------


def newest_run(client: SyncPrefectClient) -> FlowRun:
    return client.read_flow_runs(limit=1)[0]


def test_a_run_is_created_and_told_of(deploy, client):
    id = deploy(parameters={"x": 1}, parameter_openapi_schema=SCHEMA)
    output = shown(
        "run", "etl/nightly", "-p", "x=3", "--param", "name=bob", "--tag", "t", "--job-variable", "cpu=2",
        "--flow-run-name", "hi-{name}-{x}",
    )  # fmt: skip
    run = newest_run(client)
    assert (run.deployment_id, run.name, run.tags) == (id, "hi-bob-3", ["t"])
    assert (run.parameters, run.job_variables) == ({"x": 3, "name": "bob"}, {"cpu": 2})
    assert (run.state_name, run.created_by) == ("Scheduled", None)
    for text in ("hi-bob-3", str(run.id), "{'x': 3, 'name': 'bob'}", "{'cpu': 2}", "(now)"):
        assert text in output


def test_a_run_is_created_by_the_id_of_its_deployment(deploy, client):
    id = deploy()
    shown("run", "--id", str(id))
    assert newest_run(client).deployment_id == id
    assert "not found" in shown("run", "--id", str(NOBODY), exit_code=1)
    shown("run", "--id", "nonsense", exit_code=1)
    shown("run", exit_code=1)
    shown("run", "etl/nightly", "--id", str(id), exit_code=1)


def test_parameters_come_as_an_object_too_and_single_ones_win(deploy, client):
    deploy(parameter_openapi_schema=SCHEMA)
    output = shown("run", "etl/nightly", "--params", '{"x": 2, "name": "a"}', "--param", "x=3")
    assert newest_run(client).parameters == {"x": 3, "name": "a"}
    assert "'x'" in output
    result = invoke(["deployment", "run", "etl/nightly", "--params", "-"], input='{"x": 4}')
    assert result.exit_code == 0
    assert newest_run(client).parameters == {"x": 4}


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--param", "zz=1"], "'zz'"),
        (["--param", "zz=1"], "'x', 'name'"),
        (["--param", "x"], "key=value"),
        (["--param", "x=abc"], "'x'"),
        (["--params", "[1]"], "object"),
        (["--params", "{"], "not JSON"),
        (["--params", ""], "empty"),
        (["--job-variable", "x"], "key=value"),
        (["--start-in", "5 minutes", "--start-at", "tomorrow"], "Only one"),
        (["--start-in", "a while"], "a while"),
        (["--start-at", "some day"], "some day"),
        (["--flow-run-name", "{nope}"], "'nope'"),
        (["--watch-timeout", "5"], "--watch"),
    ],
)
def test_a_run_that_cannot_be_is_not_created(deploy, client, arguments, says):
    deploy(parameter_openapi_schema=SCHEMA)
    assert says in shown("run", "etl/nightly", *arguments, exit_code=1)
    assert client.read_flow_runs() == []


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--start-in", "5 minutes"], timedelta(minutes=5)),
        (["--start-in", "2 hours"], timedelta(hours=2)),
        (["--start-at", "in 3 days"], timedelta(days=3)),
    ],
)
def test_a_run_starts_when_it_is_told_to(deploy, client, arguments, expected):
    deploy()
    before = datetime.now(timezone.utc)
    shown("run", "etl/nightly", *arguments)
    start = newest_run(client).expected_start_time
    assert start is not None
    assert before + expected - timedelta(seconds=1) <= start <= datetime.now(timezone.utc) + expected


def test_an_instant_is_read_in_the_local_time_zone_or_its_own(deploy, client):
    deploy()
    shown("run", "etl/nightly", "--start-at", "2099-01-31 09:00:00 +02:00")
    assert newest_run(client).expected_start_time == datetime(2099, 1, 31, 7, tzinfo=timezone.utc)
    shown("run", "etl/nightly", "--start-at", "tomorrow 9am")
    start = newest_run(client).expected_start_time
    assert start is not None
    local = start.astimezone()
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == (datetime.now().astimezone() + timedelta(days=1)).date()


def test_watching_gives_up_in_time(deploy):
    deploy()
    output = shown(
        "run", "etl/nightly", "--watch", "--watch-timeout", "1", "--watch-interval", "1", exit_code=1
    )  # nobody executes it
    assert "still SCHEDULED" in output


# -- schedules ---------------------------------------------------------------------------------------------------------


def schedules(name: str = "etl/nightly") -> list[dict[str, Any]]:
    return as_json("schedule", "ls", name)


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--interval", "60"], {"interval": 60.0}),
        (
            ["--interval", "60", "--anchor-date", "2026-01-31T09:00:00+01:00"],
            {"interval": 60.0, "anchor_date": "2026-01-31T09:00:00+01:00"},
        ),
        (
            ["--cron", "0 9 1 * 1", "--timezone", "Europe/Berlin", "--no-day_or"],
            {"cron": "0 9 1 * 1", "timezone": "Europe/Berlin", "day_or": False},
        ),
        (["--rrule", '{"rrule": "DTSTART:20260101T000000\\nRRULE:FREQ=DAILY", "timezone": "Europe/Berlin"}'],
         {"rrule": "DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "timezone": "Europe/Berlin"}),
    ],
)  # fmt: skip
def test_a_schedule_is_created(deploy, arguments, expected):
    deploy()
    assert "Created" in shown("schedule", "create", "etl/nightly", *arguments)
    [created] = schedules()
    assert created["active"] is True
    assert {key: created["schedule"][key] for key in expected} == expected


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--interval", "60", "--cron", "* * * * *"],
        ["--interval", "0"],
        ["--cron", "nope"],
        ["--cron", "* * * * *", "--anchor-date", "2026-01-01"],
        ["--interval", "60", "--anchor-date", "nope"],
        ["--rrule", "nope"],
        ["--rrule", "{"],
        ["--cron", "* * * * *", "--timezone", "Nowhere/Land"],
    ],
    ids=" ".join,
)
def test_a_schedule_that_cannot_be_is_not_created(deploy, arguments):
    deploy()
    shown("schedule", "create", "etl/nightly", *arguments, exit_code=1)
    assert schedules() == []


def test_schedules_are_replaced_when_that_is_said(deploy):
    deploy(schedules=[HOURLY, NINE])
    shown("schedule", "create", "etl/nightly", "--interval", "60", "--no-active")
    assert len(schedules()) == 3
    shown("schedule", "create", "etl/nightly", "--interval", "30", "--replace", "-y")
    assert [each["schedule"]["interval"] for each in schedules()] == [30.0]


def test_schedules_are_listed_in_words(deploy):
    deploy(schedules=[HOURLY, NINE])
    table = shown("schedule", "ls", "etl/nightly")
    for text in ("Deployment Schedules", "interval: 1:00:00s", "cron: 0 9 * * *", "Europe/Berlin", "True", "False"):
        assert text in table


def test_a_schedule_is_deleted_and_all_are_cleared(deploy):
    deploy(schedules=[HOURLY, NINE])
    first, second = schedules()
    shown("schedule", "delete", "etl/nightly", first["id"], "-y")
    assert [each["id"] for each in schedules()] == [second["id"]]
    assert "has no schedule" in shown("schedule", "delete", "etl/nightly", first["id"], "-y", exit_code=1)
    shown("schedule", "clear", "etl/nightly", "-y")
    assert schedules() == []


def test_a_schedule_is_paused_and_resumed(deploy):
    deploy(schedules=[HOURLY])
    [schedule] = schedules()
    for command, is_active in (("pause", False), ("resume", True)):
        shown("schedule", command, "etl/nightly", schedule["id"])
        assert schedules()[0]["active"] is is_active
        assert "already" in shown("schedule", command, "etl/nightly", schedule["id"], exit_code=1)
        assert "has no schedule" in shown("schedule", command, "etl/nightly", str(NOBODY), exit_code=1)


def test_the_schedules_of_all_deployments_are_paused_and_resumed(deploy):
    deploy("a", schedules=[HOURLY]), deploy("b", schedules=[HOURLY, NINE])
    assert "Paused 2 deployment schedule(s)." in shown("schedule", "pause", "--all")
    assert not any(each["active"] for name in ("etl/a", "etl/b") for each in schedules(name))
    assert "Resumed 3 deployment schedule(s)." in shown("schedule", "resume", "--all")
    for command in ("pause", "resume"):
        shown("schedule", command, exit_code=1)
        shown("schedule", command, "etl/a", str(NOBODY), "--all", exit_code=1)
