"""Steps run in an empty folder, with functions of a module made for them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prefect.deployments.steps.core import run_steps

FUNCTIONS = """
import asyncio, os, warnings

def echo(**inputs):
    return inputs

async def aecho(**inputs):
    await asyncio.sleep(0)
    return inputs

def awaitable(**inputs):
    return aecho(**inputs)

def constant(value=None):
    return value

def boom(message="on purpose"):
    raise ValueError(message)

def old(count=1):
    for _ in range(count):
        warnings.warn("this is old", DeprecationWarning)
    return {}

class Group:
    @staticmethod
    def member(x=1):
        return {"x": x}
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path that has the module `step_functions`; it is the working directory."""
    (tmp_path / "step_functions.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def printed() -> list[tuple[str, dict[str, str]]]:
    return []


@pytest.fixture
def run(printed):
    """Run steps and give their outputs; what they print goes to `printed`."""

    def print_function(text: str, **style: str) -> None:
        printed.append((text, style))

    def run(*steps, **outputs):
        return asyncio.run(run_steps(list(steps), outputs, print_function))

    return run
