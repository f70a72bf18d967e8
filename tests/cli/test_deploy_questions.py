"""What `prefect deploy` asks, and what it writes into the project file of the answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.docker.programs import FakeDocker

from prefect.blocks.system import Secret
from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.docker import _steps
from prefect.workers.process import ProcessWorker

FILE = Path("prefect.yaml")


@pytest.fixture(autouse=True)
def project(client: SyncPrefectClient) -> Path:
    Path("flows.py").write_text(
        "from prefect import flow\n\n@flow\ndef etl(x: int = 1): ...\n\n@flow\ndef other(): ...\n"
    )
    return Path.cwd()


@pytest.fixture
def pool(client: SyncPrefectClient) -> str:
    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name="mine", type="process", base_job_template=template))
    return "mine"


def answer(*answers: str, words: tuple[str, ...] = (), exit_code: int = 0) -> str:
    """What `prefect deploy` prints when it is answered so."""
    result = invoke(["--prompt", "deploy", *words], "".join(f"{each}\n" for each in answers))
    assert result.exit_code == exit_code, result.stdout + result.stderr
    return result.stdout


def entries() -> list[dict[str, Any]]:
    return YAML(typ="safe", pure=True).load(FILE.read_text())["deployments"]


def test_a_folder_without_a_file_is_deployed_and_remembered(client: SyncPrefectClient):
    said = answer(
        "1",  # the flow
        "nightly",
        "",  # the name of a new work pool
        "",  # its type
        "n",  # the code is here
        "y", "cron", "odd", "", "",  # a schedule that is not one
        "cron", "0 2 * * *", "Europe/Berlin", "y",
        "n",  # no other schedule
        "y",  # saved
    )  # fmt: skip
    assert "'etl/nightly' successfully created" in said and "odd" in said
    found = client.read_deployment_by_name("etl/nightly")
    assert found.work_pool_name == "default"
    assert entries() == [
        {
            "name": "nightly",
            "schedules": [{"cron": "0 2 * * *", "timezone": "Europe/Berlin"}],
            "entrypoint": "flows.py:etl",
            "work_pool": {"name": "default"},
        }
    ]
    assert Path(".prefectignore").exists()
    before = FILE.read_text()
    # All is said now: nothing is asked but which one.
    assert "successfully updated" in answer("1")
    assert FILE.read_text() == before


def test_what_is_saved_is_what_was_written_not_what_it_was_filled_with(pool: str, client: SyncPrefectClient):
    text = "# mine\nw: &w {name: '{{ $POOL }}'}\ndeployments:\n- name: one  # first\n  entrypoint: flows.py:etl\n  work_pool: *w\n# end\n"
    FILE.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POOL", pool)
        answer(
            "n",
            "n",
            "y",
            words=("flows.py:other", "-n", "two", "-p", "{{ $POOL }}", "-t", "{{ $POOL }}", "--param", "x=1"),
        )
    assert client.read_deployment_by_name("other/two").tags == [pool]
    assert FILE.read_text() == text.replace(
        "# end\n",
        """- name: two
  entrypoint: flows.py:other
  tags:
  - "{{ $POOL }}"
  parameters:
    x: 1
  work_pool:
    name: "{{ $POOL }}"
  schedules: []
# end
""",
    )


def test_edits_made_meanwhile_are_kept(pool: str, client: SyncPrefectClient):
    FILE.write_text("deployments: []\n")
    # The flow's file is loaded after the project file was read, as an editor may write to it.
    Path("flows.py").write_text(
        Path("flows.py").read_text() + "\nopen('prefect.yaml', 'w').write('deployments: [] # edited\\n')\n"
    )
    said = answer("n", "n", "y", words=("flows.py:etl", "-n", "one", "-p", pool))
    assert "was changed by somebody else" in said and "by hand:\n\n- name: one\n" in said
    assert FILE.read_text() == "deployments: [] # edited\n"
    assert client.read_deployment_by_name("etl/one").work_pool_name == pool


def test_one_of_several_entries_is_chosen(pool: str, client: SyncPrefectClient):
    entry = "- {{name: {}, entrypoint: 'flows.py:{}', work_pool: {{name: mine}}, schedules: [], pull: []}}\n"
    FILE.write_text(
        "deployments:\n" + entry.format("a", "etl") + entry.format("b", "other") + entry.format("a", "other")
    )
    answer("2")
    assert client.read_deployment_by_name("other/b").pull_steps == []
    answer("2", words=("-n", "a"))
    assert [each.name for each in client.read_deployments()].count("a") == 1
    assert client.read_deployment_by_name("other/a")


def test_code_is_pulled_from_a_private_repository(pool: str, client: SyncPrefectClient):
    answer(
        "y", "1", "https://example.com/a/code.git", "trunk", "y", "hidden token",
        "n", "n",
        words=("flows.py:etl", "-n", "one", "-p", pool),
    )  # fmt: skip
    found = client.read_deployment_by_name("etl/one")
    assert found.pull_steps == [
        {
            "prefect.deployments.steps.git_clone": {
                "repository": "https://example.com/a/code.git",
                "branch": "trunk",
                "access_token": "{{ prefect.blocks.secret.deployment-code-repo-token }}",
            }
        }
    ]
    assert Secret.load("deployment-code-repo-token").get() == "hidden token"


def test_code_is_pulled_from_a_bucket(pool: str, client: SyncPrefectClient):
    answer(
        "y", "2", "bucket", "folder", "aws-credentials/mine", "n", "n", words=("flows.py:etl", "-n", "one", "-p", pool)
    )
    [step] = client.read_deployment_by_name("etl/one").pull_steps
    assert step["prefect_aws.deployments.steps.pull_from_s3"] == {
        "requires": "prefect-aws>=0.3.4",
        "bucket": "bucket",
        "folder": "folder",
        "credentials": "{{ prefect.blocks.aws-credentials.mine }}",
    }


def test_an_image_is_built_where_the_pool_takes_one(
    client: SyncPrefectClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    template = {
        "job_configuration": {"image": "{{ image }}"},
        "variables": {"properties": {"image": {"type": "string"}}},
    }
    client.create_work_pool(WorkPoolCreate(name="images", type="docker", base_job_template=template))
    docker = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{docker.folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(_steps, "find_spec", lambda _: None)
    answer("y", "registry/i", "t", "auto", "y", "n", "y", words=("flows.py:etl", "-n", "one", "-p", "images"))
    found = client.read_deployment_by_name("etl/one")
    assert found.job_variables == {"image": "registry/i:t"}
    assert [call["arguments"][:2] for call in docker.calls] == [["buildx", "build"], ["push", "registry/i:t"]]
    assert found.pull_steps == [
        {"prefect.deployments.steps.set_working_directory": {"directory": "/opt/prefect/folder"}}
    ]
    [entry] = entries()
    assert entry["work_pool"]["job_variables"] == {"image": "{{ build_image.image }}"}
    assert len(entry["build"]) == len(entry["push"]) == 1
    # Who does not want one is not asked again.
    answer("n", "n", "n", "y", words=("flows.py:etl", "-n", "two", "-p", "images"))
    assert entries()[1]["build"] is None
    answer(words=("-n", "two"))
