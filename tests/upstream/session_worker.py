"""What becomes of the runs of a process worker: done, failed, cancelled, crashed, in order. Runs with either SDK."""

from __future__ import annotations

import signal
import sys
from typing import Any

from parts import MARK, eventually, flow_run, tell
from runs_of_flows import deployments, ended, logged, runs_of, state
from served_processes import FOLDER, hooks, interrupted, log_of, prefect, running

from prefect import flow, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.deployments import run_deployment

POOL = f"pool-{MARK}"


def deploy(name: str, queue: str | None = None, **options: Any) -> Any:
    source = flow.from_source(source=str(FOLDER), entrypoint=f"deployed_flows.py:{name}")
    return source.deploy(
        name=queue or "worked", work_pool_name=POOL, work_queue_name=queue, print_next_steps=False, **options
    )


def deploying() -> Any:
    """`prefect deploy`, from the folder in which the flow is."""
    make_pool()
    code, said = prefect(
        "--no-prompt", "deploy", "deployed_flows.py:plain", "--name", "deployed", "--pool", POOL, "--param", "x=4",
        "--tag", "mine", "--cron", "0 4 * * *", "--timezone", "Europe/Berlin",
    )  # fmt: skip
    if code:
        return {"exit code": code, "said": said[-2000:]}
    found = deployments()["plain/deployed"]
    told = [found.entrypoint, found.parameters, found.tags, found.pull_steps, found.description, found.work_pool_name]
    return {"exit code": code, "stored": told, "schedules": [each.schedule for each in found.schedules]}


def make_pool() -> None:
    with get_client(sync_client=True) as client:
        if not [each for each in client.read_work_pools() if each.name == POOL]:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))


def worker() -> Any:
    make_pool()
    deploy("plain", parameters={"x": 4}, tags=["mine"])
    for name in ("fails", "waits", "crashes"):
        deploy(name, parameters={"until": 2} if name == "fails" else None)
    for queue in ("urgent", "slow"):
        deploy("plain", queue)
    with running("worker", "-m", "prefect", "worker", "start", "--pool", POOL, "--name", f"worker-{MARK}") as process:
        try:
            return worked(process)
        except Exception as error:
            raise RuntimeError(f"{error!r}; the worker said: {log_of('worker')[-2000:]}") from error


def worked(process: Any) -> Any:
    with get_client(sync_client=True) as client:
        [found] = eventually(lambda: client.read_workers_for_work_pool(POOL))
        pool = eventually(lambda: client.read_work_pool(POOL), lambda pool: pool.status.value == "READY")
    seen: dict[str, Any] = {
        "worker": [found.name == f"worker-{MARK}", found.status.value, pool.status.value],
        "done": by_command_line(),
        "limited": limited(),
        "in order": in_order(),
    }
    fails = run_deployment(f"fails-{MARK}/worked", timeout=0)
    seen["failed"] = ended(fails)
    seen["retry"] = prefect("flow-run", "retry", fails.id)[0]
    eventually(lambda: state(fails), lambda name: name == "COMPLETED/Completed")
    seen["retried"] = flow_run(fails.id)
    seen["exit code"] = interrupted(process, signal.SIGTERM)
    return seen


def by_command_line() -> Any:
    code, said = prefect(
        "deployment",
        "run",
        f"plain-{MARK}/worked",
        "--param",
        "x=20",
        "--tag",
        "once",
        "--watch",
        "--watch-timeout",
        "90",
    )
    [run] = runs_of(deployments()["plain/worked"].id)
    with get_client(sync_client=True) as client:
        stored = client.read_flow_run(run.id)
    return {
        "exit code": code,
        "run": flow_run(run.id),
        "logged": logged(run, "doubled to 40"),
        "place": [stored.work_pool_name, stored.work_queue_name, bool(stored.infrastructure_pid)],
        "hooks": hooks(run.id, 1),
        "said": said[-2000:] if code else "",
    }


def limited() -> Any:
    """With one slot the second run waits until the first has ended: that is cancelled, and the second crashes."""
    with get_client(sync_client=True) as client:
        client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=1))
        first = run_deployment(f"waits-{MARK}/worked", timeout=0)
        eventually(lambda: (FOLDER / f"started-{first.id}").exists())
        other = run_deployment(f"crashes-{MARK}/worked", timeout=0)
        slots = client.read_work_pool(POOL).active_slots
        offered = [each.flow_run.id for each in client.get_scheduled_flow_runs_for_work_pool(POOL)]
        waiting = state(other).split("/")[0]
    code, _ = prefect("flow-run", "cancel", first.id)
    return {
        "slots": slots,
        "offered": len(offered),
        "waiting": waiting,
        "cancelled": [code, ended(first), hooks(first.id, 1)],
        "crashed": [ended(other), hooks(other.id, 1)],
    }


def in_order() -> Any:
    """With one slot, the runs of a queue with priority go first, however late they come."""
    with get_client(sync_client=True) as client:
        for queue, priority in (("urgent", 1), ("slow", 9)):
            found = client.read_work_queue_by_name(queue, work_pool_name=POOL)
            client.update_work_queue(found.id, priority=priority)
        client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
        runs = [run_deployment(f"plain-{MARK}/{queue}", timeout=0) for queue in ("slow", "urgent")]
        waited = {state(run).split("/")[0] for run in runs}
        client.update_work_pool(POOL, WorkPoolUpdate(is_paused=False))
        over = [ended(run)["state"] for run in runs]
        done = sorted((client.read_flow_run(run.id) for run in runs), key=lambda run: run.start_time)
    return [sorted(waited), over, [run.work_queue_name for run in done]]


PARTS = [deploying, worker]

if __name__ == "__main__":
    sys.exit(tell(PARTS))
