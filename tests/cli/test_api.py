"""`prefect api` and `prefect dashboard`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.cli._runner import invoke


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("server")
    with server(home, PREFECT_SERVER_API_AUTH_STRING="me:hush") as running:
        yield running


@pytest.fixture(params=["embedded", "server"])
def where(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to an API."""
    if request.param == "server":
        found: RunningServer = request.getfixturevalue("running")
        monkeypatch.setenv("PREFECT_API_URL", found.url)
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:hush")
    return request.param


def test_a_request_prints_the_answer(where: str, tmp_path: Path):
    made = invoke(["api", "POST", "/flows/", "--data", '{"name": "one"}'])
    assert (made.exit_code, made.stderr) == (0, "")
    id = json.loads(made.stdout)["id"]
    assert json.loads(invoke(["api", "get", f"flows/{id}"]).stdout)["name"] == "one"
    assert json.loads(invoke(["api", "GET", f"/api/flows/{id}"]).stdout)["name"] == "one"
    body = tmp_path / "body.json"
    body.write_text('{"flows": {"name": {"any_": ["one"]}}}')
    for result in (
        invoke(["api", "POST", "/flows/filter", "--data", f"@{body}"]),
        invoke(["api", "POST", "/flows/filter", "--data", "-"], input=body.read_text()),
        invoke(["api", "POST", "/flows/filter"], input=body.read_text()),
    ):
        assert [flow["id"] for flow in json.loads(result.stdout)] == [id]
    deleted = invoke(["api", "DELETE", f"/flows/{id}"])
    assert (deleted.exit_code, deleted.stdout) == (0, "")


def test_a_body_that_is_not_given_is_an_empty_object(where: str):
    assert json.loads(invoke(["api", "POST", "/flows/count"]).stdout) == 0


def test_a_refusal_is_printed_and_is_an_exit_code(where: str):
    result = invoke(["api", "POST", "/flows/filter", "--data", '{"limit": -1}'])
    assert result.exit_code == 4
    assert "422" in result.stderr
    assert "limit" in json.loads(result.stdout)["detail"]


def test_headers_are_shown_without_secrets(where: str):
    result = invoke(["api", "GET", "/health", "--verbose", "-H", "X-Mine: here"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, True)
    assert "> x-mine: here" in result.stderr.lower()
    assert "< 200" in result.stderr
    assert ("> authorization: ********" in result.stderr.lower()) == (where == "server")
    assert "bWU6aHVzaA" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["BREW", "/flows"], "'BREW'"),
        (["POST", "/flows/", "--data", "{name"], "no JSON"),
        (["POST", "/flows/", "--data", "@/nowhere"], "'/nowhere'"),
        (["GET", "/health", "-H", "mine"], "'mine'"),
        (["GET", "/me", "--root"], "Prefect Cloud"),
        (["GET", "/me", "--account"], "Prefect Cloud"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str):
    result = invoke(["api", *arguments])
    assert result.exit_code == 1
    assert message in result.stdout


def test_a_path_never_leads_to_another_host(where: str):
    result = invoke(["api", "GET", "http://example.org/steal"])
    assert result.exit_code == 4
    assert json.loads(result.stdout) == {"detail": "Not Found"}


def test_the_dashboard_needs_a_server(monkeypatch: pytest.MonkeyPatch):
    alone = invoke(["dashboard", "open"])
    assert (alone.exit_code, "PREFECT_API_URL" in alone.stdout) == (1, True)


def test_the_dashboard_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    # The browser of a user is what BROWSER names.
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    browser.chmod(0o755)
    import webbrowser

    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example:4200/api")
    result = invoke(["dashboard", "open"])
    assert result.exit_code == 0, result
    assert seen.read_text() == "http://prefect.example:4200/"
