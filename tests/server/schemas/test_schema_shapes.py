"""Holds the JSON shapes of requests and responses against the components of the REST API.

`tests/contract/schema_shapes.json` holds the components. A model may accept more than its component says (a request
with `null` where it means "not given"), and may know fields of which this server says nothing; it accepts nothing less.
"""

from __future__ import annotations

import json
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

COMPONENTS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "contract" / "schema_shapes.json").read_text())

MODULES = [
    "prefect.server.schemas.actions",
    "prefect.server.schemas.responses",
    "prefect.server.schemas.core",
    "prefect.server.schemas.filters",
    "prefect.server.schemas.sorting",
    "prefect.server.schemas.schedules",
    "prefect.server.schemas.states",
    "prefect.server.schemas.statuses",
    "prefect.server.schemas.graph",
    "prefect.server.schemas.ui",
    "prefect.server.events.schemas.automations",
    "prefect.server.events.schemas.events",
    "prefect.events.filters",
    "prefect.events.actions",
    "prefect.client.schemas.objects",
    "prefect.client.schemas.responses",
]
OTHER_NAMES = {"Event": "IncomingEvent"}

# Fields that only other servers fill, or that clients may send to them.
ADDED_FIELDS = {
    "DeploymentCreate": {"base", "branch", "root"},
    "DeploymentResponse": {"base", "branch", "root", "version_id", "version_info"},
    "FlowRun": {"work_pool_id", "work_pool_name"},
    "LogCreate": {"worker_id"},
    "State": {"created", "updated"},
    "WorkQueue": {"active_slots", "status", "work_pool_name"},
}
# Keys that may be missing, because another part of the server asks for them.
NOT_REQUIRED = {
    "BlockSchemaCreate": {"block_type_id"},
    "ReceivedEvent": {"id", "occurred"},  # in an answer it always is
}
# Of stored objects the API says that it always gives these.
ALWAYS_GIVEN = {"id", "created", "updated"}


def _model(component: str) -> Any:
    name = component.removesuffix("-Input").removesuffix("-Output")
    name = OTHER_NAMES.get(name, name)
    for module in map(import_module, MODULES):
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(component)


def _schema(component: str) -> dict[str, Any]:
    schema = _model(component).model_json_schema(ref_template="{model}")
    return schema if "$ref" not in schema else schema["$defs"][schema["$ref"]]


KEPT = {
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "type",
}


def _alternatives(schema: Any) -> frozenset[Any]:
    """What a value may be, in a form in which two ways to say the same are equal."""
    if schema is True or not schema:
        return frozenset({"anything"})
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2].removesuffix("-Input").removesuffix("-Output")
        return frozenset({("model", name)})
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return frozenset().union(*(_alternatives(each) for each in schema[key]))
    kept = {key: _number(value) for key, value in schema.items() if key in KEPT and not isinstance(value, list)}
    if kept.get("format") == "duration":
        kept = {"type": "number"}  # seconds, as JSON has it
    if "items" in schema:
        kept["items"] = _alternatives(schema["items"])
    if isinstance(values := schema.get("additionalProperties"), dict):
        kept["values"] = _alternatives(values)
    return frozenset({tuple(sorted(kept.items(), key=lambda item: item[0])) or "anything"})


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


MODEL_COMPONENTS = sorted(name for name, component in COMPONENTS.items() if "properties" in component)
ENUM_COMPONENTS = sorted(name for name, component in COMPONENTS.items() if "enum" in component)


@pytest.mark.parametrize("component", MODEL_COMPONENTS)
def test_models_have_the_keys_of_the_api(component: str):
    expected = set(COMPONENTS[component]["properties"])
    keys = set(_schema(component)["properties"])
    assert expected <= keys
    assert keys - expected == ADDED_FIELDS.get(component, set())


@pytest.mark.parametrize("component", MODEL_COMPONENTS)
def test_models_ask_for_the_keys_that_the_api_requires(component: str):
    expected = set(COMPONENTS[component].get("required", ())) - ALWAYS_GIVEN
    required = set(_schema(component).get("required", ())) - ALWAYS_GIVEN
    assert required == expected - NOT_REQUIRED.get(component, set())


@pytest.mark.parametrize("component", MODEL_COMPONENTS)
def test_models_accept_the_values_of_the_api(component: str):
    nothing = (("type", "null"),)
    specification = _alternatives(COMPONENTS["ResourceSpecification"])
    for key, expected in COMPONENTS[component]["properties"].items():
        wanted, found = _alternatives(expected), _alternatives(_schema(component)["properties"][key])
        if "anything" in found:
            continue
        if key == "labels":
            wanted -= {nothing}  # read as no labels
        if key in ("match", "match_related"):
            wanted = {each for each in wanted if each not in specification}
            if key == "match_related":
                continue  # a specification, or a list of them, in both of their forms
        assert wanted <= found, key


@pytest.mark.parametrize(
    "component", [name for name in MODEL_COMPONENTS if name not in ("Resource", "RelatedResource")]
)
def test_models_refuse_unknown_keys_where_the_api_does(component: str):
    refuses = COMPONENTS[component].get("additionalProperties") is False
    assert (_schema(component).get("additionalProperties") is False) == refuses


@pytest.mark.parametrize("component", ENUM_COMPONENTS)
def test_enumerations_have_the_values_of_the_api(component: str):
    model = _model(component)
    assert issubclass(model, Enum)
    values = [member.value for member in model]
    if component == "DeploymentStatus":
        values.remove("DISABLED")  # only the cloud product has it
    assert values == COMPONENTS[component]["enum"]


@pytest.mark.parametrize("component", ["Resource", "RelatedResource", "ResourceSpecification"])
def test_maps_have_the_values_of_the_api(component: str):
    assert _alternatives(_schema(component)) == _alternatives(COMPONENTS[component])
