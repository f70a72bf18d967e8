"""Imports the function of a step, after installing the packages that it needs and that are missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import shutil
import sys
from collections.abc import Callable
from subprocess import PIPE, STDOUT
from typing import Any

import anyio

from prefect import _upcalls
from prefect.logging.loggers import get_logger
from prefect.utilities.asyncutils import run_sync_in_worker_thread
from prefect.utilities.importtools import from_qualified_name

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")

_STAND_INS: dict[str, Callable[[], Callable[..., Any]]] = {
    "prefect_docker.deployments.steps.build_docker_image": lambda: _upcalls.resolve("build_docker_image"),
    "prefect_docker.deployments.steps.push_docker_image": lambda: _upcalls.resolve("push_docker_image"),
}
"""Steps of packages that work here without them."""

logger = get_logger("deployments.steps")


async def import_step_function(name: str, requires: str | list[str] | None) -> Callable[..., Any]:
    """The function that a step names.

    Args:
        name: Its full name, as `package.module.function`.
        requires: The packages that it needs, as pip takes them; those that are missing are installed, unless the step
            works without them.

    Raises:
        ImportError: There is no such module.
        AttributeError: The module has no such function.
        ValueError: The name is not a full one.
        RuntimeError: A package cannot be installed.
    """
    stand_in = _STAND_INS.get(name)
    if stand_in is not None and importlib.util.find_spec(name.partition(".")[0]) is None:
        return stand_in()
    packages = [requires] if isinstance(requires, str) else list(requires or [])
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        await install(missing)
    return await run_sync_in_worker_thread(from_qualified_name, name)


def _is_installed(package: str) -> bool:
    named = _NAME.match(package)
    if named is None:
        raise ValueError(f"{package!r} is no requirement. Expected the name of a package, such as 's3fs>=2024.2'.")
    try:
        importlib.metadata.distribution(named[1])
    except importlib.metadata.PackageNotFoundError:
        # What is on the path without having been installed counts too.
        return importlib.util.find_spec(named[1].replace("-", "_").partition(".")[0]) is not None
    return True


async def install(packages: list[str]) -> None:
    """Install packages into the environment of this process.

    Raises:
        RuntimeError: They cannot be installed; the message has what the installer says.
    """
    command = [*installer(), *packages]
    logger.info("Installing %s, which a step requires.", ", ".join(packages))
    done = await anyio.run_process(command, check=False, stdout=PIPE, stderr=STDOUT)
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise RuntimeError(f"Could not install {', '.join(packages)}: {' '.join(command)} failed:\n{said}")
    # Modules that have appeared since the folders were last listed.
    importlib.invalidate_caches()


def installer() -> list[str]:
    """The command that installs into the environment of this process.

    Raises:
        RuntimeError: There is neither uv nor pip.
    """
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    raise RuntimeError("Packages cannot be installed: there is neither uv on the PATH nor pip in this environment.")
