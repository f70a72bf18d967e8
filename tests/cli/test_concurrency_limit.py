"""`prefect concurrency-limit`."""

import json
from uuid import uuid4

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["concurrency-limit", "ls"]) == (0, "No concurrency limits found.\n", "")
    assert invoke(["concurrency-limits", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_a_limit_is_created_and_changed(client: SyncPrefectClient):
    created = invoke(["concurrency-limit", "create", "db", "3"])
    assert (created.exit_code, created.stderr) == (0, "")
    assert "prefect concurrency-limit inspect 'db'" in created.stdout
    assert client.read_concurrency_limit_by_tag("db").concurrency_limit == 3
    assert invoke(["concurrency-limit", "create", "--tag", "db", "--concurrency-limit", "0"]).exit_code == 0
    assert client.read_concurrency_limit_by_tag("db").concurrency_limit == 0


@pytest.mark.parametrize("limit", [["many"], ["-1"], []])
def test_a_limit_that_is_no_count_is_a_usage_error(limit: list[str], client: SyncPrefectClient):
    result = invoke(["concurrency-limit", "create", "db", *limit])
    assert (result.exit_code, result.stdout) == (2, "")
    assert client.read_concurrency_limits(limit=10, offset=0) == []


def test_limits_are_listed(client: SyncPrefectClient):
    for tag in ("a", "b", "c"):
        client.create_concurrency_limit(tag=tag, concurrency_limit=2)
    client.reset_concurrency_limit_by_tag("b", slot_override=[uuid4()])
    listed = json.loads(invoke(["concurrency-limit", "ls", "-o", "json"]).stdout)
    assert {limit["tag"] for limit in listed} == {"a", "b", "c"}
    assert len(json.loads(invoke(["concurrency-limit", "ls", "--limit", "2", "-o", "json"]).stdout)) == 2
    assert len(json.loads(invoke(["concurrency-limit", "ls", "--offset", "2", "-o", "json"]).stdout)) == 1
    lines = invoke(["concurrency-limit", "ls"]).stdout.splitlines()
    assert lines[0].strip() == "Concurrency Limits"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert {(row[0], row[2], row[3]) for row in cells} == {("a", "2", "0"), ("b", "2", "1"), ("c", "2", "0")}


def test_a_limit_is_inspected(client: SyncPrefectClient):
    client.create_concurrency_limit(tag="db", concurrency_limit=2)
    holders = [uuid4(), uuid4()]
    client.reset_concurrency_limit_by_tag("db", slot_override=holders)
    shown = invoke(["concurrency-limit", "inspect", "db"]).stdout
    assert "Tag:" in shown and all(str(holder) in shown for holder in holders)
    as_json = json.loads(invoke(["concurrency-limit", "inspect", "db", "-o", "json"]).stdout)
    assert (as_json["tag"], as_json["concurrency_limit"]) == ("db", 2)
    assert set(as_json["active_slots"]) == {str(holder) for holder in holders}


def test_the_slots_of_a_limit_are_freed_unless_the_user_objects(client: SyncPrefectClient):
    client.create_concurrency_limit(tag="db", concurrency_limit=2)
    client.reset_concurrency_limit_by_tag("db", slot_override=[uuid4()])
    assert invoke(["--prompt", "concurrency-limit", "reset", "db"], input="n\n").exit_code == 1
    assert len(client.read_concurrency_limit_by_tag("db").active_slots) == 1
    assert invoke(["concurrency-limit", "reset", "db"]).exit_code == 0
    assert client.read_concurrency_limit_by_tag("db").active_slots == []


def test_a_limit_is_deleted_unless_the_user_objects(client: SyncPrefectClient):
    client.create_concurrency_limit(tag="db", concurrency_limit=2)
    assert invoke(["--prompt", "concurrency-limit", "delete", "db"], input="n\n").exit_code == 1
    assert invoke(["concurrency-limit", "delete", "db"]).exit_code == 0
    assert client.read_concurrency_limits(limit=10, offset=0) == []


@pytest.mark.parametrize("command", ["inspect", "reset", "delete"])
def test_a_limit_that_does_not_exist_is_not_found(command: str, client: SyncPrefectClient):
    result = invoke(["concurrency-limit", command, "nope"])
    assert result == (1, "Concurrency limit for tag 'nope' not found.\n", "")
