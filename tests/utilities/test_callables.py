"""Binding arguments to parameters and back, and taking mapped calls apart."""

import functools
import gc
import pickle
import weakref

import cloudpickle
import pytest
from pydantic import Field

from prefect.exceptions import (
    MappingLengthMismatch,
    MappingMissingIterable,
    ParameterBindError,
    ReservedArgumentError,
    SignatureMismatchError,
)
from prefect.utilities.annotations import allow_failure, quote, unmapped
from prefect.utilities.callables import (
    call_with_parameters,
    cloudpickle_wrapped_call,
    collapse_variadic_parameters,
    expand_mapping_parameters,
    explode_variadic_parameter,
    get_call_parameters,
    get_parameter_defaults,
    parameters_to_args_kwargs,
    raise_for_reserved_arguments,
)


def everything(a, b=2, *rest, c, d=4, **more):
    return a, b, rest, c, d, more


def positional(x, /, y, *, z=1):
    return x, y, z


class Caller:
    def method(self, x, y=2):
        return x, y

    @classmethod
    def of_class(cls, x):
        return x

    def __call__(self, x, y=3):
        return x, y


# --- binding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ((1,), {"c": 3}, {"a": 1, "b": 2, "rest": (), "c": 3, "d": 4, "more": {}}),
        ((1, 5, 6, 7), {"c": 3, "q": 9}, {"a": 1, "b": 5, "rest": (6, 7), "c": 3, "d": 4, "more": {"q": 9}}),
        ((), {"c": 3, "a": 1, "b": 0}, {"a": 1, "b": 0, "rest": (), "c": 3, "d": 4, "more": {}}),
    ],
)
def test_arguments_are_bound_in_the_order_of_the_signature(args, kwargs, expected):
    bound = get_call_parameters(everything, args, kwargs)
    assert bound == expected
    assert list(bound) == ["a", "b", "rest", "c", "d", "more"]


def test_defaults_can_be_left_out():
    assert get_call_parameters(everything, (1,), {"c": 3}, apply_defaults=False) == {"a": 1, "c": 3}


def test_positional_only_and_keyword_only_parameters_are_bound():
    assert get_call_parameters(positional, (1, 2), {"z": 3}) == {"x": 1, "y": 2, "z": 3}


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (Caller().method, {"x": 1, "y": 2}),
        (Caller.of_class, {"x": 1}),
        (Caller(), {"x": 1, "y": 3}),
        (functools.partial(everything, 0, c=5), {"b": 1, "rest": (), "c": 5, "d": 4, "more": {}}),
        (lambda x: x, {"x": 1}),
    ],
    ids=["method", "class method", "object", "partial", "lambda"],
)
def test_any_callable_is_bound(fn, expected):
    assert get_call_parameters(fn, (1,), {}) == expected


def test_two_methods_of_one_function_are_bound_each_to_its_own_object():
    one, other = Caller(), Caller()
    assert get_call_parameters(Caller.method, (one, 1), {})["self"] is one
    assert get_call_parameters(other.method, (1,), {}) == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1,), {}), ((1,), {"c": 1, "a": 2})], ids=["nothing", "too little", "twice"]
)
def test_arguments_that_do_not_fit_are_refused(args, kwargs):
    with pytest.raises(ParameterBindError, match="'everything'"):
        get_call_parameters(everything, args, kwargs)
    with pytest.raises(ParameterBindError, match="'everything'"):
        get_call_parameters(everything, args, kwargs, apply_defaults=False)


def test_unknown_and_superfluous_arguments_are_refused():
    with pytest.raises(TypeError):
        get_call_parameters(positional, (1, 2, 3), {})
    with pytest.raises(TypeError):
        get_call_parameters(positional, (1, 2), {"q": 3})


def test_a_default_that_is_made_for_each_call_is_made_anew():
    def fn(x=Field(default_factory=list), y=Field(default=3)): ...

    first, second = get_call_parameters(fn, (), {}), get_call_parameters(fn, (), {})

    assert first == {"x": [], "y": 3}
    assert first["x"] is not second["x"]


def test_a_field_without_a_default_makes_a_required_parameter():
    def fn(x: int = Field(description="what it is"), y=1): ...

    assert get_call_parameters(fn, (5,), {}) == {"x": 5, "y": 1}
    with pytest.raises(ParameterBindError, match="missing a required argument: 'x'"):
        get_call_parameters(fn, (), {})


def test_names_of_parameters_do_not_clash_with_the_machinery():
    def fn(_not_given, _default_1=2, __default_2=Field(default_factory=lambda: 3), _require=Field()): ...

    assert get_call_parameters(fn, (1,), {"_require": 4}) == {
        "_not_given": 1,
        "_default_1": 2,
        "__default_2": 3,
        "_require": 4,
    }


