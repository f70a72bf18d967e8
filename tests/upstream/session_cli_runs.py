"""Commands of `prefect` that look at runs, deployments and events, and act on them. Runs with either package, on any API."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from command_line import NO_ID, CommandLine, prepared
from parts import MARK, eventually, tell


def make_runs() -> dict[str, Any]:
    """Two flow runs with a task run each, logs and artifacts; and a run that nobody starts."""
    from parts import run_id, task_runs

    from prefect import flow, get_client, get_run_logger, task
    from prefect.artifacts import create_markdown_artifact
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterKey,
        FlowRunFilter,
        FlowRunFilterId,
        LogFilter,
        LogFilterFlowRunId,
    )

    @task(name=f"doubles-{MARK}", task_run_name=f"doubles-{MARK}-{{x}}")
    def doubles(x: int) -> int:
        get_run_logger().warning("in the task of %s", MARK)
        return 2 * x

    @flow(name=f"seen-{MARK}", flow_run_name=f"seen-{MARK}-{{x}}")
    def seen(x: int) -> int:
        for number in range(3):
            get_run_logger().info("line %s of %s", number, MARK)
        create_markdown_artifact(f"# {x}", key=f"report-{MARK}", description="a report")
        if doubles(x) < 0:
            raise ValueError("negative")
        return x

    good, bad = (run_id(seen(x, return_state=True)) for x in (1, -1))
    with get_client(sync_client=True) as client:
        waiting = client.create_flow_run(seen, parameters={"x": 3}, name=f"seen-{MARK}-3").id
        eventually(lambda: task_runs(good, 1) and task_runs(bad, 1))
        ours = FlowRunFilter(id=FlowRunFilterId(any_=[good, bad]))
        by_name = {run.name: run.id for run in client.read_task_runs(flow_run_filter=ours)}

        def lines() -> list[Any]:
            logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[good, bad])))
            return [log for log in logs if log.message.endswith(MARK)]

        eventually(lambda: len(lines()) == 8)
        key = ArtifactFilter(key=ArtifactFilterKey(any_=[f"report-{MARK}"]))
        eventually(lambda: client.read_artifacts(artifact_filter=key)[1:])
    return {"good": good, "bad": bad, "waiting": waiting, "task": by_name[f"doubles-{MARK}-1"]}


# -- the commands, group by group --------------------------------------------------------------------------------------


def deployments() -> Any:
    cli = CommandLine()
    name = f"plain-{MARK}/cli-{MARK}"

    def make() -> Any:
        import deployed_flows

        from prefect import get_client
        from prefect.client.schemas.actions import WorkPoolCreate

        with get_client(sync_client=True) as client:
            client.create_work_pool(WorkPoolCreate(name=f"for-deployments-{MARK}", type="process"))
        from_here = deployed_flows.plain.from_source(source=str(Path.cwd()), entrypoint="deployed_flows.py:plain")
        return from_here.deploy(f"cli-{MARK}", work_pool_name=f"for-deployments-{MARK}", print_next_steps=False)

    prepared(make)
    cli.json("deployment", "ls")
    cli.json("deployment", "ls", "--flow-name", f"none-{MARK}")
    cli("deployment", "ls", "--by-created")
    cli.json("deployment", "inspect", name)
    cli("deployment", "inspect", name)
    cli("deployment", "inspect", f"plain-{MARK}/none")
    cli("deployment", "inspect", "odd")
    cli("deployment", "run", name, "--param", "x=5", "--tag", "by-hand", "--flow-run-name", f"run-{MARK}-{{x}}")
    cli("deployment", "run", name, "--params", '{"x": 6}', "--flow-run-name", f"run-{MARK}-b", "--job-variable", "a=1")
    cli("deployment", "run", name, "--params", "-", "--flow-run-name", f"run-{MARK}-c", stdin='{"words": ["a"]}')
    cli("deployment", "run", name, "--start-in", "2 hours", "--flow-run-name", f"run-{MARK}-d")
    cli("deployment", "run", name, "--start-at", "2040-01-01 12:00", "--flow-run-name", f"run-{MARK}-e")
    cli("deployment", "run", name, "--start-in", "2 hours", "--start-at", "2040-01-01")
    cli("deployment", "run", name, "--start-in", "sometime")
    cli("deployment", "run", name, "--param", "odd=5")
    cli("deployment", "run", name, "--param", "x=word")
    cli("deployment", "run", name, "--param", "x")
    cli("deployment", "run", name, "--params", "[1]")
    cli("deployment", "run", name, "--params", "{")
    cli("deployment", "run", f"plain-{MARK}/none")
    cli("deployment", "run", "odd")
    cli("deployment", "run")
    cli("deployment", "run", "--id", NO_ID)
    cli("deployment", "run", name, "--watch", "--watch-timeout", "1", "--flow-run-name", f"run-{MARK}-f")
    # Ours lists the runs that were made last, upstream's those that are to start last.
    cli.json("flow-run", "ls", "--flow-name", f"plain-{MARK}", ordered=False)
    cli("work-pool", "preview", f"for-deployments-{MARK}", "--hours", "3")
    cli("deployment", "schedule", "create", name, "--cron", "0 4 * * *", "--timezone", "Europe/Berlin")
    cli("deployment", "schedule", "create", name, "--interval", "3600", "--anchor-date", "2020-01-01T00:30:00Z")
    cli("deployment", "schedule", "create", name, "--rrule", "FREQ=DAILY", "--no-active")
    cli("deployment", "schedule", "create", name)
    cli("deployment", "schedule", "create", name, "--interval", "3600", "--cron", "0 4 * * *")
    cli("deployment", "schedule", "create", name, "--cron", "odd")
    cli("deployment", "schedule", "create", f"plain-{MARK}/none", "--cron", "0 4 * * *")
    ids = [each["id"] for each in cli.json("deployment", "schedule", "ls", name) or []]
    cli("deployment", "schedule", "pause", name, ids[0])
    cli("deployment", "schedule", "pause", name, ids[0])
    cli("deployment", "schedule", "pause", name, NO_ID)
    cli("deployment", "schedule", "pause", name, ids[0], "--all")
    cli("deployment", "schedule", "pause", name)
    cli("deployment", "schedule", "resume", name, ids[0])
    cli("deployment", "schedule", "resume", name, ids[0])
    cli("deployment", "schedule", "delete", name, ids[0], "-y")
    cli("deployment", "schedule", "delete", name, ids[0], "-y")
    cli("deployment", "schedule", "delete", name, NO_ID, "-y")
    cli.json("deployment", "schedule", "ls", name)
    cli("deployment", "schedule", "create", name, "--cron", "0 5 * * *", "--replace", "--accept-yes")
    cli.json("deployment", "schedule", "ls", name)
    cli("deployment", "schedule", "clear", name, "-y")
    cli.json("deployment", "schedule", "ls", name)
    cli("deployment", "schedule", "ls", name)
    cli("deployment", "delete", name)
    cli("deployment", "delete", name)
    cli("deployment", "delete")
    return cli.seen


def flows_and_runs() -> Any:
    cli = CommandLine()
    ids = prepared(make_runs)
    good, bad, waiting = ids["good"], ids["bad"], ids["waiting"]
    cli("flow", "ls", "--limit", "200")
    cli.json("flow", "ls", "--limit", "200")
    cli("flow", "ls", "--limit", "many")
    cli.json("flow-run", "ls", "--limit", "200", "--flow-name", f"seen-{MARK}")
    cli.json("flow-run", "ls", "--limit", "200", "--flow-name", f"seen-{MARK}", "--state", "failed")
    cli.json("flow-run", "ls", "--limit", "200", "--flow-name", f"seen-{MARK}", "--state-type", "completed")
    cli.json("flow-run", "ls", "--limit", "200", "--flow-name", f"seen-{MARK}", "--state", "Odd")
    cli("flow-run", "ls", "--flow-name", f"none-{MARK}")
    cli.json("flow-run", "ls", "--flow-name", f"none-{MARK}")
    cli("flow-run", "ls", "--state-type", "odd")
    cli.json("flow-run", "inspect", good)
    cli("flow-run", "inspect", good)
    cli("flow-run", "inspect", NO_ID)
    cli("flow-run", "inspect", "odd")
    cli("flow-run", "inspect", good, "--output", "yaml")
    cli.json("flow-run", "logs", good)
    cli.json("flow-run", "logs", good, "--head", "--num-logs", "2")
    cli.json("flow-run", "logs", good, "--tail", "-n", "1")
    cli.json("flow-run", "logs", good, "--reverse")
    cli("flow-run", "logs", good, "--head", "--tail")
    cli("flow-run", "logs", good)
    cli("flow-run", "logs", NO_ID)
    cli("flow-run", "watch", good)
    cli("flow-run", "watch", bad)
    cli("flow-run", "retry", waiting)
    cli("flow-run", "retry", bad)
    cli("flow-run", "retry", NO_ID)
    cli("flow-run", "retry", f"none-{MARK}")
    cli("flow-run", "cancel", waiting)
    cli.json("flow-run", "inspect", waiting)
    cli("flow-run", "cancel", waiting)
    cli("flow-run", "cancel", NO_ID)
    cli("flow-run", "delete", waiting)
    cli("flow-run", "delete", waiting)
    cli.json("task-run", "ls", "--limit", "200", "--task-run-name", f"doubles-{MARK}-1")
    cli.json("task-run", "ls", "--limit", "200", "--state", "completed")
    cli("task-run", "ls", "--task-run-name", f"none-{MARK}")
    cli("task-run", "ls", "--state-type", "odd")
    cli.json("task-run", "inspect", ids["task"])
    cli("task-run", "inspect", NO_ID)
    cli.json("task-run", "logs", ids["task"])
    cli("task-run", "logs", NO_ID)
    cli.json("artifact", "ls", "--limit", "200")
    cli("artifact", "ls", "--limit", "200", "--all")
    cli.json("artifact", "inspect", f"report-{MARK}")
    cli("artifact", "inspect", f"none-{MARK}")
    cli("artifact", "delete")
    cli("artifact", "delete", f"report-{MARK}")
    cli("artifact", "delete", f"report-{MARK}")
    cli("artifact", "delete", "--id", NO_ID)
    cli("flow-run", "execute", NO_ID)
    return cli.seen


def events() -> Any:
    cli = CommandLine()
    cli("events", "emit", f"happened.{MARK}", "--resource-id", f"thing.{MARK}", "--payload", '{"n": 1}')
    cli("event", "emit", f"happened.{MARK}", "--resource", f"prefect.resource.id=thing.{MARK}")
    resource = json.dumps({"prefect.resource.id": f"thing.{MARK}", "prefect.resource.name": "thing"})
    related = json.dumps([{"prefect.resource.id": "other", "prefect.resource.role": "friend"}])
    cli("events", "emit", f"happened.{MARK}", "--resource", resource, "--related", related)
    cli("events", "emit", f"happened.{MARK}")
    cli("events", "emit", f"happened.{MARK}", "--resource", '{"a": "b"}')
    cli("events", "emit", f"happened.{MARK}", "--resource-id", "x", "--payload", "[1]")
    cli("events", "emit", f"happened.{MARK}", "--resource-id", "x", "--payload", "{")
    cli("events", "emit", f"happened.{MARK}", "--resource-id", "x", "--related", "{")
    cli("events", "stream", "--format", "odd")
    cli.seen["streamed"] = streamed()
    filter = json.dumps({"filter": {"event": {"name": [f"happened.{MARK}"]}}, "limit": 10})
    found = json.loads(
        eventually(
            lambda: CommandLine()("api", "POST", "/events/filter", "--data", filter),
            lambda answer: '"total":3' in answer.replace(" ", ""),
        )
    )
    cli.seen["stored"] = sorted(
        json.dumps([event["resource"], event["related"], event["payload"]], sort_keys=True) for event in found["events"]
    )
    return cli.seen


def streamed() -> Any:
    """What `prefect events stream` prints of an event, while events happen."""
    command = [sys.executable, "-m", "prefect", "events", "stream", "--format", "json"]
    with Path("streamed").open("w") as file:
        process = subprocess.Popen(command, stdout=file)

    def printed() -> list[str]:
        CommandLine()("events", "emit", f"streamed.{MARK}", "--resource-id", f"thing.{MARK}")
        return [line for line in Path("streamed").read_text().splitlines(keepends=True) if line.startswith("{")]

    lines = eventually(printed, lambda lines: lines and lines[0].endswith("\n"))
    process.kill()
    return sorted(json.loads(lines[0]))


def api() -> Any:
    cli = CommandLine()
    cli("api", "GET", "/health")
    cli("api", "get", "health")
    cli("api", "POST", "/flows/filter", "--data", json.dumps({"flows": {"name": {"any_": [f"none-{MARK}"]}}}))
    cli("api", "POST", "/flows/filter", stdin='{"limit": 0}')
    Path("body.json").write_text('{"limit": 0}')
    cli("api", "POST", "/flows/filter", "--data", "@body.json")
    cli("api", "POST", "/flows/filter", "--data", "@nothing.json")
    cli("api", "POST", "/flows/filter", "--data", "{")
    cli("api", "POST", "/flows/filter", "--data", '{"limit": -1}')
    cli("api", "GET", f"/flows/{NO_ID}")
    cli("api", "GET", "/nothing", "--verbose")
    cli("api", "ODD", "/health")
    cli("api", "GET")
    cli("api", "GET", "/health", "-H", "X-Mine: 1")
    cli("api", "GET", "/health", "-H", "odd")
    return cli.seen


PARTS = [deployments, flows_and_runs, events, api]

if __name__ == "__main__":
    tell(PARTS)
