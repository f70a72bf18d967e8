"""Saved searches: stored by name."""

from __future__ import annotations

CONDITION = {"object": "flow", "property": "name", "type": "string", "operation": "equals", "value": ["z", 1]}


def test_a_search_is_stored_once_a_name(api):
    first = api("PUT", "/saved_searches/", {"name": "mine", "filters": [CONDITION]})
    second = api("PUT", "/saved_searches/", {"name": "mine", "filters": []})

    assert (first.status, second.status) == (201, 200)
    assert first.body.filters[0].value == ["z", 1]
    assert second.body.id == first.body.id and second.body.filters == []
    assert api("GET", "/saved_searches/{id}", id=first.body.id).body == second.body


def test_searches_are_listed_by_name_and_deleted(api):
    ids = [api("PUT", "/saved_searches/", {"name": name}).body.id for name in ("b", "a")]

    assert [each.name for each in api("POST", "/saved_searches/filter").body] == ["a", "b"]
    assert [each.name for each in api("POST", "/saved_searches/filter", {"limit": 1, "offset": 1}).body] == ["b"]
    assert api("DELETE", "/saved_searches/{id}", id=ids[0]).status == 204
    assert api.refused("DELETE", "/saved_searches/{id}", id=ids[0]).status == 404
    assert api.refused("GET", "/saved_searches/{id}", id=ids[0]).status == 404
