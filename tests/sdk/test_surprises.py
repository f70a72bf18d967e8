"""Surprising behaviours that users rely on, a test each (SDK section 32)."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pytest
from pydantic import BaseModel, Field, ImportString
from tests.sdk._reading import flow_run_of, task_run_states, task_runs_of

from prefect import allow_failure, flow, tags, task, unmapped
from prefect.blocks.system import Secret
from prefect.cache_policies import INPUTS, NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.logging import disable_run_logger, get_run_logger
from prefect.runtime import flow_run, task_run
from prefect.states import Completed, Failed

pytestmark = pytest.mark.usefixtures("home")


class Config(BaseModel):
    name: str


class Form(BaseModel):
    second: int = Field(default=2, json_schema_extra={"position": 1})
    first: int = Field(default=1, json_schema_extra={"position": 0})


@task
def one():
    return 1


@task
def fails():
    raise ValueError("on purpose")


def test_a_failed_task_does_not_fail_a_flow_that_swallows_it():
    @flow
    def swallows():
        fails(return_state=True)
        fails.submit().wait()
        try:
            fails()
        except ValueError:
            return "went on"

    state = swallows(return_state=True)
    assert (state.is_completed(), state.result()) == (True, "went on")


def test_returned_futures_and_states_decide_the_state_and_come_back_as_states():
    @flow
    def mixed():
        return one.submit(), fails(return_state=True)

    returned = mixed()
    assert [state.type.value for state in returned] == ["COMPLETED", "FAILED"]
    state = mixed(return_state=True)
    assert (state.type.value, state.message) == ("FAILED", "1/2 states failed.")


def test_a_state_beside_a_plain_value_is_just_a_value():
    @flow
    def mixed():
        return fails(return_state=True), 3

    state = mixed(return_state=True)
    assert state.is_completed()


def test_futures_in_a_dict_come_back_as_states_and_the_flow_completes():
    @flow
    def in_a_dict():
        return {"good": one.submit(), "bad": fails.submit()}

    state = in_a_dict(return_state=True)
    assert state.is_completed()
    values = state.result()
    assert isinstance(values["good"], State) and values["bad"].is_failed()


def test_exceptions_may_be_returned_instead_of_raised():
    @flow
    def looks():
        future = fails.submit()
        return repr(future.result(raise_on_failure=False)), repr(future.state.result(raise_on_failure=False))

    assert looks() == ("ValueError('on purpose')",) * 2


def test_what_was_submitted_and_forgotten_finishes():
    done, gate = [], threading.Event()

    @task
    def slow():
        gate.wait(30)
        done.append(1)

    @flow
    def forgets():
        slow.submit()
        threading.Timer(0.01, gate.set).start()

    forgets()
    assert done == [1]


@pytest.mark.parametrize("decorate", [flow, task])
def test_named_states_are_kept_and_hooks_go_by_type(decorate):
    seen = []

    @decorate(
        on_completion=[lambda o, r, s: seen.append(("completion", s.name))],
        on_failure=[lambda o, r, s: seen.append(("failure", s.name))],
    )
    def named(make, name):
        return make(name=name)

    assert named(Completed, "Skipped", return_state=True).name == "Skipped"
    assert named(Failed, "Rejected", return_state=True).name == "Rejected"
    assert seen == [("completion", "Skipped"), ("failure", "Rejected")]


def test_persistence_makes_repeated_calls_of_one_run_execute_once():
    calls = []

    @task(persist_result=True)
    def counted(x):
        calls.append(x)
        return x

    @flow
    def twice():
        return counted(1), counted(1)

    assert twice() == (1, 1) and calls == [1]
    twice()
    assert calls == [1, 1]


def test_flow_retries_skip_tasks_that_finished():
    calls, attempts = [], []

    @task(persist_result=True)
    def counted():
        calls.append(1)

    @flow(retries=1)
    def retried():
        counted()
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")

    retried()
    assert (len(attempts), len(calls)) == (2, 1)


@pytest.mark.parametrize("option", [{"persist_result": True}, {"result_serializer": "json"}, {"cache_policy": INPUTS}])
def test_one_result_option_is_enough_to_store_and_cache(option):
    calls = []

    @task(**option)
    def counted(x):
        calls.append(x)
        return x

    @flow
    def twice():
        counted(7)
        return counted(7, return_state=True)

    assert twice(return_state=True).result().name == "Cached"
    assert calls == [7]


@pytest.mark.parametrize("policy", [None, NO_CACHE])
def test_caching_is_switched_off(policy):
    calls = []

    @task(cache_policy=policy, persist_result=True)
    def counted():
        calls.append(1)

    @flow
    def twice():
        counted(), counted()

    twice()
    assert calls == [1, 1]


def test_inputs_may_be_left_out_of_the_key_refreshed_or_fixed(tmp_path):
    calls = []

    @task(cache_policy=INPUTS - "noise", result_storage=tmp_path)
    def keyed(x, noise):
        calls.append((x, noise))
        return noise

    assert (keyed(1, "a"), keyed(1, "b")) == ("a", "a")
    assert keyed.with_options(refresh_cache=True)(1, "c") == "c"
    assert keyed(1, "d") == "c"
    assert calls == [(1, "a"), (1, "c")]

    @task(cache_key_fn=lambda context, parameters: "constant", result_storage=tmp_path)
    def constant(x):
        return x

    assert (constant(1), constant(2)) == (1, 1)

    @task(result_storage_key="readable-{parameters[x]}", result_storage=tmp_path)
    def placed(x, value):
        return value

    assert (placed(1, "first"), placed(1, "second"), placed(2, "other")) == ("first", "first", "other")
    assert (tmp_path / "readable-1").is_file()


def test_tasks_work_in_scripts_and_threads_and_flows_in_threads():
    from concurrent.futures import ThreadPoolExecutor

    @flow
    def in_a_thread():
        return one()

    assert one() == 1
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(one).result() == 1
        assert pool.submit(in_a_thread).result() == 1


def test_passing_a_future_orders_and_passing_a_result_records_lineage():
    @task
    def makes():
        return [1, 2]

    @task
    def takes(x):
        return x

    @flow
    def parent():
        future = makes.submit()
        result = future.result()
        direct, lineage = takes.submit(future), takes.submit(result)
        later = takes.submit(0, wait_for=[future, [direct], allow_failure(fails.submit())])
        later.wait()
        return future.task_run_id, direct.task_run_id, lineage.task_run_id

    state = parent(return_state=True)
    source, direct, lineage = state.result()
    runs = {run.id: run for run in task_runs_of(state.state_details.flow_run_id)}
    for id in (direct, lineage):
        assert [item.id for item in runs[id].task_inputs["x"]] == [source]


def test_map_takes_what_can_be_iterated_but_no_strings():
    shared = {"a": 1}

    @task
    def pairs(x, y):
        return x, y

    @task
    def identity_of(x, y):
        return id(y)

    @flow
    def parent():
        return (
            pairs.map(["a", "b"], "text").result(), pairs.map({"k": 1, "l": 2}, 0).result(),
            identity_of.map([1, 2], unmapped(shared)).result(),
        )  # fmt: skip

    strings, keys, identities = parent()
    assert strings == [("a", "text"), ("b", "text")]
    assert keys == [("k", 0), ("l", 0)]
    assert identities == [id(shared)] * 2


def test_a_data_frame_is_mapped_over_its_columns():
    pandas = pytest.importorskip("pandas")

    @task
    def name(column):
        return column

    @flow
    def parent():
        return name.map(pandas.DataFrame({"a": [1], "b": [2]})).result()

    assert parent() == ["a", "b"]


def test_log_prints_of_a_flow_covers_what_it_calls(caplog):
    @task
    def says():
        print("task", "says", sep="-", end="!")
        logging.getLogger("someone.else").warning("not captured")

    @flow
    def child():
        print("child says")

    @flow(log_prints=True)
    def parent():
        print("parent says")
        says()
        child()

    with caplog.at_level(logging.INFO):
        parent()
    lines = {record.name: record.getMessage() for record in caplog.records}
    printed = [record.getMessage() for record in caplog.records if "says" in record.getMessage()]
    assert printed == ["parent says", "task-says!", "child says"]
    assert lines["someone.else"] == "not captured"


def test_run_names_are_templates_or_callables():
    @task(task_run_name="{config.name}-{day:%A}")
    def named(config, day):
        return task_run.name

    @flow(flow_run_name="{config.name:>6}/{day:%Y}")
    def templated(config: Config, day: datetime):
        return flow_run.name, named(config, day)

    assert templated({"name": "cfg"}, "2024-01-01") == ("   cfg/2024", "cfg-Monday")

    @flow(flow_run_name=lambda: f"for-{flow_run.parameters['x']}")
    def called(x):
        return flow_run.name

    assert called(3) == "for-3"


def test_the_run_logger_works_in_hooks_tasks_and_helpers(caplog):
    def helper(word):
        get_run_logger().info("heard %s", word)

    @task(on_completion=[lambda t, r, s: helper("task hook")])
    def logs():
        helper("task")

    @flow(on_completion=[lambda f, r, s: helper("completion")], on_failure=[lambda f, r, s: helper("failure")])
    def parent(fail=False):
        logs()
        helper("flow")
        if fail:
            raise ValueError("on purpose")

    with caplog.at_level(logging.INFO):
        parent()
        parent(fail=True, return_state=True)
    heard = [record.getMessage().removeprefix("heard ") for record in caplog.records if "heard" in record.getMessage()]
    assert heard == ["task", "task hook", "flow", "completion", "task", "task hook", "flow", "failure"]


def test_options_are_changed_for_one_call():
    attempts = []

    @task
    def flaky():
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("again")
        return task_run.name, task_run.tags

    @flow
    def parent():
        return flaky.with_options(retries=2, task_run_name="renamed", tags=["extra"])()

    assert parent() == ("renamed", ["extra"])


def test_functions_are_tested_without_the_engine():
    @flow
    def plain(x):
        get_run_logger().info("silent")
        return x

    with disable_run_logger():
        assert plain.fn(3) == 3
    assert one.fn() == 1


def test_states_control_what_follows():
    @flow
    def chooses():
        return "mended" if fails(return_state=True).is_failed() else "fine"

    assert chooses() == "mended"


def test_retries_of_flow_and_task_multiply():
    calls = []

    @task(retries=1)
    def inner():
        calls.append(1)
        raise ValueError("always")

    @flow(retries=1)
    def outer():
        inner()

    assert outer(return_state=True).is_failed()
    assert len(calls) == 4


def test_results_are_the_very_objects_that_were_returned():
    made = object()

    @task
    def makes():
        return made

    @flow
    def parent():
        return makes() is made and makes.submit().result() is made

    assert parent() is True


def test_lambdas_callables_partials_and_methods_are_tasks_and_flows():
    class Doubler:
        def __call__(self, x):
            return 2 * x

        @task
        def as_method(self, x):
            return 3 * x

        @flow
        def as_flow(self, x):
            return self.as_method(x)

    def make_nested():
        @task
        def nested(x):
            return 4 * x

        return nested

    hooked = []

    def hook(prefix, task, run, state):
        hooked.append(prefix)

    @flow
    def parent():
        return task(lambda x: x)(1), task(Doubler())(1), Doubler().as_flow(1), make_nested()(1)

    assert parent() == (1, 2, 3, 4)
    one.with_options(on_completion=[partial(hook, "partial")])()
    assert hooked == ["partial"]


def test_results_are_read_from_states_of_the_api():
    @flow(persist_result=True)
    def stored():
        return {"a": 1}

    assert flow_run_of(stored(return_state=True)).state.result() == {"a": 1}


def test_runtime_attributes_are_overridden_for_tests(monkeypatch):
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__NAME", "mocked")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__RUN_COUNT", "3")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__NEW_ATTRIBUTE", "there")
    assert (flow_run.name, flow_run.run_count, flow_run.new_attribute) == ("mocked", 3, "there")


def test_block_references_in_parameters_are_loaded():
    Secret(value="hidden").save("referred")
    with get_client(sync_client=True) as client:
        id = client.read_block_document_by_name("referred", "secret").id

    @flow
    def reads(secret: Secret, deep: list):
        return secret.get(), deep[0]["s"].get()

    reference = {"$ref": {"block_document_id": str(id)}}
    assert reads(reference, [{"s": reference}]) == ("hidden", "hidden")
    gone = reads({"$ref": {"block_document_id": "00000000-0000-0000-0000-000000000000"}}, [], return_state=True)
    assert gone.is_failed() and "could not be loaded" in gone.message


def test_import_strings_and_positions_of_models_are_parameters():
    @flow
    def takes(function: ImportString, form: Form):
        return function([3, 1]), form.first

    assert takes("builtins.sorted", {}) == ([1, 3], 1)
    fields = takes.parameters.definitions["Form"]["properties"]
    assert (fields["first"]["position"], fields["second"]["position"]) == (0, 1)


def test_tags_of_a_block_reach_what_is_created_inside():
    @dataclass
    class Seen:
        tags: set

    @task
    def tagged():
        return Seen(set(task_run.tags))

    @flow
    def parent():
        return tagged.submit().result().tags

    with tags("a", "b"):
        assert parent() == {"a", "b"}
    assert parent() == set()
    assert task_run_states(one(return_state=True).state_details.task_run_id) == ["Pending", "Running", "Completed"]
