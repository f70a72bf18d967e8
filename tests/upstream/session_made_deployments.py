"""Makes deployments in many ways, and prints as JSON what is stored of them. It runs with either SDK, on any API.

Ids, instants and the mark of this session are left out, because no two sessions share them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from prefect import flow, get_client, task
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments import deploy, run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.runner.storage import GitRepository
from prefect.schedules import Cron, Interval, RRule
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.annotations import freeze

MARK = uuid4().hex[:8]
"""Sets this session's flows apart from those of others on the same API."""
POOL = f"pool-{MARK}"
HERE = Path(__file__)


@flow(name=f"etl-{MARK}", version="v7")
def etl(x: int = 1, names: list[str] = ["a"], at: dict | None = None) -> int:
    """Move data.

    Args:
        x: How much of it.
    """
    return x


@flow(name=f"plain-{MARK}")
def plain() -> None: ...


class Jobs:
    @flow(name=f"job-{MARK}", description="A job.")
    @staticmethod
    def job(day: str, *, hours: float = 2.5) -> None: ...


def stored(name: str) -> dict[str, Any]:
    """What the API has of a deployment, and of what belongs to it."""
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name(name)
        automations = client.read_resource_related_automations(f"prefect.deployment.{found.id}")
        limit = found.global_concurrency_limit
    fields = found.model_dump(mode="json")
    kept = {
        name: fields[name]
        for name in (
            "name", "version", "description", "paused", "tags", "parameters", "entrypoint", "path", "pull_steps",
            "enforce_parameter_schema", "parameter_openapi_schema", "work_pool_name", "work_queue_name", "job_variables",
            "concurrency_options", "status",
        )
    }  # fmt: skip
    kept["schedules"] = sorted(
        (
            {key: each[key] for key in ("schedule", "active", "parameters", "slug", "max_scheduled_runs")}
            for each in fields["schedules"]
        ),
        key=json.dumps,
    )
    for each in kept["schedules"]:
        each["schedule"].pop("anchor_date", None)
    kept["limit"] = limit and limit.limit
    kept["automations"] = [
        {"name": each.name, "enabled": each.enabled, "trigger": each.trigger.model_dump(mode="json"),
         "parameters": [action.parameters for action in each.actions]}
        for each in sorted(automations, key=lambda each: each.name)
    ]  # fmt: skip
    return kept


def after(*applied: Callable[[], Any]) -> list[Any]:
    """What is stored after each of several applications, the last of which gives the name."""
    seen = []
    for apply in applied:
        made = apply()
        made.apply()
        seen.append(stored(made.full_name))
    return seen


# -- the ways ----------------------------------------------------------------------------------------------------------


def ways() -> dict[str, Any]:
    every = {
        "minimal": lambda: after(lambda: etl.to_deployment("minimal")),
        "plain": lambda: after(lambda: plain.to_deployment("jobs/plain.py", tags=["b", "a"], paused=True)),
        "method": lambda: after(lambda: Jobs.job.to_deployment("d", parameters={"day": "today"})),
        "module": lambda: after(lambda: etl.to_deployment("module", entrypoint_type=EntrypointType.MODULE_PATH)),
        "said": lambda: after(
            lambda: etl.to_deployment(
                "said", description="mine", version="1.0", parameters={"x": freeze(5)}, enforce_parameter_schema=False
            ),
            lambda: etl.to_deployment("said"),
        ),
        "kinds": lambda: after(
            lambda: etl.to_deployment("kinds", interval=[60, 3600]),
            lambda: etl.to_deployment("kinds", cron=["0 9 * * *", "@daily"]),
            lambda: etl.to_deployment("kinds", rrule="FREQ=DAILY;BYHOUR=9"),
            lambda: etl.to_deployment("kinds"),
        ),
        "schedules": lambda: after(
            lambda: etl.to_deployment(
                "schedules",
                schedules=[
                    Cron("0 9 * * *", timezone="Europe/Berlin", slug="c", parameters={"x": 2}),
                    Interval(60, slug="i", active=False),
                    RRule("FREQ=WEEKLY", slug="r"),
                ],
            ),
            lambda: etl.to_deployment("schedules"),
            lambda: etl.to_deployment("schedules", schedules=[Cron("0 10 * * *", slug="c")]),
        ),
        "objects": lambda: after(
            lambda: etl.to_deployment(
                "objects", schedules=[CronSchedule(cron="0 9 * * *"), {"schedule": {"cron": "1 1 * * *"}, "active": False}]
            )
        ),
        "limits": lambda: after(
            lambda: etl.to_deployment("limits", concurrency_limit=3),
            lambda: etl.to_deployment(
                "limits", concurrency_limit=ConcurrencyLimitConfig(limit=2, collision_strategy="CANCEL_NEW")
            ),
            lambda: etl.to_deployment("limits"),
        ),
        "pool": lambda: after(
            lambda: etl.to_deployment("pool", work_pool_name=POOL, work_queue_name="q", job_variables={"image": "a"}),
            lambda: etl.to_deployment("pool"),
        ),
        "triggers": lambda: after(
            lambda: etl.to_deployment(
                "triggers",
                triggers=[
                    DeploymentEventTrigger(expect={"came"}, parameters={"x": 3}),
                    DeploymentEventTrigger(name="named", enabled=False, match={"prefect.resource.id": "a.*"}),
                ],
            ),
            lambda: etl.to_deployment("triggers", triggers=[DeploymentEventTrigger(expect={"went"})]),
            lambda: etl.to_deployment("triggers"),
        ),
        "entrypoint": lambda: after(
            lambda: RunnerDeployment.from_entrypoint(f"{HERE.name}:Jobs.job", "entrypoint", flow_name=f"job-{MARK}")
        ),
        "repository": lambda: [repository("served"), repository("served"), repository("pooled", POOL)],
        "block": block,
        "several": several,
        "subflow": subflow,
    }  # fmt: skip
    return {name: way() for name, way in every.items()}


