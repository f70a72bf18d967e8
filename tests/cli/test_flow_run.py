"""`prefect flow-run`."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from prefect import flow
from prefect.cli import _flow_run_watch, _links
from prefect.cli._runner import invoke
from prefect.client._calls import flow_runs
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.settings import temporary_settings
from prefect.states import Completed, Failed, Pending, Running, Scheduled

CreateRun = Callable[..., UUID]
NOBODY = UUID(int=7)


@pytest.fixture
def create_run(client: SyncPrefectClient) -> CreateRun:
    """Creates a flow run in a state, without running anything."""

    def create(name: str, state: State, flow_name: str = "etl", **fields: object) -> UUID:
        flow_id = client.create_flow_from_name(flow_name)
        return client.send(flow_runs.create_run_of_flow(flow_id, state=state, name=name, **fields)).id

    return create


@pytest.fixture
def write_logs(client: SyncPrefectClient) -> Callable[[UUID, int], None]:
    """Stores logs of a run, a millisecond apart."""
    start = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)

    def write(flow_run_id: UUID, count: int) -> None:
        client.create_logs(
            LogCreate(
                name="prefect.flow_runs",
                level=20,
                message=f"line {number} [red]as it is[/red]",
                timestamp=start + timedelta(milliseconds=number),
                flow_run_id=flow_run_id,
            )
            for number in range(count)
        )

    return write


# -- ls ----------------------------------------------------------------------------------------------------------------


def names(*arguments: str) -> list[str]:
    result = invoke(["flow-run", "ls", "-o", "json", *arguments])
    assert result.exit_code == 0, result.stdout
    return [run["name"] for run in json.loads(result.stdout)]


def test_an_empty_list_says_so(client: SyncPrefectClient):
    assert invoke(["flow-run", "ls"]) == (0, "No flow runs found.\n", "")
    assert invoke(["flow-runs", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_runs_are_listed_by_creation_even_if_they_start_later(create_run: CreateRun):
    create_run("first", Completed())
    create_run("in-a-week", Scheduled(scheduled_time=datetime.now(timezone.utc) + timedelta(days=7)))
    create_run("last", Running())
    assert names() == ["last", "in-a-week", "first"]
    assert names("--limit", "1") == ["last"]


def test_runs_are_chosen_by_flow_and_by_state(create_run: CreateRun):
    create_run("done", Completed())
    create_run("cached", Completed(name="Cached"))
    create_run("broken", Failed(), flow_name="other")
    assert names("--flow-name", "other") == ["broken"]
    assert names("--flow-name", "other", "--flow-name", "etl") == ["broken", "cached", "done"]
    assert names("--flow-name", "other", "--empty-flow-name") == ["broken", "cached", "done"]
    assert names("--state", "cACHED") == ["cached"]
    assert names("--state", "Cached", "--state", "failed") == ["broken", "cached"]
    assert names("--state-type", "completed") == ["cached", "done"]
    assert names("--state-type", "COMPLETED", "--state", "Cached") == ["cached"]
    assert names("--flow-name", "nope") == []


def test_a_state_of_an_unusual_name_is_looked_for_with_a_warning(create_run: CreateRun):
    create_run("odd", Completed(name="Odd"))
    result = invoke(["flow-run", "ls", "--state", "Odd", "-o", "json"])
    assert [run["name"] for run in json.loads(result.stdout)] == ["odd"]
    assert "'Odd' is not one of the usual names" in result.stderr


def test_a_type_of_state_that_does_not_exist_is_refused(client: SyncPrefectClient):
    result = invoke(["flow-run", "ls", "--state-type", "done"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert "Invalid state type 'done'. Options are SCHEDULED, PENDING" in result.stdout


def test_the_table_tells_flow_state_and_time(create_run: CreateRun):
    id = create_run("[b]brackets[/b]", Completed(), flow_name="a flow")
    create_run("soon", Scheduled(scheduled_time=datetime.now(timezone.utc) + timedelta(hours=2, minutes=1)))
    create_run("late", Scheduled(scheduled_time=datetime.now(timezone.utc) - timedelta(hours=3), name="Late"))
    lines = invoke(["flow-run", "ls"]).stdout.splitlines()
    assert lines[0].strip() == "Flow Runs"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells[2] == [str(id), "a flow", "[b]brackets[/b]", "COMPLETED", "a few seconds ago"]
    assert [row[2:] for row in cells[:2]] == [
        ["late", "SCHEDULED (Late)", "3 hours ago"],
        ["soon", "SCHEDULED", "in 2 hours"],
    ]


@pytest.mark.parametrize("width", ["30", "40", "80"])
def test_nothing_is_cut_off_in_a_narrow_terminal(width: str, create_run: CreateRun, monkeypatch: pytest.MonkeyPatch):
    id = create_run("a-rather-long-name-of-a-run", Scheduled(name="Late"))
    monkeypatch.setenv("COLUMNS", width)
    lines = invoke(["flow-run", "ls"]).stdout.splitlines()
    assert all(len(line) <= int(width) for line in lines)
    rows = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    columns = ["".join(cell.strip() for cell in column) for column in zip(*rows, strict=True)]
    assert columns[:4] == [str(id), "etl", "a-rather-long-name-of-a-run", "SCHEDULED(Late)"]


# -- inspect, delete, cancel -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["inspect", "delete", "cancel", "logs", "watch", "retry"])
def test_a_run_that_does_not_exist_is_not_found(command: str, client: SyncPrefectClient):
    assert invoke(["flow-run", command, str(NOBODY)]) == (1, f"Flow run '{NOBODY}' not found.\n", "")


@pytest.mark.parametrize("command", ["inspect", "delete", "cancel", "logs", "watch"])
def test_an_id_that_is_none_is_a_usage_error(command: str):
    result = invoke(["flow-run", command, "nope"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'nope' is not a valid UUID" in result.stderr


def test_a_run_is_inspected(create_run: CreateRun):
    id = create_run("mine", Failed(message="it broke"), parameters={"n": 2, "text": "2"}, tags=["a", "b"])
    lines = invoke(["flow-run", "inspect", str(id)]).stdout.splitlines()
    told = dict(line.partition(":")[::2] for line in lines)
    assert told["id"].strip() == str(id)
    assert told["parameters"].strip() == '{"n": 2, "text": "2"}'
    assert told["tags"].strip() == "a, b"
    assert told["  message"].strip() == "it broke"
    assert "deployment_id" not in told
    as_json = json.loads(invoke(["flow-run", "inspect", "--id", str(id), "-o", "json"]).stdout)
    assert (as_json["id"], as_json["state"]["type"], as_json["deployment_id"]) == (str(id), "FAILED", None)


def test_a_run_is_opened_in_the_web_interface(create_run: CreateRun, monkeypatch: pytest.MonkeyPatch):
    id, opened = create_run("mine", Completed()), []
    unknown = invoke(["flow-run", "inspect", str(id), "--web"])
    assert (unknown.exit_code, "PREFECT_UI_URL" in unknown.stdout) == (1, True)
    with temporary_settings({"ui_url": "http://ui/"}):
        monkeypatch.setattr(_links.webbrowser, "open_new_tab", lambda page: not opened.append(page))
        assert invoke(["flow-run", "inspect", str(id), "--web"]).exit_code == 0
        assert opened == [f"http://ui/runs/flow-run/{id}"]
        monkeypatch.setattr(_links.webbrowser, "open_new_tab", lambda page: False)
        assert invoke(["flow-run", "inspect", str(id), "--web"]).exit_code == 1


def test_a_run_is_deleted_unless_the_user_objects(create_run: CreateRun):
    id = create_run("mine", Completed())
    declined = invoke(["--prompt", "flow-run", "delete", str(id)], input="n\n")
    assert (declined.exit_code, "Aborted." in declined.stdout) == (1, True)
    assert invoke(["flow-run", "delete", str(id)]) == (0, f"Deleted flow run '{id}'.\n", "")
    assert names() == []


def test_a_running_run_is_cancelled(create_run: CreateRun, client: SyncPrefectClient):
    id = create_run("mine", Running())
    assert invoke(["flow-run", "cancel", str(id)]) == (0, f"Flow run '{id}' is scheduled for cancellation.\n", "")
    assert client.read_flow_run(id).state.type == "CANCELLING"


def test_a_run_that_has_not_started_is_cancelled_at_once(create_run: CreateRun, client: SyncPrefectClient):
    id = create_run("mine", Scheduled())
    assert invoke(["flow-run", "cancel", str(id)]).exit_code == 0
    assert client.read_flow_run(id).state.type == "CANCELLED"


def test_a_run_that_has_ended_cannot_be_cancelled(create_run: CreateRun):
    result = invoke(["flow-run", "cancel", str(create_run("mine", Completed()))])
    assert (result.exit_code, "cannot be cancelled" in result.stdout) == (1, True)


# -- logs --------------------------------------------------------------------------------------------------------------


def lines_of(id: UUID, *arguments: str) -> list[int]:
    result = invoke(["flow-run", "logs", str(id), *arguments])
    assert (result.exit_code, result.stderr) == (0, "")
    return [int(line.split(" - line ")[1].split()[0]) for line in result.stdout.splitlines()]


def test_logs_are_chosen_and_ordered(create_run: CreateRun, write_logs: Callable[[UUID, int], None]):
    id = create_run("mine", Completed())
    write_logs(id, 430)
    everything = list(range(430))
    assert lines_of(id) == everything
    assert lines_of(id, "--reverse") == everything[::-1]
    assert lines_of(id, "--head") == everything[:20]
    assert lines_of(id, "-h", "-n", "3") == [0, 1, 2]
    assert lines_of(id, "--head", "-n", "3", "--reverse") == [2, 1, 0]
    assert lines_of(id, "--tail") == everything[-20:]
    assert lines_of(id, "-t", "--num-logs", "3", "-r") == [429, 428, 427]
    assert lines_of(id, "-n", "2") == [0, 1]
    assert lines_of(id, "-n", "2", "-r") == [429, 428]
    assert lines_of(id, "-n", "301") == everything[:301]
    assert lines_of(id, "-n", "0") == []


def test_a_log_is_printed_as_it_was_written(create_run: CreateRun, write_logs: Callable[[UUID, int], None]):
    id = create_run("mine", Completed())
    write_logs(id, 1)
    expected = "2026-01-31 12:00:00.000 | INFO    | Flow run 'mine' - line 0 [red]as it is[/red]\n"
    assert invoke(["flow-run", "logs", str(id)]).stdout == expected
    [log] = json.loads(invoke(["flow-run", "logs", str(id), "-o", "json"]).stdout)
    assert (log["flow_run_id"], log["level"]) == (str(id), 20)


def test_a_run_without_logs_prints_nothing(create_run: CreateRun):
    id = create_run("mine", Completed())
    assert invoke(["flow-run", "logs", str(id)]) == (0, "", "")
    assert invoke(["flow-run", "logs", str(id), "-o", "json"]) == (0, "[]\n", "")


def test_head_and_tail_exclude_each_other(create_run: CreateRun):
    result = invoke(["flow-run", "logs", str(create_run("mine", Completed())), "--head", "--tail"])
    assert result == (1, "Choose either --head or --tail, not both.\n", "")


# -- watch -------------------------------------------------------------------------------------------------------------


def test_watching_a_run_that_has_ended_tells_how(create_run: CreateRun):
    done = invoke(["flow-run", "watch", str(create_run("mine", Completed()))])
    assert (done.exit_code, "'Completed'" in done.stdout) == (0, True)
    broken = invoke(["flow-run", "watch", str(create_run("mine", Failed(message="it broke")))])
    assert (broken.exit_code, "it broke" in broken.stdout) == (1, True)


def test_watching_ends_when_the_time_is_over(create_run: CreateRun):
    result = invoke(["flow-run", "watch", str(create_run("mine", Pending())), "--timeout", "0"])
    assert result.exit_code == 1
    assert "Flow run 'mine' is still PENDING after 0 seconds." in result.stdout


def test_watching_shows_states_and_logs_until_the_run_ends(
    client: SyncPrefectClient, create_run: CreateRun, monkeypatch: pytest.MonkeyPatch
):
    id = create_run("mine", Running())

    def log(message: str) -> None:
        instant = datetime.now(timezone.utc)
        client.create_logs([LogCreate(name="x", level=30, message=message, timestamp=instant, flow_run_id=id)])

    # What happens between two looks at the run.
    events = iter(
        [
            lambda: log("first"),
            lambda: None,
            lambda: (log("second"), client.set_flow_run_state(id, Failed(message="it broke"))),
            lambda: log("after the end"),
        ]
    )
    monkeypatch.setattr(_flow_run_watch, "sleep", lambda seconds: next(events)())
    result = invoke(["flow-run", "watch", str(id), "--timeout", "60"])
    assert result.exit_code == 1
    assert [line.split(" | ", 1)[1] for line in result.stdout.splitlines()[:-1]] == [
        "Running",
        "WARNING | Flow run 'mine' - first",
        "WARNING | Flow run 'mine' - second",
        "Failed: it broke",
        "WARNING | Flow run 'mine' - after the end",
    ]


def test_watching_a_run_that_is_deleted_ends(
    client: SyncPrefectClient, create_run: CreateRun, monkeypatch: pytest.MonkeyPatch
):
    id = create_run("mine", Running())
    monkeypatch.setattr(_flow_run_watch, "sleep", lambda seconds: client.delete_flow_run(id))
    result = invoke(["flow-run", "watch", str(id)])
    assert (result.exit_code, "it was deleted" in result.stdout) == (1, True)


def test_an_interrupt_ends_watching(create_run: CreateRun, monkeypatch: pytest.MonkeyPatch):
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    id = create_run("mine", Running())
    monkeypatch.setattr(_flow_run_watch, "sleep", interrupt)
    result = invoke(["flow-run", "watch", str(id)])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "Aborted.")


# -- retry -------------------------------------------------------------------------------------------------------------

CODE = """
from prefect import flow

