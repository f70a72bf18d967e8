"""The signatures that the reference prints: every parameter, option and type that it names is there."""

import ast
import inspect

import pytest
from tests.seeds._running import load, snippet

import prefect
from prefect.flows import Flow
from prefect.tasks import Task, TaskOptions, task_input_hash


def printed_parameters(name: str, function: str) -> list[str]:
    """The parameters by name of a function, in the order in which an example prints them."""
    for node in ast.walk(ast.parse(snippet(name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            return [argument.arg for argument in arguments]
    raise LookupError(function)


@pytest.mark.parametrize(
    ("name", "function", "ours"),
    [
        ("flow_signature", "flow", prefect.flow),
        ("task_signature", "task", prefect.task),
        ("flow_class", "with_options", Flow.with_options),
        pytest.param(
            *("task_class", "with_options", Task.with_options),
            marks=pytest.mark.xfail(strict=True, reason="a copy of a task keeps its version, as in release 3.8.8"),
        ),
    ],
)
def test_every_printed_parameter_is_accepted(name, function, ours):
    accepted = inspect.signature(ours).parameters
    # What is decorated comes first in both; its name does not matter.
    named = [parameter for parameter in printed_parameters(name, function) if parameter not in {"fn", "self"}]
    assert [parameter for parameter in named if parameter not in accepted] == []


@pytest.mark.parametrize("name", ["flow_class", "task_class"])
def test_every_printed_attribute_is_there(name):
    description = ast.get_docstring(ast.parse(snippet(name).read_text(encoding="utf-8")).body[0])
    attributes = [line[2:].partition(":")[0] for line in description.splitlines() if line.startswith("- ")]
    made = prefect.flow(len_of) if name == "flow_class" else prefect.task(len_of)
    assert [attribute for attribute in attributes if not hasattr(made, attribute)] == []


def len_of(value: str) -> int:
    return len(value)


def test_printed_caching_functions_are_there():
    assert printed_parameters("caching_signatures", "exponential_backoff") == ["backoff_factor"]
    assert list(inspect.signature(prefect.tasks.exponential_backoff).parameters) == ["backoff_factor"]
    assert callable(task_input_hash)


def test_printed_types_name_options_that_tasks_have():
    from typing import TypedDict

    from prefect.client.schemas.objects import FlowRun, State, TaskRun

    types = load("types", Flow=Flow, FlowRun=FlowRun, State=State, Task=Task, TaskRun=TaskRun, TypedDict=TypedDict)
    options = set(types.TaskOptions.__annotations__)
    assert options <= set(TaskOptions.__annotations__)
    assert options <= set(inspect.signature(prefect.task).parameters)


def test_the_installed_version_meets_the_pins(tmp_path):
    try:
        import tomllib
    except ModuleNotFoundError:
        import tomli as tomllib
    from packaging.requirements import Requirement

    project = tomllib.loads(snippet("integration_pins").read_text(encoding="utf-8"))["project"]
    [pin] = [pin for pin in map(Requirement, project["dependencies"]) if pin.name == "prefect"]
    assert prefect.__version__ in pin.specifier
