"""Additions to models."""

from typing import Generic, TypeVar

import cloudpickle
import pydantic
import pytest
from pydantic import BaseModel, Secret, SecretStr

from prefect.utilities.pydantic import (
    PartialModel,
    add_cloudpickle_reduction,
    add_type_dispatch,
    custom_pydantic_encoder,
    get_class_fields_only,
    handle_secret_render,
    parse_obj_as,
)

T = TypeVar("T")


class Point(BaseModel):
    x: int
    y: int = 0


class Space(Point):
    z: int = 0


@add_type_dispatch
class Shape(BaseModel, Generic[T]):
    type: str


class Circle(Shape[T]):
    type: str = "circle"
    radius: float = 1


class Ring(Circle[T]):
    type: str = "ring"
    width: float = 1


class Drawing(BaseModel):
    shape: Shape
    of_numbers: Shape[int] | None = None


# --- choosing by type -------------------------------------------------------------------------------------------------


def test_the_type_chooses_the_class():
    assert Shape(type="circle", radius=2) == Circle(radius=2)
    assert type(Shape.model_validate({"type": "ring"})) is Ring
    assert type(Circle(type="ring")) is Ring


def test_fields_of_the_base_take_any_of_its_classes():
    drawing = Drawing(shape={"type": "ring", "width": "3"}, of_numbers={"type": "circle"})
    assert drawing.shape == Ring(width=3)
    assert drawing.of_numbers == Circle()
    ring = Ring()
    assert Drawing(shape=ring).shape is ring


@pytest.mark.parametrize("data", [{"type": "square"}, {"type": 3}, {}, {"type": "circle", "radius": "wide"}])
def test_data_that_fits_no_class_is_an_error(data):
    with pytest.raises(pydantic.ValidationError):
        Shape.model_validate(data)
    with pytest.raises(pydantic.ValidationError):
        Drawing(shape=data)


def test_a_class_takes_no_type_of_a_class_beside_it():
    with pytest.raises(pydantic.ValidationError, match="is that of Circle"):
        Ring(type="circle")


def test_only_models_with_a_type_are_dispatched():
    with pytest.raises(ValueError, match="needs a field `type`"):
        add_type_dispatch(Point)


# --- pickling ---------------------------------------------------------------------------------------------------------


@add_cloudpickle_reduction
class Travelling(BaseModel):
    x: int


@add_cloudpickle_reduction(exclude={"secret"})
class Discreet(BaseModel):
    x: int
    secret: str = "none"


def test_models_travel_as_json():
    assert cloudpickle.loads(cloudpickle.dumps(Travelling(x=1))) == Travelling(x=1)
    assert Travelling(x=1).__reduce__()[1][1] == '{"x":1}'


def test_fields_can_stay_at_home():
    assert cloudpickle.loads(cloudpickle.dumps(Discreet(x=1, secret="s"))) == Discreet(x=1)


# --- in steps ---------------------------------------------------------------------------------------------------------


def test_a_model_is_built_in_steps():
    partial = PartialModel(Point, x=1)
    partial.y = 2
    assert partial.finalize() == Point(x=1, y=2)
    assert PartialModel(Point).finalize(x=3) == Point(x=3)


def test_a_field_is_set_once_and_has_to_exist():
    partial = PartialModel(Point, x=1)
    with pytest.raises(ValueError, match="'x' has already been set"):
        partial.x = 2
    with pytest.raises(ValueError, match="'x' has already been set"):
        partial.finalize(x=2)
    with pytest.raises(ValueError, match="'z' is not present"):
        partial.z = 2
    with pytest.raises(ValueError, match="'z' is not present"):
        PartialModel(Point, z=1)


# --- values -----------------------------------------------------------------------------------------------------------


def test_data_is_validated_as_any_type():
    assert parse_obj_as(list[Point], [{"x": "1"}]) == [Point(x=1)]
    assert parse_obj_as(list[int], "[1]", mode="json") == [1]
    assert parse_obj_as(dict[str, int], {"a": "1"}, mode="strings") == {"a": 1}
    with pytest.raises(pydantic.ValidationError):
        parse_obj_as(int, "x")


def test_the_nearest_encoder_encodes():
    assert custom_pydantic_encoder({Point: lambda point: "a point"}, Space(x=1)) == "a point"
    assert custom_pydantic_encoder({}, Point(x=1)) == {"x": 1, "y": 0}
    assert custom_pydantic_encoder({}, {1}) == [1]


def test_own_fields_are_told_from_inherited_ones():
    assert get_class_fields_only(Space) == {"z"}
    assert get_class_fields_only(Point) == {"x", "y"}


class Login(BaseModel):
    user: str = "me"
    password: SecretStr = SecretStr("hush")


def test_secrets_are_shown_on_request_only():
    show = {"include_secrets": True}
    assert handle_secret_render(SecretStr("hush"), show) == "hush"
    assert handle_secret_render(Secret(3), show) == 3
    assert "hush" not in str(handle_secret_render(SecretStr("hush"), {}))
    assert handle_secret_render(Login(), show) == {"user": "me", "password": "hush"}
    assert handle_secret_render(Login(), {}) == {"user": "me", "password": "********"}
    assert handle_secret_render({"a": [SecretStr("hush")]}, show) == {"a": ["hush"]}
    assert handle_secret_render("plain", {}) == "plain"
