"""`prefect work-pool`."""

import json
from pathlib import Path

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import (
    BlockSchemaCreate,
    BlockTypeCreate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.exceptions import ObjectNotFound
from prefect.states import Pending


@pytest.fixture
def pool(client: SyncPrefectClient) -> str:
    """A pool of processes, by name."""
    assert invoke(["work-pool", "create", "p", "-t", "process"]).exit_code == 0
    return "p"


def run_in(client: SyncPrefectClient, pool: str):
    """A scheduled run in the default queue of a pool."""
    deployment_id = client.create_deployment(client.create_flow_from_name("f"), "d", work_pool_name=pool)
    return client.create_flow_run_from_deployment(deployment_id)


def test_a_pool_is_created_with_the_template_of_its_type(client: SyncPrefectClient):
    result = invoke(["work-pool", "create", "p", "--type", "process", "--paused"])
    assert result.exit_code == 0
    assert "prefect worker start --pool p" in result.stdout
    made = client.read_work_pool("p")
    assert str(made.id) in result.stdout
    assert (made.type, made.is_paused) == ("process", True)
    assert "working_dir" in made.base_job_template["job_configuration"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["''", "-t", "process"], "cannot be empty"),
        (["p"], "you must supply a `--type` value"),
        (["p", "-t", "bogus"], "Unknown work pool type 'bogus'. Please choose from azure-container-instance, "),
        (["a/b", "-t", "process"], "Name 'a/b' is not valid"),
        (["prefect-p", "-t", "process"], "reserved"),
        (["p", "-t", "process", "--base-job-template", "nowhere.json"], "Cannot read 'nowhere.json'"),
        (["p", "-t", "ecs:push", "--provision-infra"], "only push pools of Prefect Cloud"),
    ],
)
def test_what_cannot_be_created_is_refused(arguments: list[str], message: str, client: SyncPrefectClient):
    result = invoke(["work-pool", "create", *arguments])
    assert (result.exit_code, message in result.stdout) == (1, True), result
    assert client.read_work_pools() == []


def test_a_pool_that_exists_is_changed_only_when_asked(pool: str, client: SyncPrefectClient):
    result = invoke(["work-pool", "create", pool, "-t", "process"])
    assert (result.exit_code, "Use --overwrite" in result.stdout) == (1, True)
    Path("t.json").write_text('{"job_configuration": {"a": 1}, "variables": {"type": "object"}}')
    result = invoke(["work-pool", "create", pool, "--overwrite", "--paused", "--base-job-template", "t.json"])
    assert (result.exit_code, "Updated work pool 'p'" in result.stdout) == (0, True)
    changed = client.read_work_pool(pool)
    assert (changed.is_paused, changed.base_job_template["job_configuration"]) == (True, {"a": 1})


def test_a_pool_becomes_the_default_one(client: SyncPrefectClient, home: Path):
    assert invoke(["work-pool", "create", "p", "-t", "process", "--set-as-default"]).exit_code == 0
    assert 'PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME = "p"' in (home / "profiles.toml").read_text()


def test_pools_are_listed_the_newest_first(client: SyncPrefectClient):
    for name in ("b", "a"):
        client.create_work_pool(WorkPoolCreate(name=name, type="process", is_paused=name == "b"))
    lines = invoke(["work-pool", "ls"]).stdout.splitlines()
    assert [line.split("│")[1].strip() for line in lines if line.startswith("│")] == ["a", "b (**)"]
    assert [item["name"] for item in json.loads(invoke(["work-pools", "ls", "-o", "json"]).stdout)] == ["a", "b"]
    assert "Base Job Template" in invoke(["work-pool", "ls", "-v"]).stdout


def test_a_pool_is_inspected(pool: str):
    assert "NOT_READY" in invoke(["work-pool", "inspect", pool]).stdout
    assert json.loads(invoke(["work-pool", "inspect", pool, "-o", "json"]).stdout)["name"] == pool


@pytest.mark.parametrize(
    "command",
    [
        ["inspect"],
        ["pause"],
        ["resume"],
        ["delete"],
        ["slots"],
        ["preview"],
        ["set-concurrency-limit", "3"],
        ["update", "--description", "d"],
        ["provision-infra"],
        ["storage", "inspect"],
        ["storage", "configure", "s3", "--bucket", "b"],
    ],
)
def test_a_pool_that_is_not_there_is_named(command: list[str], client: SyncPrefectClient):
    at = 1 if command[0] == "set-concurrency-limit" else len(command)
    result = invoke(["work-pool", *command[:at], "nope", *command[at:]])
    assert (result.exit_code, result.stdout) == (1, "Work pool 'nope' not found.\n")


