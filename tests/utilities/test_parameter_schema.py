"""The JSON schema of a function's parameters."""

import datetime
import enum
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from pydantic import v1 as pydantic_v1

from prefect.utilities.callables import (
    ParameterSchema,
    create_v2_schema,
    parameter_docstrings,
    parameter_schema,
    parameter_schema_from_entrypoint,
)


class Point(BaseModel):
    """A place."""

    x: int = 1
    label: str


class Size(enum.Enum):
    S = "s"
    L = "l"


class Opaque: ...


def properties(fn) -> dict[str, Any]:
    return parameter_schema(fn).properties


def test_a_function_without_parameters_has_an_empty_schema():
    schema = parameter_schema(lambda: None)
    assert schema.model_dump() == {
        "title": "Parameters",
        "type": "object",
        "properties": {},
        "required": [],
        "definitions": {},
    }
    assert "required" not in schema.model_dump_for_openapi()


def test_parameters_have_their_position_title_type_and_default():
    def fn(a, b: int, c: str = "x", *rest, d: int | None = None, **more): ...

    assert parameter_schema(fn).model_dump() == {
        "title": "Parameters",
        "type": "object",
        "properties": {
            "a": {"position": 0, "title": "a"},
            "b": {"position": 1, "title": "b", "type": "integer"},
            "c": {"position": 2, "title": "c", "type": "string", "default": "x"},
            "rest": {"position": 3, "title": "rest"},
            "d": {"position": 4, "title": "d", "anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "more": {"position": 5, "title": "more"},
        },
        "required": ["a", "b", "rest", "more"],
        "definitions": {},
    }


def test_models_and_enumerations_are_defined_once_and_referred_to():
    def fn(p: Point, many: list[Point], size: Size = Size.S, default: Point = Point(label="here")): ...

    schema = parameter_schema(fn)

    assert schema.properties["p"] == {"$ref": "#/definitions/Point", "position": 0, "title": "p"}
    assert schema.properties["many"]["items"] == {"$ref": "#/definitions/Point"}
    assert schema.properties["size"] == {"$ref": "#/definitions/Size", "position": 2, "title": "size", "default": "s"}
    assert schema.properties["default"]["default"] == {"x": 1, "label": "here"}
    assert schema.definitions["Point"]["required"] == ["label"]
    assert schema.definitions["Size"] == {"enum": ["s", "l"], "title": "Size", "type": "string"}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (Path, {"type": "string", "format": "path"}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (re.Pattern, {"type": "string", "format": "regex"}),
        (
            tuple[int, str],
            {"maxItems": 2, "minItems": 2, "type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
        ),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (list[Opaque], {"type": "array", "items": {}}),
        (Opaque | int, {"anyOf": [{}, {"type": "integer"}]}),
        (dict[str, Opaque], {"type": "object", "additionalProperties": True}),
        (Opaque, {}),
        (object, {}),
        (Callable[[int], int], {}),
        (type[int], {}),
        (
            Annotated[int, Field(gt=3, description="how many")],
            {"type": "integer", "exclusiveMinimum": 3, "description": "how many"},
        ),
        ("list[Nowhere]", {}),
        ("Point", {"$ref": "#/definitions/Point"}),
    ],
    ids=str,
)
def test_types_are_described_as_far_as_json_can(annotation, expected):
    def fn(x): ...

    fn.__annotations__["x"] = annotation
    assert properties(fn)["x"] == {**expected, "position": 0, "title": "x"}


def test_a_default_that_json_cannot_hold_is_left_out_but_counts():
    def fn(x: Opaque = Opaque()): ...

    schema = parameter_schema(fn)
    assert schema.properties["x"] == {"position": 0, "title": "x"}
    assert schema.required == []


def test_one_unknown_type_does_not_spoil_the_others():
    def fn(a: "Nowhere", b: int, c: list["Nowhere"]): ...  # noqa: F821

    assert properties(fn)["a"] == {"position": 0, "title": "a"}
    assert properties(fn)["b"]["type"] == "integer"
    assert "type" not in properties(fn)["c"] or properties(fn)["c"]["type"] == "array"


def test_what_a_field_says_is_kept():
    def fn(
        a: int = Field(3, title="How many", description="of them", json_schema_extra={"position": 9}, ge=2),
        b: int = Field(json_schema_extra={"unit": "m"}),
        c: list = Field(default_factory=list),
        d: int = Field(4, alias="other"),
    ): ...

    schema = parameter_schema(fn)

    assert schema.properties["a"] == {
        "type": "integer",
        "default": 3,
        "title": "How many",
        "description": "of them",
        "position": 9,
        "minimum": 2,
    }
    assert schema.properties["b"] == {"type": "integer", "title": "b", "position": 1, "unit": "m"}
    assert schema.properties["d"] == {"type": "integer", "title": "d", "position": 3, "default": 4}
    assert schema.required == ["b"]


def test_docstrings_describe_parameters_unless_fields_do():
    def fn(a, b: Point, c: int = Field(1, description="from the field"), **more):
        """Do it.

        Args:
            a: the first
                of them
            b (Point): where: exactly
            c: from the docstring
            **more: the rest
        """

    described = {name: entry.get("description") for name, entry in properties(fn).items()}
    assert described == {"a": "the first\nof them", "b": "where: exactly", "c": "from the field", "more": "the rest"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, {}),
        ("Nothing.", {}),
        ("D\n\nArguments:\n    x: a\nReturns:\n    y: b", {"x": "a"}),
        ("D\n\nargs:\n  x: a\n  y: b", {"x": "a", "y": "b"}),
        ("D\n\nArgs:\n    x: a\n\n        b\n    y (int, defaults to `3`): c", {"x": "a\n\nb", "y": "c"}),
        ("D\n\nArgs:\n    x - a\n    y: b", {"y": "b"}),
        (":param x: a", {}),
    ],
)
def test_docstrings_are_read_in_googles_style(text, expected):
    assert parameter_docstrings(text) == expected


