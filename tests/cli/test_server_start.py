"""`prefect server start`: what it says to those who put a server before everybody, and that it can be stopped at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.api.conftest import free_port, server

from prefect.cli._runner import invoke

WARNING = "Anybody who reaches 0.0.0.0:"


def said(home: Path, host: str, **environment: str) -> str:
    with server(home, "--host", host, "--no-services", **environment) as running:
        pass
    return (running.home / "server.log").read_text()


def test_a_public_server_without_authentication_warns(home: Path):
    text = said(home, "0.0.0.0")
    assert WARNING in text and "api-key create" in text and "PREFECT_SERVER_API_AUTH_STRING" in text


def test_a_server_that_asks_who_is_there_does_not_warn(home: Path):
    assert WARNING not in said(home, "0.0.0.0", PREFECT_SERVER_API_AUTH_STRING="a:b")


@pytest.mark.slow
def test_a_server_with_keys_does_not_warn(home: Path):
    assert invoke(["server", "api-key", "create", "root", "--role", "admin"]).exit_code == 0
    assert WARNING not in said(home, "0.0.0.0")


def test_a_server_for_this_machine_alone_does_not_warn(home: Path):
    assert "Anybody who reaches" not in said(home, "127.0.0.1")


@pytest.mark.slow
def test_a_server_in_the_background_warns_where_one_sees_it(home: Path):
    command = [sys.executable, "-m", "prefect", "server"]
    start = [*command, "start", "-b", "--no-services", "--host", "0.0.0.0", "--port", str(free_port())]
    try:
        done = subprocess.run(start, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and WARNING in done.stdout, done
    finally:
        subprocess.run([*command, "stop"], capture_output=True, timeout=60, check=False)


def test_a_port_that_there_is_not_is_refused(home: Path, monkeypatch):
    told = invoke(["server", "start", "--port", "99999"])
    assert told.exit_code == 2 and "99999" in told.stderr and "65535" in told.stderr
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "99999")
    told = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "start"], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 1 and "PREFECT_SERVER_API_PORT='99999'" in told.stdout + told.stderr


def test_a_server_that_cannot_start_says_why_once(home: Path):
    told = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(free_port())],
        env={**os.environ, "PREFECT_SERVER_DATABASE_CONNECTION_URL": "mysql://nobody/nothing"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = told.stdout + told.stderr
    assert told.returncode != 0
    assert said.count("'mysql'") == 1 and "postgresql://USER:PASSWORD@HOST:PORT/NAME" in said


STARTS_A_SERVER_AND_IS_TOLD_TO_STOP_AT_AN_IMPORT = """
import os, sys
from prefect.cli.root import run

class Signal:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), int(sys.argv[2]))

sys.meta_path.insert(0, Signal())
sys.exit(run(["server", "start", "--no-services", "--port", sys.argv[3]]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("module", ["uvicorn.loops.auto", "prefect.server.api.server"])
def test_a_server_that_is_told_to_stop_while_it_comes_up_stops(home: Path, module: str, number: signal.Signals):
    command = [sys.executable, "-c", STARTS_A_SERVER_AND_IS_TOLD_TO_STOP_AT_AN_IMPORT]
    command += [module, str(int(number)), str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.endswith("Server stopped!\n")
