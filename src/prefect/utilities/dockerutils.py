"""Names, builds and pushes container images.

Building and pushing need the package `docker` and a running Docker; the rest does not.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import sys
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from typing_extensions import Self

from prefect._version import __version__
from prefect.utilities.slugify import slugify

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[import-not-found]

__all__ = [
    "CONTAINER_LABELS",
    "IMAGE_LABELS",
    "BuildError",
    "ImageBuilder",
    "PushError",
    "build_image",
    "docker_client",
    "format_outlier_version_name",
    "generate_default_dockerfile",
    "get_prefect_image_name",
    "parse_image_tag",
    "push_image",
    "python_version_micro",
    "python_version_minor",
    "silence_docker_warnings",
    "split_repository_path",
    "to_run_command",
]

_RELEASE = __version__.partition("+")[0]

CONTAINER_LABELS: dict[str, str] = {"io.prefect.version": _RELEASE}
"""Labels of the containers that runs are started in."""

IMAGE_LABELS: dict[str, str] = {"io.prefect.version": _RELEASE}
"""Labels of the images that are built here."""


class BuildError(Exception):
    """An image could not be built."""


class PushError(Exception):
    """An image could not be pushed."""


# --- names ------------------------------------------------------------------------------------------------------------


def python_version_minor() -> str:
    """Return the version of Python up to its minor part, such as "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def python_version_micro() -> str:
    """Return the version of Python up to its micro part, such as "3.12.1"."""
    return f"{python_version_minor()}.{sys.version_info.micro}"


def get_prefect_image_name(
    prefect_version: str | None = None, python_version: str | None = None, flavor: str | None = None
) -> str:
    """Return the name of the published image of a release.

    A build between two releases, such as "3.1.0+5.gabcdef0", has an image of its commit; any other local part of a
    version makes no difference.

    Args:
        prefect_version: The release; the one that this package is compatible with unless given.
        python_version: The version of Python in the image; that of this process unless given.
        flavor: A variant of the image, such as "kubernetes".
    """
    release, _, local = (prefect_version or _RELEASE).partition("+")
    commit = re.search(r"(?:^|\.)g([0-9a-f]+)", local)
    python = f"python{python_version or python_version_minor()}"
    parts = [f"sha-{commit[1][:7]}" if commit else release, python, flavor]
    repository = "prefecthq/prefect-dev" if commit else "prefecthq/prefect"
    return f"{repository}:{'-'.join(part for part in parts if part)}"


def parse_image_tag(name: str) -> tuple[str, str | None]:
    """Return the name of an image without its tag or digest, and those."""
    if "@" in name:
        image, _, digest = name.partition("@")
        return image, digest
    # The colon of a registry's port stands before a slash.
    head, slash, tail = name.rpartition("/")
    image, colon, tag = tail.partition(":")
    return f"{head}{slash}{image}", tag if colon else None


def split_repository_path(repository_path: str) -> tuple[str | None, str]:
    """Return the registry or namespace of a repository, if there is one, and the rest."""
    head, slash, tail = repository_path.rpartition("/")
    return (head, tail) if slash else (None, repository_path)


def format_outlier_version_name(version: str) -> str:
    """Return a version of Docker without the "-ce" that some editions append."""
    return version.removesuffix("-ce").removesuffix("-ee")


def to_run_command(command: list[str]) -> str:
    """Return a command as a `RUN` line of a Dockerfile; nothing for no command."""
    if not command:
        return ""
    program, *arguments = command
    return " ".join([f"RUN {program}", *(f"{argument!r}" for argument in arguments)])


# --- docker -----------------------------------------------------------------------------------------------------------


