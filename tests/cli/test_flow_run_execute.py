"""`prefect flow-run execute`: the process of a container, from its start to its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.runner.git_repositories import Repository

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import LogFilter
from prefect.states import Cancelling, Pending

PATIENCE_SECONDS = 60
FLOWS = """
import os, sys, time
from pathlib import Path
from prefect import flow

def note(*words):
    with open(os.environ["JOURNAL"], "a") as journal:
        print(*words, file=journal, flush=True)

def crashed(flow, flow_run, state):
    note("hook", os.getcwd(), state.name)

@flow(on_crashed=[crashed])
def acts(what="work"):
    note("began", os.getcwd())
    if what == "fail":
        raise ValueError("on purpose")
    if what == "leave":
        os._exit(3)
    if what == "wait":
        time.sleep(120)

@flow
def imports():
    import beside
    note("began", os.getcwd(), beside.WHO)
"""


class Executions:
    """Deployments of flows in a folder, and the command that executes their runs from there."""

    def __init__(self, client: SyncPrefectClient, folder: Path, journal: Path) -> None:
        self.client = client
        self.folder = folder
        self.journal = journal
        self.code = folder / "flows.py"
        self.code.write_text(FLOWS)
        self.environment = {**os.environ, "JOURNAL": str(journal), "PREFECT_LOGGING_LEVEL": "INFO"}

    def run_of(self, entrypoint: str = "flows.py:acts", what: str = "work", **deployment: object) -> UUID:
        flow_id = self.client.create_flow_from_name("acts")
        made = self.client.create_deployment(flow_id, f"of-{uuid4()}", entrypoint=entrypoint, **deployment)
        return self.client.create_flow_run_from_deployment(made, parameters={"what": what} if what != "work" else {}).id

    def execute(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "prefect", "flow-run", "execute", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment | environment, capture_output=True, text=True, timeout=120
        )

    @contextmanager
    def executing(self, run_id: UUID, **environment: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run_id)]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment | environment, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @property
    def noted(self) -> list[list[str]]:
        return [line.split() for line in self.journal.read_text().splitlines()] if self.journal.exists() else []

    def states(self, run_id: UUID) -> list[str]:
        return [state.name for state in self.client.read_flow_run_states(run_id)]

    def logs(self, run_id: UUID) -> list[str]:
        chosen = LogFilter.model_validate({"flow_run_id": {"any_": [run_id]}})
        return [log.message for log in self.client.read_logs(chosen)]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def executions(client, tmp_path, monkeypatch) -> Executions:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    made = Executions(client, tmp_path / "folder", tmp_path / "journal")
    yield made
    assert list(temporary.glob("prefect-*")) == [], "the folder of the run is removed"


def shell(script: str, **inputs: object) -> dict:
    return {"prefect.deployments.steps.run_shell_script": {"script": script, **inputs}}


class TestCode:
    def test_it_is_cloned_into_a_folder_of_the_run(self, executions, tmp_path):
        repository = Repository(tmp_path / "remote")
        repository.push({"deep/flows.py": FLOWS, "beside.py": "WHO = 'at the top'"})
        steps = [{"prefect.deployments.steps.git_clone": {"repository": repository.url}}]
        run_id = executions.run_of("deep/flows.py:imports", pull_steps=steps)
        done = executions.execute(str(run_id))
        assert done.returncode == 0, done.stderr
        [[_, where, *who]] = executions.noted
        assert Path(where).name == "code" and not Path(where).is_relative_to(executions.folder)
        assert who == ["at", "the", "top"]
        assert executions.states(run_id)[-1] == "Completed"
        assert "Deployment step 'git_clone' completed successfully" in executions.logs(run_id)

    @pytest.mark.parametrize("path", [None, "absolute"])
    def test_without_steps_it_is_copied_from_where_the_command_is_given(self, executions, path):
        (executions.folder / ".prefectignore").write_text("large.csv")
        (executions.folder / "large.csv").write_text("")
        (executions.folder / "beside.py").write_text("import os; WHO = sorted(os.listdir('.'))[0]")
        path = str(executions.folder) if path == "absolute" else path
        run_id = executions.run_of("flows.py:imports", path=path)
        assert executions.execute(str(run_id)).returncode == 0
        [[_, where, first]] = executions.noted
        assert Path(where) != executions.folder
        assert first != "large.csv"
        assert executions.states(run_id)[-1] == "Completed"

    def test_a_relative_folder_of_a_step_is_that_of_where_the_command_is_given(self, executions):
        inner = executions.folder / "inner"
        inner.mkdir()
        executions.code.rename(inner / "flows.py")
        steps = [{"prefect.deployments.steps.set_working_directory": {"directory": "inner"}}]
        assert executions.execute(str(executions.run_of(pull_steps=steps))).returncode == 0
        assert executions.noted == [["began", str(inner)]]

    def test_what_steps_change_in_the_environment_is_there_for_the_flow(self, executions):
        (executions.folder / "steps_of_mine.py").write_text(
            "import os\ndef set_journal(to):\n    os.environ['JOURNAL'] = to\n    return {}"
        )
        other = executions.journal.with_name("other")
        here = {"prefect.deployments.steps.set_working_directory": {"directory": str(executions.folder)}}
        run_id = executions.run_of(pull_steps=[here, {"steps_of_mine.set_journal": {"to": str(other)}}])
        assert executions.execute(str(run_id), PYTHONPATH=str(executions.folder)).returncode == 0
        assert other.exists() and not executions.journal.exists()

    def test_an_entrypoint_of_ones_own_needs_no_folder(self, executions):
        run_id = executions.run_of("nowhere.py:nothing", pull_steps=[shell("false")])
        assert executions.execute(str(run_id), PREFECT__FLOW_ENTRYPOINT="flows.py:acts").returncode == 0
        assert executions.noted == [["began", str(executions.folder)]]


class TestEnd:
    def test_the_exit_code_does_not_tell_how_the_flow_ended(self, executions):
        run_id = executions.run_of(what="fail")
        assert executions.execute(PREFECT__FLOW_RUN_ID=str(run_id)).returncode == 0
        assert executions.states(run_id)[-1] == "Failed"

    def test_hooks_of_a_run_whose_process_is_gone_find_the_code_where_it_is(self, executions):
        steps = [
            {"prefect.deployments.steps.set_working_directory": {"directory": str(executions.folder)}},
            shell(f"sh -c 'echo pulled >> {executions.journal}'"),
        ]
        run_id = executions.run_of(what="leave", pull_steps=steps)
        assert executions.execute(str(run_id)).returncode == 0
        assert executions.noted == [
            ["pulled"],
            ["began", str(executions.folder)],
            ["hook", str(executions.folder), "Crashed"],
        ]

    @pytest.mark.parametrize(("before", "said"), [("Pending", ""), ("Scheduled", "has ended already")])
    def test_a_run_that_is_to_be_cancelled_is_not_begun(self, executions, before, said):
        run_id = executions.run_of(pull_steps=[shell(f"touch {executions.journal}")])
        if before == "Pending":
            executions.client.set_flow_run_state(run_id, Pending())
        executions.client.set_flow_run_state(run_id, Cancelling())
        done = executions.execute(str(run_id))
        assert done.returncode == 0 and said in done.stdout
        assert executions.states(run_id)[-1] == "Cancelled"
        assert not executions.journal.exists()


class TestSignals:
    @pytest.mark.parametrize(
        ("behavior", "code", "final", "said"),
        [
            ("", -signal.SIGTERM, "Crashed", "Received SIGTERM"),
            ("reschedule", 0, "AwaitingRetry", "rescheduled"),
            ("relinquish", 1, "Running", "left as it is"),
        ],
    )
    def test_sigterm_does_what_the_environment_says(self, executions, behavior, code, final, said):
        run_id = executions.run_of(what="wait")
        with executions.executing(run_id, PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR=behavior) as process:
            until(lambda: executions.noted)
            process.terminate()
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == code
        assert said in output
        assert executions.states(run_id)[-1] == final

    def test_sigterm_while_the_code_is_brought_reschedules_the_run_too(self, executions):
        run_id = executions.run_of(pull_steps=[shell(f"touch {executions.journal}\nsleep 120")])
        with executions.executing(run_id, PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR="reschedule") as process:
            until(executions.journal.exists)
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        assert executions.states(run_id)[-1] == "AwaitingRetry"

    def test_ctrl_c_crashes_the_run(self, executions):
        run_id = executions.run_of(what="wait")
        with executions.executing(run_id) as process:
            until(lambda: executions.noted)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1
        assert "Aborted." in output
        assert executions.states(run_id)[-1] == "Crashed"


class TestProjects:
    """The code's own environment, by a stand-in for uv that notes how it is called and starts what it is told to."""

    @pytest.fixture
    def uv(self, tmp_path) -> Path:
        path = tmp_path / "bin" / "uv"
        path.parent.mkdir()
        path.write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            f"open({str(tmp_path / 'called')!r}, 'w').write(json.dumps([os.getcwd(), *sys.argv[1:]]))\n"
            f"os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[sys.argv.index('python') + 1:]])\n"
        )
        path.chmod(0o755)
        return path

    def steps(self, executions) -> list[dict]:
        count = shell(f"sh -c 'echo pulled >> {executions.journal}'")
        return [{"prefect.deployments.steps.set_working_directory": {"directory": str(executions.folder)}}, count]

    def execute(self, executions, uv, run_id):
        path = f"{uv.parent}{os.pathsep}{os.environ['PATH']}"
        return executions.execute(str(run_id), PATH=path, PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES="true")

    def test_uv_starts_the_engine_in_the_environment_of_the_project(self, executions, uv, tmp_path):
        (executions.folder / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["Prefect >= 3"]\n')
        run_id = executions.run_of(pull_steps=self.steps(executions))
        done = self.execute(executions, uv, run_id)
        assert done.returncode == 0, done.stderr
        folder = str(executions.folder)
        assert json.loads((tmp_path / "called").read_text()) == [
            folder, "run", "--no-default-groups", "--project", folder, "python", "-m", "prefect.engine",
        ]  # fmt: skip
        assert executions.noted == [["pulled"], ["began", folder]]
        assert executions.states(run_id)[-1] == "Completed"

    def test_a_step_that_fails_is_told(self, executions, uv):
        run_id = executions.run_of(pull_steps=[*self.steps(executions), shell("sh -c 'exit 3'")])
        assert self.execute(executions, uv, run_id).returncode == 0
        assert executions.noted == [["pulled"]]
        assert "error code 3" in executions.client.read_flow_run(run_id).state.message


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "environment", "complaint"),
        [
            ([], {}, "Which flow run?"),
            ([], {"PREFECT__FLOW_RUN_ID": "nonsense"}, "'nonsense' is not the id of a flow run"),
            ([str(uuid4())], {}, "not found"),
        ],
    )
    def test_a_run_has_to_be_named(self, executions, arguments, environment, complaint):
        done = executions.execute(*arguments, **environment)
        assert done.returncode == 1
        assert complaint in done.stdout and "Traceback" not in done.stderr

    def test_an_unknown_behavior_is_refused(self, executions):
        run_id = executions.run_of()
        done = executions.execute(str(run_id), PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR="explode")
        assert done.returncode == 1
        assert "'explode' is not known. Set it to 'reschedule' or 'relinquish'" in done.stdout
        assert executions.states(run_id) == ["Scheduled"]
