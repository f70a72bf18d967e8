"""`prefect flow serve`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.api.conftest import free_port

from prefect.cli._runner import Invocation, invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.settings import temporary_settings

FLOWS = """
from pathlib import Path
from prefect import flow

@flow(log_prints=True)
def report(day: str = "today"):
    "Reports."
    Path("reported").write_text(day)

def plain(): ...
"""
PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def folder(home: Path) -> Path:
    Path("report.py").write_text(FLOWS)
    return Path.cwd()


class Stopper:
    """Tells what serves to stop once a condition holds, over its web server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.says_when: Any = lambda: True

    def stop_when_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self._url}/health").status_code == 200 and self.says_when():
                    httpx.post(f"{self._url}/shutdown")
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)


@pytest.fixture
def stopper(client: SyncPrefectClient) -> Iterator[Stopper]:
    port = free_port()
    with temporary_settings(
        {"runner.server.enable": True, "runner.server.port": port, "runner.server.host": "127.0.0.1"}
    ):
        yield Stopper(f"http://127.0.0.1:{port}")


def serve(stopper: Stopper, *options: str) -> Invocation:
    """Serve until the stopper ends it."""
    thread = threading.Thread(target=stopper.stop_when_ready)
    thread.start()
    try:
        return invoke(["flow", "serve", "report.py:report", *options])
    finally:
        thread.join()


def test_runs_are_executed_until_it_is_stopped(client: SyncPrefectClient, stopper: Stopper, folder: Path):
    made: list[Any] = []

    def is_reported() -> bool:
        if not made:
            deployment = client.read_deployment_by_name("report/daily")
            made.append(client.create_flow_run_from_deployment(deployment.id, parameters={"day": "Monday"}))
        return client.read_flow_run(made[0].id).state.is_completed()

    stopper.says_when = is_reported
    result = serve(stopper, "--name", "daily")
    assert result.exit_code == 0, result
    assert "'report' is being served" in result.stdout
    assert "prefect deployment run 'report/daily'" in result.stdout
    assert (folder / "reported").read_text() == "Monday"
    deployment = client.read_deployment_by_name("report/daily")
    assert deployment.paused
    assert (deployment.entrypoint, deployment.description) == ("report.py:report", "Reports.")


@pytest.mark.parametrize(
    ("options", "schedule"),
    [
        ((), None),
        (
            ("--cron", "0 6 * * *", "--timezone", "Europe/Berlin"),
            CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin"),
        ),
        (("--interval", "600"), IntervalSchedule),
        (("--interval", "600", "--anchor-date", "2026-01-01T00:00:00+00:00"), IntervalSchedule),
        (("--rrule", "FREQ=DAILY"), RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=DAILY")),
    ],
    ids=str,
)
def test_the_schedule_is_as_the_options_say(client: SyncPrefectClient, stopper: Stopper, options: Any, schedule: Any):
    assert serve(stopper, "-n", "scheduled", *options).exit_code == 0
    stored = [each.schedule for each in client.read_deployment_by_name("report/scheduled").schedules]
    if schedule is IntervalSchedule:
        assert [each.interval for each in stored] == [timedelta(minutes=10)]
        if "--anchor-date" in options:
            assert stored[0].anchor_date.isoformat().startswith("2026-01-01T00:00:00")
    else:
        assert stored == ([] if schedule is None else [schedule])


def test_the_other_options_say_what_the_deployment_is(client: SyncPrefectClient, stopper: Stopper):
    options = "-d Other --version 7 --tag a -t b --no-pause-on-shutdown --limit 2 --global-limit 3"
    assert serve(stopper, "-n", "odd", *options.split()).exit_code == 0
    deployment = client.read_deployment_by_name("report/odd")
    assert (deployment.description, deployment.version, deployment.tags) == ("Other", "7", ["a", "b"])
    assert deployment.paused is False
    assert deployment.global_concurrency_limit.limit == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reprot.py:report", "-n", "x"], "neither a file nor a module 'reprot.py'"),
        (["report.py:reprot", "-n", "x"], "name 'reprot' not found"),
        (["report.py:plain", "-n", "x"], "'@flow'"),
        (["report.py", "-n", "x"], "'report.py:NAME'"),
        (["no_such_module.report", "-n", "x"], "No module named 'no_such_module'"),
        (["broken.py:report", "-n", "x"], "no_such_package"),
        (["worse.py:report", "-n", "x"], "SyntaxError"),
        (["report.py:report", "-n", "a/b"], "'a/b' contains one of"),
        (["report.py:report", "-n", "x", "--cron", "61 * * * *"], "'61 * * * *' is not valid"),
        (["report.py:report", "-n", "x", "--cron", "* * * * *", "--interval", "5"], "Exactly one of"),
        (["report.py:report", "-n", "x", "--cron", "* * * * *", "--timezone", "No/Where"], "'No/Where' is not valid"),
        (["report.py:report", "-n", "x", "--anchor-date", "2026-01-01"], "only be provided with --interval"),
    ],
)
def test_what_cannot_be_served_is_told_and_nothing_is_stored(
    client: SyncPrefectClient, arguments: list[str], message: str
):
    Path("broken.py").write_text("import no_such_package\n" + FLOWS)
    Path("worse.py").write_text(FLOWS + "def (\n")
    result = invoke(["flow", "serve", *arguments])
    assert (result.exit_code, result.stderr) == (1, "")
    assert message in " ".join(result.stdout.split())
    assert client.read_deployments() == []


@pytest.mark.parametrize(
    "arguments", [["report.py:report"], ["-n", "x"], ["report.py:report", "-n", "x", "--limit", "0"]], ids=str
)
def test_options_that_are_missing_or_no_number_are_usage_errors(arguments: list[str]):
    assert invoke(["flow", "serve", *arguments]).exit_code == 2
