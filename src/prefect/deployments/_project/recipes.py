"""The recipes of `prefect init`: where a project's code is kept, and the steps that bring it there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect.deployments._versions import git_answer, without_credentials

_DOCKER_PACKAGE = "prefect-docker>=0.3.1"
_IMAGE_INPUTS = {
    "image_name": "Name of the image that is built, with its registry",
    "tag": "Tag of the image that is built",
}
_BUCKET = {"bucket": "The bucket that holds the code"}

_BUILD_IMAGE = {
    "prefect_docker.deployments.steps.build_docker_image": {
        "id": "build_image",
        "requires": _DOCKER_PACKAGE,
        "image_name": "{{ image_name }}",
        "tag": "{{ tag }}",
        "dockerfile": "{{ dockerfile }}",
    }
}
_PUSH_IMAGE = {
    "prefect_docker.deployments.steps.push_docker_image": {
        "requires": _DOCKER_PACKAGE,
        "image_name": "{{ build_image.image_name }}",
        "tag": "{{ build_image.tag }}",
    }
}
_CLONE = {
    "prefect.deployments.steps.git_clone": {
        "repository": "{{ repository }}",
        "branch": "{{ branch }}",
        "access_token": None,
    }
}


def _work_in(directory: str) -> dict[str, Any]:
    return {"prefect.deployments.steps.set_working_directory": {"directory": directory}}


def _transfer(step: str, id: str, package: str, **place: str) -> dict[str, Any]:
    return {step: {"id": id, "requires": package, **place}}


def _push_to(step: str, package: str, holder: str) -> dict[str, Any]:
    return _transfer(step, "push_code", package, **{holder: f"{{{{ {holder} }}}}", "folder": "{{ name }}"})


def _pull_from(step: str, package: str, holder: str) -> dict[str, Any]:
    place = {holder: f"{{{{ push_code.{holder} }}}}", "folder": "{{ push_code.folder }}"}
    return _transfer(step, "pull_code", package, **place)


_S3 = ("prefect_aws.deployments.steps", "prefect-aws>=0.3.4", "bucket")
_GCS = ("prefect_gcp.deployments.steps", "prefect-gcp>=0.4.3", "bucket")
_AZURE = ("prefect_azure.deployments.steps", "prefect-azure[blob_storage]>=0.2.8", "container")


def _storage(kind: tuple[str, str, str], place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    module, package, holder = kind
    return (
        _push_to(f"{module}.push_to_{place}", package, holder),
        _pull_from(f"{module}.pull_from_{place}", package, holder),
    )


@dataclass(frozen=True)
class Recipe:
    """A way to keep a project's code.

    Attributes:
        inputs: What has to be said, with what it means.
        has_image: Whether deployments run in an image that is built.
    """

    description: str
    pull: list[dict[str, Any]]
    push: list[dict[str, Any]] | None = None
    build: list[dict[str, Any]] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_image(self) -> bool:
        return self.build is not None

    def contents(self) -> dict[str, Any]:
        """What a project file of this recipe holds; placeholders stand for what has to be said."""
        variables = {"image": "{{ build_image.image }}"} if self.has_image else {}
        return {
            "name": None,
            "prefect-version": None,
            "build": self.build,
            "push": self.push,
            "pull": self.pull,
            "deployments": [blank_entry(variables)],
        }


def blank_entry(job_variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The entry of a new file, that waits to be filled in."""
    return {
        "name": None,
        "version": None,
        "tags": [],
        "description": None,
        "schedules": [],
        "entrypoint": None,
        "parameters": {},
        "work_pool": {"name": None, "work_queue_name": None, "job_variables": job_variables or {}},
    }


def _in_storage(what: str, kind: tuple[str, str, str], place: str, inputs: Mapping[str, str]) -> Recipe:
    push, pull = _storage(kind, place)
    return Recipe(f"Keep the code in {what}", [pull], push=[push], inputs=inputs)


def _image_and(what: str, kind: tuple[str, str, str], place: str, inputs: Mapping[str, str]) -> Recipe:
    push, pull = _storage(kind, place)
    return Recipe(
        f"Keep the code in {what}, and run it in an image that has what it needs",
        [pull],
        push=[_PUSH_IMAGE, push],
        build=[_BUILD_IMAGE],
        inputs={**_IMAGE_INPUTS, **inputs},
    )


_CONTAINER = {"container": "The container that holds the code"}
RECIPES: dict[str, Recipe] = {
    "azure": _in_storage("Azure Blob Storage", _AZURE, "azure_blob_storage", _CONTAINER),
    "docker": Recipe(
        "Keep the code in an image, together with what it needs",
        [_work_in("/opt/prefect/{{ name }}")],
        push=[_PUSH_IMAGE],
        build=[_BUILD_IMAGE],
        inputs=_IMAGE_INPUTS,
    ),
    "docker-azure": _image_and("Azure Blob Storage", _AZURE, "azure_blob_storage", _CONTAINER),
    "docker-gcs": _image_and("a bucket of Google Cloud Storage", _GCS, "gcs", _BUCKET),
    "docker-git": Recipe(
        "Keep the code in a git repository, and run it in an image that has what it needs",
        [_CLONE],
        push=[_PUSH_IMAGE],
        build=[_BUILD_IMAGE],
        inputs=_IMAGE_INPUTS,
    ),
    "docker-s3": _image_and("a bucket of S3", _S3, "s3", _BUCKET),
    "gcs": _in_storage("a bucket of Google Cloud Storage", _GCS, "gcs", _BUCKET),
    "git": Recipe("Keep the code in a git repository", [_CLONE]),
    "local": Recipe("Keep the code in this folder", [_work_in("{{ directory }}")]),
    "s3": _in_storage("a bucket of S3", _S3, "s3", _BUCKET),
}


def fitting_recipe(folder: Path) -> str:
    """The recipe that fits a folder: whether it has a remote git repository, and a Dockerfile."""
    has_image = (folder / "Dockerfile").exists()
    if remote_of(folder) is not None:
        return "docker-git" if has_image else "git"
    return "docker" if has_image else "local"


def remote_of(folder: Path) -> str | None:
    """Where the git repository of a folder is fetched from, without a password; None if nowhere."""
    url = git_answer("-C", str(folder), "remote", "get-url", "origin")
    return url and without_credentials(url)


def known_inputs(folder: Path) -> dict[str, str]:
    """What is known of a project without asking."""
    known = {
        "name": folder.name,
        "directory": str(folder),
        "dockerfile": "Dockerfile" if (folder / "Dockerfile").exists() else "auto",
    }
    repository = remote_of(folder)
    if repository is not None:
        branch = git_answer("-C", str(folder), "symbolic-ref", "--short", "HEAD")
        known |= {"repository": repository, "branch": branch or "main"}
    return known
