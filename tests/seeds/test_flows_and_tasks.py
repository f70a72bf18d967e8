"""The examples of flows and tasks: what runs, in which states it ends, and what is recorded."""

from threading import Barrier

import pytest
from tests.sdk._reading import flow_run_of, flow_runs_named, logs_of, task_run_states, task_runs_of
from tests.seeds._running import Shell, load
from tests.seeds._web import Web

from prefect import flow, task
from prefect.exceptions import ParameterTypeError


def tasks_of(flow_run_id) -> dict[str, list[str]]:
    """The names of the states that the runs of each task ended in."""
    ends: dict[str, list[str]] = {}
    for run in task_runs_of(flow_run_id):
        ends.setdefault(run.name.rpartition("-")[0], []).append(run.state.name)
    return ends


# -- the table of decorators -------------------------------------------------------------------------------------------


def test_a_flow_has_the_name_it_was_given(home):
    state = load("named_flow", flow=flow).etl(return_state=True)
    assert state.is_completed()
    assert [run.id for run in flow_runs_named("etl_pipeline")] == [state.state_details.flow_run_id]


def test_a_task_with_retries_runs_in_a_flow(home):
    extract = load("task_with_retries", task=task).extract

    @flow
    def calls():
        return extract()

    state = calls(return_state=True)
    assert tasks_of(state.state_details.flow_run_id) == {"extract": ["Completed"]}
    assert extract.retries == 3


def test_parameters_are_checked_and_converted_by_their_types(home):
    my_flow = load("typed_parameters", flow=flow).my_flow
    assert flow_run_of(my_flow("3", return_state=True)).parameters == {"param": "3"}
    with pytest.raises(ParameterTypeError, match="param"):
        my_flow(param="three")
    assert my_flow.parameters.properties["param"]["type"] == "integer"


def test_arguments_of_a_task_are_its_inputs(home):
    process = load("task_arguments", task=task).process

    @flow
    def calls():
        return process([1, 2])

    run_id = calls(return_state=True).state_details.flow_run_id
    assert tasks_of(run_id) == {"process": ["Completed"]}


# -- extract, transform, load ------------------------------------------------------------------------------------------


def test_the_second_sync_within_the_hour_takes_the_users_from_the_cache(shell: Shell, web: Web):
    shell.script("etl_with_retries_and_caching")
    second = shell.script("etl_with_retries_and_caching")
    assert web.asked == ["api.example.com/users"]
    assert "Finished in state Cached(type=COMPLETED)" in second.errors
    latest, earliest = sorted(flow_runs_named("user-sync"), key=lambda run: run.start_time, reverse=True)
    assert tasks_of(latest.id) == {"extract": ["Cached"], "transform": ["Completed"], "load": ["Completed"]}
    assert tasks_of(earliest.id)["extract"] == ["Completed"]


def test_the_sync_waits_longer_before_each_retry(home, web: Web, naps: list[float]):
    answers = iter([(200, "not a list"), (200, "not a list"), (200, "not a list")])
    web.sites["api.example.com"] = lambda _: next(answers)
    sync = load("etl_with_retries_and_caching")
    sync.extract.fn = fails_until_fourth(sync.extract.fn)
    with pytest.raises(TypeError):  # the fourth attempt returns, and what it returns is no list of users
        sync.user_sync()
    assert naps == [10, 30, 60]


def fails_until_fourth(fn):
    attempts = iter(range(1, 10))

    def extract(source: str):
        if next(attempts) < 4:
            raise ConnectionError(source)
        return fn(source)

    return extract


def test_decorator_first_runs_at_import_and_returns_what_the_flow_returns(home):
    assert load("decorator_first").etl() == [2, 4, 6]
    runs = flow_runs_named("etl")
    assert [run.state.name for run in runs] == ["Completed", "Completed"]
    assert tasks_of(runs[0].id) == {"extract": ["Completed"], "transform": ["Completed"]}


def test_the_oldest_way_to_write_a_flow_is_refused_with_what_to_write_instead(home):
    with pytest.raises(TypeError, match=r"not 'etl'.*@flow"):
        load("prefect_1_flow")


