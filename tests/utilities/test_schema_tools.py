"""Hydrating and validating parameters."""

import asyncio
from types import SimpleNamespace

import pytest

from prefect.utilities.schema_tools import CircularSchemaRefError, ValidationError, hydrate, is_valid_schema, validate
from prefect.utilities.schema_tools.hydration import (
    HydrationContext,
    HydrationError,
    InvalidJinja,
    InvalidJSON,
    TemplateNotFound,
    ValidJinja,
    ValueNotFound,
    VariableNameNotFound,
    WorkspaceVariable,
    WorkspaceVariableNotFound,
    call_handler,
    handler,
)
from prefect.utilities.schema_tools.validation import (
    build_error_obj,
    is_valid,
    preprocess_schema,
    prioritize_placeholder_errors,
)

KIND = "__prefect_kind"
RENDERING = HydrationContext(
    render_jinja=True,
    render_workspace_variables=True,
    jinja_context={"a": 1},
    workspace_variables={"v": "VAL", "d": {"k": 1}},
)
CHECKING = HydrationContext()


# --- hydration --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rendered", "checked"),
    [
        ({KIND: "none", "value": 1}, 1, 1),
        ({KIND: None, "value": 1}, 1, 1),
        ({KIND: "none"}, ValueNotFound(), ValueNotFound()),
        ({KIND: "json", "value": '{"a": [1]}'}, {"a": [1]}, {"a": [1]}),
        ({KIND: "json", "value": 3}, 3, 3),
        ({KIND: "jinja", "template": "{{ a }}!"}, "1!", ValidJinja("{{ a }}!")),
        ({KIND: "jinja", "template": "{{ b.c.d }}"}, "", ValidJinja("{{ b.c.d }}")),
        ({KIND: "jinja"}, TemplateNotFound(), TemplateNotFound()),
        ({KIND: "workspace_variable", "variable_name": "v"}, "VAL", WorkspaceVariable("v")),
        ({KIND: "workspace_variable", "variable_name": "d"}, {"k": 1}, WorkspaceVariable("d")),
        ({KIND: "workspace_variable", "variable_name": "w"}, WorkspaceVariableNotFound("w"), WorkspaceVariable("w")),
        ({KIND: "something_new", "value": 4}, 4, 4),
        ({KIND: "something_new"}, None, None),
        ({KIND: ["odd"], "value": 4}, 4, 4),
        (
            {KIND: "json", "value": {KIND: "jinja", "template": '{"q": {{ a }} }'}},
            {"q": 1},
            ValidJinja('{"q": {{ a }} }'),
        ),
        ({KIND: "workspace_variable", "variable_name": {KIND: "none", "value": "v"}}, "VAL", WorkspaceVariable("v")),
        ({KIND: "none", "value": {"y": {KIND: "json", "value": "1"}}}, {"y": 1}, {"y": 1}),
    ],
    ids=str,
)
def test_objects_that_stand_for_values_are_replaced(value, rendered, checked):
    assert hydrate({"x": value, "plain": 1}, RENDERING) == {"x": rendered, "plain": 1}
    assert hydrate({"nested": [{"x": value}]}, CHECKING) == {"nested": [{"x": checked}]}


@pytest.mark.parametrize("value", [{KIND: "json"}, {KIND: "workspace_variable"}])
def test_objects_without_content_are_left_out(value):
    assert hydrate({"x": value, "list": [value, 1]}) == {"list": [1]}


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({KIND: "none"}, ValueNotFound, "Missing 'value' key in __prefect object"),
        ({KIND: "json", "value": "{"}, InvalidJSON, "Invalid JSON: Expecting property name"),
        ({KIND: "jinja", "template": "{{ a "}, InvalidJinja, "Invalid jinja: unexpected end of template"),
        ({KIND: "jinja", "template": 3}, InvalidJinja, "Invalid jinja: a template has to be text, not 3"),
        ({KIND: "jinja"}, TemplateNotFound, "Missing 'template' key in __prefect object"),
        (
            {KIND: "workspace_variable", "variable_name": "w"},
            WorkspaceVariableNotFound,
            "Variable 'w' not found in workspace.",
        ),
        ({KIND: "json", "value": {KIND: "none"}}, ValueNotFound, "Missing 'value' key"),
    ],
    ids=str,
)
def test_errors_are_raised_on_request(value, error, message):
    context = HydrationContext(raise_on_error=True, render_jinja=True, render_workspace_variables=True)
    with pytest.raises(error, match=message):
        hydrate({"x": value}, context)
    with pytest.raises(HydrationError):
        hydrate({"x": [value]}, context)


