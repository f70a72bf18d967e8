"""What the HTTP server adds to the route table: paths, statuses, bodies, and its own life."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.api.conftest import RunningServer, server


def test_it_is_healthy_and_says_its_version(running: RunningServer):
    with running.client() as client:
        assert client.get("/health").json() is True
        assert client.get("/ready").status_code == 200
        assert client.get("/admin/version").json().startswith("3.8.8")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/flow_runs/not-an-id", 404),
        ("PUT", "/health", 405),
        ("POST", "/flows/filter", 200),
    ],
)
def test_paths_and_methods_are_told_apart(running: RunningServer, method: str, path: str, status: int):
    with running.client() as client:
        assert client.request(method, path).status_code == status


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]", b'"text"', b'{"name": 1}', b'{"name": "a\\ud800"}'])
def test_a_bad_body_is_the_sender_s_fault(running: RunningServer, content: bytes):
    with running.client() as client:
        answer = client.post("/flows/", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()


def test_a_flow_runs_against_the_server(running: RunningServer, tmp_path: Path):
    script = tmp_path / "flow.py"
    script.write_text(
        "from prefect import flow, task\n"
        "@task\ndef double(x):\n    return 2 * x\n"
        "@flow\ndef inner(x):\n    return double(x)\n"
        "@flow\ndef outer():\n    return sum(double.map([1, 2, 3]).result()) + inner(4)\n"
        "print(outer())\n"
    )
    done = subprocess.run(
        [sys.executable, script], env=running.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "20\n"), done.stderr
    with running.client() as client:
        flows = client.post("/flows/filter", json={"flows": {"name": {"any_": ["inner", "outer"]}}}).json()
        runs = client.post("/flow_runs/filter", json={"flows": {"id": {"any_": [flow["id"] for flow in flows]}}}).json()
        assert sorted(run["state_name"] for run in runs) == ["Completed", "Completed"]
        tasks = client.post(
            "/task_runs/filter", json={"task_runs": {"flow_run_id": {"any_": [run["id"] for run in runs]}}}
        ).json()
        assert [run["state_type"] for run in tasks] == ["COMPLETED"] * 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_it_is_told_to(tmp_path: Path, number: signal.Signals):
    with server(tmp_path) as running:
        running.process.send_signal(number)
        assert running.process.wait(10) == 0
    assert "Server stopped!" in (tmp_path / "server.log").read_text()


def test_a_port_that_is_taken_is_named(running: RunningServer, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(running.port)],
        env=running.environment(PREFECT_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{running.port}" in done.stdout and "Traceback" not in done.stdout + done.stderr


def test_a_server_in_the_background_is_found_and_stopped(tmp_path: Path):
    from tests.server.api.conftest import free_port

    port = free_port()

    def prefect(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        return subprocess.run(
            [sys.executable, "-m", "prefect", "server", *arguments],
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    assert prefect("start", "--background", "--port", str(port)).returncode == 0
    try:
        assert prefect("status").returncode == 0
        again = prefect("start", "--background", "--port", str(port))
        assert again.returncode == 1 and "already" in again.stdout
    finally:
        stopped = prefect("stop")
    assert stopped.returncode == 0 and "Server stopped" in stopped.stdout
    assert prefect("status").returncode == 1


def test_a_password_is_asked_for(tmp_path: Path):
    with server(tmp_path, PREFECT_SERVER_API_AUTH_STRING="admin:secret") as running, running.client() as client:
        assert client.get("/health").status_code == 200
        assert client.post("/flows/filter").status_code == 401
        assert client.post("/flows/filter", auth=("admin", "wrong")).status_code == 401
        assert client.post("/flows/filter", auth=("admin", "secret")).status_code == 200
    assert "secret" not in (tmp_path / "server.log").read_text()
