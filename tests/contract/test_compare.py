"""The comparison itself: it has to see what differs."""

import copy

import pytest

from .compare import compare_module, published, published_modules, unexplained

MODULE = "prefect.serializers"


@pytest.fixture
def spec():
    return copy.deepcopy(published_modules()[MODULE])


def test_a_module_that_is_as_described_has_no_differences(spec):
    assert compare_module(MODULE, spec) == []


def test_all_modules_are_described():
    assert len(published_modules()) == 234
    assert published()["moved"]["prefect.client:get_client"] == "prefect.client.orchestration:get_client"


def change(path, value):
    def apply(spec):
        *parents, last = path
        for key in parents:
            spec = spec[key]
        if value is None:
            del spec[last]
        else:
            spec[last] = value

    return apply


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        (change(["names", "Nothing"], {"kind": "class"}), "prefect.serializers.Nothing"),
        (
            change(["names", "Serializer"], {"kind": "class", "same_as": "builtins.dict"}),
            "prefect.serializers.Serializer",
        ),
        (
            change(["names", "Serializer", "bases"], ["prefect.exceptions.PrefectException"]),
            "prefect.serializers.Serializer",
        ),
        (
            change(["names", "JSONSerializer", "fields", "jsonlib", "default"], "'orjson'"),
            "prefect.serializers.JSONSerializer.jsonlib",
        ),
        (change(["names", "JSONSerializer", "fields", "jsonlib"], None), "prefect.serializers.JSONSerializer.jsonlib"),
        (
            change(["names", "JSONSerializer", "fields", "colour"], {"required": True, "type": "str"}),
            "prefect.serializers.JSONSerializer.colour",
        ),
        (
            change(["names", "JSONSerializer", "members", "dumps", "params"], []),
            "prefect.serializers.JSONSerializer.dumps",
        ),
        (
            change(["names", "JSONSerializer", "members", "dumps", "kind"], "classmethod"),
            "prefect.serializers.JSONSerializer.dumps",
        ),
        (
            change(["names", "JSONSerializer", "members", "dumps", "async"], True),
            "prefect.serializers.JSONSerializer.dumps",
        ),
        (change(["names", "JSONSerializer", "config", "extra"], "allow"), "prefect.serializers.JSONSerializer"),
        (
            change(["names", "prefect_json_object_encoder", "params", 0, "kind"], "keyword_only"),
            "prefect.serializers.prefect_json_object_encoder(obj)",
        ),
        (
            change(["names", "prefect_json_object_encoder", "params", 0, "default"], "3"),
            "prefect.serializers.prefect_json_object_encoder(obj)",
        ),
        (
            change(["names", "prefect_json_object_encoder", "dual"], True),
            "prefect.serializers.prefect_json_object_encoder",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_is_found_and_placed(spec, changes, place):
    changes(spec)
    found = compare_module(MODULE, spec)
    assert [line.partition(": ")[0] for line in found] == [place]


def test_a_module_that_does_not_exist_is_a_difference():
    assert compare_module("prefect.nothing", {"names": {}}) == [
        "prefect.nothing: cannot be imported: ModuleNotFoundError: No module named 'prefect.nothing'"
    ]


def test_a_changed_default_of_a_parameter_is_found():
    spec = copy.deepcopy(published_modules()["prefect.utilities.names"])
    spec["names"]["obfuscate"]["params"][1]["default"] = "True"
    assert compare_module("prefect.utilities.names", spec) == [
        "prefect.utilities.names.obfuscate(show_tail): defaults to False instead of True"
    ]


def test_members_of_enumerations_and_values_of_constants_are_compared():
    spec = copy.deepcopy(published_modules()["prefect.utilities.templating"])
    spec["names"]["PlaceholderType"]["members"].append(["NEW", "new"])
    spec["names"]["ENV_VAR_PLACEHOLDER_PREFIX"]["value"] = "'%'"
    places = [line.partition(": ")[0] for line in compare_module("prefect.utilities.templating", spec)]
    assert "prefect.utilities.templating.PlaceholderType" in places
    assert "prefect.utilities.templating.ENV_VAR_PLACEHOLDER_PREFIX" in places


def test_exceptions_are_taken_out_and_must_be_needed():
    differences = ["a.b: is missing", "a.c: is missing"]
    assert unexplained(differences, {"a.b": "on purpose"}) == ["a.c: is missing"]
    assert unexplained(differences, {"a.b": "x", "a.c": "x"}) == []
    assert unexplained([], {"a.b": "x"}) == ["a.b: is listed as an exception, but does not differ"]
