"""Variables: named JSON values."""

from __future__ import annotations

import pytest


def make(api, name="greeting", value="hello", **fields):
    return api("POST", "/variables/", {"name": name, "value": value, **fields}).body


def events(api):
    rows = api.store.read(lambda tx: tx.fetch_all("SELECT event, payload FROM event ORDER BY id"))
    return [row["event"].removeprefix("prefect.variable.") for row in rows]


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, [1, {"a": None}], {"k": ["v"]}, "é\u0000"])
def test_a_variable_keeps_its_value_as_it_was_given(api, value):
    created = api("POST", "/variables/", {"name": "any_1", "value": value, "tags": ["a"]})

    assert created.status == 201
    read = api("GET", "/variables/{id}", id=created.body.id).body
    assert read == created.body
    assert read.value == value and type(read.value) is type(value)
    assert api("GET", "/variables/name/{name}", name="any_1").body == read


def test_a_name_is_taken_once(api):
    make(api)

    refusal = api.refused("POST", "/variables/", {"name": "greeting", "value": 2})

    assert refusal.status == 409 and "'greeting'" in refusal.detail
    assert api("POST", "/variables/count").body == 1


@pytest.mark.parametrize(
    "body",
    [{"name": "A B", "value": 1}, {"name": "a", "value": "x" * 5001}, {"name": "a"}, {"name": "a", "value": 1, "q": 2}],
)
def test_what_is_no_variable_is_refused(api, body):
    assert api.refused("POST", "/variables/", body).status == 422


def test_an_update_changes_only_what_it_names(api):
    variable = make(api, value={"a": 1}, tags=["old"])

    assert api("PATCH", "/variables/{id}", {"value": None}, id=variable.id).status == 204
    api("PATCH", "/variables/name/{name}", {"name": "renamed"}, name="greeting")

    read = api("GET", "/variables/{id}", id=variable.id).body
    assert (read.name, read.value, read.tags, read.created) == ("renamed", None, ["old"], variable.created)
    assert read.updated > variable.updated


def test_an_update_that_cannot_be_leaves_the_variable_alone(api):
    variable, other = make(api), make(api, "other")

    for body, status in [({"name": "other"}, 409), ({"tags": None}, 422), ({"name": None}, 422), ({"name": "A"}, 422)]:
        assert api.refused("PATCH", "/variables/{id}", body, id=variable.id).status == status
    assert api.refused("PATCH", "/variables/name/{name}", {"value": 1}, name="missing").status == 404

    assert api("GET", "/variables/{id}", id=variable.id).body == variable
    assert api("GET", "/variables/{id}", id=other.id).body == other


def test_a_deleted_variable_is_gone(api):
    variable = make(api)
    make(api, "second")

    assert api("DELETE", "/variables/{id}", id=variable.id).status == 204
    api("DELETE", "/variables/name/{name}", name="second")

    assert api.refused("GET", "/variables/{id}", id=variable.id).status == 404
    assert api.refused("DELETE", "/variables/name/{name}", name="second").status == 404
    assert api.refused("GET", "/variables/{id}", id="no-uuid").status == 404


def test_lists_are_filtered_sorted_and_paged(api):
    for name, tags in [("alpha", ["x", "y"]), ("beta", ["x"]), ("gamma", [])]:
        make(api, name, tags=tags)

    def names(**body):
        return [each.name for each in api("POST", "/variables/filter", body).body]

    assert names() == ["alpha", "beta", "gamma"]
    assert names(sort="NAME_DESC", limit=2, offset=1) == ["beta", "alpha"]
    assert names(sort="CREATED_DESC")[0] == "gamma"
    assert names(variables={"name": {"like_": "ET"}}) == ["beta"]
    assert names(variables={"name": {"any_": ["alpha", "gamma"]}}) == ["alpha", "gamma"]
    assert names(variables={"name": {"any_": []}}) == []
    assert names(variables={"tags": {"all_": ["x"]}}) == ["alpha", "beta"]
    assert names(variables={"tags": {"all_": ["x", "y"]}}) == ["alpha"]
    assert names(variables={"tags": {"is_null_": True}}) == ["gamma"]
    assert names(variables={"operator": "or_", "name": {"any_": ["beta"]}, "tags": {"is_null_": True}}) == [
        "beta",
        "gamma",
    ]
    assert names(variables={"operator": "or_", "name": {}, "tags": {"is_null_": True}}) == ["alpha", "beta", "gamma"]
    assert api("POST", "/variables/count", {"variables": {"tags": {"all_": ["x"]}}}).body == 2
    assert api.refused("POST", "/variables/filter", {"limit": 201}).status == 422
    assert api.refused("POST", "/variables/filter", {"variables": {"nope": 1}}).status == 422


def test_changes_are_told_as_events(api):
    variable = make(api)
    api("PATCH", "/variables/{id}", {"value": 2}, id=variable.id)
    api("PATCH", "/variables/{id}", {}, id=variable.id)
    api.refused("POST", "/variables/", {"name": "greeting", "value": 2})
    api("DELETE", "/variables/{id}", id=variable.id)

    assert events(api) == ["created", "updated", "deleted"]