# -- branches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "says", "branch"),
    [(42, "bolt ok", None), (3, "restocking 7 of bolt", "restock"), (150, "overstock bolt=150", "notify_overstock")],
)
def test_only_the_branch_that_was_taken_is_recorded(home, capsys, count, says, branch):
    inventory = load("conditional_branching")
    inventory.check_inventory.fn = lambda item: count
    state = inventory.inventory_check("bolt", return_state=True)
    assert says in capsys.readouterr().out
    expected = {"check_inventory": ["Completed"]} | ({branch: ["Completed"]} if branch else {})
    assert tasks_of(state.state_details.flow_run_id) == expected


def test_a_failed_critical_task_fails_the_flow(home):
    @task
    def breaks():
        raise RuntimeError("disk full")

    state = load("check_task_state", flow=flow, my_task=breaks).my_flow(return_state=True)
    assert state.is_failed()
    assert load("check_task_state", flow=flow, my_task=task(lambda: 5)).my_flow() == 5


# -- many at a time ----------------------------------------------------------------------------------------------------


def test_mapped_requests_are_under_way_at_the_same_time(home, web: Web):
    together = Barrier(4)

    def meet(path: str):
        together.wait(30)
        return 200, {"path": path}

    web.sites["api.example.com"] = meet
    fetched = load("fan_out_map").fetch_many([f"https://api.example.com/{n}" for n in range(4)])
    assert fetched == [{"path": f"/{n}"} for n in range(4)]


def test_a_failed_item_does_not_stop_the_others(home, web: Web):
    web.sites["api.example.com"] = lambda path: (200, {"path": path})
    urls = ["https://api.example.com/1", "no address", "https://api.example.com/2"]
    state = load("fan_out_map").fetch_many(urls, return_state=True)
    assert state.is_failed()
    assert sorted(tasks_of(state.state_details.flow_run_id)["fetch_one"]) == ["Completed", "Completed", "Failed"]


def test_records_are_processed_once_and_then_come_from_the_cache(shell: Shell):
    first = shell.script("batch_processor")
    second = shell.script("batch_processor")
    assert first.output == second.output == "{'total': 5, 'processed': [1, 2, 3, 4, 5]}\n"
    assert [f"Processing record {n}" in first.errors for n in range(1, 6)] == [True] * 5
    assert "Processing record" not in second.errors
    latest = max(flow_runs_named("batch-processor"), key=lambda run: run.start_time)
    assert tasks_of(latest.id) == {"process_record": ["Cached"] * 5, "aggregate_results": ["Completed"]}


def test_submitted_and_mapped_tasks_sleep_at_the_same_time(home, capsys):
    workflow = load("concurrent_workflow")
    meetings = iter([Barrier(2)] * 2 + [Barrier(5)] * 5)
    # Whoever sleeps waits for the others of its group, so this ends only if they run together.
    workflow.time = type("Clock", (), {"sleep": staticmethod(lambda seconds: next(meetings).wait(30))})
    result, mapped = workflow.concurrent_workflow()
    assert (result, sorted(mapped)) == (30, [2, 4, 6, 8, 10])
    assert "Combined result: 30\n" in capsys.readouterr().out


def test_results_come_as_they_complete_and_one_failure_is_handled(home, capsys):
    state = load("error_handling").concurrent_processing(return_state=True)
    assert state.is_completed()
    assert sorted(state.result()) == [0, 2, 4, 6, 8, 12, 14, 16, 18]
    assert "Task failed: Failed processing 5\n" in capsys.readouterr().out
    ends = tasks_of(state.state_details.flow_run_id)["process_item"]
    assert sorted(ends) == ["Completed"] * 9 + ["Failed"]


# -- the weather -------------------------------------------------------------------------------------------------------


def test_the_weather_pipeline_prints_its_results_and_logs_its_prints(shell: Shell, web: Web):
    ran = shell.script("weather_check")
    assert ran.output == "Results: {'London': 11.0, 'Paris': 14.0, 'Tokyo': 19.0}\n"
    [run] = flow_runs_named("Weather Check")
    assert {"London: 11.0°C", "Paris: 14.0°C", "Tokyo: 19.0°C"} <= set(logs_of(run.id))
    assert tasks_of(run.id) == {"fetch_weather": ["Completed"] * 3, "extract_temperature": ["Completed"] * 3}


def test_the_weather_pipeline_runs_again_after_a_failure(home, web: Web):
    answers = iter([(503, {}), (200, {"current_condition": [{"temp_C": "7"}]})])
    web.sites["wttr.in"] = lambda _: next(answers)
    pipeline = load("weather_check").weather_pipeline
    assert pipeline.retry_delay_seconds == 10
    state = pipeline.with_options(retry_delay_seconds=0)(["London"], return_state=True)
    assert state.result() == {"London": 7.0}
    assert flow_run_of(state).run_count == 2


