"""A folder to build images of, and a program `docker` that builds none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.docker.programs import FakeDocker


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """The program `docker` that is found first."""
    docker = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{docker.folder}{os.pathsep}{os.environ['PATH']}")
    return docker
