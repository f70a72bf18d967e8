"""Steps that build and push images, for where the package `prefect-docker` that names them is not installed."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from typing import Any, Literal

from prefect.docker.docker_image import DockerImage
from prefect.utilities.dockerutils import docker_client

_built: dict[str, dict[str, Any]] = {}
"""What was built in this process, by how: deployments that share an image share its build."""


def build_docker_image(
    image_name: str,
    dockerfile: str = "Dockerfile",
    tag: str | None = None,
    additional_tags: list[str] | None = None,
    ignore_cache: bool = False,
    **build_kwargs: Any,
) -> dict[str, Any]:
    """Build an image.

    Args:
        image_name: Its name, with its registry.
        dockerfile: The path of its Dockerfile; `auto` makes one.
        tag: Its tag; by default the current time.
        additional_tags: More tags for the same image.
        ignore_cache: Build again what this process has built already.
        **build_kwargs: As of `DockerImage`.

    Returns:
        `image_name`, `tag`, `image` (both together), `image_id` and `additional_tags`.
    """
    how = json.dumps([image_name, dockerfile, tag, additional_tags, build_kwargs], sort_keys=True, default=str)
    if ignore_cache or how not in _built:
        more = list(additional_tags or ())
        image = _image(image_name, tag=tag, dockerfile=dockerfile, **build_kwargs)
        if image.build_backend == "buildx":
            image.build_kwargs["extra_tags"] = [f"{image.name}:{each}" for each in more]
        id = image._build()
        if more and image.build_backend != "buildx":
            with docker_client() as client:
                for each in more:
                    client.api.tag(image.reference, image.name, each)
        _built[how] = {
            "image_name": image.name,
            "tag": image.tag,
            "image": image.reference,
            "image_id": id,
            "additional_tags": more,
        }
    return dict(_built[how])


def push_docker_image(
    image_name: str,
    tag: str | None = None,
    credentials: Any = None,
    additional_tags: list[str] | None = None,
) -> dict[str, Any]:
    """Push an image that is on this machine.

    Args:
        image_name: Its name, with its registry.
        tag: Its tag; by default `latest`.
        credentials: Not taken here: log in with `docker login`.
        additional_tags: More tags that are pushed.

    Returns:
        `image_name`, `tag`, `image` and `additional_tags`.

    Raises:
        ValueError: There are credentials.
    """
    if credentials:
        raise ValueError("To push with credentials of a block, install prefect-docker. Or log in with `docker login`.")
    more = list(additional_tags or ())
    image = _image(image_name, tag=tag or "latest")
    image.push()
    for each in more:
        _image(image_name, tag=each).push()
    return {"image_name": image.name, "tag": image.tag, "image": image.reference, "additional_tags": more}


def _image(name: str, **options: Any) -> DockerImage:
    # Either will do; the package has long been what steps build with.
    has_package = find_spec("docker") is not None
    backend: Literal["docker-py", "buildx"] = "buildx" if not has_package and shutil.which("docker") else "docker-py"
    return DockerImage(name, **{"build_backend": backend, **options})
