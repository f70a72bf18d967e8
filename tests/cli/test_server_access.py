"""`prefect server api-key` and `prefect server audit`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings.context import refresh_settings

KEY = re.compile(r"^    (pfs_[\w-]{43})$", re.MULTILINE)


def test_keys_are_made_listed_and_revoked_in_the_database(client: SyncPrefectClient, home: Path):
    assert "No API keys found in the database" in invoke(["server", "api-key", "ls"]).stdout
    made = invoke(["server", "api-key", "create", "root", "--role", "admin"])
    assert made.exit_code == 0 and KEY.search(made.stdout) and str(home) in made.stdout
    made = invoke(
        ["server", "api-key", "create", "ci", "--role", "operator", "--secrets", "--expires", "30d", "-o", "json"]
    )
    key = json.loads(made.stdout)
    assert (key["name"], key["role"], key["sees_secrets"]) == ("ci", "operator", True)
    listed = invoke(["server", "api-key", "ls"])
    assert all(text in listed.stdout for text in ("root", "ci", "operator", "in 4 weeks", "never"))
    assert key["key"] not in listed.stdout and key["key"][4:20] not in listed.stdout
    assert [each["name"] for each in json.loads(invoke(["server", "api-key", "ls", "-o", "json"]).stdout)] == [
        "ci",
        "root",
    ]
    revoked = invoke(["server", "api-key", "revoke", "ci"])
    assert revoked == (0, "Revoked the API key 'ci'. Every server knows within a few seconds.\n", "")
    assert "ci" not in invoke(["server", "api-key", "ls"]).stdout
    assert "revoked" in invoke(["server", "api-key", "ls", "--all"]).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "a", "--role", "viewer"], "first API key must have the role admin"),
        (["create", "a", "--role", "admin", "--expires", "soon"], "'soon' is no time"),
        (["create", "a", "--role", "admin", "--expires", "99999999999d"], "is no time"),
        (["create", "a", "--role", "admin", "--expires", "2020-01-01"], "is over"),
        (["create", "a/b", "--role", "admin"], "name"),
        (["create", "a", "--role", "viewer", "--secrets"], "a viewer cannot see secrets"),
        (["revoke", "nobody"], "API key 'nobody' not found in the database"),
        (["ls", "-o", "yaml"], "'yaml' is not supported"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], said: str, client: SyncPrefectClient):
    result = invoke(["server", "api-key", *arguments])
    assert result.exit_code == 1 and said in result.stdout, result
    assert json.loads(invoke(["server", "api-key", "ls", "--all", "-o", "json"]).stdout) == []


@pytest.mark.parametrize(
    "arguments", [["create", "a"], ["create", "--role", "admin"], ["create", "a", "--role", "king"]]
)
def test_a_wrong_call_is_a_usage_error(arguments: list[str]):
    assert invoke(["server", "api-key", *arguments]).exit_code == 2


@pytest.fixture
def running(home: Path, client: SyncPrefectClient) -> Iterator[RunningServer]:
    """A server on the database that commands in this process find by themselves."""
    client.read_flows()
    with server(home, "--no-services") as running:
        yield running


def test_keys_are_managed_over_the_api_too(running: RunningServer, monkeypatch: pytest.MonkeyPatch):
    def set_variable(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        refresh_settings()

    set_variable("PREFECT_API_URL", running.url)
    made = invoke(["server", "api-key", "create", "root", "--role", "admin"])
    assert f"on the server at {running.url}" in made.stdout
    key = KEY.search(made.stdout)
    assert key is not None
    # From now on the server asks; the database itself does not.
    refused = invoke(["server", "api-key", "ls"])
    assert refused.exit_code == 1 and "Set PREFECT_API_KEY to one of its keys" in refused.stdout
    assert "root" in invoke(["server", "api-key", "ls", "--local"]).stdout
    set_variable("PREFECT_API_KEY", key[1])
    assert "root" in invoke(["server", "api-key", "ls"]).stdout
    assert invoke(["server", "api-key", "create", "ci", "--role", "operator"]).exit_code == 0
    assert invoke(["server", "api-key", "revoke", "ci"]).exit_code == 0
    assert invoke(["server", "api-key", "revoke", "ci"]).stdout.startswith("API key 'ci' not found on the server")
    trail = json.loads(invoke(["server", "audit", "ls", "--actor", "root", "--since", "1h", "-o", "json"]).stdout)
    assert ["DELETE", 204] in [[each["method"], each["status"]] for each in trail]
    table = invoke(["server", "audit", "ls", "--limit", "200"]).stdout
    assert "DELETE /api_keys/name/ci" in table and "root" in table
    assert httpx.get(running.url + "/hello").status_code == 401
