"""What a run can read about itself: contexts, runtime attributes, tags (SDK sections 11 and 13)."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from multiprocessing import get_context

import pytest
from tests.sdk._afar import look_from_afar
from tests.sdk._reading import flow_run_of, task_runs_of

import prefect
from prefect import flow, tags, task
from prefect.context import (
    EngineContext,
    FlowRunContext,
    SettingsContext,
    TagsContext,
    TaskRunContext,
    get_run_context,
    hydrated_context,
    serialize_context,
    with_context,
)
from prefect.exceptions import MissingContextError
from prefect.runtime import deployment, flow_run, task_run
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_LEVEL,
    PREFECT_UI_URL,
    get_current_settings,
    temporary_settings,
)

# -- contexts ----------------------------------------------------------------------------------------------------------


def test_outside_of_runs_there_is_no_context():
    assert FlowRunContext.get() is None
    assert TaskRunContext.get() is None
    assert TagsContext.get().current_tags == set()
    assert SettingsContext.get().settings == get_current_settings()
    assert EngineContext is FlowRunContext
    with pytest.raises(MissingContextError, match="with_context"):
        get_run_context()
    assert issubclass(MissingContextError, RuntimeError)


def test_the_innermost_run_is_the_context():
    @task
    def inner(x):
        context = get_run_context()
        assert isinstance(context, TaskRunContext)
        assert (context.task.name, context.task_run.state.name, context.parameters) == ("inner", "Running", {"x": 1})
        assert context.task_run.flow_run_id == FlowRunContext.get().flow_run.id
        assert isinstance(context.start_time, datetime)
        assert context.result_store is not None
        assert context.log_prints is False
        assert context.persist_result is False

    @flow
    def outer(x):
        context = get_run_context()
        assert isinstance(context, FlowRunContext)
        assert (context.flow.name, context.parameters, context.flow_run.state.name) == ("outer", {"x": 1}, "Running")
        assert context.task_runner is not None
        assert context.detached is False
        assert context.client is not None
        inner(x)
        inner.submit(x).result()
        assert get_run_context() is context
        return True

    assert outer(1) is True
    assert FlowRunContext.get() is None


def test_a_flow_called_in_a_task_hides_the_task():
    @flow
    def child():
        context = get_run_context()
        return type(context).__name__, context.flow.name, task_run.task_name

    @task
    def middle():
        return child(), get_run_context().task.name

    @flow
    def parent():
        return middle()

    (kind, name, _), after = parent()
    assert (kind, name, after) == ("EngineContext", "child", "middle")


def test_a_context_is_entered_once_and_a_copy_again():
    @flow
    def parent():
        context = get_run_context()
        with pytest.raises(RuntimeError, match="copy"), context:
            pass
        with context.model_copy(update={"log_prints": True}):
            assert get_run_context().log_prints is True
        assert get_run_context() is context
        return True

    assert parent() is True


def test_threads_of_users_have_no_context_unless_it_is_carried():
    def look():
        context = FlowRunContext.get()
        return None if context is None else context.flow_run.id

    @flow
    def parent():
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(look).result() is None
            assert pool.submit(contextvars.copy_context().run, look).result() == FlowRunContext.get().flow_run.id
            assert pool.submit(with_context(look)).result() == FlowRunContext.get().flow_run.id
        return True

    assert parent() is True


def test_with_context_reaches_other_processes():
    @task(task_run_name="looking")
    def look():
        with tags("far"), temporary_settings({PREFECT_LOGGING_LEVEL: "WARNING"}):
            looker = with_context(look_from_afar)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(looker, 5).result(timeout=30)

    @flow
    def parent():
        return FlowRunContext.get().flow_run.id, look()

    id, seen = parent()
    assert seen == (5, id, "parent", True, ["far"], "looking", "WARNING")


def test_contexts_are_serialised_and_restored():
    @flow
    def parent():
        with tags("a"):
            return serialize_context(), FlowRunContext.get().flow_run.id

    kept, id = parent()
    assert set(kept) >= {"flow_run_context", "task_run_context", "tags_context", "settings_context", "asset_context"}
    with hydrated_context(kept):
        assert FlowRunContext.get().flow_run.id == id
        assert FlowRunContext.get().detached
        assert TagsContext.get().current_tags == {"a"}
        assert flow_run.id == str(id)
    assert FlowRunContext.get() is None
    with hydrated_context({}):
        assert FlowRunContext.get() is None


def test_a_task_runs_in_a_restored_context():
    @task
    def one():
        return flow_run.id

    @flow
    def parent():
        return serialize_context()

    kept = parent()
    with hydrated_context(kept):
        assert one() == one.submit().result() == str(kept["flow_run_context"]["flow_run"].id)


# -- runtime -----------------------------------------------------------------------------------------------------------


def test_outside_of_runs_every_attribute_is_empty():
    assert prefect.runtime.flow_run is flow_run
    empty = {name: getattr(flow_run, name) for name in dir(flow_run)}
    assert datetime.now(timezone.utc) - empty.pop("scheduled_start_time") < timedelta(minutes=1)
    assert empty == {
        "id": None, "name": None, "flow_name": None, "flow_version": None, "tags": [], "run_count": 0, "parameters": {},
        "parent_flow_run_id": None, "parent_deployment_id": None, "root_flow_run_id": None, "api_url": None,
        "ui_url": None, "job_variables": None,
    }  # fmt: skip
    assert {name: getattr(task_run, name) for name in dir(task_run)} == {
        "id": None, "name": None, "task_name": None, "tags": [], "run_count": 0, "parameters": {}, "api_url": None,
        "ui_url": None,
    }  # fmt: skip
    assert {name: getattr(deployment, name) for name in dir(deployment)} == {
        "id": None, "name": None, "version": None, "parameters": {}, "flow_run_id": None,
    }  # fmt: skip


def test_unknown_attributes_are_errors():
    for module in (flow_run, task_run, deployment):
        with pytest.raises(AttributeError, match="nonsense"):
            module.nonsense  # noqa: B018


def test_a_flow_reads_itself():
    @flow(version="7", name="reader")
    def parent(x, y=2):
        return {name: getattr(flow_run, name) for name in dir(flow_run)}, deployment.flow_run_id

    with tags("a"):
        state = parent(1, return_state=True)
    seen, id = state.result()
    run = flow_run_of(state)
    assert (seen["id"], seen["name"], seen["tags"], seen["run_count"]) == (str(run.id), run.name, ["a"], 1)
    assert (seen["flow_name"], seen["flow_version"], seen["parameters"]) == ("reader", "7", {"x": 1, "y": 2})
    assert seen["root_flow_run_id"] == str(run.id) == id
    assert seen["parent_flow_run_id"] is None
    assert seen["scheduled_start_time"] == run.expected_start_time


def test_parameters_are_the_very_values():
    value = object()

    @flow(validate_parameters=False)
    def parent(x):
        return flow_run.parameters["x"] is value

    assert parent(value) is True


def test_a_task_reads_itself_and_its_flow():
    @task(tags=["own"], retries=1)
    def one(x, y=2):
        seen = {name: getattr(task_run, name) for name in dir(task_run)}
        if task_run.run_count == 1:
            raise ValueError
        return seen, flow_run.name, flow_run.id

    @flow
    def parent():
        return one(1), flow_run.name

    state = parent(return_state=True)
    (seen, name_in_task, id_in_task), name = state.result()
    (run,) = task_runs_of(state.state_details.flow_run_id)
    assert (seen["id"], seen["name"], seen["task_name"]) == (str(run.id), run.name, "one")
    assert (seen["tags"], seen["parameters"], seen["run_count"]) == (["own"], {"x": 1, "y": 2}, 2)
    assert (name_in_task, id_in_task) == (name, str(run.flow_run_id))


def test_nested_flows_know_their_ancestors():
    @flow
    def grandchild():
        return flow_run.id, flow_run.parent_flow_run_id, flow_run.root_flow_run_id

    @task
    def between():
        return grandchild()

    @flow
    def child():
        return flow_run.id, between()

    @flow
    def parent():
        return flow_run.id, child()

    parent_id, (child_id, (own, its_parent, root)) = parent()
    assert (its_parent, root) == (child_id, parent_id)
    assert own not in (child_id, parent_id)


def test_addresses_need_a_base():
    @task
    def one():
        before = (flow_run.api_url, task_run.api_url)
        with temporary_settings({PREFECT_API_URL: "http://api.test/api", PREFECT_UI_URL: "http://ui.test"}):
            return (
                before,
                flow_run.api_url,
                flow_run.ui_url,
                task_run.api_url,
                task_run.ui_url,
                flow_run.id,
                task_run.id,
            )

    @flow
    def parent():
        return one()

    before, flow_api, flow_ui, task_api, task_ui, flow_id, task_id = parent()
    assert before == (None, None)
    assert flow_api == f"http://api.test/api/flow-runs/flow-run/{flow_id}"
    assert flow_ui == f"http://ui.test/flow-runs/flow-run/{flow_id}"
    assert task_api == f"http://api.test/api/runs/task-run/{task_id}"
    assert task_ui == f"http://ui.test/runs/task-run/{task_id}"


def test_a_process_started_for_a_run_reads_it_from_the_api(monkeypatch):
    @flow(name="read-from-afar", version="3")
    def parent(x, y=2): ...

    with tags("a"):
        state = parent(1, return_state=True)
    run = flow_run_of(state)
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(run.id))
    assert flow_run.id == str(run.id) == deployment.flow_run_id == flow_run.root_flow_run_id
    assert (flow_run.name, flow_run.flow_name, flow_run.flow_version) == (run.name, "read-from-afar", "3")
    assert (flow_run.tags, flow_run.run_count) == (["a"], 1)
    assert flow_run.parameters["x"] == 1
    assert flow_run.scheduled_start_time == run.expected_start_time
    assert flow_run.job_variables is None
    assert task_run.id is None


def test_the_environment_replaces_attributes(monkeypatch):
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__NAME", "replaced")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__RUN_COUNT", "9")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__SCHEDULED_START_TIME", "2026-01-02T03:04:05+02:00")
    monkeypatch.setenv("PREFECT__RUNTIME__TASK_RUN__NAME", "a task")
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__VERSION", "v2")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__MADE_UP", "text")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__TAGS", "a,b")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__PARAMETERS", "{}")

    @flow
    def inside():
        return flow_run.name, flow_run.run_count

    assert (flow_run.name, flow_run.run_count) == ("replaced", 9) == inside()
    assert flow_run.scheduled_start_time == datetime(2026, 1, 2, 1, 4, 5, tzinfo=timezone.utc)
    assert (task_run.name, deployment.version, flow_run.made_up) == ("a task", "v2", "text")
    for name in ("tags", "parameters"):
        with pytest.raises(ValueError, match=name.upper()):
            getattr(flow_run, name)


def test_attributes_can_be_imported_by_name():
    @flow
    def parent():
        from prefect.runtime.flow_run import id, name

        return id, name

    state = parent(return_state=True)
    run = flow_run_of(state)
    assert state.result() == (str(run.id), run.name)


# -- tags --------------------------------------------------------------------------------------------------------------


def test_tags_add_up_and_reach_every_run_created_inside():
    @task(tags=["own"])
    def one():
        return task_run.tags

    @flow
    def child():
        return flow_run.tags, one()

    @flow
    def parent():
        with tags("inner") as active:
            assert active == {"outer", "inner"}
            found = child(), one(), one.submit().result()
        return found, one()

    with tags("outer"):
        state = parent(return_state=True)
    ((child_tags, nested), direct, submitted), after = state.result()
    assert set(child_tags) == {"outer", "inner"}
    assert set(nested) == set(direct) == set(submitted) == {"own", "outer", "inner"}
    assert set(after) == {"own", "outer"}
    assert set(flow_run_of(state).tags) == {"outer"}
    assert TagsContext.get().current_tags == set()


def test_tags_do_not_leak_into_other_threads():
    found = []
    with tags("here"):
        thread = threading.Thread(target=lambda: found.append(TagsContext.get().current_tags))
        thread.start()
        thread.join()
    assert found == [set()]
