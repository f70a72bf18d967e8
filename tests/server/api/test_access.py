"""Who may use the API: the password on every route, CSRF tokens, and other origins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.server.routes import all_routes

ORIGIN = "http://ui.test"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a password."""
    with server(tmp_path_factory.mktemp("guarded"), PREFECT_SERVER_API_AUTH_STRING="us:ér:x") as running:
        yield running


def test_every_route_but_two_asks_for_the_password(guarded: RunningServer):
    open_to_all = []
    with guarded.client() as client:
        for route in all_routes():
            path = route.path.replace("{", "").replace("}", "")
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic dXM6ZXI="}):
                answer = client.request(route.method, path, headers=headers)
                if answer.status_code != 401:
                    open_to_all.append((route.method, route.path))
                else:
                    assert answer.json() == {"exception_message": "Unauthorized"}
    assert sorted(set(open_to_all)) == [("GET", "/health"), ("GET", "/ready")]


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/docs", "/nowhere", "/flows", "/health/", "/x/health", "/csrf-token"]
)
def test_what_is_no_route_asks_too(guarded: RunningServer, path: str):
    with guarded.client() as client:
        assert client.get(path).status_code == 401


def test_the_password_opens(guarded: RunningServer):
    with guarded.client(headers={"Authorization": "Basic dXM6w6lyOng="}) as client:
        assert client.get("/hello").status_code == 200
        assert httpx.get(guarded.url.removesuffix("/api") + "/ui-settings").json()["auth"] == "BASIC"


def test_a_browser_may_ask_beforehand_without_the_password(guarded: RunningServer):
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    with guarded.client() as client:
        allowed = client.options("/flows/filter", headers=asked)
        refused = client.post("/flows/filter", headers={"Origin": ORIGIN})
    assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == "*"
    # The page must be able to see that it was the password.
    assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == "*"


def test_changes_need_a_token_where_that_is_asked_for(tmp_path: Path):
    tokens = {"PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true", "PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION": "1"}
    with server(tmp_path, **tokens) as running, running.client() as client:
        client_id = str(uuid4())
        made = client.get("/csrf-token", params={"client": client_id}).json()
        headers = {"Prefect-Csrf-Token": made["token"], "Prefect-Csrf-Client": client_id}
        assert len(made["token"]) == 64 and made["client"] == client_id
        assert client.post("/flows/", json={"name": "a"}, headers=headers).status_code == 201
        assert client.get("/hello").status_code == 200

        def refusal(**changed: str | bytes | None) -> str:
            sent = {name: value for name, value in (headers | changed).items() if value is not None}
            answer = client.post("/flows/filter", headers=sent)
            assert answer.status_code == 403
            return answer.json()["detail"]

        assert "Missing CSRF token" in refusal(**{"Prefect-Csrf-Token": None})
        assert "Missing client" in refusal(**{"Prefect-Csrf-Client": None})
        assert "Invalid CSRF token" in refusal(**{"Prefect-Csrf-Client": "another"})
        assert "Invalid CSRF token" in refusal(**{"Prefect-Csrf-Token": b"\xfc" * 64})
        assert "Invalid CSRF token" in refusal(**{"Prefect-Csrf-Token": "f" * 64})
        deadline = time.monotonic() + 10
        while client.post("/flows/filter", headers=headers).status_code == 200:
            assert time.monotonic() < deadline, "the token never ends"
        assert "Invalid CSRF token" in refusal()


def test_our_client_gets_itself_tokens(tmp_path: Path):
    import subprocess
    import sys

    script = "from prefect import flow\n@flow\ndef f():\n    return 1\nprint(f(), f())"
    with server(tmp_path, PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED="true") as running:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=running.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "1 1\n"), done.stderr


def test_without_protection_there_are_no_tokens(running: RunningServer):
    with running.client() as client:
        assert client.get("/csrf-token", params={"client": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("version", "status"), [("0.8.4", 200), ("9.9.9", 200), ("0.7.9", 400), ("abc", 400), ("0.8", 400), ("٠.٨.٤", 400)]
)
def test_the_version_of_the_api_is_checked(running: RunningServer, version: str, status: int):
    headers = {"X-PREFECT-API-VERSION": version.encode()}
    with running.client() as client:
        assert client.get("/hello", headers=headers).status_code == status  # type: ignore[arg-type]
        assert client.get("/health", headers=headers).status_code == 200  # type: ignore[arg-type]
