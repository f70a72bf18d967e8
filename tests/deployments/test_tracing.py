"""A trace goes on in the runs that code starts. Each test has a process of its own, as spans need."""

from __future__ import annotations

from pathlib import Path

from tests.deployments import _flows
from tests.sdk.test_tracing import told

PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(_flows.__file__).parent)!r})
from _flows import etl
from prefect.deployments import run_deployment
from prefect.flow_engine import run_flow

etl.to_deployment("d").apply()

@flow(flow_run_name="asking")
def asking():
    return run_deployment("etl/d", timeout=0, flow_run_name="asked")

outside = run_deployment("etl/d", timeout=0)
run = asking()
labels = dict(run.labels)
run_flow(etl, flow_run=run)
show(labels=labels, outside=outside.labels)
"""


def test_a_run_that_a_flow_asks_for_continues_its_trace(tmp_path):
    seen = told(tmp_path, PROGRAM)
    asking, asked = seen["spans"]["asking"], seen["spans"]["asked"]
    version, trace, parent, _ = seen["labels"]["__OTEL_TRACEPARENT"].split("-")
    assert (version, trace, parent) == ("00", asking["trace"], asking["id"])
    assert (asked["trace"], asked["parent"]) == (asking["trace"], asking["id"])
    assert "__OTEL_TRACEPARENT" not in seen["outside"]
