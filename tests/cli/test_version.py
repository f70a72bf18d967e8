"""`prefect version`."""

import platform
import sqlite3

import pydantic
import pytest

from prefect._version import __version__
from prefect.cli._runner import invoke

pytest.importorskip("prefect.client.constants")


def lines() -> dict[str, str]:
    result = invoke(["version", "--omit-integrations"])
    assert result.exit_code == 0, result.stdout
    return {
        label.strip(): value.strip() for label, _, value in (line.partition(":") for line in result.stdout.splitlines())
    }


def test_versions_are_shown():
    shown = lines()
    assert list(shown) == [
        "Version",
        "API version",
        "Python version",
        "Git commit",
        "Built",
        "OS/Arch",
        "Profile",
        "Server type",
        "Pydantic version",
        "Server",
        "Database",
        "SQLite version",
    ]
    assert shown["Version"] == __version__
    assert shown["API version"] == "0.8.4"
    assert shown["Python version"] == platform.python_version()
    assert (shown["Profile"], shown["Server type"]) == ("ephemeral", "ephemeral")
    assert shown["Pydantic version"] == pydantic.VERSION
    assert (shown["Database"], shown["SQLite version"]) == ("sqlite", sqlite3.sqlite_version)


def test_the_server_is_of_the_kind_that_the_profile_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://h/api")
    assert lines()["Server type"] == "server"
    assert "Database" not in lines()
