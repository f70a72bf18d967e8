"""The ordered lists of rules: which one applies depends on who sets the state.

The names of the policies say: *core* for what is proposed through the API, *minimal* for what is forced and for the
first state of a run, *late* for marking runs late, *background* for deferred task runs.
"""

from __future__ import annotations

from prefect.server.orchestration.decisions import Policy
from prefect.server.orchestration.flow_rules import (
    bypass_cancelling_flow_runs_with_no_infra,
    enforce_cancelling_to_cancelled_transition,
    enforce_deployment_concurrency_on_late,
    enforce_work_pool_limits,
    ensure_only_scheduled_flows_marked_late,
    handle_flow_terminal_state_transitions,
    handle_pausing_flows,
    handle_resuming_paused_flows,
    leave_retries_to_their_process,
    preserve_deployment_concurrency_lease_id,
    prevent_duplicate_transitions,
    prevent_result_data_loss,
    remove_deployment_concurrency_lease_for_old_client_versions,
    retry_failed_flows,
    secure_flow_concurrency_slots,
    validate_deployment_concurrency_at_running,
)
from prefect.server.orchestration.schedule_rules import (
    copy_scheduled_time,
    prevent_pending_transitions,
    wait_for_scheduled_time,
)
from prefect.server.orchestration.task_rules import (
    cache_insertion,
    cache_retrieval,
    copy_task_parameters_id,
    handle_task_terminal_state_transitions,
    prevent_running_tasks_from_stopped_flows,
    rename_reruns,
    retry_failed_tasks,
    secure_task_concurrency_slots,
    update_flow_run_tracker_on_tasks,
)

CORE_FLOW_POLICY = Policy(
    "core",
    preserve_deployment_concurrency_lease_id,
    prevent_duplicate_transitions,
    handle_flow_terminal_state_transitions,
    enforce_cancelling_to_cancelled_transition,
    bypass_cancelling_flow_runs_with_no_infra,
    prevent_pending_transitions,
    leave_retries_to_their_process,
    validate_deployment_concurrency_at_running,
    enforce_work_pool_limits,
    secure_flow_concurrency_slots,
    remove_deployment_concurrency_lease_for_old_client_versions,
    ensure_only_scheduled_flows_marked_late,
    handle_pausing_flows,
    handle_resuming_paused_flows,
    copy_scheduled_time,
    wait_for_scheduled_time,
    retry_failed_flows,
)

MINIMAL_FLOW_POLICY = Policy("minimal", prevent_result_data_loss, bypass_cancelling_flow_runs_with_no_infra)

LATE_FLOW_POLICY = Policy("late", ensure_only_scheduled_flows_marked_late, enforce_deployment_concurrency_on_late)

CORE_TASK_POLICY = Policy(
    "core",
    cache_retrieval,
    handle_task_terminal_state_transitions,
    prevent_running_tasks_from_stopped_flows,
    secure_task_concurrency_slots,
    copy_scheduled_time,
    wait_for_scheduled_time,
    retry_failed_tasks,
    rename_reruns,
    update_flow_run_tracker_on_tasks,
    cache_insertion,
)

BACKGROUND_TASK_POLICY = Policy(
    "background",
    prevent_pending_transitions,
    cache_retrieval,
    handle_task_terminal_state_transitions,
    copy_scheduled_time,
    copy_task_parameters_id,
    wait_for_scheduled_time,
    retry_failed_tasks,
    rename_reruns,
    update_flow_run_tracker_on_tasks,
    cache_insertion,
)

MINIMAL_TASK_POLICY = Policy("minimal")
