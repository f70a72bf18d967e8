"""Steps: their form, their templates, what they leave for later ones, and how they fail."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from prefect.blocks.system import Secret
from prefect.deployments.steps.core import RESERVED_KEYWORDS, StepExecutionError, run_step, run_steps
from prefect.variables import Variable

pytestmark = pytest.mark.usefixtures("home", "functions")


def step(name: str, **inputs):
    return {f"step_functions.{name}": inputs}


def ran(one, **outputs):
    return asyncio.run(run_step(one, outputs))


class TestOne:
    def test_it_calls_the_function_with_the_inputs(self):
        assert ran(step("echo", a=1, b=[2])) == {"a": 1, "b": [2]}

    @pytest.mark.parametrize("name", ["aecho", "awaitable"])
    def test_the_function_may_be_async(self, name):
        assert ran(step(name, a=1)) == {"a": 1}

    def test_the_function_may_stand_in_a_class(self):
        assert ran(step("Group.member", x=5)) == {"x": 5}

    def test_no_inputs_may_be_written_as_nothing(self):
        assert ran({"step_functions.echo": None}) == {}

    def test_what_is_for_the_runner_is_kept_from_the_function(self):
        assert RESERVED_KEYWORDS == {"id", "requires"}
        assert ran(step("echo", id="mine", requires=["pydantic"], a=1)) == {"a": 1}

    def test_templates_are_filled(self, monkeypatch):
        Secret(value="s3cret").save("my-secret")
        Variable.set("my_variable", {"deep": 1})
        monkeypatch.setenv("FROM_OUTSIDE", "environment")
        inputs = {
            "typed": "{{ numbers }}",
            "path": "{{ nested.key }}",
            "inside": "v{{ nested.key }}",
            "secret": "{{ prefect.blocks.secret.my-secret }}",
            "variable": "{{ prefect.variables.my_variable }}",
            "environment": "{{ $FROM_OUTSIDE }}",
            "unknown": "{{ nobody }}",
            "unknown_inside": "a{{ nobody }}b",
        }
        assert ran(step("echo", **inputs), numbers=[1, 2], nested={"key": "k"}) == {
            "typed": [1, 2],
            "path": "k",
            "inside": "vk",
            "secret": "s3cret",
            "variable": {"deep": 1},
            "environment": "environment",
            "unknown_inside": "ab",
        }

    @pytest.mark.parametrize(
        ("malformed", "complaint"),
        [
            ({"step_functions.echo": {}, "step_functions.boom": {}}, "unexpected additional keys: step_functions.boom"),
            ({}, "A step is the full name of a function"),
            ("step_functions.echo", "A step is the full name of a function"),
            (
                {"step_functions.echo": [1]},
                r"The inputs of step 'step_functions.echo' are names with values, not \[1\]",
            ),
            (step("echo", requires="!!"), "'!!' is no requirement"),
        ],
    )
    def test_what_is_no_step_is_refused(self, malformed, complaint):
        with pytest.raises(ValueError, match=complaint):
            ran(malformed)


class TestSeveral:
    def test_each_gets_the_outputs_of_those_before(self, run, printed):
        outputs = run(
            step("echo", a=1, id="first"),
            step("echo", b="{{ first.a }}", c="{{ given }}"),
            step("constant", value="no mapping"),
            given="given",
        )
        assert outputs == {"given": "given", "a": 1, "first": {"a": 1}, "b": 1, "c": "given"}
        assert printed[0] == (" > Running echo step...", {})

    def test_what_is_given_is_not_changed(self):
        given = {"a": 1}
        asyncio.run(run_steps([step("echo", a=2)], given, lambda *_: None))
        assert given == {"a": 1}

    def test_none_give_what_there_was(self, run):
        assert run(None, {}, given=1) == {"given": 1}

    def test_a_failure_ends_them_and_names_the_step(self, run, printed):
        with pytest.raises(StepExecutionError, match="while running step_functions.boom: on purpose") as caught:
            run(step("boom"), step("echo"))
        assert isinstance(caught.value.__cause__, ValueError)
        assert [text for text, _ in printed] == [" > Running boom step..."]

    @pytest.mark.parametrize("name", ["nowhere.to_be.found", "step_functions.nothing"])
    def test_a_function_that_is_not_there_is_a_failure(self, run, name):
        with pytest.raises(StepExecutionError, match=f"Encountered error while running {name}"):
            run({name: {}})

    def test_deprecations_are_told_once(self, run, printed):
        run(step("old", count=3))
        assert printed[1:] == [("this is old", {"style": "yellow"})]

    def test_deprecations_go_to_plain_print_too(self, capsys):
        asyncio.run(run_steps([step("old")]))
        assert capsys.readouterr().out == " > Running old step...\nthis is old\n"

    def test_a_logger_is_told_in_the_place_of_print(self, caplog, printed):
        with caplog.at_level(logging.INFO, "a-logger"):
            asyncio.run(run_steps([step("echo")], print_function=printed.append, logger=logging.getLogger("a-logger")))
        assert [record.message for record in caplog.records if record.name == "a-logger"] == [
            "Executing deployment step: echo",
            "Deployment step 'echo' completed successfully",
            "All deployment steps completed successfully",
        ]
        assert printed == []


def events_of(flow_run_id) -> list:
    from prefect.client.orchestration import get_client
    from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventOrder
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all()
    wanted = EventFilter(
        any_resource=EventAnyResourceFilter(id=[f"prefect.flow-run.{flow_run_id}"]), order=EventOrder.ASC
    )
    with get_client(sync_client=True) as client:
        return list(client.read_events(filter=wanted, limit=50).events)


class TestEvents:
    def test_the_steps_of_a_run_emit_events_that_hide_secrets(self):
        flow_run, deployment = SimpleNamespace(id=uuid4()), SimpleNamespace(id=uuid4())
        steps = [
            step("echo", id="first", access_token="in clear", deep={"url": "https://me:in-clear@host/x"}, a="{{ b }}"),
            step("echo", access_token="{{ prefect.variables.token }}"),
            step("boom"),
        ]
        with pytest.raises(StepExecutionError):
            asyncio.run(run_steps(steps, {}, lambda *_: None, deployment=deployment, flow_run=flow_run))
        first, second, third = events_of(flow_run.id)
        assert first.event == second.event == "prefect.flow-run.pull-step.executed"
        assert third.event == "prefect.flow-run.pull-step.failed"
        assert first.resource.id == f"prefect.flow-run.{flow_run.id}"
        assert [(related.role, related.id) for related in first.related] == [
            ("deployment", f"prefect.deployment.{deployment.id}")
        ]
        assert first.payload == {
            "index": 0,
            "qualified_name": "step_functions.echo",
            "step_name": "echo",
            "id": "first",
            "inputs": {
                "id": "first",
                "access_token": "********",
                "deep": {"url": "https://host/x"},
                "a": "{{ b }}",
            },
        }
        assert second.payload["inputs"] == {"access_token": "{{ prefect.variables.token }}"}
        assert third.payload["index"] == 2


class TestRequirements:
    def test_what_is_installed_is_not_installed_again(self, monkeypatch):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        assert ran(step("echo", requires=["PyDantic>=1", "ruamel.yaml", "step_functions"])) == {}

    @pytest.mark.slow
    def test_what_is_missing_is_installed(self, tmp_path):
        """In an environment of its own, from a folder of built packages."""
        python = _environment(tmp_path / "environment")
        wheels = str(_wheel(tmp_path).parent)
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "UV_NO_INDEX": "1", "UV_FIND_LINKS": wheels}
        code = """if True:
            import asyncio, sys
            from prefect.deployments.steps.core import run_step
            print(asyncio.run(run_step({"needed_by_a_step.give": {"requires": "needed-by-a-step==1.0"}})))
        """
        done = subprocess.run(
            [python, "-c", code], env=os.environ | offline, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "{'given': 1}" in done.stdout

    def test_what_cannot_be_installed_is_named(self, run, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("UV_NO_INDEX", "1")
        with pytest.raises(StepExecutionError, match="Could not install no-such-package-at-all"):
            run(step("echo", requires="no-such-package-at-all"))


def _environment(folder: Path) -> str:
    """A virtual environment that sees the packages of this one; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    site = next(folder.rglob("site-packages"))
    (site / "outer.pth").write_text("\n".join(path for path in sys.path if path))
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def _wheel(folder: Path) -> Path:
    """A built package, written by hand."""
    path = folder / "wheels" / "needed_by_a_step-1.0-py3-none-any.whl"
    path.parent.mkdir()
    meta = "needed_by_a_step-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("needed_by_a_step.py", "def give():\n    return {'given': 1}\n")
        wheel.writestr(f"{meta}/METADATA", "Metadata-Version: 2.1\nName: needed-by-a-step\nVersion: 1.0\n")
        wheel.writestr(
            f"{meta}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{meta}/RECORD", "")
    return path