def test_a_pool_is_changed(pool: str, client: SyncPrefectClient):
    assert invoke(["work-pool", "pause", pool]).exit_code == 0
    assert client.read_work_pool(pool).is_paused
    assert invoke(["work-pool", "resume", pool]).exit_code == 0
    assert not client.read_work_pool(pool).is_paused
    assert invoke(["work-pool", "set-concurrency-limit", pool, "3"]).exit_code == 0
    assert client.read_work_pool(pool).concurrency_limit == 3
    assert invoke(["work-pool", "update", pool, "--description", "d", "--concurrency-limit", "4"]).exit_code == 0
    assert (client.read_work_pool(pool).description, client.read_work_pool(pool).concurrency_limit) == ("d", 4)
    assert invoke(["work-pool", "clear-concurrency-limit", pool]).exit_code == 0
    assert client.read_work_pool(pool).concurrency_limit is None
    assert invoke(["work-pool", "update", pool]).exit_code == 1
    assert invoke(["work-pool", "set-concurrency-limit", pool, "--", "-3"]).exit_code == 1
    assert invoke(["work-pool", "delete", pool]).exit_code == 0
    with pytest.raises(ObjectNotFound):
        client.read_work_pool(pool)


def test_waiting_runs_are_shown_and_no_queue_seems_served(pool: str, client: SyncPrefectClient):
    assert "No runs found" in invoke(["work-pool", "preview", pool]).stdout
    run = run_in(client, pool)
    assert str(run.id) in invoke(["work-pool", "preview", pool]).stdout
    assert [item["id"] for item in json.loads(invoke(["work-pool", "preview", "-o", "json"]).stdout)] == [str(run.id)]
    assert client.read_work_queue_by_name("default", pool).last_polled is None


def test_the_slots_of_a_pool_are_shown(pool: str, client: SyncPrefectClient):
    assert "No flow runs occupying slots." in invoke(["work-pool", "slots", pool]).stdout
    run = run_in(client, pool)
    client.set_flow_run_state(run.id, Pending())
    client.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=2))
    shown = invoke(["work-pool", "slots", pool]).stdout
    assert "1 active" in shown and "of 2" in shown and run.name in shown
    assert json.loads(invoke(["work-pool", "slots", pool, "-o", "json"]).stdout)["active_slots"] == 1


def test_the_template_of_a_type_is_shown_or_written(client: SyncPrefectClient):
    command = ["work-pool", "get-default-base-job-template"]
    assert "image" in json.loads(invoke([*command, "-t", "docker"]).stdout)["job_configuration"]
    assert invoke([*command, "-t", "process", "-f", "t.json"]).exit_code == 0
    assert "working_dir" in json.loads(Path("t.json").read_text())["job_configuration"]
    assert invoke([*command, "-t", "bogus"]).exit_code == 1
    assert invoke([*command, "-t", "process", "-f", "no/such/folder.json"]).exit_code == 1


def test_storage_is_configured_and_shown(pool: str, client: SyncPrefectClient):
    command = ["work-pool", "storage"]
    assert "No storage configuration found" in invoke([*command, "inspect", pool]).stdout
    result = invoke([*command, "configure", "s3", pool, "--bucket", "b"])
    assert (result.exit_code, "pip install prefect-aws" in result.stdout) == (1, True)
    made = client.create_block_type(BlockTypeCreate(name="S3 Bucket", slug="s3-bucket"))
    client.create_block_schema(BlockSchemaCreate(block_type_id=made.id, fields={"type": "object", "properties": {}}))
    options = ["--bucket", "b", "--launcher", "uv", "--launcher-arg", "run", "--execution-launcher", "py"]
    for _ in range(2):
        assert invoke([*command, "configure", "s3", pool, *options]).exit_code == 0
    found = client.read_work_pool(pool).storage_configuration
    assert found.bundle_upload_step == {
        "prefect_aws.experimental.bundles.upload": {"bucket": "b", "launcher": ["uv", "run"]}
    }
    assert found.bundle_execution_step == {
        "prefect_aws.experimental.bundles.execute": {"bucket": "b", "launcher": ["py"]}
    }
    block = client.read_block_document_by_name("default-p-result-storage", "s3-bucket")
    assert (found.default_result_storage_block_id, block.data["bucket_name"]) == (block.id, "b")
    assert json.loads(invoke([*command, "inspect", pool, "-o", "json"]).stdout)["type"] == "S3"
    assert "upload.bucket" in invoke([*command, "inspect", pool]).stdout
    result = invoke([*command, "configure", "s3", pool, "--bucket", "b", "--aws-credentials-block-name", "nope"])
    assert (result.exit_code, "There is no block 'nope'" in result.stdout) == (1, True)
    assert invoke([*command, "configure", "gcs", pool]).exit_code == 1
