"""Deployments made from Python, their schedules and runs, while nobody runs them. Runs with either SDK, on any API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import deployed_flows as flows
from parts import MARK, eventually, failure, flow_run, run_id, tell
from runs_of_flows import runs_of
from served_processes import FOLDER

from prefect import flow, get_client
from prefect.automations import Automation
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments import deploy, run_deployment
from prefect.events import DeploymentEventTrigger, EventTrigger
from prefect.events.actions import DoNothing, RunDeployment
from prefect.flows import Flow
from prefect.schedules import Cron, Interval, RRule
from prefect.states import Completed, Pending, Running

SHOWN = (
    "name", "version", "tags", "description", "parameters", "parameter_openapi_schema", "entrypoint", "path", "paused",
    "enforce_parameter_schema", "pull_steps", "work_pool_name", "work_queue_name", "job_variables", "concurrency_options",
)  # fmt: skip


def stored(id: Any) -> dict[str, Any]:
    with get_client(sync_client=True) as client:
        found = client.read_deployment(id)
    told = found.model_dump(mode="json")
    limit = told["global_concurrency_limit"]
    return {
        **{name: told[name] for name in SHOWN},
        "status": found.status.value,
        "limit": limit and limit["limit"],
        "schedules": sorted((schedule(each) for each in told["schedules"]), key=str),
    }


def schedule(told: dict[str, Any]) -> dict[str, Any]:
    kept = {name: told[name] for name in ("active", "slug", "parameters", "max_scheduled_runs", "schedule")}
    # Where none was given it is the moment at which the schedule was made.
    if not str(kept["schedule"].get("anchor_date", "2020-01-01")).startswith("2020-01-01"):
        kept["schedule"] = {**kept["schedule"], "anchor_date": "<now>"}
    return kept


def pool() -> str:
    name = f"pool-{MARK}"
    with get_client(sync_client=True) as client:
        if name not in [each.name for each in client.read_work_pools()]:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    return name


# -- the parts of the session ------------------------------------------------------------------------------------------


def made() -> Any:
    first = flows.plain.to_deployment("first", tags=["a", "b"], parameters={"x": 4}, concurrency_limit=3)
    id = first.apply()
    seen = {"first": stored(id), "flow": first.flow_name == f"plain-{MARK}", "full name": first.full_name}
    with get_client(sync_client=True) as client:
        again = flows.plain.to_deployment(
            "first",
            version="4",
            description="changed",
            concurrency_limit=ConcurrencyLimitConfig(limit=2, collision_strategy="CANCEL_NEW"),
        )
        seen["same"] = again.apply() == id
        seen["again"] = stored(id)
        client.delete_deployment(id)
    from_file = Flow.from_source(source=str(FOLDER), entrypoint="deployed_flows.py:plain")
    deployed = from_file.deploy(
        name="second", work_pool_name=pool(), job_variables={"env": {"A": "1"}}, print_next_steps=False
    )
    seen["second"] = stored(deployed)
    both = deploy(
        from_file.to_deployment("third", work_queue_name="side", cron="0 4 * * *", paused=True),
        from_file.to_deployment("fourth", enforce_parameter_schema=False, parameters={"odd": 1}),
        work_pool_name=pool(),
        print_next_steps_message=False,
    )
    seen["both"] = [stored(id) for id in both]
    return seen


def refused() -> Any:
    return {
        "two schedules": failure(flows.plain.to_deployment, "x", cron="* * * * *", interval=60),
        "no pool": failure(flows.plain.deploy, "x", work_pool_name=f"none-{MARK}", image="i", build=False, push=False),
        "no image": failure(flows.plain.deploy, "x", work_pool_name=pool()),
        "a name with a slash": failure(lambda: flows.plain.to_deployment("a/b").apply()),
        "wrong parameters": failure(lambda: flows.plain.to_deployment("x", parameters={"x": "no number"}).apply()),
        "variables of a job without a pool": failure(
            lambda: flows.plain.to_deployment("nowhere", job_variables={"a": 1}).apply()
        ),
        "a bad cron": failure(lambda: flows.plain.to_deployment("x", cron="not a cron").apply()),
        "unknown": failure(run_deployment, f"plain-{MARK}/none"),
        "no slash": failure(run_deployment, "none"),
        "negative": failure(run_deployment, f"plain-{MARK}/none", timeout=-1),
    }


def schedules() -> Any:
    anchor = datetime(2020, 1, 1, 6, tzinfo=timezone.utc)
    given = [
        Cron("0 6 * * *", timezone="Europe/Berlin", slug="daily", parameters={"x": 6}),
        Interval(timedelta(days=1), anchor_date=anchor, slug="interval"),
        RRule("FREQ=WEEKLY;BYDAY=MO", slug="weekly", active=False),
    ]
    id = flows.plain.to_deployment("scheduled", schedules=given, tags=["mine"]).apply()
    runs = eventually(lambda: runs_of(id), lambda runs: len(runs) >= 6)
    at_six = [run for run in runs if run.parameters == {"x": 6}]
    seen: dict[str, Any] = {
        "stored": stored(id),
        "runs": len(runs),
        "auto": sorted({run.auto_scheduled for run in runs}),
        "tags": sorted({tag for run in runs for tag in run.tags}),
        "states": sorted({run.state.name for run in runs}),
        "with parameters": len(at_six),
        "hours of the interval": sorted({run.expected_start_time.hour for run in runs if run not in at_six}),
        "created by": sorted({run.created_by.type for run in runs if run.created_by}),
    }
    with get_client(sync_client=True) as client:
        client.pause_deployment(id)
        seen["paused"] = [stored(id)["paused"], len(eventually(lambda: runs_of(id), lambda runs: not runs))]
        client.resume_deployment(id)
        runs = eventually(lambda: runs_of(id), lambda runs: len(runs) >= 6)
        seen["resumed"] = [stored(id)["paused"], len(runs)]
        daily = next(each for each in client.read_deployment_schedules(id) if each.slug == "daily")
        client.update_deployment_schedule(id, daily.id, active=False)
        runs = eventually(lambda: runs_of(id), lambda runs: not any(run.parameters == {"x": 6} for run in runs))
        seen["without the daily one"] = len([run for run in runs if run.parameters == {"x": 6}])
        client.delete_deployment_schedule(id, daily.id)
        seen["slugs"] = sorted(each.slug for each in client.read_deployment_schedules(id))
        client.delete_deployment(id)
    return seen


def runs() -> Any:
    id = flows.plain.to_deployment("to run", tags=["mine"], parameters={"x": 3}, work_queue_name=None).apply()
    name = f"plain-{MARK}/to run"
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    first = run_deployment(name, timeout=0, flow_run_name="by hand", parameters={"words": ["b"]}, tags=["once"])
    other = run_deployment(id, timeout=0, scheduled_time=later, idempotency_key=f"key-{MARK}")
    again = run_deployment(id, timeout=0, idempotency_key=f"key-{MARK}")
    waited = run_deployment(name, timeout=1, poll_interval=0.2)

    @flow(name=f"outer-{MARK}")
    def outer() -> Any:
        return [run_deployment(name, timeout=0, as_subflow=subflow).id for subflow in (True, False)]

    state = outer(return_state=True)
    with get_client(sync_client=True) as client:
        inner, apart = (client.read_flow_run(id) for id in state.result())
        tracking = client.read_task_run(inner.parent_task_run_id)
        answers = [
            client.set_flow_run_state(inner.id, next).status.value for next in (Pending(), Running(), Completed())
        ]
        tracked = eventually(
            lambda: client.read_task_run(inner.parent_task_run_id), lambda run: run.state and run.state.is_completed()
        )
        seen = {
            "first": [first.name, first.created_by and first.created_by.type, first.deployment_version],
            "merged": [sorted(first.tags), first.parameters],
            "later": [other.state.name, other.expected_start_time > first.expected_start_time],
            "same key": again.id == other.id,
            "waited": [waited.state.name, waited.parameters],
            "as subflow": [inner.state.name, inner.parameters, answers],
            "apart": [apart.parent_task_run_id, apart.state.name],
            "tracking": [tracking.flow_run_id == run_id(state), tracking.name == inner.name, tracking.state.name],
            "tracked": [tracked.state.name, tracked.state.state_details.child_flow_run_id == inner.id],
            "wrong parameters": failure(run_deployment, name, parameters={"x": "no number"}, timeout=0),
            "unknown parameters": failure(run_deployment, name, parameters={"z": 1}, timeout=0),
        }
        client.delete_deployment(id)
        seen["after the deletion"] = sorted(
            failure(client.read_flow_run, run.id).split(":")[0] for run in (first, other, waited, apart)
        )
    return seen


def late() -> Any:
    id = flows.plain.to_deployment("late").apply()
    first, later = (
        run_deployment(id, timeout=0, scheduled_time=datetime.now(timezone.utc) + timedelta(seconds=seconds))
        for seconds in (-30, 3600)
    )
    eventually(lambda: flow_run(first.id)["state"], lambda state: state == "SCHEDULED/Late")
    with get_client(sync_client=True) as client:
        answer = client.set_flow_run_state(first.id, Pending())
        names = [
            state.name for state in sorted(client.read_flow_run_states(first.id), key=lambda state: state.timestamp)
        ]
        return [names, answer.status.value, flow_run(later.id)["state"]]


def limited() -> Any:
    seen = {}
    for strategy in ("ENQUEUE", "CANCEL_NEW"):
        limit = ConcurrencyLimitConfig(limit=1, collision_strategy=strategy)
        id = flows.plain.to_deployment(f"limited {strategy}", concurrency_limit=limit).apply()
        one, two = (run_deployment(id, timeout=0) for _ in range(2))
        with get_client(sync_client=True) as client:
            answers = [client.set_flow_run_state(run.id, Pending()) for run in (one, two)]
            taken = client.read_deployment(id).global_concurrency_limit.active_slots
            answers += [client.set_flow_run_state(one.id, state) for state in (Running(), Completed())]
            free = client.read_deployment(id).global_concurrency_limit.active_slots
            seen[strategy] = [
                [answer.status.value for answer in answers], taken, free, [flow_run(run.id) for run in (one, two)],
            ]  # fmt: skip
    return seen


def automations() -> Any:
    made = Automation(
        name=f"automation-{MARK}",
        description="mine",
        trigger=EventTrigger(
            expect={f"happened.{MARK}"}, posture="Reactive", threshold=2, within=timedelta(seconds=30)
        ),
        actions=[DoNothing(), RunDeployment(source="inferred", parameters={"x": 1})],
    ).create()
    read = Automation.read(id=made.id)
    read.disable()
    disabled = Automation.read(name=made.name).enabled
    read.enable()
    read.description = "changed"
    read.update()
    changed = Automation.read(id=made.id)
    told = changed.model_dump(mode="json", exclude={"id"})
    changed.delete()
    trigger = DeploymentEventTrigger(
        expect={f"happened.{MARK}"}, parameters={"x": "{{ event.id }}"}, name=f"deployed-{MARK}"
    )
    deployment = flows.plain.to_deployment("triggered", triggers=[trigger])
    id = deployment.apply()
    with get_client(sync_client=True) as client:
        owned = client.read_resource_related_automations(f"prefect.deployment.{id}")
        client.delete_resource_owned_automations(f"prefect.deployment.{id}")
        left = client.read_resource_related_automations(f"prefect.deployment.{id}")
    return {
        "told": without_ids(told),
        "disabled": disabled,
        "gone": failure(Automation.read, id=made.id),
        "of a deployment": [without_ids(each.model_dump(mode="json")) for each in owned],
        "left": len(left),
    }


def without_ids(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: "<id>" if name.endswith("id") and item else without_ids(item) for name, item in told.items()}
    return [without_ids(item) for item in told] if isinstance(told, list) else told


PARTS = [made, refused, schedules, runs, late, limited, automations]

if __name__ == "__main__":
    tell(PARTS)
