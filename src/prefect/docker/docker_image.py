"""An image that is built of the working directory and pushed to a registry, for deployments to run in."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TextIO

from prefect._internal.buildx import buildx_build_image, buildx_push_image
from prefect.settings import get_current_settings
from prefect.utilities.dockerutils import (
    PushError,
    build_image,
    docker_client,
    generate_default_dockerfile,
    parse_image_tag,
    split_repository_path,
)
from prefect.utilities.slugify import slugify

__all__ = ["DockerImage"]

_BACKENDS = ("docker-py", "buildx")


class DockerImage:
    """How an image is built, and where it is pushed to.

    Args:
        name: Its name, with the registry and namespace; they may be left out if the setting
            `deployments.default_docker_build_namespace` has them. It may end in a tag.
        tag: Its tag; by default the current time.
        dockerfile: The path of its Dockerfile in the context. `auto` makes one, which installs what `requirements.txt`
            names and copies the working directory.
        stream_progress_to: Where to write what the build and the push say; None for nowhere.
        build_backend: `docker-py` needs the Python package `docker`, `buildx` the command of that name.
        **build_kwargs: More options of the build, such as `platform`; `context` is its directory, by default the
            working directory.

    Raises:
        ValueError: There are two tags, or no such backend.
    """

    def __init__(
        self,
        name: str,
        tag: str | None = None,
        dockerfile: str = "auto",
        stream_progress_to: TextIO | None = sys.stdout,
        build_backend: Literal["docker-py", "buildx"] = "docker-py",
        **build_kwargs: Any,
    ) -> None:
        repository, own_tag = parse_image_tag(name)
        if tag and own_tag:
            raise ValueError(f"Only one tag can be provided - both {own_tag!r} and {tag!r} were provided as tags.")
        if build_backend not in _BACKENDS:
            raise ValueError(f"Invalid build_backend {build_backend!r}. Must be 'docker-py' or 'buildx'.")
        namespace, image = split_repository_path(repository)
        namespace = namespace or get_current_settings().deployments.default_docker_build_namespace
        self.name = f"{namespace.rstrip('/')}/{image}" if namespace else image
        self.tag = own_tag or tag or slugify(datetime.now(timezone.utc).isoformat())
        self.dockerfile = dockerfile
        self.stream_progress_to = stream_progress_to
        self.build_backend = build_backend
        self.build_kwargs = build_kwargs

    @property
    def reference(self) -> str:
        """The name and the tag, as a registry knows the image."""
        return f"{self.name}{'@' if self.tag.startswith('sha256:') else ':'}{self.tag}"

    def build(self) -> None:
        """Build the image.

        Raises:
            ImportError: The Python package `docker` is missing.
            BuildError: The build failed.
            RuntimeError: Docker is not running; or a Dockerfile would be made, but there is one.
        """
        self._build()

    def _build(self) -> str:
        """Build the image, and return its id."""
        build = buildx_build_image if self.build_backend == "buildx" else build_image
        self._require_package()
        options = {"pull": True, **self.build_kwargs}
        context = Path(options.pop("context", None) or Path.cwd())
        with self._dockerfile_in(context) as dockerfile:
            return build(
                context,
                dockerfile=dockerfile,
                tag=self.reference,
                stream_progress_to=self.stream_progress_to,
                **options,
            )

    def push(self) -> None:
        """Push the image to its registry.

        Raises:
            ImportError: The Python package `docker` is missing.
            PushError: The registry refuses it.
            RuntimeError: Docker is not running.
        """
        if self.build_backend == "buildx":
            buildx_push_image(self.name, self.tag, stream_progress_to=self.stream_progress_to)
            return
        self._require_package()
        with docker_client() as client:
            for event in client.api.push(self.name, tag=self.tag, stream=True, decode=True):
                if "error" in event:
                    raise PushError(f"Cannot push {self.reference!r}: {event['error']}")
                if self.stream_progress_to is not None and "status" in event:
                    words = (event.get("id"), event["status"], event.get("progress"))
                    print(*(word for word in words if word), file=self.stream_progress_to, flush=True)

    def _require_package(self) -> None:
        if self.build_backend == "docker-py" and find_spec("docker") is None:
            raise ImportError(
                f"The image {self.reference!r} cannot be built or pushed: the Python package 'docker' is not installed. Install"
                ' it: pip install "prefect[docker]". Or use the command: DockerImage(…, build_backend="buildx").',
                name="docker",
            )

    @contextmanager
    def _dockerfile_in(self, context: Path) -> Generator[str, None, None]:
        if self.dockerfile != "auto":
            yield self.dockerfile
            return
        with generate_default_dockerfile(context):
            yield "Dockerfile"