@contextmanager
def silence_docker_warnings() -> Generator[None, None, None]:
    """Keep the deprecation warnings of Docker's package from showing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        yield


@contextmanager
def docker_client() -> Generator[DockerClient, None, None]:
    """Give a client of the Docker of the environment, and close it behind the block.

    Raises:
        RuntimeError: The package is missing, or Docker is not running.
    """
    with silence_docker_warnings():
        try:
            import docker  # noqa: PLC0415 - an optional package
            from docker.errors import DockerException  # noqa: PLC0415 - likewise
        except ModuleNotFoundError as error:
            raise RuntimeError("The package `docker` is missing. Install it with `pip install docker`.") from error
        try:
            client = docker.DockerClient.from_env()
        except DockerException as error:
            raise RuntimeError(
                "This error is often thrown because Docker is not running. Please ensure Docker is running."
            ) from error
    try:
        yield client
    finally:
        client.close()


def build_image(
    context: Path,
    dockerfile: str = "Dockerfile",
    tag: str | None = None,
    pull: bool = False,
    platform: str | None = None,
    stream_progress_to: TextIO | None = None,
    **kwargs: Any,
) -> str:
    """Build an image and return its id.

    Args:
        context: The directory whose files the build sees.
        dockerfile: The path of the Dockerfile in it.
        tag: The name to give to the image.
        pull: Get the base image anew.
        platform: The platform to build for, such as "linux/amd64".
        stream_progress_to: Where to write what the build says.
        **kwargs: As of the low-level `build` of Docker's package.

    Raises:
        ValueError: There is no context.
        BuildError: The build failed, or said nothing of an image.
    """
    if not context:
        raise ValueError("context required to build an image")
    if not Path(context).exists():
        raise ValueError(f"Context path {context} does not exist")
    labels = {**kwargs.pop("labels", {}), **IMAGE_LABELS}
    image_id: str | None = None
    with docker_client() as client:
        events = client.api.build(
            path=str(context),
            dockerfile=dockerfile,
            tag=tag,
            pull=pull,
            decode=True,
            labels=labels,
            platform=platform,
            **kwargs,
        )
        for event in events:
            if "error" in event:
                raise BuildError(event["error"])
            if "stream" in event:
                _show(event["stream"], stream_progress_to)
            elif "aux" in event:
                image_id = event["aux"]["ID"]
            elif "message" in event:
                _show(f"{event['message']}\n", stream_progress_to)
    if image_id is None:
        raise BuildError("Docker did not return an image ID for built image.")
    return image_id


def _show(text: str, sink: TextIO | None) -> None:
    if sink is not None:
        sink.write(text)
        sink.flush()


def push_image(
    image_id: str, registry_url: str, name: str, tag: str | None = None, stream_progress_to: TextIO | None = None
) -> str:
    """Push a local image and return the name that it has there.

    Args:
        image_id: The image.
        registry_url: The registry to push to.
        name: The repository in the registry.
        tag: The tag; the current time unless given.
        stream_progress_to: Where to write what the push says.

    Raises:
        PushError: The push failed.
    """
    tag = tag or slugify(datetime.now(timezone.utc).isoformat())
    registry = registry_url.removeprefix("https://").removeprefix("http://").rstrip("/")
    repository = f"{registry}/{name}"
    with docker_client() as client:
        client.images.get(image_id).tag(repository, tag=tag)
        for event in client.api.push(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise PushError(event["error"])
            line = " ".join(str(event[key]) for key in ("id", "status", "progress") if event.get(key))
            _show(f"{line}\n", stream_progress_to)
    return f"{repository}:{tag}"


@contextmanager
def generate_default_dockerfile(context: Path | None = None) -> Generator[Path, None, None]:
    """Have a Dockerfile for the project in a directory, for as long as the block lasts.

    It installs what `requirements.txt` names and copies the directory to `/opt/prefect/<its name>`.

    Args:
        context: The directory; the working directory unless given.

    Raises:
        RuntimeError: There is a Dockerfile already.
    """
    directory = context or Path.cwd()
    target = f"/opt/prefect/{directory.resolve().name}/"
    lines = [f"FROM {get_prefect_image_name()}"]
    if (directory / "requirements.txt").exists():
        lines.append(f"COPY requirements.txt {target}requirements.txt")
        lines.append(f"RUN uv pip install -r {target}requirements.txt")
    lines += [f"COPY . {target}", f"WORKDIR {target}"]
    dockerfile = directory / "Dockerfile"
    try:
        with dockerfile.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError as error:
        raise RuntimeError(
            "Failed to generate Dockerfile. Dockerfile already exists in the current directory."
        ) from error
    try:
        yield dockerfile
    finally:
        dockerfile.unlink()


class ImageBuilder:
    """Collects the lines of a Dockerfile and the files that they need, and builds an image of them.

    Args:
        base_image: The image to start from.
        base_directory: Where the sources of relative paths are; the context or the working directory unless given.
        platform: The platform to build for.
        context: An existing directory with the files of the build; nothing can be copied into it. Otherwise one is
            made for as long as the builder is entered.
    """

    base_directory: Path
    context: Path | None
    platform: str | None
    dockerfile_lines: list[str]
    temporary_directory: TemporaryDirectory[str] | None

    def __init__(
        self,
        base_image: str,
        base_directory: Path | None = None,
        platform: str | None = None,
        context: Path | None = None,
    ) -> None:
        self.base_directory = base_directory or context or Path().absolute()
        self.temporary_directory = None
        self.context = context
        self.platform = platform
        self.dockerfile_lines = [f"FROM {base_image}"]

    def __enter__(self) -> Self:
        if self.context is None:
            self.temporary_directory = TemporaryDirectory()
            self.context = Path(self.temporary_directory.__enter__())
        return self

    def __exit__(
        self, exc: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.temporary_directory is not None:
            self.temporary_directory.__exit__(exc, value, traceback)
            self.temporary_directory = None
            self.context = None

    def _own_context(self) -> Path:
        if self.context is None:
            raise RuntimeError("The builder has no directory yet. Use it in a `with` block.")
        return self.context

    def add_line(self, line: str) -> None:
        """Add a line to the Dockerfile."""
        self.add_lines([line])

    def add_lines(self, lines: Iterable[str]) -> None:
        """Add lines to the Dockerfile."""
        self.dockerfile_lines.extend(lines)

    def copy(self, source: str | Path, destination: str | PurePosixPath) -> None:
        """Copy a file or directory into the image.

        Args:
            source: Its path, relative to the base directory unless absolute.
            destination: Its path in the image.

        Raises:
            ValueError: The builder was given a context of its own.
        """
        if self.temporary_directory is None and self.context is not None:
            raise ValueError("Files cannot be copied into a context that was given to the builder.")
        context = self._own_context()
        source = Path(source)
        path = source if source.is_absolute() else self.base_directory / source
        # Sources from anywhere get a place in the context that no two of them share.
        place = source if not source.is_absolute() else Path(hashlib.sha256(str(source).encode()).hexdigest()[:16])
        if source.is_absolute():
            place = place / source.name
        target = context / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)
        self.add_line(f"COPY {place.as_posix()} {destination}")

    def write_text(self, text: str, destination: str | PurePosixPath) -> None:
        """Write a file of some text into the image."""
        context = self._own_context()
        place = hashlib.sha256(f"{destination}\n{text}".encode()).hexdigest()[:16]
        (context / place).write_text(text, encoding="utf-8")
        self.add_line(f"COPY {place} {destination}")

    def build(self, pull: bool = False, stream_progress_to: TextIO | None = None) -> str:
        """Build the image and return its id.

        Args:
            pull: Get the base image anew.
            stream_progress_to: Where to write what the build says.

        Raises:
            BuildError: The build failed.
        """
        context = self._own_context()
        dockerfile = context / "Dockerfile"
        with dockerfile.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.dockerfile_lines)
        try:
            return build_image(context, platform=self.platform, pull=pull, stream_progress_to=stream_progress_to)
        finally:
            dockerfile.unlink()

    def assert_has_line(self, line: str) -> None:
        """Check that the Dockerfile has a line.

        Raises:
            AssertionError: It has not.
        """
        if line not in self.dockerfile_lines:
            raise AssertionError(f"Expected {line!r} not found in Dockerfile:\n{self._listing()}")

    def assert_line_absent(self, line: str) -> None:
        """Check that the Dockerfile has no such line.

        Raises:
            AssertionError: It has.
        """
        if line in self.dockerfile_lines:
            raise AssertionError(f"Unexpected {line!r} found in Dockerfile:\n{self._listing()}")

    def assert_line_before(self, first: str, second: str) -> None:
        """Check that the Dockerfile has two lines in this order.

        Raises:
            AssertionError: One is missing, or they are the other way round.
        """
        self.assert_has_line(first)
        self.assert_has_line(second)
        if self.dockerfile_lines.index(first) > self.dockerfile_lines.index(second):
            raise AssertionError(f"Expected {first!r} to appear before {second!r} in Dockerfile:\n{self._listing()}")

    def assert_line_after(self, second: str, first: str) -> None:
        """Check that the Dockerfile has two lines in the order first, second.

        Raises:
            AssertionError: One is missing, or they are the other way round.
        """
        self.assert_line_before(first, second)

    def assert_has_file(self, source: Path, container_path: PurePosixPath) -> None:
        """Make the build fail unless the image has a file with the content of a local one.

        Args:
            source: The local file, relative to the base directory unless absolute.
            container_path: The path of the file in the image.
        """
        path = source if source.is_absolute() else self.base_directory / source
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        line = shlex.quote(f"{digest}  {container_path}")
        self.add_line(f"RUN echo {line} | sha256sum --check --status")

    def _listing(self) -> str:
        return "\n".join(f"    {number:>3}: {line}" for number, line in enumerate(self.dockerfile_lines, 1))
