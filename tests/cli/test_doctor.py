"""`prefect doctor`, on set-ups that are broken in one way each."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import new_database
from tests.server.api.conftest import RunningServer, server

from prefect._version import __version__
from prefect.cli._doctor.machine import filesystem_of
from prefect.cli._runner import invoke
from prefect.settings import context


def examine() -> dict[str, dict[str, Any]]:
    """What is found, by check; one finding a check."""
    context._process = None  # each call stands for a process of its own
    result = invoke(["doctor", "--output", "json"])
    told = json.loads(result.stdout)
    assert result.exit_code == (1 if told["findings"] else 0), result
    assert told["is_well"] == (not told["findings"])
    for finding in told["findings"]:
        assert finding["level"] in ("error", "warning")
        assert all(finding[part] for part in ("what", "why", "do")), finding
    return {finding["check"]: finding for finding in told["findings"]}


def only(check: str) -> dict[str, Any]:
    found = examine()
    assert list(found) == [check]
    return found[check]


def test_a_fresh_set_up_is_well():
    result = invoke(["doctor"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "All is well" in result.stdout
    assert examine() == {}


def test_each_finding_says_what_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_ULR", "x")
    result = invoke(["doctor"])
    assert result.exit_code == 1
    what, why, cure, empty, end = result.stdout.splitlines()
    assert what.startswith("warning: PREFECT_API_ULR")
    assert why.startswith("    Why it matters: ")
    assert cure == "    What to do: Did you mean PREFECT_API_URL? Rename it."
    assert (empty, end) == ("", "One problem was found.")


# -- settings ----------------------------------------------------------------------------------------------------------


def test_a_setting_of_the_profile_that_is_hidden(write_profiles: Any, monkeypatch: pytest.MonkeyPatch):
    write_profiles(
        'active = "mine"\n[profiles.mine]\nPREFECT_SERVER_EPHEMERAL_ENABLED = "true"\nPREFECT_LOGGING_LEVEL = "DEBUG"\nPREFECT_API_AUTH_STRING = "me:hush"\n'
        'PREFECT_CLIENT_MAX_RETRIES = "3"\n'
    )
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "3")
    assert examine() == {}
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "ERROR")
    found = only("shadowed-setting")
    assert "'DEBUG'" in found["what"] and "'ERROR'" in found["what"] and "'mine'" in found["what"]
    assert "unset PREFECT_LOGGING_LEVEL" in found["do"]
    monkeypatch.delenv("PREFECT_LOGGING_LEVEL")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:other")
    found = only("shadowed-setting")
    assert "hush" not in str(found) and "other" not in found["what"]


def test_a_file_that_hides_the_profile(write_profiles: Any):
    write_profiles(
        'active = "mine"\n[profiles.mine]\nPREFECT_SERVER_EPHEMERAL_ENABLED = "true"\nPREFECT_LOGGING_LEVEL = "DEBUG"\n'
    )
    Path("prefect.toml").write_text('[logging]\nlevel = "ERROR"\n')
    assert "prefect.toml" in only("shadowed-setting")["what"]


def test_variables_that_are_no_settings(write_profiles: Any, monkeypatch: pytest.MonkeyPatch):
    for name in ("PREFECT__FLOW_RUN_ID", "PREFECT_INTEGRATIONS_X", "PREFECT_LOGGING_LOGGERS_PREFECT_LEVEL"):
        monkeypatch.setenv(name, "INFO")
    assert examine() == {}
    Path(".env").write_text("PREFECT_LOGING_LEVEL=DEBUG\n")
    found = only("unknown-setting")
    assert "PREFECT_LOGING_LEVEL" in found["what"] and ".env" in found["what"]
    assert "PREFECT_LOGGING_LEVEL" in found["do"]


def test_a_profile_that_does_not_exist(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_PROFILE", "gone")
    found = only("missing-profile")
    assert "'gone'" in found["what"]
    assert "prefect profile create gone" in found["do"]


def test_settings_that_are_not_valid(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "many")
    found = only("invalid-settings")
    assert "PREFECT_SERVER_API_PORT" in found["what"] and "'many'" in found["what"]


def test_what_is_switched_on_but_not_installed(tmp_path: Path, home: Path):
    # An interpreter that finds this package and what it needs, but not the libraries for watching.
    hide = "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n in {'prometheus_client', 'opentelemetry'} else f(n, *a)"
    program = f"{hide}; from prefect.cli.root import run; raise SystemExit(run(['doctor', '-o', 'json']))"
    environment = {**os.environ, "PREFECT_SERVER_METRICS_ENABLED": "1", "OTEL_TRACES_EXPORTER": "otlp"}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, ended.stderr
    metrics, spans = json.loads(ended.stdout)["findings"]
    assert 'pip install "prefect[metrics]"' in metrics["do"] and "PREFECT_SERVER_METRICS_ENABLED" in metrics["what"]
    assert 'pip install "prefect[otel]"' in spans["do"] and "OTEL_TRACES_EXPORTER" in spans["what"]


# -- the API -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("server"), PREFECT_SERVER_API_AUTH_STRING="me:hush") as running:
        yield running


def test_a_server_that_can_be_used(running: RunningServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", running.url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:hush")
    assert examine() == {}


@pytest.mark.parametrize(("password", "said"), [(None, "without a password"), ("me:wrong", "PREFECT_API_AUTH_STRING")])
def test_a_server_that_refuses_the_password(
    running: RunningServer, monkeypatch: pytest.MonkeyPatch, password: str | None, said: str
):
    monkeypatch.setenv("PREFECT_API_URL", running.url)
    if password is not None:
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", password)
    found = only("authentication-refused")
    assert said in found["what"] and "401" in found["what"]
    assert "me:wrong" not in str(found)


def test_an_address_that_lacks_the_path(running: RunningServer, monkeypatch: pytest.MonkeyPatch):
    root = running.url.removesuffix("/api")
    monkeypatch.setenv("PREFECT_API_URL", root)
    found = only("wrong-api-path")
    assert f"PREFECT_API_URL={root}/api" in found["do"]


def test_an_address_where_nobody_listens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    found = only("api-unreachable")
    assert "127.0.0.1:9" in found["what"] and "prefect server start" in found["do"]


def test_no_address_and_no_embedded_mode(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_ENABLED", "false")
    assert "PREFECT_API_URL" in only("no-api")["do"]


@contextmanager
def other_server(version: str, ahead_seconds: float = 0) -> Iterator[str]:
    """A server of another version, or with another clock, as far as the command asks one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/api/health": b"true", "/api/admin/version": json.dumps(version).encode()}.get(self.path)
            self.send_response_only(404 if body is None else 200)
            self.send_header("Date", format_datetime(datetime.now(timezone.utc) + timedelta(seconds=ahead_seconds)))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/api"
        listening.shutdown()


