"""Logs through the API."""

from __future__ import annotations

from uuid import uuid4

import pytest


def log(message="m", name="prefect.flow_runs", level=20, second=0, **ids):
    at = f"2026-01-01T00:00:{second:02}Z"
    return {"name": name, "level": level, "message": message, "timestamp": at, **ids}


def read(api, **body):
    return [each.message for each in api("POST", "/logs/filter", body).body]


def test_logs_are_stored_as_they_come_whether_their_runs_are_known_or_not(api):
    flow_run_id, task_run_id = uuid4(), uuid4()
    reply = api("POST", "/logs/", [log("a", flow_run_id=str(flow_run_id), task_run_id=str(task_run_id), level=35)])
    assert (reply.status, reply.body) == (201, None)
    (stored,) = api("POST", "/logs/filter", {}).body
    assert (stored.message, stored.level, stored.name) == ("a", 35, "prefect.flow_runs")
    assert (stored.flow_run_id, stored.task_run_id) == (flow_run_id, task_run_id)
    assert stored.timestamp.isoformat() == "2026-01-01T00:00:00+00:00"
    assert stored.updated == stored.created is not None


def test_nul_characters_are_dropped(api):
    api("POST", "/logs/", [log("a\0b", name="n\0m")])
    (stored,) = api("POST", "/logs/filter", {}).body
    assert (stored.message, stored.name) == ("ab", "nm")


def test_one_bad_log_refuses_all(api):
    assert api.refused("POST", "/logs/", [log("a"), {"message": "b"}]).status == 422
    assert read(api) == []


def test_logs_come_in_the_order_of_their_times(api):
    api("POST", "/logs/", [log("b", second=2), log("a", second=1), log("c", second=3), log("d", second=3)])
    assert read(api) == ["a", "b", "c", "d"]
    assert read(api, sort="TIMESTAMP_DESC") == ["d", "c", "b", "a"]
    assert read(api, limit=2, offset=1) == ["b", "c"]


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ({"level": {"ge_": 30}}, ["b", "c"]),
        ({"level": {"ge_": 30, "le_": 30}}, ["b"]),
        ({"timestamp": {"after_": "2026-01-01T00:00:01Z", "before_": "2026-01-01T00:00:01Z"}}, ["b"]),
        ({"task_run_id": {"is_null_": True}}, ["a", "c"]),
        ({"task_run_id": {"is_null_": False}}, ["b"]),
        ({"flow_run_id": {"any_": []}}, []),
        ({"operator": "or_", "level": {"le_": 20}, "timestamp": {"after_": "2026-01-01T00:00:02Z"}}, ["a", "c"]),
        ({}, ["a", "b", "c"]),
    ],
)
def test_logs_are_filtered(api, wanted, expected):
    api(
        "POST",
        "/logs/",
        [log("a"), log("b", level=30, second=1, task_run_id=str(uuid4())), log("c", level=40, second=2)],
    )
    assert read(api, logs=wanted) == expected


def test_logs_of_one_run_are_filtered(api):
    mine, other = uuid4(), uuid4()
    api("POST", "/logs/", [log("a", flow_run_id=mine), log("b", flow_run_id=other), log("c")])
    assert read(api, logs={"flow_run_id": {"any_": [mine]}}) == ["a"]


@pytest.mark.parametrize(
    "query, expected",
    [
        ("hello", [0, 1]),
        ("HELLO there", [0, 1, 2]),
        ("hello -world", [1]),
        ("!world", [1, 2, 3]),
        ("+hello +world", [0]),
        ("+hello there", [1]),
        ('"hello world"', [0]),
        (r'"say \"hi\""', [2]),
        ("special.logger", [3]),
        ("100%", [3]),
        ("100_", []),
        ("", [0, 1, 2, 3]),
        ("  - ", [0, 1, 2, 3]),
    ],
)
def test_logs_are_searched_for_text(api, query, expected):
    messages = ["Hello world", "hello there", 'there they say "hi"', "100% done"]
    names = ["n", "n", "n", "special.logger"]
    api("POST", "/logs/", [log(message, name, second=n) for n, (message, name) in enumerate(zip(messages, names))])
    assert read(api, logs={"text": {"query": query}}) == [messages[n] for n in expected]


def test_a_search_has_a_largest_length(api):
    assert api.refused("POST", "/logs/filter", {"logs": {"text": {"query": "a" * 201}}}).status == 422


def test_logs_are_downloaded_as_csv(api):
    run = api.flow_run(name="my run")
    count = 450
    api("POST", "/logs/", [log(f'"{n}", n', second=n // 100, flow_run_id=run.id) for n in range(count)])
    reply = api("GET", "/flow_runs/{id}/logs/download", id=run.id)
    lines = "".join(reply.body).splitlines()
    assert reply.media_type == "text/csv"
    assert "my%20run-logs.csv" in reply.headers["Content-Disposition"]
    assert lines[0] == "timestamp,level,flow_run_id,task_run_id,message"
    assert lines[1] == f'2026-01-01 00:00:00+00:00,20,{run.id},,"""0"", n"'
    assert len(lines) == len(set(lines)) == count + 1
    assert api.refused("GET", "/flow_runs/{id}/logs/download", id=uuid4()).status == 404
