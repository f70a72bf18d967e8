"""Loading flows by entrypoint, as far as their files load (SDK section 1.3)."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from prefect import flow
from prefect.exceptions import MissingFlowError, ScriptError, UnspecifiedFlowError
from prefect.flows import (
    Flow,
    is_entrypoint_async,
    load_flow_arguments_from_entrypoint,
    load_flow_from_entrypoint,
    load_function_and_convert_to_flow,
    load_placeholder_flow,
    safe_load_flow_from_entrypoint,
    select_flow,
)

GOOD = """
import prefect
from prefect import flow, task

NAME = "computed"

@flow(name="My Flow", retries=3, version="v1", description="d", log_prints=True, timeout_seconds=4, on_failure=[print])
def good(x: int = 1):
    return x + 1

@flow(name=f"a-{NAME}")
def formatted(): ...

@flow
def bare_flow(): ...

@prefect.flow(name="dotted")
async def dotted(): ...

def plain(x):
    print("plain", x)
    return x

@task
def a_task(): ...

class Owner:
    @flow(name="method")
    async def run(self): ...

if __name__ == "__main__":
    raise RuntimeError("a guarded block must not run")
"""

BROKEN = '''
import a_package_that_is_not_there as nt
from prefect import flow

@flow(name="Broken Flow", retries=2)
def broken(x: nt.Thing, y: int = nt.VALUE, z: str = "z") -> nt.Thing:
    """What it does."""
    return (x, y, z)

@flow(name="needs it at once", task_runner=nt.Runner())
async def unrecoverable(a: int, b: str = "b"): ...

def plain(): ...
'''


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home):
    (tmp_path / "entry_good.py").write_text(GOOD)
    (tmp_path / "entry_broken.py").write_text(BROKEN)
    (tmp_path / "entry_raises.py").write_text(
        "from prefect import flow\n@flow\ndef it(): ...\nraise RuntimeError('boom')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("entrypoint", ["entry_good.py:good", "entry_good:good", "entry_good.good"])
def test_files_and_modules_are_entrypoints(scripts, entrypoint):
    found = load_flow_from_entrypoint(entrypoint)
    assert (found.name, found(2)) == ("My Flow", 3)
    assert found._entrypoint == entrypoint


def test_the_object_may_be_an_attribute_of_a_class(scripts):
    assert load_flow_from_entrypoint("entry_good.py:Owner.run").name == "method"


@pytest.mark.parametrize("name", ["nothing", "plain", "a_task", "Owner.nothing"])
def test_what_is_no_flow_is_missing(scripts, name):
    with pytest.raises(MissingFlowError, match=name):
        load_flow_from_entrypoint(f"entry_good.py:{name}")


def test_an_entrypoint_without_an_object_is_refused(scripts):
    with pytest.raises(ValueError, match="neither of the form"):
        load_flow_from_entrypoint("good")


def test_a_module_that_is_not_there_is_not_a_placeholder(scripts):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load_flow_from_entrypoint("no_such_module.flow")
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        load_flow_from_entrypoint("nothing.py:flow")


def test_a_missing_package_is_an_error_only_without_placeholder(scripts):
    with pytest.raises(ScriptError) as caught:
        load_flow_from_entrypoint("entry_broken.py:broken", use_placeholder_flow=False)
    assert isinstance(caught.value.user_exc, ModuleNotFoundError)


@pytest.mark.parametrize("entrypoint", ["entry_broken.py:broken", "entry_broken.broken"])
def test_what_can_be_evaluated_of_a_broken_file_is_kept(scripts, entrypoint):
    found = load_flow_from_entrypoint(entrypoint)
    assert (found.name, found.retries, found.description) == ("Broken Flow", 2, "What it does.")
    schema = found.parameters
    assert list(schema.properties) == ["x", "y", "z"]
    assert schema.required == ["x"]
    assert "type" not in schema.properties["x"]
    assert schema.properties["y"]["default"] is None
    assert schema.properties["z"]["default"] == "z"
    assert found("x", 1) == ("x", 1, "z")


def test_a_placeholder_has_the_plain_options_and_raises_the_cause_when_run(scripts):
    found = load_flow_from_entrypoint("entry_broken.py:unrecoverable")
    assert (found.name, found.isasync) == ("needs it at once", True)
    assert found.parameters.required == ["a"]
    state = load_placeholder_flow("entry_broken.py:broken", raises=KeyError("the cause"))(1, return_state=True)
    assert state.is_failed()
    with pytest.raises(KeyError, match="the cause"):
        load_placeholder_flow("entry_broken.py:broken", raises=KeyError("the cause"))(1)


async def test_running_a_placeholder_raises_what_kept_the_file_from_loading(scripts):
    found = load_flow_from_entrypoint("entry_broken.py:unrecoverable")
    with pytest.raises(ScriptError, match="a_package_that_is_not_there"):
        await found(a=1)


def test_a_function_of_a_broken_file_is_no_flow(scripts):
    assert safe_load_flow_from_entrypoint("entry_broken.py:plain") is None
    assert safe_load_flow_from_entrypoint("entry_broken.py:unrecoverable") is None
    with pytest.raises(MissingFlowError, match="nothing"):
        load_flow_from_entrypoint("entry_broken.py:nothing")


def test_a_file_that_raises_is_recovered(scripts):
    assert load_flow_from_entrypoint("entry_raises.py:it").name == "it"


def test_a_plain_function_becomes_a_flow_that_logs_its_prints(scripts, caplog):
    made = load_function_and_convert_to_flow("entry_good.py:plain")
    assert isinstance(made, Flow) and made.log_prints
    assert made(3) == 3
    with pytest.raises(RuntimeError, match="nothing"):
        load_function_and_convert_to_flow("entry_good.py:nothing")
    assert load_function_and_convert_to_flow("entry_good.py:good").name == "My Flow"


# -- reading the source ----------------------------------------------------------------------------------------------


def test_options_are_read_without_executing_the_file(scripts):
    assert load_flow_arguments_from_entrypoint("entry_broken.py:broken") == {"name": "Broken Flow", "retries": 2}
    (scripts / "explosive.py").write_text("raise SystemExit(3)\n" + textwrap.dedent(GOOD))
    found = load_flow_arguments_from_entrypoint("explosive.py:good")
    assert found == {
        "name": "My Flow", "retries": 3, "version": "v1", "description": "d", "log_prints": True, "timeout_seconds": 4,
    }  # fmt: skip


def test_options_may_be_chosen_and_computed(scripts):
    assert load_flow_arguments_from_entrypoint("entry_good.py:good", {"name", "retries"}) == {
        "name": "My Flow", "retries": 3,
    }  # fmt: skip
    assert load_flow_arguments_from_entrypoint("entry_good.py:formatted") == {"name": "a-computed"}
    assert load_flow_arguments_from_entrypoint("entry_good.py:bare_flow") == {"name": "bare-flow"}
    with pytest.raises(ValueError, match="nothing"):
        load_flow_arguments_from_entrypoint("entry_good.py:nothing")


@pytest.mark.parametrize(
    ("name", "expected"), [("good", False), ("dotted", True), ("Owner.run", True), ("plain", False)]
)
def test_async_functions_are_told_apart(scripts, name, expected):
    assert is_entrypoint_async(f"entry_good.py:{name}") is expected


# -- choosing --------------------------------------------------------------------------------------------------------


def test_one_flow_of_several_is_chosen_by_name():
    one, two = flow(lambda: None, name="one"), flow(lambda: None, name="two")
    assert select_flow([one]) is one
    assert select_flow([one, two], "two") is two
    with pytest.raises(UnspecifiedFlowError, match="'one' 'two'"):
        select_flow([one, two])
    with pytest.raises(MissingFlowError, match=r"'three' not found in 'x\.py'"):
        select_flow([one, two], "three", from_message="in 'x.py'")
    with pytest.raises(MissingFlowError, match="No flows"):
        select_flow([])
