"""Container images."""

import io
import sys
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from prefect.utilities import dockerutils
from prefect.utilities.dockerutils import (
    IMAGE_LABELS,
    BuildError,
    ImageBuilder,
    PushError,
    build_image,
    docker_client,
    format_outlier_version_name,
    generate_default_dockerfile,
    get_prefect_image_name,
    parse_image_tag,
    push_image,
    python_version_micro,
    python_version_minor,
    split_repository_path,
    to_run_command,
)

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({}, f"prefecthq/prefect:3.8.8-python{PYTHON}"),
        ({"prefect_version": "3.1.0", "python_version": "3.10"}, "prefecthq/prefect:3.1.0-python3.10"),
        ({"prefect_version": "3.1.0", "flavor": "kubernetes"}, f"prefecthq/prefect:3.1.0-python{PYTHON}-kubernetes"),
        ({"prefect_version": "3.1.0rc1"}, f"prefecthq/prefect:3.1.0rc1-python{PYTHON}"),
        ({"prefect_version": "3.8.8+independent.1"}, f"prefecthq/prefect:3.8.8-python{PYTHON}"),
        ({"prefect_version": "3.1.0+5.gabcdef0123"}, f"prefecthq/prefect-dev:sha-abcdef0-python{PYTHON}"),
    ],
)
def test_releases_have_images(arguments, name):
    assert get_prefect_image_name(**arguments) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a", None)),
        ("a:b", ("a", "b")),
        ("host/a:b", ("host/a", "b")),
        ("host:5000/a", ("host:5000/a", None)),
        ("host:5000/a/b:c", ("host:5000/a/b", "c")),
        ("a@sha256:12", ("a", "sha256:12")),
    ],
)
def test_tags_are_told_from_names(name, parts):
    assert parse_image_tag(name) == parts


@pytest.mark.parametrize(
    ("path", "parts"),
    [("a", (None, "a")), ("a/b", ("a", "b")), ("host:5000/a", ("host:5000", "a")), ("host.io/a/b", ("host.io/a", "b"))],
)
def test_registries_are_told_from_repositories(path, parts):
    assert split_repository_path(path) == parts


def test_versions_of_docker_lose_their_edition():
    assert format_outlier_version_name("20.10.0-ce") == "20.10.0"
    assert format_outlier_version_name("20.10") == "20.10"


def test_versions_of_python():
    assert python_version_micro().startswith(python_version_minor())


def test_commands_become_lines():
    assert to_run_command(["pip", "install", "x y"]) == "RUN pip 'install' 'x y'"
    assert to_run_command([]) == ""


# --- dockerfiles ------------------------------------------------------------------------------------------------------