@flow
def double(n: int) -> int:
    if n < 0:
        raise ValueError("negative")
    return 2 * n

@flow
async def wait(n: int) -> int:
    return n

def plain(): ...
"""


@pytest.fixture
def code() -> str:
    Path("flows.py").write_text(CODE)
    return "flows.py"


@pytest.mark.parametrize("name", ["double", "wait"])
def test_a_run_is_executed_here_again(name: str, code: str, create_run: CreateRun, client: SyncPrefectClient):
    id = create_run("mine", Failed(), flow_name=name, parameters={"n": 3})
    result = invoke(["flow-run", "retry", "mine", "-e", f"{code}:{name}"])
    assert (result.exit_code, f"Flow run '{id}' completed." in result.stdout) == (0, True)
    states = [state.name for state in client.read_flow_run_states(id)]
    assert states[:2] == ["Failed", "Scheduled"] and states[-1] == "Completed"


def test_a_retried_run_that_fails_again_fails_the_command(code: str, create_run: CreateRun):
    create_run("mine", Failed(), flow_name="double", parameters={"n": -1})
    result = invoke(["flow-run", "retry", "mine", "--entrypoint", f"{code}:double"])
    assert (result.exit_code, "ended in state 'Failed'" in result.stdout) == (1, True)
    assert "negative" in result.stdout


def test_a_run_of_a_deployment_is_scheduled_again(client: SyncPrefectClient):
    @flow
    def deployed() -> None: ...

    try:
        deployment_id = client.create_deployment(flow_id=client.create_flow(deployed), name="d")
    except ObjectNotFound:
        pytest.skip("The core knows no deployments.")
    id = client.create_flow_run_from_deployment(deployment_id).id
    client.set_flow_run_state(id, Failed(), force=True)
    result = invoke(["flow-run", "retry", str(id)])
    assert result == (0, f"Flow run '{id}' is scheduled again. A worker is going to pick it up.\n", "")
    assert client.read_flow_run(id).state.type == "SCHEDULED"


@pytest.mark.parametrize(
    ("entrypoint", "message"),
    [
        ([], "has no deployment that says where its flow is"),
        (["-e", "flows.py:nope"], "Cannot load a flow from 'flows.py:nope'"),
        (["-e", "gone.py:double"], "Cannot load a flow from 'gone.py:double'"),
        (["-e", "nonsense"], "Cannot load a flow from 'nonsense'"),
        (["-e", "flows.py:plain"], "'flows.py:plain' is no flow: it is a function."),
        (["-e", "flows.py:double"], "do not fit flow 'double' any more"),
    ],
)
def test_what_cannot_be_retried_stays_as_it_is(
    entrypoint: list[str], message: str, code: str, create_run: CreateRun, client: SyncPrefectClient
):
    id = create_run("mine", Failed(), parameters={"m": 1})
    result = invoke(["flow-run", "retry", str(id), *entrypoint])
    assert (result.exit_code, message in result.stdout) == (1, True), result.stdout
    assert client.read_flow_run(id).state.type == "FAILED"


def test_a_run_that_has_not_ended_cannot_be_retried(create_run: CreateRun):
    result = invoke(["flow-run", "retry", str(create_run("mine", Running()))])
    assert (result.exit_code, "it is RUNNING" in result.stdout) == (1, True)


def test_a_name_must_stand_for_one_run(create_run: CreateRun):
    ids = [create_run("twice", Failed()) for _ in range(2)]
    result = invoke(["flow-run", "retry", "twice"])
    assert result.exit_code == 1
    assert all(str(id) in result.stdout for id in ids)
    name = f"nobody-{uuid4()}"
    assert invoke(["flow-run", "retry", name]).stdout == f"Flow run {name!r} not found.\n"
