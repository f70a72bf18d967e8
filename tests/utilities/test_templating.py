"""Placeholders in nested data."""

import logging
from types import SimpleNamespace
from uuid import UUID

import pytest

from prefect.exceptions import ObjectNotFound
from prefect.utilities.annotations import NotSet
from prefect.utilities.templating import (
    Placeholder,
    PlaceholderType,
    apply_values,
    determine_placeholder_type,
    find_placeholders,
    resolve_block_document_references,
    resolve_variables,
)

VALUES = {"a": 1, "b": {"c": [1, 2]}, "s": "text", "none": None, "yes": True}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a", PlaceholderType.STANDARD),
        ("prefect.flow_run.name", PlaceholderType.STANDARD),
        ("prefect.blocks.secret.mine", PlaceholderType.BLOCK_DOCUMENT),
        ("prefect.variables.mine", PlaceholderType.VARIABLE),
        ("$HOME", PlaceholderType.ENV_VAR),
    ],
)
def test_placeholders_are_of_a_kind(name, kind):
    assert determine_placeholder_type(name) is kind


def test_placeholders_are_found_in_values_at_any_depth():
    found = find_placeholders({"{{ key }}": ["x {{ a.b[0] }} {{b}}", {"k": "{{ $X }}"}], "n": 1})
    assert {placeholder.name for placeholder in found} == {"a.b[0]", "b", "$X"}
    assert Placeholder("{{b}}", "b", PlaceholderType.STANDARD) in found
    assert find_placeholders(3) == set()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ a }}", 1),
        ("x{{ a }}y{{a}}", "x1y1"),
        ("{{ b.c[1] }}", 2),
        ("{{ b }}", {"c": [1, 2]}),
        ("{{ none }}", None),
        ("is {{ yes }}", "is True"),
        ("{{ missing }}", NotSet),
        ("x{{ missing }}y", "xy"),
        ({"k": "{{ missing }}", "j": "{{ a }}", "{{ a }}": 1}, {"j": 1, "{{ a }}": 1}),
        ({"k": {"q": "{{ missing }}"}}, {"k": {}}),
        (["{{ missing }}", "{{ a }}"], [1]),
        ("{{ prefect.blocks.secret.mine }}", "{{ prefect.blocks.secret.mine }}"),
        ("{{ prefect.variables.mine }} {{ a }}", "{{ prefect.variables.mine }} 1"),
        ("{{ prefect.flow_run.name }}!", "!"),
        ("{{ unfinished", "{{ unfinished"),
        (3, 3),
        (None, None),
        ({"k": NotSet, "j": 1}, {"j": 1}),
    ],
)
def test_values_fill_placeholders(template, expected):
    assert apply_values(template, VALUES) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("x{{ missing }}y", "x{{ missing }}y"),
        ({"k": "{{ missing }}", "j": "{{ a }}"}, {"k": "{{ missing }}", "j": 1}),
        ("{{ $PREFECT_TEST_MISSING }}", "{{ $PREFECT_TEST_MISSING }}"),
    ],
)
def test_placeholders_without_a_value_can_be_kept(template, expected):
    assert apply_values(template, VALUES, remove_notset=False) == expected


def test_the_environment_fills_its_placeholders(monkeypatch):
    monkeypatch.setenv("PREFECT_TEST_PRESENT", "here")
    assert apply_values("{{ $PREFECT_TEST_PRESENT }}", {}) == "here"
    assert apply_values("is {{ $PREFECT_TEST_PRESENT }}", {}) == "is here"
    assert apply_values("{{ $PREFECT_TEST_MISSING }}", {}) == ""


def test_a_value_is_not_a_template():
    assert apply_values("{{ s }}", {"s": "{{ a }}", "a": 1}) == "{{ a }}"


def test_names_can_be_left_alone():
    assert apply_values("{{ ctx.a }} {{ a }}", VALUES, skip_prefixes=["ctx."]) == "{{ ctx.a }} 1"
    assert apply_values({"x": "{{ ctx.a }}"}, VALUES, skip_prefixes=["ctx."]) == {"x": "{{ ctx.a }}"}


def test_missing_values_can_be_warned_of(caplog):
    with caplog.at_level(logging.WARNING, logger="prefect.utilities.templating"):
        logging.getLogger("prefect").propagate = True
        apply_values("x{{ missing }}", {}, warn_on_notset=True)
    assert "'missing'" in caplog.text


def test_other_data_is_refused():
    with pytest.raises(ValueError, match="'tuple'"):
        apply_values(("{{ a }}",), VALUES)


