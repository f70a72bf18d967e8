"""`prefect automation`."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient


def described(name: str, **fields: Any) -> dict[str, Any]:
    trigger = {"type": "event", "posture": "Reactive", "expect": ["oven.hot"]}
    return {"name": name, "trigger": trigger, "actions": [{"type": "do-nothing"}], **fields}


def create(*items: dict[str, Any]) -> None:
    assert invoke(["automation", "create", "-j", json.dumps(list(items))]).exit_code == 0


def names(client: SyncPrefectClient) -> list[str]:
    return [item.name for item in client.read_automations()]


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["automation", "ls"]) == (0, "No automations found.\n", "")


def test_the_list_shows_what_an_automation_waits_for_and_does(client: SyncPrefectClient):
    create(described("one", description="why"), described("two", enabled=False))
    shown = invoke(["automations", "ls"]).stdout
    for text in ("one", "why", "two", "Reactive: expecting 1 of oven.hot", "Do nothing", "yes", "no"):
        assert text in shown


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
@pytest.mark.parametrize("form", ["one", "list", "object"])
def test_automations_are_created_from_a_file(client: SyncPrefectClient, suffix: str, form: str):
    content: Any = {
        "one": described("one"),
        "list": [described("one"), described("two")],
        "object": {"automations": [described("one"), described("two")]},
    }[form]
    path = Path(f"automations{suffix}")
    with path.open("w") as file:
        json.dump(content, file) if suffix == ".json" else YAML().dump(content, file)
    assert invoke(["automation", "create", "--from-file", str(path)]).exit_code == 0
    assert names(client) == (["one"] if form == "one" else ["one", "two"])


def test_all_are_tried_and_what_failed_is_named(client: SyncPrefectClient):
    bad = described("bad", actions=[{"type": "call-webhook", "block_document_id": str(uuid4()), "payload": "{{ x "}])
    result = invoke(["automation", "create", "-j", json.dumps([{"name": "worse"}, bad, 5, described("good")])])
    assert result.exit_code == 1
    for text in ("worse: trigger: Field required", "bad: actions.0.payload: Invalid template", "automation 3: it:"):
        assert text in result.stdout
    assert names(client) == ["good"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["-j", "{}", "-f", "x"], ["-j", "{no json"], ["-f", "missing.yaml"], ["-j", "[]"], ["-f", "broken.yaml"]],
)
def test_what_cannot_be_read_creates_nothing(client: SyncPrefectClient, arguments: list[str]):
    Path("broken.yaml").write_text("a: [")
    result = invoke(["automation", "create", *arguments])
    assert (result.exit_code, result.stderr) == (1, "")
    assert names(client) == []


def test_an_automation_is_shown(client: SyncPrefectClient):
    create(described("one"))
    (stored,) = client.read_automations()
    assert "one" in invoke(["automation", "inspect", "one"]).stdout
    expected = stored.model_dump(mode="json")
    assert json.loads(invoke(["automation", "inspect", "--id", str(stored.id), "-o", "json"]).stdout) == expected
    assert json.loads(invoke(["automation", "inspect", "one", "--json"]).stdout) == [expected]
    yaml = invoke(["automation", "inspect", "--name", "one", "--yaml"]).stdout
    assert YAML(typ="safe").load(yaml) == [expected]


@pytest.mark.parametrize("command", ["inspect", "pause", "resume", "delete"])
def test_what_is_not_there_is_said(client: SyncPrefectClient, command: str):
    for arguments in (["nope"], ["--id", str(uuid4())], ["--id", "no-uuid"], []):
        result = invoke(["automation", command, *arguments])
        assert (result.exit_code, result.stderr) == (1, "")
        assert ("not found" in result.stdout) == (bool(arguments) and arguments[-1] != "no-uuid")


def test_an_automation_rests_and_works_again(client: SyncPrefectClient):
    create(described("one"))
    (stored,) = client.read_automations()
    for command, enabled in [("pause", False), ("resume", True), ("disable", False), ("enable", True)]:
        assert invoke(["automation", command, "one"]).exit_code == 0
        assert client.read_automation(stored.id).enabled is enabled
    assert invoke(["automation", "pause", "--id", str(stored.id)]).exit_code == 0
    assert client.read_automation(stored.id).enabled is False


def test_an_automation_is_replaced(client: SyncPrefectClient):
    create(described("one"))
    (stored,) = client.read_automations()
    changed = json.dumps(described("new", description="changed"))
    assert invoke(["automation", "update", "--id", str(stored.id), "-j", changed]).exit_code == 0
    found = client.read_automation(stored.id)
    assert (found.name, found.description) == ("new", "changed")
    for arguments in (["--id", str(uuid4()), "-j", changed], ["--id", str(stored.id), "-j", '{"name": "x"}']):
        assert invoke(["automation", "update", *arguments]).exit_code == 1
    assert client.read_automation(stored.id) == found


def test_automations_are_deleted_on_purpose(client: SyncPrefectClient):
    create(described("one"), described("twin"), described("twin"))
    assert invoke(["automation", "delete", "one"]).exit_code == 0
    refused = invoke(["automation", "delete", "twin"])
    assert refused.exit_code == 1 and "--id" in refused.stdout
    assert invoke(["automation", "delete", "twin", "--all"]).exit_code == 1
    assert names(client) == ["twin", "twin"]
    assert invoke(["automation", "delete", "--all"]).exit_code == 0
    assert names(client) == []
    assert invoke(["automation", "delete", "--all"]) == (0, "There are no automations to delete.\n", "")
