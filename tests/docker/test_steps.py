"""The steps that build and push images where the package that names them is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docker.programs import FakeDocker

from prefect.deployments.steps.core import StepExecutionError, run_steps
from prefect.docker import _steps

BUILD, PUSH = (f"prefect_docker.deployments.steps.{name}_docker_image" for name in ("build", "push"))


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_steps, "_built", {})


async def test_an_image_is_built_once_and_pushed(project: Path, docker: FakeDocker):
    build = {BUILD: {"id": "b", "requires": "prefect-docker>=0.3.1", "image_name": "registry/i", "tag": "t", "dockerfile": "auto",
                     "additional_tags": ["more"], "build_backend": "buildx"}}  # fmt: skip
    outputs = await run_steps([build], print_function=lambda *_, **__: None)
    assert outputs["b"] == {
        "image_name": "registry/i",
        "tag": "t",
        "image": "registry/i:t",
        "image_id": "sha256:0123",
        "additional_tags": ["more"],
    }
    [call] = docker.calls
    assert ["--tag", "registry/i:t", "--tag", "registry/i:more"] == [
        word for word in call["arguments"] if word.startswith(("--tag", "registry"))
    ]
    assert "COPY . /opt/prefect/project/" in call["dockerfile"]
    again = await run_steps([build], print_function=lambda *_, **__: None)
    assert again == outputs and len(docker.calls) == 1
    await run_steps([{BUILD: {**build[BUILD], "ignore_cache": True}}], print_function=lambda *_, **__: None)
    assert len(docker.calls) == 2


async def test_an_image_is_pushed_with_all_of_its_tags(
    project: Path, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_steps, "find_spec", lambda _: None)
    push = {PUSH: {"image_name": "registry/i", "tag": "t", "additional_tags": ["more"]}}
    outputs = await run_steps([push], print_function=lambda *_, **__: None)
    assert outputs == {"image_name": "registry/i", "tag": "t", "image": "registry/i:t", "additional_tags": ["more"]}
    assert [call["arguments"] for call in docker.calls] == [["push", "registry/i:t"], ["push", "registry/i:more"]]


async def test_credentials_need_the_package(project: Path, docker: FakeDocker):
    push = {PUSH: {"image_name": "registry/i", "credentials": {"username": "me"}}}
    with pytest.raises(StepExecutionError, match="install prefect-docker"):
        await run_steps([push], print_function=lambda *_, **__: None)
    assert docker.calls == []
