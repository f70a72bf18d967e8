"""The import path that integration packages use to build and push images with `docker buildx`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from prefect.utilities.dockerutils import IMAGE_LABELS, BuildError, PushError

__all__ = ["buildx_build_image", "buildx_push_image"]

# What the options of Docker's package are called by the command.
_OPTIONS = {"buildargs": "build-arg", "labels": "label", "nocache": "no-cache", "cache_from": "cache-from"}


def buildx_build_image(
    context: Path,
    dockerfile: str = "Dockerfile",
    tag: str | None = None,
    extra_tags: list[str] | None = None,
    pull: bool = False,
    platform: str | None = None,
    stream_progress_to: TextIO | None = None,
    push: bool = False,
    **kwargs: Any,
) -> str:
    """Build an image and return its id.

    Args:
        context: The directory whose files the build sees.
        dockerfile: The path of the Dockerfile in it.
        tag: The name to give to the image.
        extra_tags: More names to give to it.
        pull: Get the base image anew.
        platform: The platform or platforms to build for, separated by commas.
        stream_progress_to: Where to write what the build says.
        push: Push the image, instead of keeping it here.
        **kwargs: More options of the command, by its names or by those of Docker's package.

    Raises:
        ValueError: There is no context.
        BuildError: The build failed.
    """
    if not Path(context).exists():
        raise ValueError(f"Context path {context} does not exist")
    options: dict[str, Any] = {
        "file": str(Path(context) / dockerfile),
        "tag": [name for name in (tag, *(extra_tags or ())) if name],
        "pull": pull,
        "platform": platform,
        "push": push,
        "load": not push,
        **kwargs,
        "labels": {**(kwargs.get("labels") or {}), **IMAGE_LABELS},
    }
    with TemporaryDirectory() as directory:
        id_file = Path(directory) / "image-id"
        options["iidfile"] = str(id_file)
        _run(["build", *_arguments(options), str(context)], stream_progress_to, BuildError)
        return id_file.read_text(encoding="utf-8").strip()


def buildx_push_image(name: str, tag: str | None = None, stream_progress_to: TextIO | None = None) -> None:
    """Push a local image.

    Args:
        name: The repository, with its registry.
        tag: The tag; "latest" unless given.
        stream_progress_to: Where to write what the push says.

    Raises:
        PushError: The push failed.
    """
    _run(["push", f"{name}:{tag or 'latest'}"], stream_progress_to, PushError, buildx=False)


def _arguments(options: Mapping[str, Any]) -> Iterable[str]:
    for name, value in options.items():
        flag = f"--{_OPTIONS.get(name, name.replace('_', '-'))}"
        if value is True:
            yield flag
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from (flag, f"{key}={item}")
        elif isinstance(value, (list, tuple, set)):
            for item in value:
                yield from (flag, str(item))
        elif value is not None and value is not False:
            yield from (flag, str(value))


def _run(arguments: list[str], sink: TextIO | None, error: type[Exception], *, buildx: bool = True) -> None:
    docker = shutil.which("docker")
    if docker is None:
        raise error("The program 'docker' is not on your PATH. Install Docker with its plugin buildx.")
    command = [docker, *(["buildx"] if buildx else []), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    with process:
        for line in process.stdout or ():
            lines.append(line)
            if sink is not None:
                sink.write(line)
                sink.flush()
    if process.returncode:
        raise error(f"`{' '.join(command[:3])}` failed with status {process.returncode}:\n{''.join(lines[-20:])}")
