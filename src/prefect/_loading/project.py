"""`python -m prefect._loading.project`: runs a flow run of a workspace with the packages that its project declares.

The code is brought here first, as it says which packages those are. Then uv starts the engine in the project's environment.
Where the code is no project, or there is no uv, the engine runs in this process.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from prefect import engine
from prefect._loading.flow_runs import bring_code, load_flow_run
from prefect._loading.workspace import Workspace
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import flow_run_logger
from prefect.settings._files import read_toml

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> None:
    """Run the flow run that `PREFECT__FLOW_RUN_ID` names, in the workspace that the environment names too."""
    ensure_logging_setup()
    workspace = Workspace.of_this_process()
    if workspace is not None:
        command = _prepare(UUID(os.environ["PREFECT__FLOW_RUN_ID"]), workspace)
        # The engine finds the code in the workspace, or the reason why it is not there, which it reports.
        os.environ.update(workspace.environment)
        if command is not None:
            _become(command)
    engine.main([])


def _prepare(flow_run_id: UUID, workspace: Workspace) -> list[str] | None:
    flow_run = load_flow_run(flow_run_id)
    try:
        bring_code(flow_run, workspace)
    except Exception:  # noqa: BLE001 - the workspace keeps what went wrong, for the engine
        return None
    logger = flow_run_logger(flow_run)
    root = find_project(Path.cwd())
    if root is None:
        return None
    uv = shutil.which("uv")
    if uv is None:
        logger.warning("The packages of the project in '%s' are not installed, as uv was not found on the PATH.", root)
        return None
    logger.info("Running with the packages that the project in '%s' declares", root)
    return [uv, "run", "--no-default-groups", "--project", str(root), "python", "-m", "prefect.engine"]


def find_project(folder: Path) -> Path | None:
    """The nearest folder, from here upwards, with a `pyproject.toml`, if that declares this package as a dependency."""
    for each in (folder, *folder.parents):
        file = each / "pyproject.toml"
        if file.is_file():
            return each if _declares_prefect(file) else None
    return None


def _declares_prefect(file: Path) -> bool:
    dependencies = read_toml(file).get("project", {}).get("dependencies", [])
    names = (_NAME.match(str(each).strip()) for each in dependencies)
    return any(name is not None and name[0].lower() == "prefect" for name in names)


def _become(command: list[str]) -> None:
    if sys.platform == "win32":
        # There a process cannot become another one without its parent taking that for its end.
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