def test_a_function_that_is_gone_is_forgotten():
    def fn(x): ...

    get_call_parameters(fn, (1,), {})
    gone = weakref.ref(fn)
    del fn
    gc.collect()

    assert gone() is None


def test_defaults_are_listed():
    def fn(a, b=1, *, c=Field(default=2), d=Field()): ...

    assert get_parameter_defaults(fn) == {"b": 1, "c": 2}


# --- and back ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fn", "parameters", "expected"),
    [
        (
            everything,
            {"a": 1, "b": 2, "rest": (3,), "c": 4, "d": 5, "more": {"z": 6}},
            ((1, 2, 3), {"c": 4, "d": 5, "z": 6}),
        ),
        (everything, {"a": 1, "c": 4}, ((1,), {"c": 4})),
        (everything, {"b": 1, "c": 4}, ((), {"b": 1, "c": 4})),
        (positional, {"x": 1, "y": 2, "z": 3}, ((1, 2), {"z": 3})),
    ],
)
def test_parameters_become_arguments(fn, parameters, expected):
    assert parameters_to_args_kwargs(fn, parameters) == expected


def test_binding_and_calling_is_the_same_as_calling():
    parameters = get_call_parameters(everything, (1, 2, 3), {"c": 4, "z": 5})
    assert call_with_parameters(everything, parameters) == everything(1, 2, 3, c=4, z=5)


def test_parameters_that_do_not_exist_are_refused():
    with pytest.raises(SignatureMismatchError, match="'q'"):
        call_with_parameters(positional, {"x": 1, "q": 2})


def test_keyword_arguments_are_put_beside_the_parameters_and_back():
    parameters = {"a": 1, "c": 2, "more": {"q": 3}}
    assert explode_variadic_parameter(everything, parameters) == {"a": 1, "c": 2, "q": 3}
    assert collapse_variadic_parameters(everything, {"a": 1, "c": 2, "q": 3}) == parameters
    assert explode_variadic_parameter(positional, {"x": 1}) == {"x": 1}
    assert collapse_variadic_parameters(positional, {"x": 1}) == {"x": 1}


def test_extra_parameters_need_a_place_to_go():
    with pytest.raises(ValueError, match="'q'"):
        collapse_variadic_parameters(positional, {"x": 1, "q": 2})


def test_reserved_names_are_found():
    raise_for_reserved_arguments(positional, ["wait_for"])
    with pytest.raises(ReservedArgumentError, match="'z'"):
        raise_for_reserved_arguments(positional, ["wait_for", "z"])


def test_a_call_can_be_carried_to_another_process():
    offset = 10
    call = cloudpickle_wrapped_call(lambda x, *, y: x + y + offset, 1, y=2)
    assert cloudpickle.loads(pickle.loads(pickle.dumps(call))()) == 13


# --- mapping ----------------------------------------------------------------------------------------------------------


def mapped(x, y=5, **more): ...


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"x": [1, 2]}, [{"x": 1, "y": 5}, {"x": 2, "y": 5}]),
        ({"x": [1, 2], "y": range(2)}, [{"x": 1, "y": 0}, {"x": 2, "y": 1}]),
        ({"x": "ab", "y": [1]}, [{"x": "ab", "y": 1}]),
        ({"x": unmapped([1]), "y": [2, 3]}, [{"x": [1], "y": 2}, {"x": [1], "y": 3}]),
        ({"x": {"k": 1}}, [{"x": "k", "y": 5}]),
        ({"x": (i for i in range(2))}, [{"x": 0, "y": 5}, {"x": 1, "y": 5}]),
        ({"x": [1], "more": {"z": [3]}}, [{"x": 1, "y": 5, "more": {"z": 3}}]),
        ({"x": []}, []),
        ({"x": allow_failure([1]), "y": quote([2])}, [{"x": allow_failure(1), "y": quote(2)}]),
        ({"x": allow_failure(3), "y": [1]}, [{"x": allow_failure(3), "y": 1}]),
        ({"x": allow_failure(unmapped([3])), "y": [1]}, [{"x": allow_failure([3]), "y": 1}]),
        ({"x": unmapped(allow_failure([3])), "y": [1]}, [{"x": allow_failure([3]), "y": 1}]),
    ],
)
def test_mapped_parameters_become_those_of_the_children(parameters, expected):
    assert expand_mapping_parameters(mapped, parameters) == expected


def test_a_default_is_never_mapped():
    def fn(x, y=[1, 2]): ...

    assert expand_mapping_parameters(fn, {"x": [0]}) == [{"x": 0, "y": [1, 2]}]


def test_something_has_to_be_iterable():
    with pytest.raises(MappingMissingIterable, match="'ab'"):
        expand_mapping_parameters(mapped, {"x": "ab"})


def test_iterables_have_to_be_of_one_length():
    with pytest.raises(MappingLengthMismatch, match="'x': 1, 'y': 2"):
        expand_mapping_parameters(mapped, {"x": [1], "y": [1, 2]})
