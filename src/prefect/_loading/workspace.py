"""A folder made for one flow run: its code is brought there once, whoever asks for it.

The folder holds `code`, which is the working directory of the run's processes, and `workspace.json`, which tells where the
command was given that made it, and, once the code is there, where the flow is in it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from prefect._loading.fetching import fetching_plan
from prefect._plans import Plan
from prefect._state_values import format_exception
from prefect.client.schemas.objects import FlowRun

VARIABLE = "PREFECT__WORKSPACE"
"""Names the folder to the processes of the run."""


class Workspace:
    """The folder of one flow run.

    Args:
        folder: As `create` has made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = folder / "code"
        self._record = folder / "workspace.json"

    @classmethod
    def create(cls, folder: Path, origin: Path) -> Workspace:
        """Make an empty folder a workspace.

        Args:
            folder: The folder.
            origin: What relative paths of the deployment mean.
        """
        workspace = cls(folder)
        workspace.code.mkdir()
        workspace._note({"origin": str(origin)})
        return workspace

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to find in its environment that works here."""
        return {VARIABLE: str(self.folder)}

    @classmethod
    def of_this_process(cls) -> Workspace | None:
        """The workspace that this process was started in, if any. Processes that it starts are not in it."""
        folder = os.environ.pop(VARIABLE, None)
        return cls(Path(folder)) if folder else None

    def bring_code_plan(self, flow_run: FlowRun, deployment: Any) -> Plan[str]:
        """Bring the code here unless that was done, and make its folder the working directory.

        Returns:
            The entrypoint of the flow, as it is found from there.

        Raises:
            Exception: The code cannot be brought. It is not tried again.
        """
        known = self._read()
        if "failure" in known:
            raise RuntimeError(known["failure"])
        if "entrypoint" in known:
            os.chdir(known["directory"])
            sys.path[:0] = [path for path in known["import_path"] if path not in sys.path]
            os.environ.update(known["environment"])
            return known["entrypoint"]
        os.chdir(self.code)
        environment, import_path = dict(os.environ), list(sys.path)
        base_path = environment.get("PREFECT__STORAGE_BASE_PATH")
        try:
            entrypoint = yield from fetching_plan(deployment, flow_run, base_path, Path(known["origin"]))
        except Exception as error:
            self._note({**known, "failure": format_exception(error)})
            raise
        known["entrypoint"] = entrypoint
        known["directory"] = str(Path.cwd())
        known["import_path"] = [path for path in sys.path if path not in import_path]
        known["environment"] = {name: value for name, value in os.environ.items() if environment.get(name) != value}
        self._note(known)
        return entrypoint

    def _read(self) -> dict[str, Any]:
        return json.loads(self._record.read_text(encoding="utf-8"))

    def _note(self, known: dict[str, Any]) -> None:
        self._record.write_text(json.dumps(known), encoding="utf-8")