def test_errors_say_what_they_are():
    assert str(VariableNameNotFound()) == "Missing 'variable_name' key in __prefect object"
    assert repr(InvalidJSON("x")) == "InvalidJSON('x')"
    assert InvalidJSON("x") == InvalidJSON("x") != InvalidJSON("y")
    assert InvalidJSON("x").is_error and not ValidJinja("x").is_error


def test_a_kind_can_be_added():
    @handler("doubled")
    def double(obj, ctx):
        return obj["value"] * 2

    assert hydrate({"x": {KIND: "doubled", "value": 2}}) == {"x": 4}
    assert call_handler("doubled", {"value": 3}, HydrationContext()) == 6


def test_a_context_is_filled_from_a_store():
    async def read_variables():
        return [SimpleNamespace(name="v", value=1)]

    store = SimpleNamespace(read_variables=read_variables)
    context = asyncio.run(HydrationContext.build(store, render_workspace_variables=True))
    assert context.workspace_variables == {"v": 1}
    assert asyncio.run(HydrationContext.build(store)).workspace_variables == {}


# --- validation -------------------------------------------------------------------------------------------------------

SCHEMA = {
    "title": "Parameters",
    "type": "object",
    "properties": {
        "a": {"type": "integer"},
        "b": {"type": "string"},
        "c": {"$ref": "#/definitions/Point"},
        "d": {"type": "integer", "default": 3},
        "l": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}]},
        "when": {"type": "string", "format": "date-time"},
    },
    "required": ["a"],
    "definitions": {"Point": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}},
}


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"a": 1}, []),
        ({}, [[]]),
        ({"a": "x"}, [["a"]]),
        ({"a": None}, [["a"]]),
        ({"a": 1, "b": None}, []),
        ({"a": 1, "d": None}, [["d"]]),
        ({"a": 1, "c": {"x": "q"}}, [["c", "x"]]),
        ({"a": 1, "c": {}}, [["c"]]),
        ({"a": 1, "unknown": 3}, []),
        ({"a": 1, "l": [1, "x"]}, []),
        ({"a": 1, "l": ["x", 1]}, [["l", 0], ["l", 1]]),
        ({"a": 1, "when": "2020-01-02T03:04:05Z"}, []),
        ({"a": 1, "when": "2020-01-02t03:04:05.678+01:00"}, []),
        ({"a": 1, "when": "2020-01-02T03:04:05"}, []),
        ({"a": 1, "when": "2020-01-02 03:04:05.678"}, []),
        ({"a": 1, "when": "2020-13-02T03:04:05Z"}, [["when"]]),
        ({"a": 1, "when": "2020-01-02"}, [["when"]]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_listed(data, paths):
    assert [list(error.absolute_path) for error in validate(data, SCHEMA)] == paths
    assert is_valid(data, SCHEMA) is not bool(paths)


def test_required_properties_need_not_be_there():
    assert validate({"c": {}}, SCHEMA, ignore_required=True) == []


def test_a_property_may_be_called_required():
    schema = {"type": "object", "properties": {"required": {"type": "integer"}}, "required": ["required"]}
    assert validate({}, schema, ignore_required=True) == []
    assert len(validate({"required": "x"}, schema, ignore_required=True)) == 1


def test_properties_with_a_default_may_be_none_on_request():
    assert validate({"a": 1, "d": None}, SCHEMA, allow_none_with_default=True) == []


def test_a_schema_may_be_taken_as_it_is():
    assert len(validate({"a": 1, "b": None}, SCHEMA, preprocess=False)) == 1


def test_the_schema_that_is_given_is_not_changed():
    before = repr(SCHEMA)
    validate({"a": 1}, SCHEMA, ignore_required=True, allow_none_with_default=True)
    assert repr(SCHEMA) == before
    assert preprocess_schema(SCHEMA)["properties"]["b"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_a_misfit_is_raised_on_request():
    with pytest.raises(ValidationError, match="Validation failed for field 'c.x'. Failure reason: 'q' is not of type"):
        validate({"a": 1, "c": {"x": "q"}}, SCHEMA, raise_on_error=True)
    assert validate({"a": 1}, SCHEMA, raise_on_error=True) == []


def test_a_schema_that_refers_to_itself_without_end_is_an_error():
    schema = {"properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"$ref": "#/definitions/A"}}}
    with pytest.raises(CircularSchemaRefError, match="refers to itself"):
        validate({"a": 1}, schema)


def test_a_schema_may_be_recursive():
    schema = {
        "properties": {"a": {"$ref": "#/definitions/Node"}},
        "definitions": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Node"}}}},
    }
    assert validate({"a": {"next": {"next": {}}}}, schema) == []
    assert len(validate({"a": {"next": {"next": 3}}}, schema)) == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/definitions/Nowhere"}}},
        {"properties": {"a": {"type": "nonsense"}}},
        {"properties": 3},
        {"properties": {"a": {"pattern": "("}}, "type": "object"},
    ],
    ids=str,
)
def test_a_schema_that_is_not_in_order_is_an_error_and_not_a_crash(schema):
    with pytest.raises(ValidationError):
        validate({"a": "x"}, schema)


@pytest.mark.parametrize("schema", [SCHEMA, {}, None])
def test_schemas_are_recognised(schema):
    is_valid_schema(schema)


@pytest.mark.parametrize("schema", [3, [], {"type": "nonsense"}, {"properties": 3}, {"required": "a"}], ids=str)
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(ValueError, match="Invalid schema"):
        is_valid_schema(schema)


@pytest.mark.parametrize("value", [ValidJinja("{{ x }}"), WorkspaceVariable("v")])
def test_values_that_are_not_known_yet_fit_everywhere(value):
    assert validate({"a": value, "b": value, "c": value, "l": [value]}, SCHEMA) == []
    assert validate({"a": 1, "c": {"x": value}}, SCHEMA) == []


def test_values_that_cannot_be_had_are_reported_by_their_errors_only():
    errors = validate({"a": InvalidJSON("boo"), "c": {"x": ValueNotFound()}}, SCHEMA)
    assert [(list(error.absolute_path), error.message) for error in errors] == [
        (["a"], "Invalid JSON: boo"),
        (["c", "x"], "Missing 'value' key in __prefect object"),
    ]
    assert prioritize_placeholder_errors(errors) == errors
    with pytest.raises(ValidationError):
        validate({"a": InvalidJSON("boo")}, SCHEMA, raise_on_error=True)


def test_errors_are_nested_for_a_form_to_show():
    data = {"b": 3, "c": {"x": "q"}, "l": ["x", "y"]}
    assert build_error_obj(validate(data, SCHEMA)) == {
        "valid": False,
        "errors": [
            {"property": "b", "errors": ["3 is not valid under any of the given schemas"]},
            {"property": "c", "errors": [{"property": "x", "errors": ["'q' is not of type 'integer'"]}]},
            {"property": "l", "errors": [{"index": 0, "errors": ["'x' is not of type 'integer'"]}]},
            {"property": "a", "errors": ["'a' is a required property"]},
        ],
    }
    assert build_error_obj([]) == {"valid": True, "errors": []}
    assert build_error_obj(validate([], SCHEMA))["errors"] == ["[] is not of type 'object'"]


def test_errors_of_one_property_are_put_together():
    schema = {"properties": {"c": {"properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}}}
    errors = build_error_obj(validate({"c": {"x": "q", "y": "q"}}, schema))["errors"]
    assert [entry["property"] for entry in errors[0]["errors"]] == ["x", "y"]
    assert len(errors) == 1
