"""Defining flows: names, options, hooks, methods, parameters (SDK sections 1 and 2)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from prefect import flow, task
from prefect.exceptions import InvalidNameError, ParameterBindError, ParameterTypeError, ReservedArgumentError
from prefect.flows import Flow
from prefect.task_runners import ThreadPoolTaskRunner


def test_all_ways_to_make_a_flow_agree():
    def my_flow(): ...

    for made in (flow(my_flow), flow()(my_flow), flow(name="my-flow")(my_flow), Flow(my_flow)):
        assert isinstance(made, Flow)
        assert made.name == "my-flow"
        assert made.fn is my_flow


def test_a_lambda_has_a_name():
    assert flow(lambda: None).name == "unknown-lambda"


@pytest.mark.parametrize("name", ["a/b", "a%b", "a&b", "a>b", "a<b"])
def test_names_with_banned_characters_are_refused(name):
    with pytest.raises(InvalidNameError, match="choose|Choose"):
        flow(name=name)(lambda: None)


def test_a_name_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="Expected a string"):
        flow(name=3)(lambda: None)


@pytest.mark.parametrize("name", ["return_state", "wait_for"])
def test_reserved_parameter_names_are_refused(name):
    namespace: dict = {}
    exec(f"def fn({name}=None): ...", namespace)
    with pytest.raises(ReservedArgumentError, match=name):
        flow(namespace["fn"])
    with pytest.raises(ReservedArgumentError, match=name):
        task(namespace["fn"])


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="Expected a function"):
        Flow(3)
    with pytest.raises(TypeError, match="Expected a function"):
        task(3)


def test_the_version_is_the_hash_of_the_source_file():
    @flow
    def versioned(): ...

    assert versioned.version == hashlib.md5(Path(__file__).read_bytes()).hexdigest()
    assert flow(version="7")(lambda: None).version == "7"


def test_hooks_must_be_lists_of_callables():
    with pytest.raises(TypeError, match="on_failure"):
        flow(on_failure=3)(lambda: None)
    with pytest.raises(TypeError, match="on_completion"):
        flow(on_completion=["x"])(lambda: None)


def test_a_task_runner_may_be_a_class_or_an_instance_but_no_string():
    assert flow(task_runner=ThreadPoolTaskRunner)(lambda: None).task_runner == ThreadPoolTaskRunner()
    runner = ThreadPoolTaskRunner(max_workers=3)
    assert flow(task_runner=runner)(lambda: None).task_runner == runner
    with pytest.raises(TypeError, match="task_runner"):
        flow(task_runner="threads")(lambda: None)


def test_with_options_keeps_what_is_not_given_and_unsets_with_zero():
    def hook(flow, flow_run, state): ...

    @flow(retries=3, retry_delay_seconds=2, timeout_seconds=4, on_failure=[hook], description="d")
    def original(): ...

    copy = original.with_options(name="other")
    assert (copy.name, copy.retries, copy.retry_delay_seconds, copy.timeout_seconds) == ("other", 3, 2, 4)
    assert copy.on_failure_hooks == [hook]
    assert original.name == "original"
    unset = original.with_options(retries=0, retry_delay_seconds=0, timeout_seconds=0)
    assert (unset.retries, unset.retry_delay_seconds, unset.timeout_seconds) == (0, 0, None)
    assert original.with_options(on_failure=[]).on_failure_hooks == [hook]


def test_persistence_follows_from_storage_options():
    assert flow(lambda: None).persist_result is None
    assert flow(result_serializer="json")(lambda: None).persist_result is True
    assert flow(result_storage=Path("x"))(lambda: None).persist_result is True


class Counter:
    def __init__(self, start: int) -> None:
        self.start = start

    @flow
    def count(self, by: int) -> int:
        return self.start + by

    @flow
    @staticmethod
    def static(by: int) -> int:
        return by

    @flow
    @classmethod
    def of_class(cls, by: int) -> str:
        return f"{cls.__name__}{by}"

    @task
    def step(self, by: int) -> int:
        return self.start * by


class SubCounter(Counter):
    pass


def test_methods_keep_to_their_own_instance():
    first, second = Counter(1).count, Counter(10).count
    assert first(1) == 2
    assert second(1) == 11
    assert Counter.count(Counter(5), 1) == 6
    assert Counter.static(4) == 4
    assert Counter.of_class(1) == "Counter1"
    assert SubCounter.of_class.with_options(name="x")(2) == "SubCounter2"
    one, two = Counter(2).step, Counter(3).step
    assert (one(2), two(2)) == (4, 6)


def test_fn_runs_without_the_engine():
    @flow
    def plain(x):
        return x + 1

    assert plain.fn(1) == 2


# -- parameters --------------------------------------------------------------------------------------------------------


def test_arguments_that_do_not_fit_raise_before_any_run_exists(home):
    from tests.sdk._reading import flow_runs_named

    @flow(name="unbound")
    def needs_one(x): ...

    with pytest.raises(ParameterBindError):
        needs_one()
    with pytest.raises(ParameterBindError):
        needs_one(1, 2, return_state=True)
    assert flow_runs_named("unbound") == []


class Config(BaseModel):
    size: int


def test_values_are_converted_by_their_annotations():
    @flow
    def typed(x: int, when: list[float], config: Config = {"size": "3"}):  # type: ignore[assignment]
        return x, when, config

    assert typed("5", ["1", 2]) == (5, [1.0, 2.0], Config(size=3))


def test_values_that_do_not_fit_fail_the_run_with_a_message():
    from tests.sdk._reading import flow_run_of, flow_run_states

    @flow(retries=2)
    def typed(x: int): ...

    with pytest.raises(ParameterTypeError, match="x"):
        typed("five")
    state = typed("five", return_state=True)
    assert state.is_failed()
    assert state.message.startswith("Validation of flow parameters failed with error:")
    assert flow_run_states(flow_run_of(state).id) == ["Pending", "Failed"]


def test_without_validation_nothing_is_converted():
    @flow(validate_parameters=False)
    def typed(x: int):
        return x

    assert typed("5") == "5"


def test_variadic_and_positional_only_parameters_arrive_as_given():
    @flow
    def variadic(a, /, b, *args, c, **kwargs):
        return a, b, args, c, kwargs

    assert variadic(1, 2, 3, 4, c=5, d=6) == (1, 2, (3, 4), 5, {"d": 6})

    @task
    def task_variadic(a, *args, **kwargs):
        return a, args, kwargs

    assert task_variadic(1, 2, x=3) == (1, (2,), {"x": 3})


def test_what_has_no_json_form_is_stored_as_its_type():
    from tests.sdk._reading import flow_run_of

    loop: list = []
    loop.append(loop)

    @flow(validate_parameters=False)
    def anything(x, y, z):
        return None

    run = flow_run_of(anything(object(), loop, {"a": object(), "b": 1}, return_state=True))
    assert run.parameters == {"x": "<object>", "y": "<list>", "z": {"a": "<object>", "b": 1}}


def test_run_names_are_templates_or_callables():
    from tests.sdk._reading import flow_run_of

    @flow(flow_run_name="run of {x:>3} {config.size}")
    def templated(x: int, config: Config):
        return None

    assert flow_run_of(templated(7, {"size": 2}, return_state=True)).name == "run of   7 2"

    def name():
        from prefect.runtime import flow_run

        return f"{flow_run.flow_name}-custom"

    @flow(flow_run_name=name)
    def called():
        return None

    assert flow_run_of(called(return_state=True)).name == "called-custom"


def test_a_bad_run_name_fails_the_run_instead_of_leaving_it_pending():
    @flow(flow_run_name="{nothing}")
    def badly_named():
        return 1

    state = badly_named(return_state=True)
    assert state.is_failed()
    with pytest.raises(ValueError, match="nothing"):
        badly_named()
    with pytest.raises(TypeError, match="flow_run_name"):
        flow(flow_run_name=3)(lambda: None)
