"""Expressions that filters and orders share."""

FLOW_RUN_STARTED = "COALESCE(flow_run.start_time, flow_run.expected_start_time)"
"""When a flow run started, or is expected to."""

TASK_RUN_STARTED = "COALESCE(task_run.start_time, task_run.expected_start_time)"
"""When a task run started, or is expected to."""
