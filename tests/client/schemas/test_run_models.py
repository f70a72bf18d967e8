"""Flows, runs, deployments, work pools and blocks: defaults, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from pydantic import ValidationError

from prefect.client.schemas import objects
from prefect.client.schemas.objects import (
    BlockDocument,
    BlockDocumentReference,
    Constant,
    Deployment,
    DeploymentSchedule,
    Flow,
    FlowRun,
    FlowRunInput,
    FlowRunPolicy,
    FlowRunResult,
    Parameter,
    State,
    TaskRun,
    TaskRunPolicy,
    TaskRunResult,
    WorkPool,
    WorkPoolStatus,
    WorkQueue,
    WorkQueueHealthPolicy,
    Workspace,
)
from prefect.exceptions import PrefectImportError
from prefect.settings import temporary_settings

UTC = timezone.utc


@pytest.mark.parametrize("name", [None, ""])
def test_runs_that_nobody_named_get_a_name(name: str | None):
    assert "-" in FlowRun(flow_id=uuid4(), name=name).name
    assert "-" in TaskRun(task_key="t", dynamic_key="0", name=name).name
    assert FlowRun(flow_id=uuid4()).name != FlowRun(flow_id=uuid4()).name


def test_durations_are_seconds_in_json():
    run = FlowRun(flow_id=uuid4(), total_run_time=timedelta(minutes=1))
    assert run.model_dump(mode="json")["total_run_time"] == 60.0
    assert FlowRun.model_validate_json(run.model_dump_json()).total_run_time == timedelta(minutes=1)


def test_flow_runs_are_equal_whenever_they_were_read():
    run = FlowRun(flow_id=uuid4())
    later = run.model_copy(update={"estimated_run_time": timedelta(1), "estimated_start_time_delta": timedelta(2)})
    assert run == later
    assert run != run.model_copy(update={"name": "other"})
    assert run != "run"


def test_a_run_without_what_belongs_to_it_alone_is_another_run():
    run = FlowRun(flow_id=uuid4(), created=datetime.now(UTC))
    other = run.reset_fields()
    assert other.id != run.id
    assert other.created is None
    assert other.flow_id == run.flow_id


def test_lists_of_models_are_read_at_once():
    runs = [FlowRun(flow_id=uuid4()), FlowRun(flow_id=uuid4())]
    assert FlowRun.model_validate_list([run.model_dump(mode="json") for run in runs]) == runs
    with pytest.raises(ValidationError, match=r"1\.flow_id"):
        FlowRun.model_validate_list([runs[0], {}])


def test_inputs_of_task_runs_are_read_by_their_type():
    id = uuid4()
    inputs = [TaskRunResult(id=id), FlowRunResult(id=id), Parameter(name="x"), Constant(type="int")]
    run = TaskRun(task_key="t", dynamic_key="0", task_inputs={"x": inputs})
    assert TaskRun.model_validate_json(run.model_dump_json()).task_inputs == {"x": inputs}
    assert TaskRun(task_key="t", dynamic_key="0", task_inputs={"x": [{"id": id}]}).task_inputs["x"] == inputs[:1]
    with pytest.raises(ValidationError):
        TaskRun(task_key="t", dynamic_key="0", task_inputs={"x": [{"input_type": "other"}]})


def test_inputs_of_task_runs_can_be_kept_in_sets():
    id = uuid4()
    assert len({TaskRunResult(id=id), TaskRunResult(id=id), FlowRunResult(id=id)}) == 2
    with pytest.raises(ValidationError, match="frozen"):
        Constant(type="int").type = "str"


def test_old_retry_keys_stand_for_the_new_ones():
    assert FlowRunPolicy(max_retries=3, retry_delay_seconds=5).retries == 3
    assert FlowRunPolicy(max_retries=3, retry_delay_seconds=5).retry_delay == 5
    assert TaskRunPolicy(max_retries=2).retries == 2
    assert FlowRunPolicy(max_retries=3, retries=0).retries == 0
    with pytest.warns(DeprecationWarning):
        assert FlowRunPolicy().max_retries == 0


def test_retry_policies_are_limited():
    with pytest.raises(ValidationError, match="50 retry delays"):
        TaskRunPolicy(retry_delay=[1] * 51)
    with pytest.raises(ValidationError, match="must be >= 0"):
        TaskRunPolicy(retry_jitter_factor=-1)


def test_cache_keys_are_as_long_as_the_settings_allow():
    assert TaskRun(task_key="t", dynamic_key="0", cache_key="k" * 2000)
    with pytest.raises(ValidationError, match="2000"):
        TaskRun(task_key="t", dynamic_key="0", cache_key="k" * 2001)


def test_labels_may_be_missing():
    assert Flow(name="f", labels=None).labels == {}


@pytest.mark.parametrize("name", ["", "a/b", "a%b"])
def test_names_of_stored_objects_are_checked(name: str):
    for make in (
        lambda: Flow(name=name),
        lambda: Deployment(name=name, flow_id=uuid4()),
        lambda: WorkPool(name=name, type="process"),
        lambda: WorkQueue(name=name),
    ):
        with pytest.raises(ValidationError, match="name"):
            make()


def test_inputs_of_flow_runs_are_json_texts():
    assert FlowRunInput(flow_run_id=uuid4(), key="a-b", value='{"a": 1}').decoded_value == {"a": 1}
    with pytest.raises(ValidationError, match="lowercase"):
        FlowRunInput(flow_run_id=uuid4(), key="a b", value="1")


def test_a_schedule_of_a_deployment_is_read_by_its_keys():
    kinds = [{"interval": 60}, {"cron": "* * * * *"}, {"rrule": "FREQ=DAILY"}, {}]
    names = [type(DeploymentSchedule(schedule=kind).schedule).__name__ for kind in kinds]
    assert names == ["IntervalSchedule", "CronSchedule", "RRuleSchedule", "NoSchedule"]
    with pytest.raises(ValidationError):
        DeploymentSchedule(schedule={"interval": 60, "cron": "* * * * *"})


@pytest.mark.parametrize(
    ("type_", "push", "managed"), [("cloud:push", True, False), ("x:managed", False, True), ("push", False, False)]
)
def test_kinds_of_work_pools(type_: str, push: bool, managed: bool):
    pool = WorkPool(name="p", type=type_)
    assert (pool.is_push_pool, pool.is_managed_pool) == (push, managed)


def test_statuses_have_words_for_people_and_for_events():
    assert [status.display_name for status in WorkPoolStatus] == ["Ready", "Not ready", "Paused"]
    assert [status.in_kebab_case() for status in WorkPoolStatus] == ["ready", "not-ready", "paused"]


def test_a_queue_is_healthy_while_it_is_polled_and_nothing_is_late():
    policy, now = WorkQueueHealthPolicy(maximum_late_runs=1, maximum_seconds_since_last_polled=60), datetime.now(UTC)
    assert policy.evaluate_health_status(1, now)
    assert not policy.evaluate_health_status(2, now)
    assert not policy.evaluate_health_status(0, now - timedelta(seconds=90))
    assert not policy.evaluate_health_status(0, None)
    nothing_asked = WorkQueueHealthPolicy(maximum_late_runs=None, maximum_seconds_since_last_polled=None)
    assert nothing_asked.evaluate_health_status(9, None)


def test_blocks_that_are_not_anonymous_have_names():
    ids = {"block_schema_id": uuid4(), "block_type_id": uuid4()}
    assert BlockDocument(is_anonymous=True, **ids).name is None
    with pytest.raises(ValidationError, match="Names must be provided"):
        BlockDocument(**ids)
    with pytest.raises(ValidationError, match="lowercase"):
        BlockDocument(name="A b", **ids)


def test_a_block_does_not_hold_itself():
    id = uuid4()
    with pytest.raises(ValidationError, match="cannot be the same"):
        BlockDocumentReference(name="x", parent_block_document_id=id, reference_block_document_id=id)


def test_long_metadata_of_artifacts_is_cut():
    metadata = objects.Artifact(metadata_={"a": "x" * 501, "b": "y" * 500}).metadata_
    assert metadata == {"a": "x" * 500 + "...", "b": "y" * 500}


def test_results_become_artifacts():
    artifact = objects.Artifact.from_result({"artifact_type": "t", "artifact_description": "d", "a": 1})
    assert (artifact.type, artifact.description, artifact.data) == ("t", "d", {"a": 1})
    assert objects.Artifact.from_result(3).data == 3


def test_workspaces_know_their_urls():
    workspace = Workspace(
        account_id="00000000-0000-0000-0000-000000000001",
        account_name="Acme",
        account_handle="acme",
        workspace_id="00000000-0000-0000-0000-000000000002",
        workspace_name="Main",
        workspace_description="",
        workspace_handle="main",
    )
    assert workspace.handle == "acme/main"
    assert workspace.api_url().endswith(f"/accounts/{workspace.account_id}/workspaces/{workspace.workspace_id}")
    assert workspace.ui_url().endswith(f"/account/{workspace.account_id}/workspace/{workspace.workspace_id}")
    assert hash(workspace) == hash("acme/main")


def test_removed_names_say_so():
    with pytest.raises(PrefectImportError, match="removed"):
        _ = objects.MinimalDeploymentSchedule
    with pytest.raises(AttributeError, match="Nothing"):
        _ = objects.Nothing


def test_states_inside_runs_are_states():
    run = FlowRun(flow_id=uuid4(), state={"type": "RUNNING"})
    assert isinstance(run.state, State)
    assert run.state_type is None  # the columns are the server's to fill


def test_the_number_of_planned_runs_is_limited_by_the_settings():
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.settings import PREFECT_SERVER_DEPLOYMENT_SCHEDULE_MAX_SCHEDULED_RUNS as MAXIMUM

    assert DeploymentScheduleCreate(schedule={"interval": 60}, max_scheduled_runs=50)
    with temporary_settings({MAXIMUM: 10}), pytest.raises(ValidationError, match="less than or equal to 10"):
        DeploymentScheduleCreate(schedule={"interval": 60}, max_scheduled_runs=11)
