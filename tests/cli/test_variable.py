"""`prefect variable`."""

import json

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["variable", "ls"]) == (0, "No variables found.\n", "")
    assert invoke(["variable", "ls", "-o", "json"]) == (0, "[]\n", "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-1.5", -1.5),
        ("true", True),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ('"12"', "12"),
        ("plain text", "plain text"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("{not json", "{not json"),
        ("", ""),
        ("é→日本", "é→日本"),
    ],
)
def test_a_value_is_json_or_text(text: str, value: object, client: SyncPrefectClient):
    assert invoke(["variable", "set", "mine", text]) == (0, "Set variable 'mine'.\n", "")
    assert client.read_variable_by_name("mine").value == value
    assert json.loads(invoke(["variable", "get", "mine"]).stdout) == value


def test_a_variable_is_only_changed_on_purpose(client: SyncPrefectClient):
    invoke(["variable", "set", "mine", "1", "--tag", "a", "--tag", "b"])
    refused = invoke(["variable", "set", "mine", "2"])
    assert refused == (1, "Variable 'mine' already exists. Use --overwrite to change it.\n", "")
    assert client.read_variable_by_name("mine").value == 1
    assert invoke(["variable", "set", "--name", "mine", "--value", "2", "--overwrite"]).exit_code == 0
    changed = client.read_variable_by_name("mine")
    assert (changed.value, changed.tags) == (2, ["a", "b"])
    invoke(["variable", "set", "mine", "2", "--overwrite", "--tag", "c"])
    assert client.read_variable_by_name("mine").tags == ["c"]
    invoke(["variable", "set", "mine", "2", "--overwrite", "--empty-tag"])
    assert client.read_variable_by_name("mine").tags == []


def test_a_name_that_is_not_allowed_is_refused(client: SyncPrefectClient):
    result = invoke(["variable", "set", "Bad Name!", "1"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.startswith("Name 'Bad Name!' is not valid: ")
    assert client.read_variables() == []


@pytest.mark.parametrize("arguments", [["set", "mine"], ["set", "mine", "1", "--tga", "x"], ["get"]])
def test_a_wrong_call_is_a_usage_error(arguments: list[str]):
    result = invoke(["variable", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("command", ["get", "inspect", "unset", "delete"])
def test_a_variable_that_does_not_exist_is_not_found(command: str, client: SyncPrefectClient):
    assert invoke(["variable", command, "nope"]) == (1, "Variable 'nope' not found.\n", "")


def test_variables_are_listed(client: SyncPrefectClient):
    invoke(["variable", "set", "b", '{"x": 1}'])
    invoke(["variable", "set", "a", "text"])
    listed = json.loads(invoke(["variable", "ls", "-o", "json"]).stdout)
    assert [(variable["name"], variable["value"]) for variable in listed] == [("a", "text"), ("b", {"x": 1})]
    lines = invoke(["variable", "ls"]).stdout.splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert lines[0].strip() == "Variables"
    assert [row[:2] for row in rows] == [["a", '"text"'], ["b", '{"x": 1}']]
    assert len(json.loads(invoke(["variable", "ls", "-o", "json", "--limit", "1"]).stdout)) == 1


def test_a_variable_is_inspected(client: SyncPrefectClient):
    invoke(["variable", "set", "mine", "[bold]", "--tag", "a"])
    shown = invoke(["variable", "inspect", "mine"]).stdout
    assert 'value:   "[bold]"' in shown and "tags:    a" in shown
    as_json = json.loads(invoke(["variable", "inspect", "mine", "-o", "json"]).stdout)
    assert (as_json["value"], as_json["tags"]) == ("[bold]", ["a"])


def test_a_variable_is_deleted_unless_the_user_objects(client: SyncPrefectClient):
    invoke(["variable", "set", "mine", "1"])
    assert invoke(["--prompt", "variable", "unset", "mine"], input="n\n").exit_code == 1
    assert client.read_variable_by_name("mine") is not None
    assert invoke(["variable", "delete", "mine"]) == (0, "Unset variable 'mine'.\n", "")
    assert client.read_variable_by_name("mine") is None
