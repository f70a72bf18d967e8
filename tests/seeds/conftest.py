"""The world around the examples: a folder, an empty home, an internet of our own, and naps that take no time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.seeds._running import Shell
from tests.seeds._web import Web, start_web

HOSTS = ["api.example.com", "example.com", "wttr.in"]
USERS = [{"id": 1, "name": "ada lovelace"}, {"id": 2, "name": "grace hopper"}]
TEMPERATURES = {"London": "11", "Paris": "14", "Tokyo": "19"}


def weather(path: str):
    city = path.strip("/").partition("?")[0]
    return 200, {"current_condition": [{"temp_C": TEMPERATURES[city]}]}


@pytest.fixture(scope="session")
def internet(tmp_path_factory: pytest.TempPathFactory):
    web, stop = start_web(tmp_path_factory.mktemp("web"), HOSTS)
    yield web
    stop()


@pytest.fixture
def web(internet: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The sites that the examples ask; programs of this process find them too."""
    internet.sites = {"api.example.com": lambda _: (200, USERS), "example.com": lambda _: (200, USERS)}
    internet.sites["wttr.in"] = weather
    internet.asked.clear()
    for name, value in internet.environment.items():
        monkeypatch.setenv(name, value)
    return internet


@pytest.fixture
def shell(tmp_path: Path, home: Path, internet: Web) -> Shell:
    """Runs programs on the home of this test."""
    (tmp_path / "work").mkdir()
    return Shell(tmp_path / "work", home, internet.environment)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that runs wanted to sleep; they wake at once."""
    from prefect._plans import Sleep

    seconds: list[float] = []
    monkeypatch.setattr(Sleep, "perform", lambda sleep: seconds.append(sleep.seconds))
    return seconds
