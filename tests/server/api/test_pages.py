"""What stands beside the routes: the description of the API, the page for people, what the UI is told, and downloads."""

from __future__ import annotations

from pathlib import Path

import httpx
from tests.server.api.conftest import RunningServer, server


def test_the_api_describes_itself(running: RunningServer):
    with running.client() as client:
        document = client.get("/openapi.json")
        page = client.get("/docs")
    assert document.headers["content-encoding"] == "gzip"
    assert "post" in document.json()["paths"]["/flow_runs/{id}/set_state"]
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text and "https://" not in page.text


def test_pages_of_the_root_lead_to_those_of_the_api(running: RunningServer):
    root = running.url.removesuffix("/api")
    assert httpx.get(f"{root}/openapi.json").headers["location"] == "/api/openapi.json"
    assert httpx.get(f"{root}/docs", follow_redirects=True).status_code == 200
    assert httpx.get(f"{root}/nothing").json() == {"detail": "Not Found"}


def test_the_ui_learns_how_to_reach_the_api(running: RunningServer):
    told = httpx.get(running.url.removesuffix("/api") + "/ui-settings").json()
    assert told["api_url"] == running.url
    assert told["auth"] is None and told["csrf_enabled"] is False


def test_the_api_stands_where_the_settings_say(tmp_path: Path):
    with server(tmp_path, health="/some/where", PREFECT_SERVER_API_BASE_PATH="/some/where") as running:
        root = running.url.removesuffix("/api")
        assert httpx.get(f"{root}/some/where/hello").json() == "👋"
        assert httpx.get(f"{root}/api/hello").status_code == 404
        moved = httpx.get(f"{root}/some/where/flows")
        assert moved.headers["location"] == f"{root}/some/where/flows/"


def test_long_answers_come_in_pieces(running: RunningServer):
    with running.client() as client:
        flow = client.post("/flows/", json={"name": "download"}).json()
        run = client.post("/flow_runs/", json={"flow_id": flow["id"]}).json()
        lines = [
            {"name": "n", "level": 20, "message": f"line {n}", "timestamp": f"2026-01-01T00:00:{n % 60:02}Z"}
            | {"flow_run_id": run["id"]}
            for n in range(450)
        ]
        client.post("/logs/", json=lines).raise_for_status()
        answer = client.get(f"/flow_runs/{run['id']}/logs/download")
        missing = client.get("/flow_runs/00000000-0000-4000-8000-000000000000/logs/download")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text.splitlines()) == 451
    assert missing.status_code == 404
