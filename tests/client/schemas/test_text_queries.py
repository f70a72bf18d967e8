"""The language of text searches, on logs and on its own."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from pydantic import ValidationError

from prefect.client.schemas._text_query import TextQuery, parse_text_query
from prefect.client.schemas.filters import FlowRunFilter, LogFilterTextSearch
from prefect.client.schemas.objects import Log

LOG = Log(
    name="my.logger",
    level=20,
    message='Hello World foo-bar "quoted" back\\slash',
    timestamp=datetime(2024, 1, 1, tzinfo=timezone.utc),
)


@pytest.mark.parametrize(
    "query",
    [
        "", "  ", '""', '"', "+", "foo -", "hello", "HELLO", '"hello world"', '"hello', "world my", "zzz hello", "hello !zzz",
        "foo-bar", "logger", '"slash my"', '\\"quoted\\"', '"back\\\\slash"', 'a"b c" hello', 'hello"zzz"', "- foo",
        '+hello +"world foo"',
    ],
)  # fmt: skip
def test_queries_that_find_the_log(query: str):
    assert LogFilterTextSearch(query=query).includes(LOG)


@pytest.mark.parametrize(
    "query",
    [
        "zzz", "-foo", "!foo", "hello -foo", '-"hello world"', "+hello +zzz", "zzz +hello", "+hello zzz", "hel*",
        '+"hello world" nope', '"world hello"', "back\\\\slash",
    ],
)  # fmt: skip
def test_queries_that_do_not_find_the_log(query: str):
    assert not LogFilterTextSearch(query=query).includes(LOG)


def test_a_query_is_read_into_its_terms():
    assert parse_text_query('A "b C" +d -"e f" !g') == TextQuery(("a", "b c"), ("d",), ("e f", "g"))


def test_queries_are_short():
    assert LogFilterTextSearch(query="x" * 200)
    with pytest.raises(ValidationError):
        LogFilterTextSearch(query="x" * 201)


def test_filters_know_whether_they_ask_for_ids_alone():
    id = "00000000-0000-0000-0000-000000000005"
    assert FlowRunFilter(id={"any_": [id]}).only_filters_on_id()
    for other in (
        {},
        {"id": {"not_any_": [id]}},
        {"id": {"any_": [id]}, "name": {"any_": ["a"]}},
        {"name": {"any_": ["a"]}},
    ):
        assert not FlowRunFilter(**other).only_filters_on_id()


def test_unknown_criteria_are_errors():
    with pytest.raises(ValidationError, match="state_name"):
        FlowRunFilter(state_name={"any_": ["x"]})
