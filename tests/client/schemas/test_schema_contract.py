"""Holds every model against the public surface that it has to have.

`tests/contract/schema_models.json` lists, for each public module, its names; for models the fields with their
defaults, for enumerations the members, for methods and functions the parameters.
"""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

CONTRACT = json.loads((Path(__file__).parents[2] / "contract" / "schema_models.json").read_text())

# There is one set of models, for clients and for the server. Where the two once differed, the one model has the fields
# of both; requests keep the defaults of the client, which say "not given"; and unknown criteria of filters are errors.
STRICTER = {
    "prefect.client.schemas.filters",
    "prefect.events.filters",
    "prefect.client.schemas.objects.WorkPoolStorageConfiguration",
}
ADDED_FIELDS = {
    "AutomationFilter": {"operator"},
    "AutomationFilterTags": {"operator"},
    "DeploymentFilter": {"flow_or_deployment_name", "paused"},
    "FlowFilter": {"deployment"},
    "FlowFilterId": {"not_any_"},
    "LogFilterTaskRunId": {"is_null_"},
    "TaskRunFilter": {"expected_start_time"},
    "TaskRunFilterFlowRunId": {"operator"},
    "Deployment": {"concurrency_limit_id", "concurrency_options", "version_id", "version_info"},
    "DeploymentCreate": {"global_concurrency_limit_id", "branch", "base", "root"},
    "DeploymentUpdate": {"global_concurrency_limit_id"},
    "DeploymentResponse": {"branch", "base", "root", "version_id", "version_info"},
    "FlowRun": {"work_pool_id", "work_pool_name"},
    "LogCreate": {"worker_id"},
    "State": {"created", "updated"},
    "WorkPool": {"active_slots"},
    "WorkQueue": {"active_slots", "status", "work_pool_name"},
    "Worker": {"status"},
}
OTHER_DEFAULTS = {
    ("prefect.client.schemas.objects", "WorkQueue", "work_pool_id"),
    ("prefect.client.schemas.responses", "FlowRunResponse", "work_pool_id"),
    ("prefect.events.schemas.events", "ReceivedEvent", "received"),
    ("prefect.server.events.schemas.events", "Event", "id"),
    ("prefect.server.events.schemas.events", "Event", "occurred"),
    ("prefect.server.events.schemas.events", "ReceivedEvent", "id"),
    ("prefect.server.events.schemas.events", "ReceivedEvent", "occurred"),
    ("prefect.server.schemas.core", "Deployment", "parameter_openapi_schema"),
    ("prefect.server.schemas.responses", "DeploymentResponse", "status"),
    ("prefect.server.schemas.states", "StateDetails", "deferred"),
}
OTHER_NAMES = {
    ("prefect.server.schemas.states", "StateBaseModel"),  # it only served an object-relational mapper
}
OTHER_PARAMETERS = {
    ("prefect.server.schemas.states", "State.result"),  # one `result`, which can also be told not to try again
}
OTHER_MEMBERS = {
    ("prefect.server.schemas.statuses", "DeploymentStatus"),  # the client's, which knows DISABLED
}

MODULES = sorted(CONTRACT)


