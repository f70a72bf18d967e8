"""Flows that process workers run, from files that a test writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.workers.conftest import Pool

SOURCE = """
import json, os, sys, time
from pathlib import Path
from prefect import flow

def note(kind, **facts):
    with open(os.environ["JOURNAL"], "a") as journal:
        print(json.dumps({"kind": kind, **facts}), file=journal, flush=True)

def crashed(flow, flow_run, state):
    note("crashed-hook", state=state.name)

def cancelled(flow, flow_run, state):
    note("cancelled-hook", state=state.name)

@flow(log_prints=True, on_crashed=[crashed], on_cancellation=[cancelled])
def act(what: str = "return"):
    print("the flow says", what)
    note("began", pid=os.getpid(), cwd=os.getcwd(), run=os.environ["PREFECT__FLOW_RUN_ID"],
         env={name: value for name, value in os.environ.items() if name.startswith(("PREFECT", "MINE"))})
    if what == "wait":
        while not Path(os.environ["JOURNAL"] + ".go").exists():
            time.sleep(0.02)
    if what == "sleep":
        time.sleep(120)
    if what == "kill":
        os.kill(os.getpid(), 9)
    if what == "fail":
        raise ValueError("on purpose")
"""


class Flows:
    """One file of flows, a deployment of it in a pool, and what its runs have noted."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "acting.py").write_text(SOURCE)
        self.folder, self.pool, self.journal = folder, pool, folder / "journal"

    def deploy(self, type: str = "process", **more: Any) -> None:
        """Make the pool, and a deployment in it."""
        self.pool.create(type, **more.pop("pool", {}))
        variables = {"env": {"JOURNAL": str(self.journal), **more.pop("env", {})}, **more.pop("job_variables", {})}
        self.pool.deploy(entrypoint="acting.py:act", path=str(self.folder), job_variables=variables, **more)

    def run(self, what: str = "return") -> str:
        return self.pool.run(parameters={"what": what})

    def noted(self, kind: str) -> list[dict[str, Any]]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [facts for line in lines if (facts := json.loads(line))["kind"] == kind]

    def let_go(self) -> None:
        """End the runs that wait."""
        Path(f"{self.journal}.go").touch()
