"""The examples of docs/prefect-yaml.md, as they are printed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.api.conftest import RunningServer, server

from prefect.blocks.system import Secret
from prefect.cli._runner import invoke
from prefect.client.orchestration import get_client
from prefect.settings import context

PAGE = (Path(__file__).parents[2] / "docs" / "prefect-yaml.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def printed(kind: str) -> list[str]:
    return [text for each, text in BLOCKS if each == kind]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def project(running: RunningServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow of the page, and a server."""
    monkeypatch.setenv("PREFECT_API_URL", running.url)
    monkeypatch.setattr(context, "_process", None)
    [source] = printed("python")
    Path("etl.py").write_text(source)


def write(number: int) -> None:
    Path("prefect.yaml").write_text(printed("yaml")[number])


def prefect(*words: str) -> str:
    done = invoke(words)
    assert done.exit_code == 0, done.stdout + done.stderr
    return done.stdout


def test_three_commands_are_enough():
    write(0)
    [commands] = printed("bash")
    for line in commands.splitlines():
        assert line.startswith("prefect ")
        prefect(*line.split()[1:])
    assert "prefect worker start --pool my-pool" in PAGE
    assert "moving 5" in worked()
    option = re.search(r"`prefect (deploy etl.py:etl -n nightly .*?)`", PAGE)
    assert option is not None
    Path("prefect.yaml").unlink()
    words = re.findall(r'"([^"]*)"|(\S+)', option[1])
    assert "successfully updated" in prefect(*(quoted or plain for quoted, plain in words))


def worked() -> str:
    """What a worker in a process of its own prints that takes what is due."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "my-pool", "--run-once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout + done.stderr


def test_parts_are_written_once(running: RunningServer):
    write(1)
    prefect("work-pool", "create", "my-pool", "--type", "process", "--overwrite")
    prefect("deploy", "--all")
    with get_client(sync_client=True) as client:
        small, large = (client.read_deployment_by_name(f"etl/{name}") for name in ("small", "large"))
        [automation] = client.read_resource_related_automations(f"prefect.deployment.{large.id}")
    assert [(each.slug, each.schedule.timezone) for each in small.schedules] == [("night", "Europe/Berlin")]
    assert large.global_concurrency_limit is not None and large.global_concurrency_limit.limit == 1
    assert automation.actions[0].parameters == {"x": "{{ event.payload.size }}"}


def test_steps_and_the_environment_fill_placeholders(monkeypatch: pytest.MonkeyPatch):
    write(2)
    monkeypatch.setenv("STAGE", "test")
    Secret(value="hidden").save("token", overwrite=True)
    prefect("work-pool", "create", "my-pool", "--type", "process", "--overwrite")
    prefect("deploy")
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name("etl/test")
        assert (found.version, found.tags) == ("0a1b2c3", ["test"])
        assert found.job_variables == {"env": {"TOKEN": "{{ prefect.blocks.secret.token }}"}}
        # The worker fills in the folder, and the secret.
        monkeypatch.setenv("CODE_FOLDER", str(Path.cwd()))
        Path("etl.py").write_text(
            printed("python")[0].replace('print(f"moving {x}")', 'import os; print("with", os.environ["TOKEN"])')
        )
        run = client.create_flow_run_from_deployment(found.id)
        said = worked()
        assert client.read_flow_run(run.id).state.is_completed(), said
    assert "with hidden" in said