def _entries(module: str, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """The names of a module that are of some kind and stand here, with what is said of each."""
    return [
        (name, entry)
        for name, entry in CONTRACT[module]["names"].items()
        if entry.get("kind") in kinds and (module, name) not in OTHER_NAMES
    ]


def _value(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _parameters(function: Any) -> list[tuple[str, str, str | None]]:
    return [
        (parameter.name, parameter.kind.name.lower(), _shown(parameter.default))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]


def _shown(default: Any) -> str | None:
    if default is inspect.Parameter.empty:
        return None
    return default.__name__ if isinstance(default, type) else repr(default)


def _expected(parameters: list[list[Any]]) -> list[tuple[str, str, str | None]]:
    return [(name, kind, default and default.rpartition("schemas.states.")[2]) for name, kind, default in parameters]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_can_be_imported(module: str):
    names = {name for name in CONTRACT[module]["names"] if (module, name) not in OTHER_NAMES}
    missing = {name for name in names if not hasattr(import_module(module), name)}
    assert not missing


@pytest.mark.parametrize("module", [module for module in MODULES if "all" in CONTRACT[module]])
def test_export_lists_are_the_public_ones(module: str):
    assert sorted(import_module(module).__all__) == CONTRACT[module]["all"]


@pytest.mark.parametrize("module", MODULES)
def test_names_with_two_homes_are_one_object(module: str):
    for name, entry in CONTRACT[module]["names"].items():
        home, _, other = entry.get("same_as", "").rpartition(".")
        if home.startswith("prefect."):
            assert _value(module, name) is _value(home, other), name


@pytest.mark.parametrize("module", MODULES)
def test_models_have_their_fields(module: str):
    for name, entry in _entries(module, "model"):
        expected, fields = set(entry["fields"]), set(_value(module, name).model_fields)
        assert expected <= fields, name
        assert fields - expected <= ADDED_FIELDS.get(name, set()), name


@pytest.mark.parametrize("module", MODULES)
def test_fields_have_their_defaults(module: str):
    requests = CONTRACT["prefect.client.schemas.actions"]["names"]
    for name, entry in _entries(module, "model"):
        # Requests keep the defaults of the client: they leave it to the server what a key means that is not given.
        if module == "prefect.server.schemas.actions" and name in requests:
            entry = requests[name]
        fields = _value(module, name).model_fields
        wrong = {
            field: fields[field]
            for field, default in entry["fields"].items()
            if (module, name, field) not in OTHER_DEFAULTS and not _has_default(fields[field], default)
        }
        assert not wrong, name


def _has_default(field: FieldInfo, expected: str) -> bool:
    if field.is_required() or expected == "required":
        return field.is_required() and expected == "required"
    if expected == "<computed>":
        return field.default_factory is not None
    default = field.get_default(call_default_factory=True)
    if expected.startswith("<"):
        return type(default).__name__ == expected.strip("<>").rpartition(".")[2]
    return expected in (repr(default), str(default))


@pytest.mark.parametrize("module", MODULES)
def test_models_treat_unknown_keys_as_they_should(module: str):
    for name, entry in _entries(module, "model"):
        expected = entry["extra"]
        if module in STRICTER or f"{module}.{name}" in STRICTER:
            expected = "ignore" if name == "FilterSet" else "forbid"
        assert _value(module, name).model_config.get("extra", "ignore") == expected, name


@pytest.mark.parametrize("module", MODULES)
def test_models_have_their_methods(module: str):
    for name, entry in _entries(module, "model"):
        model = _value(module, name)
        for member, expected in entry.get("members", {}).items():
            if expected == "property":
                assert isinstance(inspect.getattr_static(model, member), property), (name, member)
            elif (module, f"{name}.{member}") not in OTHER_PARAMETERS:
                assert _parameters(getattr(model, member)) == _expected(expected), (name, member)


@pytest.mark.parametrize("module", MODULES)
def test_classes_have_their_members(module: str):
    for name, entry in _entries(module, "class"):
        assert not [member for member in entry["members"] if not hasattr(_value(module, name), member)], name


@pytest.mark.parametrize("module", MODULES)
def test_enumerations_have_their_members(module: str):
    for name, entry in _entries(module, "enum"):
        enum = _value(module, name)
        found = [[member.name, member.value] for member in enum]
        if (module, name) in OTHER_MEMBERS:
            found = [member for member in found if member in entry["members"]]
        assert found == entry["members"], name
        assert all(hasattr(enum, method) for method in entry.get("methods", ())), name


@pytest.mark.parametrize("module", MODULES)
def test_functions_have_their_parameters(module: str):
    for name, entry in _entries(module, "function"):
        assert _parameters(_value(module, name)) == _expected(entry["params"]), name


@pytest.mark.parametrize("module", MODULES)
def test_constants_have_their_values(module: str):
    for name, entry in _entries(module, "constant"):
        if "value" in entry:
            assert repr(_value(module, name)) == entry["value"], name
