"""Spans of OpenTelemetry. Each test has a process of its own: a provider of spans can be set once a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROVIDER = """
import json
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)

def show(**more):
    print(json.dumps({"spans": {
        span.name: {
            "trace": f"{span.context.trace_id:032x}", "id": f"{span.context.span_id:016x}",
            "parent": span.parent and f"{span.parent.span_id:016x}", "attributes": dict(span.attributes),
            "events": [event.name for event in span.events], "status": span.status.status_code.name,
            "state": [dict(event.attributes) for event in span.events][-1:], "message": span.status.description,
        } for span in spans.get_finished_spans()}, **more}))
"""

FLOWS = """
from prefect import flow, tags, task
from prefect.client.orchestration import get_client

@task(task_run_name="inside-{x}")
def inside(x):
    return x

@task(task_run_name="twice", retries=1)
def twice(tries):
    tries.append(1)
    with trace.get_tracer("mine").start_as_current_span("mine"):
        pass
    inside(1)
    if len(tries) == 1:
        raise ValueError("once")

@flow(flow_run_name="child")
def child():
    inside(2)

@flow(flow_run_name="outer")
def outer(size):
    twice([])
    inside.submit(3).wait()
    child()

@flow(flow_run_name="broken")
def broken():
    raise ValueError("no good")
"""


def run(home: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "OTEL_"))}
    settings = {"PREFECT_HOME": str(home), "PREFECT_LOGGING_LEVEL": "WARNING", **environment}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=clean | settings, cwd=home, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def told(home: Path, program: str, **environment: str) -> dict[str, Any]:
    return json.loads(run(home, PROVIDER + FLOWS + program, **environment).stdout.splitlines()[-1])


def test_runs_are_spans_within_the_spans_of_what_runs_them(tmp_path: Path):
    found = told(
        tmp_path,
        """
with tags("blue"):
    outer("large")
try:
    broken()
except ValueError:
    pass
with get_client(sync_client=True) as client:
    runs = {run.name: run.labels for run in [*client.read_flow_runs(), *client.read_task_runs()]}
show(labels=runs)
""",
    )
    spans, labels = found["spans"], found["labels"]
    outer, twice, child, broken = (spans[name] for name in ("outer", "twice", "child", "broken"))
    assert outer["parent"] is None and broken["trace"] != outer["trace"]
    assert {name: span["parent"] for name, span in spans.items() if span["trace"] == outer["trace"]} == {
        "outer": None, "twice": outer["id"], "inside-3": outer["id"], "child": outer["id"], "inside-2": child["id"],
        "inside-1": twice["id"], "mine": twice["id"],
    }  # fmt: skip

    attributes = outer["attributes"]
    assert attributes["prefect.run.type"] == "flow" and attributes["prefect.run.name"] == "outer"
    assert attributes["prefect.run.parameter.size"] == "str"
    assert attributes["prefect.tags"] == ["blue"]
    assert "prefect.flow.id" in attributes and "large" not in str(attributes)
    assert not [name for name in attributes if name.startswith("__")]
    assert twice["attributes"]["prefect.run.type"] == "task"

    assert outer["events"] == ["Running", "Completed"]
    assert twice["events"] == ["Pending", "Running", "exception", "Retrying", "Completed"]
    (completed,) = outer["state"]
    assert completed["prefect.state.type"] == "COMPLETED" and completed["prefect.state.id"]
    assert outer["status"] == "OK"
    assert broken["events"] == ["Running", "exception", "Failed"]
    assert broken["status"] == "ERROR" and "no good" in broken["message"]

    for name in ("outer", "twice", "child", "inside-2"):
        assert labels[name]["__OTEL_TRACEPARENT"].startswith(f"00-{spans[name]['trace']}-{spans[name]['id']}-0")


def test_a_run_continues_the_trace_that_its_label_names(tmp_path: Path):
    theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    spans = told(
        tmp_path,
        f"""
from prefect.flow_engine import run_flow
with get_client(sync_client=True) as client:
    run = client.create_flow_run(child)
    client.update_flow_run_labels(run.id, {{"__OTEL_TRACEPARENT": {theirs!r}}})
    run_flow(child, flow_run=client.read_flow_run(run.id))
    bad = client.create_flow_run(broken)
    client.update_flow_run_labels(bad.id, {{"__OTEL_TRACEPARENT": "nonsense"}})
    run_flow(broken, flow_run=client.read_flow_run(bad.id), return_type="state")
show()
""",
    )["spans"]
    assert (spans["child"]["trace"], spans["child"]["parent"]) == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
    )
    assert spans["inside-2"]["parent"] == spans["child"]["id"]
    assert spans["broken"]["parent"] is None


def test_async_runs_are_spans_too(tmp_path: Path):
    spans = told(
        tmp_path,
        """
import asyncio

@task(task_run_name="task-{x}")
async def work(x):
    await asyncio.sleep(0)
    with trace.get_tracer("mine").start_as_current_span(f"mine-{x}"):
        await asyncio.sleep(0)

@flow(flow_run_name="together")
async def together():
    await asyncio.gather(work(1), work(2))

asyncio.run(together())
show()
""",
    )["spans"]
    assert {name: span["parent"] for name, span in spans.items()} == {
        "together": None, "task-1": spans["together"]["id"], "task-2": spans["together"]["id"],
        "mine-1": spans["task-1"]["id"], "mine-2": spans["task-2"]["id"],
    }  # fmt: skip


def test_spans_can_be_switched_off(tmp_path: Path):
    found = told(tmp_path, "outer(1)\nshow()", PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY="false")
    assert list(found["spans"]) == ["mine"]


def test_nothing_is_loaded_where_nobody_wants_spans(tmp_path: Path):
    program = (
        "trace = None\n"
        + FLOWS
        + "child()\nimport sys\nprint([name for name in sys.modules if 'opentelemetry' in name])"
    )
    assert run(tmp_path, program).stdout.splitlines()[-1] == "[]"


def test_a_provider_that_is_named_but_not_installed_is_told_of_once(tmp_path: Path):
    (tmp_path / "opentelemetry.py").write_text("raise ModuleNotFoundError(name='opentelemetry')")
    ended = run(
        tmp_path,
        "trace = None\n" + FLOWS + "child()\nchild()",
        OTEL_PYTHON_TRACER_PROVIDER="sdk_tracer_provider",
        PYTHONPATH=str(tmp_path),
    )
    assert ended.stderr.count('pip install "prefect[otel]"') == 1
    assert "OTEL_PYTHON_TRACER_PROVIDER" in ended.stderr