def test_self_and_cls_are_left_out():
    class Owner:
        def method(self, a: int): ...

    assert properties(Owner.method) == {"a": {"position": 1, "title": "a", "type": "integer"}}
    assert properties(Owner().method) == {"a": {"position": 0, "title": "a", "type": "integer"}}


def test_a_parameter_may_have_any_name():
    def fn(schema: int, model_config=1, validate="x", copy=2, _private: int = 3, __very=4, json: dict = {}): ...

    schema = parameter_schema(fn)
    assert list(schema.properties) == ["schema", "model_config", "validate", "copy", "_private", "__very", "json"]
    assert schema.required == ["schema"]


def test_models_of_pydantic_1_are_described():
    class Old(pydantic_v1.BaseModel):
        a: int

    def fn(old: Old, x: int = 2): ...

    schema = parameter_schema(fn)
    assert schema.properties["old"]["allOf"] == [{"$ref": "#/definitions/Old"}]
    assert schema.properties["x"] == {"title": "x", "default": 2, "position": 1, "type": "integer"}
    assert schema.definitions["Old"]["required"] == ["a"]
    assert schema.required == ["old"]


def test_annotations_that_are_text_are_looked_up_where_the_function_is(tmp_path):
    script = tmp_path / "future.py"
    script.write_text(
        "from __future__ import annotations\n"
        "import json\n"
        "from pydantic import BaseModel\n"
        "from prefect.utilities.callables import parameter_schema\n"
        "class M(BaseModel):\n    a: int\n"
        "def make(T):\n"
        "    def fn(m: M, n: list[M] | None = None, t: T = 1) -> T: ...\n"
        "    return fn\n"
        "print(json.dumps(parameter_schema(make(int)).model_dump()))\n"
    )
    printed = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True).stdout
    schema = json.loads(printed)
    assert schema["properties"]["m"] == {"$ref": "#/definitions/M", "position": 0, "title": "m"}
    assert schema["properties"]["n"]["anyOf"][0] == {"type": "array", "items": {"$ref": "#/definitions/M"}}


def test_a_schema_can_be_made_of_fields():
    schema = create_v2_schema("Thing", model_fields={"a": (int, 1), "p": (Point, ...)})
    assert schema["properties"]["p"] == {"$ref": "#/definitions/Point"}
    assert "Point" in schema["definitions"]


def test_a_schema_holds_what_it_is_given():
    assert ParameterSchema(properties={"a": {}}).model_dump()["properties"] == {"a": {}}


# --- from source ------------------------------------------------------------------------------------------------------

SOURCE = '''
import missing_package
from pydantic import BaseModel

raise_if_run = missing_package.things

class M(BaseModel):
    a: int

if True:
    @missing_package.decorator
    async def conditional(y: int = 1): ...

def fn(x: int, y: str = "a", m: M = None, z: missing_package.T = missing_package.q, *rest: int, k: "M", **more):
    """Do it.

    Args:
        x: the first
    """

class Owner:
    def method(self, a: float): ...
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "flows.py"
    path.write_text(SOURCE)
    return path


def test_a_schema_is_read_from_source_that_does_not_load(script):
    schema = parameter_schema_from_entrypoint(f"{script}:fn")
    assert schema.properties["x"] == {"type": "integer", "position": 0, "title": "x", "description": "the first"}
    assert schema.properties["y"]["default"] == "a"
    assert schema.properties["m"] == {"$ref": "#/definitions/M", "position": 2, "title": "m", "default": None}
    assert schema.properties["z"] == {"position": 3, "title": "z", "default": None}
    assert schema.properties["k"]["$ref"] == "#/definitions/M"
    assert schema.required == ["x", "rest", "k", "more"]


def test_functions_are_found_in_classes_and_conditions(script):
    assert parameter_schema_from_entrypoint(f"{script}:Owner.method").properties["a"]["type"] == "number"
    assert parameter_schema_from_entrypoint(f"{script}:conditional").properties["y"]["default"] == 1


def test_a_module_is_found_by_its_name():
    assert "obj" in parameter_schema_from_entrypoint("json.dumps").properties
    assert "obj" in parameter_schema_from_entrypoint("json:dumps").properties


def test_entrypoints_that_lead_nowhere_are_refused(script):
    with pytest.raises(ValueError, match="Function nowhere not found"):
        parameter_schema_from_entrypoint(f"{script}:nowhere")
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        parameter_schema_from_entrypoint("nothing.py:fn")
    with pytest.raises(ValueError, match="neither of the form"):
        parameter_schema_from_entrypoint("nothing")