def test_a_dockerfile_is_there_for_a_while(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    with generate_default_dockerfile(project) as dockerfile:
        assert dockerfile.read_text() == (
            f"FROM {get_prefect_image_name()}\nCOPY . /opt/prefect/project/\nWORKDIR /opt/prefect/project/\n"
        )
    assert not dockerfile.exists()


def test_requirements_are_installed(tmp_path):
    (tmp_path / "requirements.txt").write_text("x")
    with generate_default_dockerfile(tmp_path) as dockerfile:
        lines = dockerfile.read_text().splitlines()
    assert lines[1] == f"COPY requirements.txt /opt/prefect/{tmp_path.name}/requirements.txt"
    assert lines[2] == f"RUN uv pip install -r /opt/prefect/{tmp_path.name}/requirements.txt"


def test_a_dockerfile_of_the_users_is_left_alone(tmp_path):
    (tmp_path / "Dockerfile").write_text("mine")
    with pytest.raises(RuntimeError, match="already exists"), generate_default_dockerfile(tmp_path):
        pass
    assert (tmp_path / "Dockerfile").read_text() == "mine"


@pytest.fixture
def builder(tmp_path):
    (tmp_path / "file.txt").write_text("content")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("inner")
    with ImageBuilder("base:1", base_directory=tmp_path) as builder:
        yield builder


def copied(builder, line) -> Path:
    return builder.context / line.split()[1]


def test_lines_are_collected(builder):
    builder.add_line("RUN a")
    builder.add_lines(["RUN b", "RUN c"])
    assert builder.dockerfile_lines == ["FROM base:1", "RUN a", "RUN b", "RUN c"]


def test_files_are_copied_with_their_lines(builder, tmp_path):
    builder.copy("file.txt", "/x/file.txt")
    builder.copy(tmp_path / "file.txt", PurePosixPath("/y/file.txt"))
    builder.copy("folder", "/folder")
    builder.write_text("hello", "/z.txt")

    first, second, folder, text = builder.dockerfile_lines[1:]
    assert copied(builder, first).read_text() == copied(builder, second).read_text() == "content"
    assert copied(builder, first) != copied(builder, second)
    assert (copied(builder, folder) / "inner.txt").read_text() == "inner"
    assert copied(builder, text).read_text() == "hello"
    assert [line.split()[2] for line in (first, second, folder, text)] == [
        "/x/file.txt",
        "/y/file.txt",
        "/folder",
        "/z.txt",
    ]


def test_the_directory_of_a_builder_is_gone_behind_it(tmp_path):
    with ImageBuilder("base:1", base_directory=tmp_path) as builder:
        context = builder.context
    assert not context.exists()


def test_nothing_is_copied_into_a_context_of_the_users(tmp_path):
    with ImageBuilder("base:1", context=tmp_path) as builder:
        with pytest.raises(ValueError, match="given to the builder"):
            builder.copy("x", "/x")
    assert tmp_path.exists()


def test_a_builder_has_to_be_entered(tmp_path):
    with pytest.raises(RuntimeError, match="`with` block"):
        ImageBuilder("base:1", base_directory=tmp_path).copy("x", "/x")


def test_lines_can_be_checked(builder):
    builder.add_lines(["RUN a", "RUN b"])
    builder.assert_has_line("RUN a")
    builder.assert_line_absent("RUN c")
    builder.assert_line_before("RUN a", "RUN b")
    builder.assert_line_after("RUN b", "RUN a")
    with pytest.raises(AssertionError, match="'RUN c' not found"):
        builder.assert_has_line("RUN c")
    with pytest.raises(AssertionError, match="Unexpected 'RUN a'"):
        builder.assert_line_absent("RUN a")
    with pytest.raises(AssertionError, match="'RUN b' to appear before 'RUN a'"):
        builder.assert_line_before("RUN b", "RUN a")


def test_files_can_be_checked_when_the_image_is_built(builder):
    builder.assert_has_file(Path("file.txt"), PurePosixPath("/x/file.txt"))
    assert builder.dockerfile_lines[-1].startswith("RUN echo ")
    assert "/x/file.txt" in builder.dockerfile_lines[-1]


# --- docker -----------------------------------------------------------------------------------------------------------


class FakeDocker:
    """Says what it is told to say, and remembers what it was asked."""

    def __init__(self, *events):
        self.events = events
        self.asked = []
        self.api = self
        self.images = self

    def build(self, **options):
        dockerfile = Path(options["path"]) / options["dockerfile"]
        self.asked.append((options, dockerfile.read_text() if dockerfile.exists() else None))
        return iter(self.events)

    def get(self, image):
        return self

    def tag(self, repository, tag):
        self.asked.append((repository, tag))

    def push(self, repository, tag, **options):
        return iter(self.events)


@pytest.fixture
def docker(monkeypatch):
    def install(*events):
        fake = FakeDocker(*events)

        @contextmanager
        def client():
            yield fake

        monkeypatch.setattr(dockerutils, "docker_client", client)
        return fake

    return install


def test_an_image_is_built(docker, tmp_path):
    fake = docker({"stream": "Step 1\n"}, {"message": "note"}, {"aux": {"ID": "sha256:1"}}, {"other": 1})
    said = io.StringIO()
    assert build_image(tmp_path, tag="t", platform="p", stream_progress_to=said, labels={"a": "b"}) == "sha256:1"
    options, _ = fake.asked[0]
    assert said.getvalue() == "Step 1\nnote\n"
    assert options["labels"] == {"a": "b", **IMAGE_LABELS}
    assert (options["tag"], options["platform"]) == ("t", "p")


@pytest.mark.parametrize("events", [[{"error": "no space"}], [{"stream": "nothing"}]])
def test_a_build_that_fails_is_an_error(docker, tmp_path, events):
    docker(*events)
    with pytest.raises(BuildError):
        build_image(tmp_path)


def test_a_build_needs_its_context(docker, tmp_path):
    docker()
    with pytest.raises(ValueError, match="does not exist"):
        build_image(tmp_path / "nothing")


def test_a_builder_builds_its_lines(docker, builder):
    fake = docker({"aux": {"ID": "sha256:2"}})
    builder.add_line("RUN a")
    assert builder.build() == "sha256:2"
    assert fake.asked[0][1] == "FROM base:1\nRUN a\n"


def test_an_image_is_pushed(docker):
    fake = docker({"status": "Pushing", "id": "1", "progress": "[==]"})
    said = io.StringIO()
    assert push_image("sha256:1", "https://host.io/", "name", "tag", said) == "host.io/name:tag"
    assert fake.asked == [("host.io/name", "tag")]
    assert said.getvalue() == "1 Pushing [==]\n"
    assert push_image("sha256:1", "host.io", "name").startswith("host.io/name:20")


def test_a_push_that_fails_is_an_error(docker):
    docker({"error": "denied"})
    with pytest.raises(PushError, match="denied"):
        push_image("sha256:1", "host.io", "name")


def test_without_the_package_the_user_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(RuntimeError, match="pip install docker"), docker_client():
        pass


def test_without_docker_the_user_is_told_to_start_it(monkeypatch):
    class DockerException(Exception): ...

    class DockerClient:
        @staticmethod
        def from_env():
            raise DockerException("connection refused")

    package, errors = ModuleType("docker"), ModuleType("docker.errors")
    package.DockerClient, package.errors, errors.DockerException = DockerClient, errors, DockerException
    monkeypatch.setitem(sys.modules, "docker", package)
    monkeypatch.setitem(sys.modules, "docker.errors", errors)
    with pytest.raises(RuntimeError, match="Docker is not running"), docker_client():
        pass
