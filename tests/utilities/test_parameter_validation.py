"""Validating the parameters of a call."""

from __future__ import annotations

import datetime
import functools

import pytest
from pydantic import BaseModel, Field
from pydantic import v1 as pydantic_v1

from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import get_call_parameters, validate_call_parameters


class Point(BaseModel):
    x: int


class Old(pydantic_v1.BaseModel):
    x: int


class Opaque: ...


def validated(fn, *args, **kwargs):
    return validate_call_parameters(fn, get_call_parameters(fn, args, kwargs))


def test_values_are_coerced_to_the_annotations():
    def fn(a: int, p: Point, t: datetime.datetime, many: list[Point], plain, u: int | str = "1"): ...

    result = validated(fn, "5", {"x": "1"}, "2020-01-02T03:04:05Z", [{"x": 2}], "5")

    assert result["a"] == 5
    assert result["p"] == Point(x=1)
    assert result["t"] == datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    assert result["many"] == [Point(x=2)]
    assert result["plain"] == "5"
    assert result["u"] == "1"


def test_defaults_are_coerced_too():
    def fn(p: Point = {"x": 1}, n: float = 2): ...

    assert validated(fn) == {"p": Point(x=1), "n": 2.0}
    assert isinstance(validated(fn)["n"], float)


def test_parameters_that_were_not_given_get_their_defaults():
    def fn(a: int, b: str = "x", *rest, **more): ...

    assert validate_call_parameters(fn, {"a": "1"}) == {"a": 1, "b": "x", "rest": (), "more": {}}


def test_each_misfit_has_a_line():
    def fn(a: int, p: Point, c: int = Field(3, ge=2)): ...

    with pytest.raises(ParameterTypeError) as caught:
        validated(fn, "x", {"x": "y"}, 1)

    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == [" - a", " - p.x", " - c"]


def test_a_missing_value_is_a_misfit():
    def fn(a: int): ...

    with pytest.raises(ParameterTypeError, match="a: Field required"):
        validate_call_parameters(fn, {})


def test_unknown_types_are_checked_by_their_class():
    def fn(x: Opaque): ...

    value = Opaque()
    assert validated(fn, value)["x"] is value
    with pytest.raises(ParameterTypeError, match="instance of Opaque"):
        validated(fn, 3)


def test_types_that_do_not_exist_at_run_time_are_not_checked():
    def fn(x: Nowhere, y: list[Nowhere], z: int): ...  # noqa: F821

    assert validated(fn, 1, 2, "3") == {"x": 1, "y": 2, "z": 3}


def test_a_type_inside_that_does_not_exist_leaves_the_others_checked():
    def fn(x, z: int): ...

    fn.__annotations__["x"] = list["Nowhere"]  # noqa: F821
    assert validated(fn, [1], "3") == {"x": [1], "z": 3}


def test_star_arguments_pass_unchecked():
    def fn(*rest: int, **more: int): ...

    assert validated(fn, "a", k="b") == {"rest": ("a",), "more": {"k": "b"}}


def test_a_parameter_may_have_any_name_and_any_alias():
    def fn(json: int, _private: int, model_config: int, self: int, renamed: int = Field(4, alias="other")): ...

    assert validated(fn, "1", "2", "3", "4", renamed="5") == {
        "json": 1,
        "_private": 2,
        "model_config": 3,
        "self": 4,
        "renamed": 5,
    }


def test_methods_and_partials_are_validated():
    class Owner:
        def method(self, x: int): ...

    def fn(a: int, b: int): ...

    owner = Owner()
    assert validated(owner.method, "1") == {"x": 1}
    assert validated(Owner.method, owner, "1") == {"self": owner, "x": 1}
    assert validated(functools.partial(fn, 1), "2") == {"b": 2}


def test_values_that_need_no_coercion_are_passed_as_they_are():
    def fn(anything, p: Point): ...

    value, point = object(), Point(x=1)
    result = validated(fn, value, point)
    assert result["anything"] is value
    assert result["p"] is point


def test_models_of_pydantic_1_are_validated_by_it():
    def fn(old: Old, x: int = 2): ...

    assert validated(fn, {"x": "1"}) == {"old": Old(x=1), "x": 2}
    assert validated(fn, Old(x=1), "3") == {"old": Old(x=1), "x": 3}
    with pytest.raises(ParameterTypeError, match=r"old\.x"):
        validated(fn, {"x": "q"})


def test_the_two_pydantics_are_not_mixed():
    def fn(old: Old, new): ...

    assert validated(fn, {"x": 1}, 1) == {"old": Old(x=1), "new": 1}
    with pytest.raises(ParameterTypeError, match=r"v2: \['new'\]"):
        validated(fn, Old(x=1), Point(x=1))


def test_a_function_is_validated_by_the_pydantic_of_its_values():
    def fn(anything, x: int = 1): ...

    assert validated(fn, 1, "2") == {"anything": 1, "x": 2}
    assert validated(fn, Old(x=1), "2") == {"anything": Old(x=1), "x": 2}
    assert validated(fn, Point(x=1), "2") == {"anything": Point(x=1), "x": 2}
