"""Flows in a notebook, whose kernel runs every cell inside an event loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.chaos.processes import Home

CELLS = [
    "from prefect import flow, task\n\n@task\ndef double(x):\n    return 2 * x\n\n@task\nasync def triple(x):\n    return 3 * x",
    "@flow\ndef doubles(count):\n    return sum(double.map(range(count)).result())\n\ndoubles(4)",
    "@flow\nasync def triples(count):\n    import asyncio\n"
    "    return sum(await asyncio.gather(*[triple(x) for x in range(count)])) + doubles(count)\n\nawait triples(3)",
    "state = await triples(2, return_state=True)\nstate.type.value",
    "double(21)",
]  # fmt: skip
RESULTS = ["12", "15", "'COMPLETED'", "42"]


def notebook(cells: list[str]) -> dict:
    return {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {"id": f"cell-{number}", "cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
            for number, source in enumerate(cells)
        ],
    }  # fmt: skip


def test_a_notebook_runs_sync_and_async_flows(tmp_path: Path):
    home = Home(tmp_path / "home")
    (tmp_path / "flows.ipynb").write_text(json.dumps(notebook(CELLS)))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "flows.ipynb", "--output", "run.ipynb"],
        env=clean | {"PREFECT_HOME": str(home.path), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")},
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    executed = json.loads((tmp_path / "run.ipynb").read_text())
    outputs = [
        "".join(output["data"]["text/plain"])
        for cell in executed["cells"]
        for output in cell["outputs"]
        if output["output_type"] == "execute_result"
    ]
    assert outputs == RESULTS
    # The shutdown of a kernel is no exit of its own choosing: what the flows recorded is there all the same.
    states = home.flow_run_states()
    assert list(states.values()) == ["COMPLETED"] * 5
    assert {state for _, state in home.task_run_states()} == {"COMPLETED"}
