"""The examples of what runs leave behind: hooks, artifacts, events, logs, what the client reads, background runs, slots."""

import json
from uuid import uuid4

import pytest
from tests.sdk._reading import flow_run_of, logs_of, task_runs_of
from tests.seeds._running import Shell, load, snippet
from tests.seeds._web import Web

from prefect import flow, task
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.events.filters import EventFilter, EventNameFilter


def test_hooks_tell_of_success(home, capsys):
    load("hooks").monitored_pipeline()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Flow monitored-pipeline completed successfully"
    assert said[1].startswith("Duration: 0:00:0")


def test_hooks_tell_of_failure(home, capsys):
    hooks = load("hooks")

    def breaks():
        raise ValueError("no data")

    hooks.process_data.fn = breaks
    assert hooks.monitored_pipeline(return_state=True).is_failed()
    assert capsys.readouterr().out.splitlines() == [
        "Flow monitored-pipeline failed!",
        "Error: Flow run encountered an exception: ValueError: no data",
    ]


def test_reports_and_tables_are_kept_as_artifacts(home):
    state = load("artifacts").reporting_pipeline(return_state=True)
    report, table = Artifact.get("processing-report"), Artifact.get("results-table")
    assert (report.type, report.description) == ("markdown", "Daily processing report")
    assert "- Total records processed: 100\n" in report.data
    assert "| 4 | 40 | ok |\n" in report.data
    assert (table.type, table.description) == ("table", "Processing results")
    assert json.loads(table.data)[9] == {"id": 9, "value": 90, "status": "ok"}
    runs = {run.id: run.name for run in task_runs_of(state.state_details.flow_run_id)}
    assert runs[report.task_run_id].startswith("generate_report-")


def events_named(name: str):
    with get_client(sync_client=True) as client:
        return client.read_events(EventFilter(event=EventNameFilter(name=[name]))).events


def test_a_crossed_threshold_emits_an_event(home):
    monitoring = load("events", get_cpu_usage=lambda: 0.95)
    run = flow_run_of(monitoring.monitoring_flow(return_state=True))
    [event] = events_named("high-cpu-usage")
    assert event.resource.id == "system-monitor"
    related = {resource.id for resource in event.related}
    assert f"prefect.flow-run.{run.id}" in related
    monitoring.get_cpu_usage = lambda: 0.5
    monitoring.monitoring_flow()
    assert len(events_named("high-cpu-usage")) == 1


def test_a_log_line_with_extras_belongs_to_its_flow_run(home):
    state = load("logging").f(return_state=True)
    assert "starting" in logs_of(state.state_details.flow_run_id)


def test_the_client_lists_no_flows_of_an_empty_home(shell: Shell):
    assert shell.script("rest_client").output == ""


def test_run_info_comes_from_runtime_and_no_longer_from_context(home):
    with pytest.raises(AttributeError, match="task_run_id"):
        load("run_info")
    ids = []

    @task
    def asks():
        ids.append(load("run_info", since="# 3.x").task_id)

    @flow
    def calls():
        asks()

    [run] = task_runs_of(calls(return_state=True).state_details.flow_run_id)
    assert ids == [str(run.id)]


def test_a_signup_returns_before_its_background_tasks_run(home):
    user = f"user-{uuid4()}"
    answer = load("background_tasks").handle_user_signup({"id": user, "email": "ada@example.com"})
    assert answer == {"status": "success", "user_id": user}
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs()
    assert sorted(run.name for run in runs) == ["process_signup_analytics", "send_welcome_email"]
    assert {run.state.name for run in runs} == {"Scheduled"}


def test_rate_limited_calls_occupy_a_slot_of_their_limit(home, web: Web):
    slots = []

    def answer(path: str):
        with get_client(sync_client=True) as client:
            slots.append(client.read_global_concurrency_limit_by_name("api-rate-limit").active_slots)
        return 200, {"path": path}

    web.sites["api.example.com"] = answer
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="api-rate-limit", limit=5))
    pipeline = load("concurrency_limits", until="# Deploy with").rate_limited_pipeline
    assert pipeline([1, 2]) == [{"path": "/items/1"}, {"path": "/items/2"}]
    assert slots == [1, 1]


def test_the_printed_tests_pass(shell: Shell, web: Web):
    for name, target in {"etl_with_retries_and_caching": "user_sync.py", "testing": "test_user_sync.py"}.items():
        (shell.folder / target).write_text(snippet(name).read_text(encoding="utf-8"), encoding="utf-8")
    ran = shell.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_user_sync.py")
    assert ran.code == 0, ran.output
    assert "2 passed" in ran.output
    assert web.asked == ["example.com/users"]


def test_a_secret_is_saved_once_and_loaded_in_a_flow(home):
    from prefect.blocks.system import Secret

    load("secret_block").call_openai()
    assert Secret.load("openai-api-key").get() == "sk-..."
