"""What becomes of the runs of served flows, triggered and by schedule, until Ctrl-C. Runs with either SDK, on any API."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from parts import MARK, asked, eventually, failure, flow_run, tell
from runs_of_flows import deployments, ended, logged, runs_of, state
from served_processes import FOLDER, hooks, interrupted, log_of, running

from prefect import get_client
from prefect.deployments import run_deployment
from prefect.flow_runs import resume_flow_run
from prefect.states import Cancelling

SERVED = ("fails", "retried", "waits", "crashes", "asks")
SERVE = f"""
import os, sys
from datetime import datetime
import deployed_flows as flows
from prefect import serve
from prefect.schedules import Interval

soon = Interval(3600, anchor_date=datetime.fromisoformat(sys.argv[1]))
if __name__ == "__main__":
    serve(
        flows.plain.to_deployment("served", tags=["of-the-deployment"]),
        flows.plain.to_deployment("by schedule", schedules=[soon], parameters={{"x": 7}}),
        *[getattr(flows, name).to_deployment("served") for name in {SERVED}],
        limit=10,
    )
"""
ALONE = """
import deployed_flows as flows

if __name__ == "__main__":
    flows.plain.serve("alone", cron="0 4 * * *", description="served alone", tags=["a"], print_starting_message=True)
"""


def suspended_and_resumed(run: Any) -> dict[str, Any]:
    eventually(lambda: state(run), lambda name: name == "PAUSED/Suspended")
    asked(run.id, "suspended")
    refused = failure(resume_flow_run, run.id, run_input={"times": 2})
    still = state(run)
    resume_flow_run(run.id, run_input={"word": "so", "times": 2})
    over = ended(run)
    return {"refused": refused, "still": still, "run": over, "answer": (FOLDER / f"answer-{run.id}").read_text()}


def cancelled(run: Any) -> dict[str, Any]:
    eventually(lambda: (FOLDER / f"started-{run.id}").exists())
    with get_client(sync_client=True) as client:
        answer = client.set_flow_run_state(run.id, Cancelling())
    return {"answer": answer.status.value, "run": ended(run), "hooks": hooks(run.id, 1)}


def serving() -> Any:
    Path("serving.py").write_text(SERVE)
    soon = datetime.now(timezone.utc) + timedelta(seconds=20)
    with running("serving", "serving.py", soon.isoformat()) as process:
        try:
            return served(process)
        except Exception as error:
            raise RuntimeError(f"{error!r}; serving said: {log_of('serving')[-2000:]}") from error


def served(process: Any) -> Any:
    eventually(lambda: len(deployments()) == len(SERVED) + 2)
    there = deployments()
    start = {name: run_deployment(there[f"{name}/served"].id, timeout=0) for name in ("waits", *SERVED)}
    plain = run_deployment(f"plain-{MARK}/served", parameters={"x": 20}, tags=["once"], timeout=60)
    seen = {
        "plain": ended(plain),
        "hooks": hooks(plain.id, 1),
        "logged": logged(plain, "doubled to 40"),
        "cancelled": cancelled(start["waits"]),
        "asked": suspended_and_resumed(start["asks"]),
        "crashed": [ended(start["crashes"]), hooks(start["crashes"].id, 1)],
        "failed": [ended(start["fails"]), hooks(start["fails"].id, 1)],
        "retried": ended(start["retried"]),
    }
    by_schedule = there["plain/by schedule"].id
    runs = eventually(lambda: [run for run in runs_of(by_schedule) if run.state.is_final()])
    seen["by schedule"] = [flow_run(run.id) for run in runs]
    seen["ready"] = sorted({each.status.value for each in deployments().values()})
    seen["exit code"] = interrupted(process)
    seen["paused"] = {name: each.paused for name, each in deployments().items()}
    left = eventually(lambda: runs_of(by_schedule), lambda runs: all(run.state.is_final() for run in runs))
    seen["still scheduled"] = sum(not run.state.is_final() for run in left)
    return seen


def alone() -> Any:
    Path("alone.py").write_text(ALONE)
    with running("alone", "alone.py") as process:
        there = eventually(lambda: deployments().get("plain/alone"))
        runs = eventually(lambda: runs_of(there.id), lambda runs: len(runs) >= 3)
        # It is served from the moment at which it looks for runs.
        eventually(lambda: deployments()["plain/alone"].last_polled)
        code = interrupted(process)
        shown = deployments()["plain/alone"]
        return {
            "runs": len(runs),
            "exit code": code,
            "paused": shown.paused,
            "left": len(eventually(lambda: runs_of(there.id), lambda runs: not runs)),
            "shown": [shown.description, shown.tags, shown.entrypoint, shown.path, shown.status.value],
        }


PARTS = [serving, alone]

if __name__ == "__main__":
    sys.exit(tell(PARTS))
