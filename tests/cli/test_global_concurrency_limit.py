"""`prefect global-concurrency-limit`."""

import json
from pathlib import Path

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient


@pytest.fixture
def limit(client: SyncPrefectClient) -> str:
    """A limit of two slots, by name."""
    assert invoke(["gcl", "create", "db", "--limit", "2"]).exit_code == 0
    return "db"


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["gcl", "ls"]) == (0, "No global concurrency limits found.\n", "")
    assert invoke(["global-concurrency-limit", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_a_limit_is_created(limit: str, client: SyncPrefectClient):
    created = client.read_global_concurrency_limit_by_name(limit)
    assert (created.limit, created.active, created.active_slots, created.slot_decay_per_second) == (2, True, 0, 0)
    options = ["-l", "3", "--disable", "--slot-decay-per-second", "0.5"]
    assert invoke(["gcl", "create", "rate", *options]).exit_code == 0
    created = client.read_global_concurrency_limit_by_name("rate")
    assert (created.limit, created.active, created.slot_decay_per_second) == (3, False, 0.5)


def test_a_limit_that_exists_is_not_created(limit: str):
    result = invoke(["gcl", "create", limit, "-l", "5"])
    assert (result.exit_code, "'db' already exists" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-l", "-3"], "Limit -3 is not valid: "),
        (["-l", "1", "--active-slots", "-1"], "Active slots -1 is not valid: "),
        (["-l", "1", "--slot-decay-per-second", "-1"], "Slot decay per second -1.0 is not valid: "),
    ],
)
def test_numbers_below_zero_are_refused(options: list[str], message: str, client: SyncPrefectClient):
    result = invoke(["gcl", "create", "db", *options])
    assert (result.exit_code, result.stdout.startswith(message)) == (1, True), result.stdout
    assert client.read_global_concurrency_limits() == []


def test_a_limit_without_a_number_is_a_usage_error():
    assert invoke(["gcl", "create", "db"]).exit_code == 2
    assert invoke(["gcl", "create", "db", "-l", "many"]).exit_code == 2


def test_limits_are_listed_by_name(client: SyncPrefectClient):
    for name in ("b", "a", "c"):
        invoke(["gcl", "create", name, "-l", "2", *(["--disable"] if name == "b" else [])])
    listed = json.loads(invoke(["gcl", "ls", "-o", "json"]).stdout)
    assert [limit["name"] for limit in listed] == ["a", "b", "c"]
    lines = invoke(["gcl", "ls"]).stdout.splitlines()
    assert lines[0].strip() == "Global Concurrency Limits"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert [row[1:6] for row in cells] == [
        ["a", "yes", "2", "0", "0"],
        ["b", "no", "2", "0", "0"],
        ["c", "yes", "2", "0", "0"],
    ]


def test_a_limit_is_inspected(limit: str):
    shown = invoke(["gcl", "inspect", limit]).stdout
    assert "db" in shown and "active_slots" in shown
    as_json = json.loads(invoke(["gcl", "inspect", limit, "-o", "json"]).stdout)
    assert (as_json["name"], as_json["limit"], as_json["active"]) == ("db", 2, True)


def test_a_limit_is_written_to_a_file(limit: str):
    result = invoke(["gcl", "inspect", limit, "-o", "json", "-f", "limit.json"])
    assert result == (0, "Wrote global concurrency limit 'db' to limit.json.\n", "")
    assert json.loads(Path("limit.json").read_text())["name"] == "db"
    assert invoke(["gcl", "inspect", limit, "--file", "limit.json"]).exit_code == 1
    unwritable = invoke(["gcl", "inspect", limit, "-o", "json", "-f", "no/such/folder.json"])
    assert (unwritable.exit_code, "Cannot write 'no/such/folder.json'" in unwritable.stdout) == (1, True)


def test_a_limit_is_switched_off_and_on(limit: str, client: SyncPrefectClient):
    assert invoke(["gcl", "enable", limit]) == (1, "Global concurrency limit 'db' is already enabled.\n", "")
    assert invoke(["gcl", "disable", limit]) == (0, "Disabled global concurrency limit 'db'.\n", "")
    assert client.read_global_concurrency_limit_by_name(limit).active is False
    assert invoke(["gcl", "disable", limit]).exit_code == 1
    assert invoke(["gcl", "enable", limit]).exit_code == 0
    assert client.read_global_concurrency_limit_by_name(limit).active is True


def test_only_what_is_given_is_updated(limit: str, client: SyncPrefectClient):
    assert invoke(["gcl", "update", limit, "-l", "5"]).exit_code == 0
    assert invoke(["gcl", "update", limit, "--disable"]).exit_code == 0
    assert invoke(["gcl", "update", limit, "--active-slots", "1", "--slot-decay-per-second", "0.1"]).exit_code == 0
    updated = client.read_global_concurrency_limit_by_name(limit)
    assert (updated.limit, updated.active, updated.active_slots, updated.slot_decay_per_second) == (5, False, 1, 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to change"),
        (["--enable", "--disable"], "cannot be enabled and disabled at the same time"),
        (["-l", "-1"], "Limit -1 is not valid: "),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(options: list[str], message: str, limit: str):
    result = invoke(["gcl", "update", limit, *options])
    assert (result.exit_code, message in result.stdout) == (1, True)


@pytest.mark.parametrize(
    "arguments", [["inspect"], ["enable"], ["disable"], ["delete"], ["update", "-l", "1"]], ids=lambda it: it[0]
)
def test_a_limit_that_does_not_exist_is_not_found(arguments: list[str], client: SyncPrefectClient):
    result = invoke(["gcl", arguments[0], "nope", *arguments[1:]])
    assert result == (1, "Global concurrency limit 'nope' not found.\n", "")


def test_a_limit_is_deleted_unless_the_user_objects(limit: str, client: SyncPrefectClient):
    assert invoke(["--prompt", "gcl", "delete", limit], input="n\n").exit_code == 1
    assert invoke(["gcl", "delete", limit]) == (0, "Deleted global concurrency limit 'db'.\n", "")
    assert client.read_global_concurrency_limits() == []
