"""Finds types of workers by name: those that are installed, and those that the API knows of packages."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from prefect.cli import _output, _session

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.workers.base import BaseWorker

OWN_PACKAGE = "prefect"
INSTALL_POLICIES = ("always", "if-not-present", "never", "prompt")


def known_types(client: SyncPrefectClient) -> dict[str, dict[str, Any]]:
    """What is known of each type: its description, and the template that its work pools start with.

    Types that are installed here tell of themselves, the others are as the API knows them.
    """
    # Loads the integration packages, which most commands do without.
    from prefect.workers.base import BaseWorker  # noqa: PLC0415

    published = client.read_worker_metadata()
    types = {type_: about for of_package in published.values() for type_, about in sorted(of_package.items())}
    for type_ in BaseWorker.get_all_available_worker_types():
        worker = BaseWorker.get_worker_class_from_type(type_)
        assert worker is not None
        types[type_] = {
            **types.get(type_, {"description": worker.get_description() or "No description."}),
            "default_base_job_configuration": worker.get_default_base_job_template(),
        }
    return types


def find_worker_class(
    type_: str, packages: Mapping[str, Mapping[str, Any]], policy: str
) -> type[BaseWorker[Any, Any, Any]]:
    """The class of workers of a type; its package is installed where that is wanted. Ends the command without it.

    Args:
        type_: The type.
        packages: By package, the types that it offers.
        policy: When to install: `always` (newest release), `if-not-present`, `never`, or `prompt` to ask.
    """
    from prefect.workers.base import BaseWorker  # noqa: PLC0415 - as above

    package = next((name for name, types in packages.items() if type_ in types), None)
    found = BaseWorker.get_worker_class_from_type(type_)
    if policy == "always" and package not in (None, OWN_PACKAGE):
        _install(package, upgrade=True)
        found = _look_again(type_)
    elif found is None and package not in (None, OWN_PACKAGE):
        if not _may_install(type_, package, policy):
            _output.fail(
                f"Workers of type {type_!r} come with the package {package!r}, which is not installed here. Install it with "
                f'`pip install "{package}"`, or let this command do it with `--install-policy if-not-present`.'
            )
        _install(package, upgrade=False)
        found = _look_again(type_)
    if found is None:
        known = sorted(
            {*BaseWorker.get_all_available_worker_types(), *(name for of in packages.values() for name in of)}
        )
        hint = f" Its package {package!r} is installed, but brings no such type." if package else ""
        _output.fail(f"There are no workers of type {type_!r}.{hint} Known types are: {', '.join(known)}.")
    return found


def _may_install(type_: str, package: str, policy: str) -> bool:
    if policy != "prompt":
        return policy == "if-not-present"
    if not _session.is_interactive():
        return False
    question = f"Workers of type {type_!r} come with the package {package!r}, which is not installed. Install it now?"
    return _output.confirm(question, default=True)


def _look_again(type_: str) -> type[BaseWorker[Any, Any, Any]] | None:
    from prefect.plugins import load_prefect_collections  # noqa: PLC0415 - as above
    from prefect.workers.base import BaseWorker  # noqa: PLC0415

    importlib.invalidate_caches()
    load_prefect_collections(reload=True)
    return BaseWorker.get_worker_class_from_type(type_)


def _install(package: str, upgrade: bool) -> None:
    _output.echo(f"Installing {package}...")
    options = ["--upgrade"] if upgrade else []
    uv = shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    done = subprocess.run([*installer, *options, package], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        _output.fail(f"{package!r} could not be installed:\n{done.stderr.strip() or done.stdout.strip()}")


def install_policy() -> Any:
    """The option that says when packages of workers are installed."""
    return click.option(
        "--install-policy",
        type=click.Choice(INSTALL_POLICIES, case_sensitive=False),
        default="prompt",
        show_default=True,
        help="When to install the package of the type: always its newest release, only if it is missing, never, or ask.",
    )
