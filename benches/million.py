"""How long the calls of the user interface take on a filled database (see scripts/fill.py).

Usage: python benches/million.py URL [--times 5]

URL is the API's, such as http://127.0.0.1:4200/api, of a server on that database. Each call is made once to warm up and
then a few times, one at a time; the median and the longest are printed in milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

OVER = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]


@dataclass(frozen=True)
class Call:
    """One request; `template` is the path with `{names}` of what `path` holds."""

    title: str
    method: str
    template: str
    body: Any = None
    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What is asked about: a large run, some recent runs, a deployment and its flow, and when the month ends."""

    run: str
    task_run: str
    runs: list[str]
    deployment: str
    flows: list[str]
    pool: str
    now: datetime


def find_known(ask: Any, now: datetime) -> Known:
    """Look for what the calls need; `ask(method, template, body)` gives an answer as JSON.

    Args:
        now: Until when the calls look.
    """
    ended = {"state": {"type": {"any_": OVER}}}
    runs = ask("POST", "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 50, "flow_runs": ended})
    own = {"limit": 1, "task_runs": {"flow_run_id": {"any_": [runs[0]["id"]]}}}
    (task_run,) = ask("POST", "/task_runs/filter", own)
    flows = [flow["id"] for flow in ask("POST", "/flows/filter", {})]
    (pool,) = ask("POST", "/work_pools/filter", {"limit": 1})
    ids = [run["id"] for run in runs]
    return Known(ids[0], task_run["id"], ids, runs[0]["deployment_id"], flows, pool["name"], now)


def calls(known: Known) -> list[Call]:
    """The calls that the pages of the user interface make, with the spans of time that they begin with."""
    return [*_dashboard(known), *_runs(known), *_flow_run(known), *_lists(known), *_events(known)]


def _dashboard(known: Known) -> list[Call]:
    made: list[Call] = []
    for days in (1, 7):
        since = {"after_": _at(known, days=days), "before_": _at(known)}
        span = f"dashboard, {days} d"
        tasks = {"start_time": since, "subflow_runs": {"exists_": False}}
        failed = {"start_time": since, "state": {"type": {"any_": ["FAILED", "CRASHED"]}}}
        history = _history(known, days)
        lists = {"flow_runs": failed, "limit": 3, "sort": "START_TIME_DESC"}
        made += [
            Call(f"{span}: bars", "POST", "/ui/flow_runs/history", {"flow_runs": {"start_time": since}}),
            Call(f"{span}: runs", "POST", "/flow_runs/count", {"flow_runs": {"start_time": since}}),
            Call(f"{span}: failed runs", "POST", "/flow_runs/count", {"flow_runs": failed}),
            Call(f"{span}: failed runs", "POST", "/flow_runs/filter", lists),
            Call(f"{span}: flows that failed", "POST", "/flows/filter", {"flow_runs": failed}),
            Call(f"{span}: task runs", "POST", "/task_runs/count", {"task_runs": tasks}),
            Call(f"{span}: failed task runs", "POST", "/task_runs/count", {"task_runs": {**tasks, **failed}}),
            Call(f"{span}: by state", "POST", "/ui/task_runs/count", {"task_runs": tasks}),
            Call(f"{span}: trend", "POST", "/ui/task_runs/dashboard/counts", {"task_runs": tasks}),
            Call(f"{span}: task runs", "POST", "/task_runs/history", history),
            Call(f"{span}: flow runs", "POST", "/flow_runs/history", history),
            Call(f"{span}: lateness", "POST", "/flow_runs/lateness", {"flow_runs": {"expected_start_time": since}}),
        ]
    return [Call("dashboard: any run", "POST", "/flow_runs/count", {}), *made]


def _runs(known: Known) -> list[Call]:
    week = {"expected_start_time": {"after_": _at(known, days=7), "before_": _at(known)}}
    failed = {**week, "state": {"name": {"any_": ["Failed", "Crashed"]}}}
    named = {**week, "name": {"like_": "step7-3"}}
    last = {"sort": "EXPECTED_START_TIME_DESC", "limit": 20}
    return [
        Call("runs: page", "POST", "/flow_runs/paginate", {"flow_runs": week, "sort": "START_TIME_DESC", "limit": 20}),
        Call("runs: page 50", "POST", "/flow_runs/paginate", {"flow_runs": week, **last, "page": 50}),
        Call("runs: chart", "POST", "/ui/flow_runs/history", {"flow_runs": week}),
        Call("runs: task runs of each", "POST", "/ui/flow_runs/count-task-runs", {"flow_run_ids": known.runs}),
        Call("runs: tab Task runs", "POST", "/task_runs/count", {"task_runs": week}),
        Call("runs: task runs", "POST", "/task_runs/paginate", {"task_runs": week, **last}),
        Call("runs: task runs, oldest", "POST", "/task_runs/filter", {"task_runs": week, "sort": "EXPECTED_START_TIME_ASC", "limit": 20}),
        Call("runs: task runs, no filter", "POST", "/task_runs/filter", last),
        Call("runs: task runs, all", "POST", "/task_runs/count", {}),
        Call("runs: failed task runs", "POST", "/task_runs/filter", {"task_runs": failed, **last}),
        Call("runs: task runs by name", "POST", "/task_runs/filter", {"task_runs": named, **last}),
    ]  # fmt: skip


def _flow_run(known: Known) -> list[Call]:
    path = {"id": known.run}
    own = {"flow_run_id": {"any_": [known.run]}}
    children = {"parent_flow_run_id": {"any_": [known.run]}}
    last = {"sort": "EXPECTED_START_TIME_DESC", "limit": 20}
    of_it = {
        "any_resource": {"id": [f"prefect.flow-run.{known.run}"]},
        "event": {"exclude_prefix": ["prefect.log.write", "prefect.task-run."]},
    }
    return [
        Call("flow run", "GET", "/flow_runs/{id}", path=path),
        Call("flow run: graph", "GET", "/flow_runs/{id}/graph-v2", path=path),
        Call("flow run: events", "POST", "/events/filter", {"filter": of_it}),
        Call("flow run: logs", "POST", "/logs/filter", {"logs": own, "limit": 50, "sort": "TIMESTAMP_ASC"}),
        Call("flow run: errors", "POST", "/logs/filter", {"logs": {**own, "level": {"ge_": 40}}, "limit": 50}),
        Call("flow run: task runs", "POST", "/task_runs/paginate", {"task_runs": own, **last}),
        Call("flow run: subflow runs", "POST", "/flow_runs/paginate", {"flow_runs": children, "limit": 10}),
        Call("flow run: states", "GET", "/flow_run_states/", query={"flow_run_id": known.run}),
        Call("task run", "GET", "/ui/task_runs/{id}", path={"id": known.task_run}),
        Call("task run: states", "GET", "/task_run_states/", query={"task_run_id": known.task_run}),
        Call("task run: logs", "POST", "/logs/filter", {"logs": {"task_run_id": {"any_": [known.task_run]}}, "limit": 50}),
    ]  # fmt: skip


def _lists(known: Known) -> list[Call]:
    ended = {"deployment_id": {"any_": [known.deployment]}, "state": {"type": {"any_": OVER}}}
    bars = {"flow_runs": ended, "sort": "EXPECTED_START_TIME_DESC", "limit": 16}
    of_pool = {"work_pools": {"name": {"any_": [known.pool]}}}
    waiting = {**of_pool, "flow_runs": {"state": {"name": {"any_": ["Late"]}}}}
    pool = {"work_pool_name": known.pool}
    return [
        Call("flows", "POST", "/flows/paginate", {"limit": 10}),
        Call("flows: deployments", "POST", "/ui/flows/count-deployments", {"flow_ids": known.flows}),
        Call("flows: next runs", "POST", "/ui/flows/next-runs", {"flow_ids": known.flows}),
        Call("deployments", "POST", "/deployments/paginate", {"limit": 10}),
        Call("deployments: bars", "POST", "/flow_runs/filter", bars),
        Call("work pools", "POST", "/work_pools/filter", {}),
        Call("work pools: queues", "POST", "/work_pools/{work_pool_name}/queues/filter", {}, path=pool),
        Call("work pools: workers", "POST", "/work_pools/{work_pool_name}/workers/filter", {}, path=pool),
        Call("work pools: late runs", "POST", "/flow_runs/count", waiting),
        Call("work pools: lateness", "POST", "/flow_runs/lateness", of_pool),
        Call("work pools: runs", "POST", "/flow_runs/filter", {**of_pool, "sort": "START_TIME_DESC", "limit": 20}),
    ]


_FREQUENT = ["prefect.task-run.Running", "prefect.task-run.Completed"]


def _events(known: Known) -> list[Call]:
    made: list[Call] = []
    for days in (1, 7):
        wanted = {"occurred": {"since": _at(known, days=days), "until": _at(known)}}
        unit = {"time_unit": "minute" if days == 1 else "hour", "time_interval": 10 if days == 1 else 1}
        of_deployment = {
            **wanted,
            "any_resource": {"id": [f"prefect.deployment.{known.deployment}"]},
            "event": {"exclude_prefix": ["prefect.task-run."]},
        }
        span = f"events, {days} d"
        made += [
            Call(f"{span}", "POST", "/events/filter", {"filter": wanted}),
            Call(f"{span}: of flow runs", "POST", "/events/filter", {"filter": {**wanted, "event": {"prefix": ["prefect.flow-run."]}}}),
            Call(f"{span}: of a deployment", "POST", "/events/filter", {"filter": of_deployment}),
            Call(f"{span}: of two kinds", "POST", "/events/filter", {"filter": {**wanted, "event": {"name": _FREQUENT}}}),
            Call(f"{span}: their chart", "POST", "/events/count-by/{countable}", {"filter": {**wanted, "event": {"name": _FREQUENT}}, **unit}, {"countable": "time"}),
            Call(f"{span}: chart", "POST", "/events/count-by/{countable}", {"filter": wanted, **unit}, {"countable": "time"}),
            Call(f"{span}: types", "POST", "/events/count-by/{countable}", {"filter": wanted}, {"countable": "event"}),
        ]  # fmt: skip
    return made


def _history(known: Known, days: int) -> dict[str, Any]:
    seconds = days * 86_400 / 48
    return {
        "history_start": _at(known, days=days),
        "history_end": _at(known),
        "history_interval_seconds": seconds,
    }


def _at(known: Known, days: int = 0) -> str:
    return (known.now - timedelta(days=days)).isoformat()


# -- over HTTP -------------------------------------------------------------------------------------------------------


class Api:
    """One kept connection to a server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=120)

    def __call__(self, method: str, template: str, body: Any = None, **query: Any) -> Any:
        path = (
            self._base
            + template
            + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")
        )
        self._connection.request(
            method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
        )
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path} is answered with {answer.status}: {content.decode()[:500]}")
        return json.loads(content)


def main() -> None:
    """Print a line a call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    ask = Api(options.url)
    # The month has ended when its newest runs were made.
    newest = find_known(ask, datetime.now(timezone.utc)).run
    now = datetime.fromisoformat(ask("GET", f"/flow_runs/{newest}")["start_time"].replace("Z", "+00:00"))
    known = find_known(ask, now + timedelta(minutes=45))
    print(f"{'call':<42}{'':<44}{'median ms':>10}{'longest':>9}")
    for call in calls(known):
        path = call.template.format(**call.path)
        seconds = []
        for _ in range(options.times + 1):
            start = time.perf_counter()
            ask(call.method, path, call.body, **call.query)
            seconds.append(time.perf_counter() - start)
        warm = sorted(seconds[1:])
        middle, longest = warm[len(warm) // 2] * 1e3, warm[-1] * 1e3
        print(f"{call.title:<42}{call.template:<44}{middle:>10.1f}{longest:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
