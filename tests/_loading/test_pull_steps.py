"""Runs of deployments whose code is fetched by steps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runner.git_repositories import Repository
from tests.sdk._reading import flow_run_states, logs_of

from prefect.client.orchestration import get_client

FLOW = """
import os
from prefect import flow

@flow(log_prints=True)
def where():
    print("ran in", os.path.basename(os.getcwd()))
"""


@pytest.fixture
def repository(tmp_path: Path, home) -> Repository:
    repository = Repository(tmp_path / "remote")
    repository.push({"where.py": FLOW})
    return repository


def run_of_deployment(steps: list[dict]):
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow_from_name("where")
        deployment = client.create_deployment(flow_id, "pulled", entrypoint="where.py:where", pull_steps=steps)
        return client.create_flow_run_from_deployment(deployment).id


def engine(run_id, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "prefect.engine", str(run_id)]
    return subprocess.run(command, cwd=folder, env=os.environ.copy(), capture_output=True, text=True, timeout=120)


def test_the_code_is_fetched_and_its_folder_is_the_working_directory(repository, tmp_path):
    clone = {"prefect.deployments.steps.git_clone": {"repository": repository.url, "id": "clone"}}
    look = {"prefect.deployments.steps.run_shell_script": {"script": "ls", "directory": "{{ clone.directory }}"}}
    run_id = run_of_deployment([clone, look])
    done = engine(run_id, tmp_path / "work")
    assert done.returncode == 0, done.stderr
    assert "where.py" in done.stdout
    assert flow_run_states(run_id)[-1] == "Completed"
    said = logs_of(run_id)
    assert said[:3] == [
        "Running 2 deployment pull step(s)",
        "Executing deployment step: git_clone",
        "Deployment step 'git_clone' completed successfully",
    ]
    assert "ran in code" in said


def test_a_step_that_fails_crashes_the_run_and_says_why(repository, tmp_path):
    run_id = run_of_deployment([{"prefect.deployments.steps.run_shell_script": {"script": "sh -c 'exit 3'"}}])
    assert engine(run_id, tmp_path / "work").returncode == 1
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
    assert state.type.value == "CRASHED"
    assert "prefect.deployments.steps.run_shell_script" in state.message and "error code 3" in state.message