@pytest.mark.parametrize(
    ("version", "level", "older"),
    [("2.20.1", "error", "server"), ("3.0.1", "warning", "server"), ("4.1.0", "error", "client")],
)
def test_a_server_of_another_version(version: str, level: str, older: str, monkeypatch: pytest.MonkeyPatch):
    with other_server(version) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        found = only("version-drift")
    assert found["level"] == level
    assert version in found["what"] and __version__ in found["what"]
    assert f"The {older} is older" in found["why"]


@pytest.mark.parametrize(("seconds", "said"), [(3600, "ahead of"), (-3600, "behind")])
def test_a_server_with_another_clock(seconds: float, said: str, monkeypatch: pytest.MonkeyPatch):
    with other_server(__version__, seconds) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert said in only("clock-skew")["what"]


# -- the database ------------------------------------------------------------------------------------------------------


def test_a_database_that_is_newer_than_this_release(home: Path):
    assert invoke(["server", "database", "upgrade", "-y"]).exit_code == 0
    from prefect.server.database.store import close_stores

    close_stores()
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        database.execute("PRAGMA user_version = 9999")
    found = only("database-unusable")
    assert "9999" in found["what"] and "Upgrade prefect" in found["do"]


def test_a_database_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql://me:hush@127.0.0.1:9/nowhere")
    found = only("database-unusable")
    assert "127.0.0.1:9/nowhere" in found["what"] and "hush" not in str(found)


@pytest.mark.postgres
def test_a_postgresql_database_that_is_well(monkeypatch: pytest.MonkeyPatch):
    with new_database() as url:
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", url)
        assert examine() == {}


def test_looking_changes_nothing(home: Path):
    assert examine() == {}
    assert not (home / "prefect.db").exists()


def test_sqlite_under_several_servers(monkeypatch: pytest.MonkeyPatch, running: RunningServer):
    monkeypatch.setenv("PREFECT_API_URL", running.url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:hush")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite:///{Path('x.db').absolute()}")
    assert examine() == {}
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    found = only("sqlite-under-replicas")
    assert "Kubernetes" in found["what"] and "postgresql" in found["do"]
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    monkeypatch.setenv("PREFECT_MESSAGING_BROKER", "prefect_redis.messaging")
    assert "prefect_redis" in only("sqlite-under-replicas")["what"]


def test_the_filesystem_of_a_path_is_that_of_the_innermost_mount(tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/a / ext4 rw 0 0\nserver:/x /srv/our\\040share nfs4 rw 0 0\ntmpfs /srv/our\\040share/here tmpfs rw 0 0\n"
    )
    assert filesystem_of(Path("/srv/our share/prefect.db"), mounts) == "nfs4"
    assert filesystem_of(Path("/srv/our share/here/prefect.db"), mounts) == "tmpfs"
    assert filesystem_of(Path("/srv/our shares/prefect.db"), mounts) == "ext4"
    assert filesystem_of(Path("/srv"), tmp_path / "nowhere") is None


# -- the machine -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root may write to")
def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PREFECT_HOME", "/proc/prefect")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite:///{tmp_path / 'own.db'}")
    found = only("home-not-writable")
    assert "/proc/prefect" in found["what"] and "PREFECT_HOME" in found["do"]


@pytest.mark.parametrize(("free", "level"), [(100 * 2**20, "warning"), (2**20, "error")])
def test_a_disk_that_is_nearly_full(free: int, level: str, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    found = only("disk-nearly-full")
    assert found["level"] == level and f"{free // 2**20} MB" in found["what"]


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("prefect>=3.0,<4", None),
        ("prefect >=3.0.0,!=3.1.*", None),
        ("pydantic~=2.1", None),
        ("pydantic[email] (>=2.0)", None),
        ("click==8.*", None),
        ("nowhere-to-be-found>=1; extra == 'more'", None),
        ("prefect>=2.0,<3", "prefect>=2.0,<3"),
        ("Pydantic>=99", "Pydantic>=99"),
        ("nowhere-to-be-found>=1", "it is not installed"),
        ("click!=8.*", "click!=8.*"),
        ("prefect>=3.99rc1", "prefect>=3.99rc1"),
    ],
)
def test_what_integration_packages_require(
    requirement: str, problem: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "prefect_made_up-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: prefect-made-up\nVersion: 1.2\nRequires-Dist: {requirement}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    if problem is None:
        assert examine() == {}
    else:
        found = only("integration-requirement")
        assert problem in found["what"] and "prefect-made-up 1.2" in found["what"]
