"""`prefect artifact`."""

import json
from uuid import UUID

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate

NOBODY = UUID(int=7)


@pytest.fixture
def ids(client: SyncPrefectClient) -> list[str]:
    """The ids of three artifacts: two of the key "report", and one without a key."""
    created = [
        client.create_artifact(ArtifactCreate(key="report", type="markdown", data="# one\nline", description="first")),
        client.create_artifact(ArtifactCreate(key="report", type="markdown", data="# [b]two[/b]")),
        client.create_artifact(ArtifactCreate(type="table", data=[{"a": 1}])),
    ]
    return [str(artifact.id) for artifact in created]


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["artifact", "ls"]) == (0, "No artifacts found.\n", "")
    assert invoke(["artifact", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_the_latest_of_each_key_is_listed(ids: list[str]):
    table = invoke(["artifact", "ls"]).stdout
    assert ids[1] in table and ids[0] not in table and ids[2] not in table
    [listed] = json.loads(invoke(["artifact", "ls", "-o", "json"]).stdout)
    assert (listed["key"], listed["latest_id"]) == ("report", ids[1])


def test_all_artifacts_are_listed_on_demand(ids: list[str]):
    listed = json.loads(invoke(["artifact", "ls", "--all", "-o", "json"]).stdout)
    assert {artifact["id"] for artifact in listed} == set(ids)
    table = invoke(["artifact", "ls", "-a"]).stdout
    assert table.splitlines()[0].strip() == "Artifacts"
    assert all(id in table for id in ids)
    assert len(json.loads(invoke(["artifact", "ls", "-a", "--limit", "2", "-o", "json"]).stdout)) == 2


def test_the_artifacts_of_a_key_are_inspected_the_newest_first(ids: list[str]):
    shown = invoke(["artifact", "inspect", "report"]).stdout
    newest, oldest = shown.split("\n\n")
    assert ids[1] in newest and "data:    # [b]two[/b]" in newest
    assert ids[0] in oldest and "  # one\n  line\n" in oldest
    as_json = json.loads(invoke(["artifact", "inspect", "report", "--limit", "1", "-o", "json"]).stdout)
    assert [artifact["id"] for artifact in as_json] == [ids[1]]
    assert invoke(["artifact", "inspect", "nope"]) == (1, "Artifact 'nope' not found.\n", "")


def test_an_artifact_is_deleted_by_id(ids: list[str], client: SyncPrefectClient):
    assert invoke(["--prompt", "artifact", "delete", "--id", ids[0]], input="n\n").exit_code == 1
    assert invoke(["artifact", "delete", "--id", ids[0]]) == (0, f"Deleted artifact '{ids[0]}'.\n", "")
    assert {str(artifact.id) for artifact in client.read_artifacts()} == set(ids[1:])
    gone = invoke(["artifact", "delete", "--id", ids[0]])
    assert gone == (1, f"Artifact '{ids[0]}' not found.\n", "")


def test_all_artifacts_of_a_key_are_deleted(ids: list[str], client: SyncPrefectClient):
    for _ in range(203):
        client.create_artifact(ArtifactCreate(key="report", type="progress", data=1.0))
    assert invoke(["--prompt", "artifact", "delete", "report"], input="n\n").exit_code == 1
    assert invoke(["artifact", "delete", "report"]) == (0, "Deleted 205 artifact(s) with key 'report'.\n", "")
    assert [str(artifact.id) for artifact in client.read_artifacts()] == ids[2:]
    assert "Artifact 'report' not found." in invoke(["artifact", "delete", "report"]).stdout


@pytest.mark.parametrize("arguments", [[], ["report", "--id", str(NOBODY)]])
def test_what_to_delete_is_named_in_one_way(arguments: list[str], ids: list[str], client: SyncPrefectClient):
    result = invoke(["artifact", "delete", *arguments])
    assert (result.exit_code, result.stderr) == (1, "")
    assert len(client.read_artifacts()) == 3
