"""Describes the API as an OpenAPI document, made from the route table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, cast

from pydantic import Field, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from prefect._version import __version__
from prefect.server.routes import Route
from prefect.server.routes._table import Parameter

_REF = "#/components/schemas/{model}"
_HOMES = (
    "prefect.server.schemas.responses",
    "prefect.server.schemas.graph",
    "prefect.server.schemas.core",
    "prefect.server.schemas.ui",
    "prefect.events.schemas.events",
    "prefect.server.api._described",
)
"""Where the models stand that routes name by `answers`."""
_STORED = frozenset({"id", "created", "updated"})
_UNVERSIONED = frozenset({"/health", "/version"})
_VERSION_HEADER = {
    "in": "header",
    "name": "x-prefect-api-version",
    "required": False,
    "schema": {"type": "string"},
}
_UI_HEADER = {
    "in": "header",
    "name": "x-prefect-ui",
    "required": False,
    "schema": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": False},
}
_UI_MAY_ASK = frozenset({"/work_queues/{id}/get_runs"})
"""Without the header, what the user interface asks for would count as the poll of a worker."""
_PROBLEM = {
    "properties": {
        "exception_message": {"type": "string"},
        "exception_detail": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "input": {},
                    "ctx": {"type": "object"},
                },
                "required": ["type", "loc", "msg"],
            },
        },
        "request_body": {},
    },
    "required": ["exception_message", "exception_detail", "request_body"],
    "type": "object",
}
_REFUSAL = {
    "description": "What a refused request is answered with.",
    "anyOf": [
        {"type": "object", "properties": {"detail": {}}, "required": ["detail"]},
        {
            "type": "object",
            "properties": {"exception_message": {"type": "string"}},
            "required": ["exception_message"],
        },
    ],
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of some routes; paths in it stand below the root of the API."""
    operations = [_Operation(route) for route in routes]
    wanted = [each for operation in operations for each in operation.types]
    schemas, rest = TypeAdapter.json_schemas(cast("Any", wanted), ref_template=_REF, schema_generator=_Generator)
    components = rest.get("$defs", {})
    _say_what_is_always_there(components)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        found = {name: schemas[operation.key(name), mode] for name, mode in operation.modes.items()}
        paths.setdefault(operation.route.path, {})[operation.route.method.lower()] = operation.describe(found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Prefect REST API", "version": __version__},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**dict(sorted(components.items())), "HTTPValidationError": _PROBLEM, "Refusal": _REFUSAL}
        },
    }


class _Generator(GenerateJsonSchema):
    """Describes values as they travel: durations are numbers of seconds."""

    def timedelta_schema(self, schema: Any) -> dict[str, Any]:
        return {"type": "number", "format": "time-delta"}


def _say_what_is_always_there(schemas: dict[str, dict[str, Any]]) -> None:
    # The client makes these models without them; what the API hands out has been stored, and has them.
    for schema in schemas.values():
        if _STORED <= schema.get("properties", {}).keys():
            schema["required"] = sorted(_STORED | set(schema.get("required", ())))


class _Operation:
    """One route on its way into the document: the types that need schemas, and then its description."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.modes: dict[str, JsonSchemaMode] = {}
        self.types: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
        self._in_url = [each for each in route.parameters if each.source in ("path", "query")]
        for each in self._in_url:
            self._want(each.name, "validation", each.annotation)
        self._body = _body_type(route)
        if self._body is not None:
            self._want("the body", "validation", self._body)
        if route.status != 204:
            self._want("the answer", "serialization", _answer_type(route))

    def key(self, name: str) -> str:
        """Names one of the types of this operation among those of all."""
        return f"{self.route.method} {self.route.path} {name}"

    def _want(self, name: str, mode: JsonSchemaMode, annotation: Any) -> None:
        self.modes[name] = mode
        self.types.append((self.key(name), mode, TypeAdapter(annotation)))

    def describe(self, schemas: dict[str, Any]) -> dict[str, Any]:
        """The operation as it stands in the document."""
        route = self.route
        parameters = [_describe_parameter(each, schemas[each.name]) for each in self._in_url]
        if route.path in _UI_MAY_ASK:
            parameters.append(_UI_HEADER)
        if route.path not in _UNVERSIONED:
            parameters.append(_VERSION_HEADER)
        answers: dict[str, dict[str, Any]] = {}
        for status in (route.status, *route.also):
            answer = answers[str(status)] = {"description": "Successful Response"}
            if status != 204:
                answer["content"] = {route.media_type: {"schema": schemas["the answer"]}}
        described: dict[str, Any] = {
            "operationId": route.operation_id,
            "summary": (route.operation.__doc__ or "").strip().partition("\n")[0],
            "parameters": parameters,
            "responses": answers,
        }
        if route.tags:
            described["tags"] = list(route.tags)
        if self._body is not None:
            body: dict[str, Any] = {"content": {"application/json": {"schema": schemas["the body"]}}}
            if any(each.is_required for each in _body_parameters(route)):
                body["required"] = True
            described["requestBody"] = body
        refusal = {"$ref": _REF.format(model="Refusal")}
        if parameters or self._body is not None:
            problem = {"$ref": _REF.format(model="HTTPValidationError")}
            described["responses"]["422"] = _refused("Validation Error", {"anyOf": [problem, refusal]})
        # Any request may be refused, as for its headers, and most for what they name.
        described["responses"]["4XX"] = _refused("Refused", refusal)
        return described


def _refused(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _describe_parameter(parameter: Parameter, schema: dict[str, Any]) -> dict[str, Any]:
    described = {"in": parameter.source, "name": parameter.wire_name, "required": parameter.is_required}
    if not parameter.is_required and parameter.default is not None:
        schema = {**schema, "default": parameter.adapter.dump_python(parameter.default, mode="json")}
    return {**described, "schema": schema}


def _body_parameters(route: Route) -> list[Parameter]:
    return [each for each in route.parameters if each.source in ("body", "whole")]


def _body_type(route: Route) -> Any:
    """The type of the body; None when there is none."""
    parameters = _body_parameters(route)
    if not parameters:
        return None
    if parameters[0].source == "whole":
        return parameters[0].annotation
    # By alias, because a key may have the name of something that every model has, such as `schema`.
    fields: dict[str, Any] = {
        f"{each.name}_": (each.annotation, Field(alias=each.wire_name, **_default_of(each))) for each in parameters
    }
    return create_model(f"Body_{route.operation_id}", **fields)


def _default_of(parameter: Parameter) -> dict[str, Any]:
    return {} if parameter.is_required else {"default": parameter.default}


def _answer_type(route: Route) -> Any:
    if route.answers is None:
        has_schema = route.media_type == "application/json" and route.response_type not in (None, type(None))
        return route.response_type if has_schema else Any
    of_many = re.fullmatch(r"list\[(\w+)]", route.answers)
    model = _model_named(of_many[1] if of_many else route.answers)
    return list[model] if of_many else model


def _model_named(name: str) -> Any:
    """The model of a name; anything at all where there is none, as the answer is made by hand."""
    found = (getattr(import_module(home), name, None) for home in _HOMES)
    return next((model for model in found if model is not None), Any)