def test_the_quick_start_logs_the_temperature_of_each_city(shell: Shell, web: Web):
    ran = shell.script("weather_quick_start")
    assert ran.output == ""
    for city, celsius in {"London": 11, "Paris": 14, "Tokyo": 19}.items():
        assert f"Current temperature in {city}: {celsius}°C" in ran.errors
    [run] = flow_runs_named("Weather Pipeline")
    assert run.parameters == {"cities": ["London", "Paris", "Tokyo"]}


# -- retries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 404])
def test_an_error_that_will_not_go_away_is_not_tried_again(home, web: Web, naps: list[float], status):
    web.sites["api.example.com"] = lambda _: (status, {})
    state = load("custom_retry").api_workflow(return_state=True)
    assert f"{status}" in state.message
    assert web.asked == ["api.example.com/data"]
    assert naps == []


def test_other_errors_are_tried_again_with_growing_delays_and_some_chance(home, web: Web, naps: list[float]):
    web.sites["api.example.com"] = lambda _: (503, {})
    state = load("custom_retry").api_workflow(return_state=True)
    assert state.is_failed()
    assert len(web.asked) == 6
    for nap, nominal in zip(naps, [2, 4, 8, 16, 32], strict=True):
        assert 0.5 * nominal <= nap <= 1.5 * nominal
    [run] = task_runs_of(state.state_details.flow_run_id)
    assert task_run_states(run.id)[-3:] == ["AwaitingRetry", "Retrying", "Failed"]


def test_a_refused_connection_is_tried_again(home, web: Web, naps: list[float], monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    state = load("custom_retry").api_workflow(return_state=True)
    assert "ConnectError" in state.message
    assert len(naps) == 5


def test_a_condition_on_the_message_decides_on_retries(home, naps: list[float]):
    api_call = load("tasks").api_call
    attempts = []

    def breaks(endpoint: str):
        attempts.append(endpoint)
        raise ValueError(endpoint)

    api_call.fn = breaks
    assert api_call("a timeout", return_state=True).is_failed()
    assert len(attempts) == 6
    assert api_call("bad input", return_state=True).is_failed()
    assert len(attempts) == 7
    assert api_call.tags == {"api", "external"}


# -- options and caching -----------------------------------------------------------------------------------------------


def test_flows_with_options_and_hooks_run(home, capsys):
    flows = load("flows")
    assert flows.my_workflow() == "Hello, Prefect!"
    state = flows.data_pipeline("data.csv", return_state=True)
    assert state.is_completed()
    assert [run.name for run in flow_runs_named("Data Processing Pipeline")] == [flow_run_of(state).name]
    assert flow_run_of(state).flow_version == "1.0.0"
    flows.monitored_flow()
    assert capsys.readouterr().out == "Flow completed!\n"


def test_an_expensive_computation_is_done_once_an_hour(home):
    workflow = load("tasks").workflow
    assert workflow() == 400
    state = workflow(return_state=True)
    assert state.result() == 400
    assert tasks_of(state.state_details.flow_run_id) == {
        "process_data": ["Completed"],
        "expensive_computation": ["Cached"],
    }


def test_inputs_are_the_key_of_a_cached_computation(home):
    module = load("caching")

    @flow
    def computes():
        return [module.cached_computation(x, y) for x, y in [(2, 3), (2, 3), (3, 2)]]

    state = computes(return_state=True)
    assert state.result() == [8, 8, 9]
    assert sorted(tasks_of(state.state_details.flow_run_id)["cached_computation"]) == [
        "Cached",
        "Completed",
        "Completed",
    ]


def test_exponential_backoff_may_be_cut_to_a_list(home):
    assert load("caching").api_with_backoff.retry_delay_seconds == [2, 4, 8, 16, 32]


def test_a_model_that_forbids_extra_fields_guards_a_flow(home):
    from pydantic import BaseModel, ConfigDict

    model = load("pydantic_models", since="# New", BaseModel=BaseModel, ConfigDict=ConfigDict).MyModel

    @flow
    def takes(value: model):
        return type(value)

    assert takes({}) is model
    with pytest.raises(ParameterTypeError, match="surprise"):
        takes({"surprise": 1})
