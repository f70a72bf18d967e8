"""The package as programs meet it: names, and the table of tests (SDK section 0)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tests.sdk

import prefect

NAMES = (
    "allow_failure apause_flow_run aresume_flow_run asuspend_flow_run flow Flow get_client get_run_logger pause_flow_run "
    "resume_flow_run State suspend_flow_run tags task Task Transaction unmapped"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_and_listed(name):
    assert getattr(prefect, name) is not None
    assert name in prefect.__all__ and name in dir(prefect)


def test_submodules_are_attributes_and_other_names_are_missing():
    code = "import prefect; print(prefect.runtime.flow_run.id, prefect.states.Completed().name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "None Completed\n", done.stderr
    with pytest.raises(AttributeError, match="no_such_name"):
        prefect.no_such_name  # noqa: B018


def test_loading_flows_and_engines_costs_those_who_only_define_and_run_nothing():
    code = (
        "import sys\nfrom prefect import flow, task\n@flow\ndef f(): return 1\nf()\n"
        "print([name for name in ('prefect._loading', 'prefect.task_worker', 'prefect.engine', 'prefect._engine.asset_context') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_the_table_of_tests_names_files_that_exist():
    root = Path(tests.sdk.__file__).parents[1]
    named = re.findall(r"`([\w/]+(?:\.py|/))`", tests.sdk.__doc__)
    assert named and [name for name in named if not (root / name).exists()] == []
