"""`prefect flow`."""

import json

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["flow", "ls"]) == (0, "No flows found.\n", "")
    assert invoke(["flow", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_flows_are_listed_the_newest_first(client: SyncPrefectClient):
    ids = [str(client.create_flow_from_name(name)) for name in ("first", "second", "third")]
    listed = json.loads(invoke(["flows", "ls", "-o", "JSON"]).stdout)
    assert [flow["name"] for flow in listed] == ["third", "second", "first"]
    assert [flow["id"] for flow in listed] == ids[::-1]
    table = invoke(["flow", "ls", "--limit", "2"]).stdout
    assert "Flows" in table and "third" in table and "second" in table and "first" not in table
    assert ids[2] in table and "a few seconds ago" in table


def test_more_flows_are_listed_than_the_api_gives_at_once(client: SyncPrefectClient):
    for number in range(203):
        client.create_flow_from_name(f"flow-{number}")
    listed = json.loads(invoke(["flow", "ls", "--limit", "202", "-o", "json"]).stdout)
    assert [flow["name"] for flow in listed] == [f"flow-{number}" for number in range(202, 0, -1)]


@pytest.mark.parametrize("limit", ["-1", "many"])
def test_a_limit_that_is_no_count_is_a_usage_error(limit: str):
    result = invoke(["flow", "ls", "--limit", limit])
    assert (result.exit_code, result.stdout) == (2, "")
    assert limit in result.stderr


def test_an_output_format_that_does_not_exist_is_refused():
    result = invoke(["flow", "ls", "-o", "yaml"])
    assert (result.exit_code, result.stdout) == (1, "Output format 'yaml' is not supported. Only 'json' is.\n")