def repository(name: str, pool: str | None = None) -> Any:
    url = Path("remote").absolute().as_uri()
    loaded = flow.from_source(GitRepository(url, branch="main"), f"{HERE.name}:etl")
    made = loaded.with_options(name=f"etl-{MARK}").to_deployment(name, work_pool_name=pool)
    made.apply()
    seen = stored(made.full_name)
    # Whoever serves a deployment has pulled the code before: it needs no steps.
    if pool is None:
        del seen["pull_steps"]
    return seen


def block() -> Any:
    secret = Secret(value="hidden")
    document = str(secret.save(f"secret-{MARK}"))
    etl.to_deployment("block", parameters={"at": {"key": secret}}).apply()
    return json.loads(json.dumps(stored(f"etl-{MARK}/block")).replace(document, "DOCUMENT"))


def several() -> Any:
    deploy(
        etl.to_deployment("first", cron="0 9 * * *"),
        plain.to_deployment("second"),
        work_pool_name=POOL,
        image="team/flows:1",
        build=False,
    )
    return [stored(f"etl-{MARK}/first"), stored(f"plain-{MARK}/second")]


def subflow() -> Any:
    @task
    def name() -> list[str]:
        return ["made"]

    @flow(name=f"parent-{MARK}")
    def parent() -> Any:
        return [
            run_deployment(f"etl-{MARK}/minimal", parameters={"x": 2, "names": name()}, tags=["t"], timeout=0),
            run_deployment(f"etl-{MARK}/minimal", timeout=0),
        ]

    seen = []
    for run in parent():
        with get_client(sync_client=True) as client:
            tracking = client.read_task_run(run.parent_task_run_id)
        seen.append(
            {
                "state": run.state.name,
                "parameters": run.parameters,
                "tags": run.tags,
                "version": run.deployment_version,
                "key": [tracking.task_key.rpartition(".")[0], tracking.dynamic_key],
                "inputs": {key: len(found) for key, found in tracking.task_inputs.items()},
                "tracks": tracking.state.state_details.child_flow_run_id == run.id,
                "tracking": tracking.state.name,
            }
        )
    return seen


def main() -> None:
    for command in (
        ["init", "--quiet", "--initial-branch", "main", "remote"],
        ["-C", "remote", "add", "."],
        ["-C", "remote", "-c", "user.name=n", "-c", "user.email=e@x", "commit", "--quiet", "--message", "code"],
    ):
        if command[0] == "-C" and command[2] == "add":
            (Path("remote") / HERE.name).write_bytes(HERE.read_bytes())
        subprocess.run(["git", *command], check=True)
    template = {
        "job_configuration": {"image": "{{ image }}"},
        "variables": {"type": "object", "properties": {"image": {"type": "string"}}},
    }
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="test", base_job_template=template))
    seen = ways()
    text = json.dumps(seen, default=str).replace(MARK, "MARK").replace(Path.cwd().as_posix(), "HOME")
    print("SUMMARY " + text)


if __name__ == "__main__":
    main()
