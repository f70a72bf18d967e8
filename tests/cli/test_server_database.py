"""`prefect server database`, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres import new_database

from prefect.cli._runner import invoke
from prefect.server.database.migrations import all_migrations
from prefect.server.database.store import forget_store, open_store

NEWEST = len(all_migrations())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database that does not hold anything yet, and that the commands use."""
    if request.param == "sqlite":
        url = f"sqlite:///{home / 'own.db'}"
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", url)
        yield url
        forget_store(url)
        return
    with new_database() as url:
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", url)
        yield url
        forget_store(url)


def flows(url: str) -> int:
    return open_store(url).read(lambda tx: tx.fetch_one("SELECT COUNT(*) AS n FROM flow"))["n"]  # type: ignore[index]


def fill(url: str) -> None:
    made = invoke(["api", "POST", "/flows/", "--data", '{"name": "mine"}'])
    assert made.exit_code == 0, made
    task = invoke(["api", "POST", "/variables/", "--data", '{"name": "v", "value": 1}'])
    assert task.exit_code == 0, task
    assert flows(url) == 1


def test_a_reset_leaves_an_empty_database_that_works(url: str):
    fill(url)
    result = invoke(["server", "database", "reset", "--yes"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert flows(url) == 0
    fill(url)


def test_a_reset_asks_first(url: str):
    fill(url)
    refused = invoke(["--prompt", "server", "database", "reset"], input="n\n")
    assert refused.exit_code == 1
    assert "Delete all" in refused.stdout
    nobody = invoke(["--no-prompt", "server", "database", "reset"])
    assert nobody.exit_code == 1
    assert "--yes" in nobody.stdout
    assert flows(url) == 1
    assert invoke(["--prompt", "server", "database", "reset"], input="y\n").exit_code == 0
    assert flows(url) == 0


def test_a_reset_leaves_other_tables_alone(url: str):
    open_store(url).write(lambda tx: tx.execute("CREATE TABLE mine (id INTEGER)"))
    assert invoke(["server", "database", "reset", "-y"]).exit_code == 0
    assert open_store(url).read(lambda tx: tx.fetch_all("SELECT id FROM mine")) == []


def test_an_upgrade_shows_what_it_does_and_does_it(url: str):
    planned = invoke(["server", "database", "upgrade", "--dry-run"])
    assert planned.exit_code == 0
    assert f"would be upgraded from version 0 to {NEWEST}" in planned.stdout
    assert planned.stdout.startswith("  0001 runs\n")
    assert invoke(["server", "database", "upgrade", "--dry-run"]) == planned
    assert f"was upgraded from version 0 to {NEWEST}" in invoke(["server", "database", "upgrade", "-y"]).stdout
    again = invoke(["server", "database", "upgrade", "--revision", str(NEWEST)])
    assert (again.exit_code, f"(version {NEWEST})" in again.stdout) == (0, True)


def test_an_upgrade_reaches_the_newest_version_only(url: str):
    refused = invoke(["server", "database", "upgrade", "-r", "1"])
    assert refused.exit_code == 1
    assert "'1'" in refused.stdout and str(NEWEST) in refused.stdout


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["downgrade", "-y"], "restore the backup"),
        (["revision", "-m", "x"], "numbered SQL files"),
        (["stamp", "abc"], "'abc'"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_reason(arguments: list[str], advice: str):
    result = invoke(["server", "database", *arguments])
    assert result.exit_code == 1
    assert advice in result.stdout


def test_a_database_of_another_program_is_left_untouched(home: Path):
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
    for command in (["reset", "-y"], ["upgrade", "-y"]):
        result = invoke(["server", "database", *command])
        assert result.exit_code == 1
        assert "made by another program" in result.stdout
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]


def test_a_database_that_cannot_be_reached_is_named_without_its_password(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql://me:hush@127.0.0.1:9/nowhere")
    result = invoke(["server", "database", "reset", "-y"])
    assert result.exit_code == 1
    assert "127.0.0.1:9/nowhere" in result.stdout
    assert "hush" not in result.stdout + result.stderr
