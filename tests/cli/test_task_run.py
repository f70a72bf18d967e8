"""`prefect task-run`."""

import json
from uuid import UUID

import pytest

from prefect import flow, task
from prefect.cli import _links
from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.logging import get_run_logger
from prefect.settings import temporary_settings

NOBODY = UUID(int=7)


@task(task_run_name="{name}")
def work(name: str, lines: int = 0, fails: bool = False) -> None:
    for number in range(lines):
        get_run_logger().info("line %s", number)
    if fails:
        raise ValueError("it broke")


@flow
def works() -> None:
    work("silent")
    work("chatty", lines=30)
    work("broken", fails=True, return_state=True)


@pytest.fixture
def ids(client: SyncPrefectClient) -> dict[str, str]:
    """The ids of three task runs that took place, by name."""
    works(return_state=True)
    return {run.name: str(run.id) for run in client.read_task_runs()}


def names(*arguments: str) -> list[str]:
    result = invoke(["task-run", "ls", "-o", "json", *arguments])
    assert result.exit_code == 0, result.stdout
    return [run["name"] for run in json.loads(result.stdout)]


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["task-run", "ls"]) == (0, "No task runs found.\n", "")
    assert invoke(["task-runs", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_runs_are_listed_and_chosen(ids: dict[str, str]):
    assert names() == ["broken", "chatty", "silent"]
    assert names("--limit", "1") == ["broken"]
    assert names("--task-run-name", "silent", "--task-run-name", "chatty") == ["chatty", "silent"]
    assert names("--state", "completed") == ["chatty", "silent"]
    assert names("--state-type", "failed") == ["broken"]
    assert names("--state-type", "failed", "--task-run-name", "silent") == []


def test_the_table_tells_task_and_state(ids: dict[str, str]):
    lines = invoke(["task-run", "ls", "--task-run-name", "broken"]).stdout.splitlines()
    assert lines[0].strip() == "Task Runs"
    [cells] = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells[0] == ids["broken"] and cells[1].startswith("work-")
    assert cells[2:] == ["broken", "FAILED", "a few seconds ago"]


def test_a_type_of_state_that_does_not_exist_is_refused():
    result = invoke(["task-run", "ls", "--state-type", "done"])
    assert (result.exit_code, "Invalid state type 'done'" in result.stdout) == (1, True)


@pytest.mark.parametrize("command", ["inspect", "logs"])
def test_a_run_that_does_not_exist_is_not_found(command: str, client: SyncPrefectClient):
    assert invoke(["task-run", command, str(NOBODY)]) == (1, f"Task run '{NOBODY}' not found.\n", "")
    assert invoke(["task-run", command, "nope"]).exit_code == 2


def test_a_run_is_inspected(ids: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    shown = invoke(["task-run", "inspect", ids["broken"]]).stdout
    assert ids["broken"] in shown and "ValueError: it broke" in shown
    as_json = json.loads(invoke(["task-run", "inspect", ids["broken"], "--output", "json"]).stdout)
    assert (as_json["id"], as_json["state_type"]) == (ids["broken"], "FAILED")
    opened = []
    monkeypatch.setattr(_links.webbrowser, "open_new_tab", lambda page: not opened.append(page))
    with temporary_settings({"ui_url": "http://ui"}):
        assert invoke(["task-run", "inspect", ids["broken"], "--web"]).exit_code == 0
    assert opened == [f"http://ui/runs/task-run/{ids['broken']}"]


def test_logs_are_all_there_unless_fewer_are_asked_for(ids: dict[str, str]):
    def lines(*arguments: str) -> list[str]:
        result = invoke(["task-run", "logs", ids["chatty"], *arguments])
        assert (result.exit_code, result.stderr) == (0, "")
        return [line.split(" - ", 1)[1] for line in result.stdout.splitlines()]

    everything = [*(f"line {number}" for number in range(30)), "Finished in state Completed()"]
    assert lines() == everything
    assert lines("--head") == everything[:20]
    assert lines("--tail") == everything[-20:]
    assert lines("--tail", "-n", "2", "--reverse") == everything[:-3:-1]
    assert lines("-n", "20") == everything[:20]
    assert "| INFO    | Task run 'chatty' - line 0" in invoke(["task-run", "logs", ids["chatty"]]).stdout
    as_json = json.loads(invoke(["task-run", "logs", ids["chatty"], "-o", "json", "-n", "1"]).stdout)
    assert [log["task_run_id"] for log in as_json] == [ids["chatty"]]
    assert invoke(["task-run", "logs", ids["chatty"], "--head", "--tail"]).exit_code == 1