# --- blocks and variables ---------------------------------------------------------------------------------------------

BLOCK_ID = UUID(int=7)


class Api:
    """Knows three blocks and two variables, and counts what it is asked for."""

    def __init__(self):
        self.asked = []

    async def read_block_document_by_name(self, name, block_type_slug):
        self.asked.append((block_type_slug, name))
        data = {
            "one": {"value": "V"},
            "login": {"value": "V", "port": 1},
            "nested": {"value": {"q": {"r": 1}}},
        }.get(name)
        if data is None:
            raise ObjectNotFound(ValueError("404"))
        return SimpleNamespace(data=data)

    async def read_block_document(self, block_document_id):
        self.asked.append(block_document_id)
        assert block_document_id == BLOCK_ID
        return SimpleNamespace(data={"by": "id"})

    async def read_variable_by_name(self, name):
        self.asked.append(name)
        return {"v": SimpleNamespace(value="VAL"), "d": SimpleNamespace(value={"k": 1})}.get(name)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ prefect.blocks.kind.one }}", "V"),
        ("x{{ prefect.blocks.kind.one }}y", "xVy"),
        ("{{ prefect.blocks.kind.one.value }}", "V"),
        ("{{ prefect.blocks.kind.login }}", {"value": "V", "port": 1}),
        ("{{ prefect.blocks.kind.login.port }}", 1),
        ("{{ prefect.blocks.kind.one }}:{{ prefect.blocks.kind.login.port }}", "V:1"),
        ("{{ prefect.blocks.kind.nested }}", {"q": {"r": 1}}),
        ("{{ prefect.blocks.kind.nested.q.r }}", 1),
        ("{{ prefect.blocks.kind.nested.value.q.r }}", 1),
        ({"k": ["{{ prefect.blocks.kind.one }}", "{{ other }}"]}, {"k": ["V", "{{ other }}"]}),
        ({"$ref": {"block_document_id": str(BLOCK_ID)}}, {"by": "id"}),
        ({"a": {"$ref": str(BLOCK_ID)}}, {"a": {"by": "id"}}),
        ({"a": {"$ref": "#/definitions/A"}}, {"a": {"$ref": "#/definitions/A"}}),
        (3, 3),
    ],
)
async def test_blocks_fill_placeholders(template, expected):
    assert await resolve_block_document_references(template, client=Api()) == expected


async def test_values_of_blocks_can_be_changed_on_the_way():
    def shout(placeholder, value):
        return f"{placeholder}={value}!"

    template = {"k": "x {{ prefect.blocks.kind.login.port }}", "j": "{{ prefect.blocks.kind.one }}"}
    assert await resolve_block_document_references(template, client=Api(), value_transformer=shout) == {
        "k": "x {{ prefect.blocks.kind.login.port }}=1!",
        "j": "{{ prefect.blocks.kind.one }}=V!",
    }


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ prefect.blocks.kind }}", "Invalid block placeholder format"),
        ("x{{ prefect.blocks.kind.login }}", "resolved to a dict"),
        ("{{ prefect.blocks.kind.one.nothing }}", "keypath 'nothing'"),
    ],
)
async def test_placeholders_of_blocks_that_make_no_sense_are_refused(template, message):
    with pytest.raises(ValueError, match=message):
        await resolve_block_document_references(template, client=Api())


async def test_a_missing_block_is_named():
    with pytest.raises(ObjectNotFound, match="'gone' of type 'kind'"):
        await resolve_block_document_references("{{ prefect.blocks.kind.gone }}", client=Api())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ prefect.variables.v }}", "VAL"),
        ("x{{ prefect.variables.v }}y", "xVALy"),
        ("{{ prefect.variables.d }}", {"k": 1}),
        ("{{ prefect.variables.missing }}", ""),
        ("x{{ prefect.variables.missing }}y", "xy"),
        ({"a": ["{{ prefect.variables.v }}", "{{ other }}"]}, {"a": ["VAL", "{{ other }}"]}),
        (4, 4),
    ],
)
async def test_variables_fill_placeholders(template, expected):
    assert await resolve_variables(template, client=Api()) == expected


async def test_the_api_is_asked_for_what_is_needed_only():
    api = Api()
    template = {"a": "{{ b }}", "c": ["d", 1]}
    assert await resolve_block_document_references(template, client=api) == template
    assert await resolve_variables(template, client=api) == template
    assert await resolve_block_document_references(template) == template
    assert await resolve_variables(template) == template
    assert api.asked == []
