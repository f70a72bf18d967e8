"""Images for deployments: their names, and how they are built and pushed."""

from __future__ import annotations

import io
import re
import sys

import pytest

from prefect.docker import DockerImage
from prefect.settings import temporary_settings
from prefect.utilities.dockerutils import BuildError, PushError, get_prefect_image_name

# -- names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tag", "reference"),
    [
        ("etl", "1", "etl:1"),
        ("team/etl:1", None, "team/etl:1"),
        ("registry:5000/team/etl", "1", "registry:5000/team/etl:1"),
        ("team/etl@sha256:abc", None, "team/etl@sha256:abc"),
    ],
)
def test_the_reference_is_what_a_registry_knows(name, tag, reference):
    assert DockerImage(name, tag).reference == reference


def test_without_a_tag_the_time_is_taken():
    image = DockerImage("team/etl")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d-\d+-00-00", image.tag)
    assert image.reference == f"team/etl:{image.tag}"


def test_two_tags_are_refused():
    with pytest.raises(ValueError, match="both '1' and '2'"):
        DockerImage("team/etl:1", tag="2")


def test_a_name_without_a_namespace_gets_that_of_the_settings():
    with temporary_settings({"deployments.default_docker_build_namespace": "registry.io/team/"}):
        assert DockerImage("etl", "1").name == "registry.io/team/etl"
        assert DockerImage("other/etl", "1").name == "other/etl"


def test_a_backend_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="Invalid build_backend 'podman'"):
        DockerImage("etl", build_backend="podman")  # type: ignore[arg-type]


# -- with the command ----------------------------------------------------------------------------------------------------


def test_an_image_is_built_of_the_working_directory(project, docker):
    (project / "requirements.txt").write_text("pandas\n")
    said = io.StringIO()
    DockerImage("etl", "1", build_backend="buildx", stream_progress_to=said, platform="linux/arm64").build()
    [call] = docker.calls
    assert call["arguments"][:2] == ["buildx", "build"]
    assert call["arguments"][-1] == str(project)
    for option in (["--tag", "etl:1"], ["--platform", "linux/arm64"]):
        assert " ".join(option) in " ".join(call["arguments"])
    assert "--pull" in call["arguments"]
    target = "/opt/prefect/project/"
    assert call["dockerfile"].splitlines() == [
        f"FROM {get_prefect_image_name()}",
        f"COPY requirements.txt {target}requirements.txt",
        f"RUN uv pip install -r {target}requirements.txt",
        f"COPY . {target}",
        f"WORKDIR {target}",
    ]
    assert said.getvalue() == "docker says buildx build\n"
    assert sorted(path.name for path in project.iterdir()) == ["requirements.txt"]


def test_a_dockerfile_of_the_user_is_taken_as_it_is(project, docker, tmp_path):
    context = tmp_path / "context"
    context.mkdir()
    (context / "my.Dockerfile").write_text("FROM scratch\n")
    DockerImage("etl", "1", dockerfile="my.Dockerfile", build_backend="buildx", context=context, pull=False).build()
    [call] = docker.calls
    assert (call["dockerfile"], call["arguments"][-1]) == ("FROM scratch\n", str(context))
    assert "--pull" not in call["arguments"]


def test_a_dockerfile_of_the_user_is_not_overwritten(project, docker):
    (project / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(RuntimeError, match="already exists"):
        DockerImage("etl", "1", build_backend="buildx").build()
    assert ((project / "Dockerfile").read_text(), docker.calls) == ("FROM scratch\n", [])


def test_a_build_that_fails_leaves_nothing_behind(project, docker):
    docker.refuse("build")
    with pytest.raises(BuildError, match="no such registry"):
        DockerImage("etl", "1", build_backend="buildx", stream_progress_to=None).build()
    assert list(project.iterdir()) == []


def test_an_image_is_pushed(docker):
    image = DockerImage("registry.io/team/etl", "1", build_backend="buildx", stream_progress_to=None)
    image.push()
    assert [call["arguments"] for call in docker.calls] == [["push", "registry.io/team/etl:1"]]
    docker.refuse("push")
    with pytest.raises(PushError, match="no such registry"):
        image.push()


# -- with the package ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["build", "push"])
def test_without_the_package_it_says_what_to_install(project, monkeypatch, step):
    # What the import system does where a package is not installed.
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(ImportError, match=r'"prefect\[docker\]".*build_backend="buildx"'):
        getattr(DockerImage("etl", "1"), step)()
    assert list(project.iterdir()) == []
