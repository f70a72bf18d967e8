"""Events through the API: stored once, found again, counted."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from prefect.events.filters import EventFilter
from prefect.events.schemas.events import Event
from prefect.server.routes import Caller

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
SINCE = {"since": "2026-01-01T00:00:00Z", "until": "2026-02-28T00:00:00Z"}


def event(name="thing.happened", about="thing.1", minutes=0.0, **fields):
    labels = fields.pop("labels", {})
    return {
        "id": str(uuid4()),
        "occurred": (NOON + timedelta(minutes=minutes)).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": about, **labels},
        **fields,
    }


def related(id, role, **labels):
    return {"prefect.resource.id": id, "prefect.resource.role": role, **labels}


def send(api, *events):
    assert api("POST", "/events", list(events)).status == 204
    return list(events)


def find(api, limit=50, **wanted):
    return api("POST", "/events/filter", {"filter": {"occurred": SINCE, **wanted}, "limit": limit}).body


def names(page):
    return [each.event for each in page["events"]]


# -- storing ---------------------------------------------------------------------------------------------------------


def test_an_event_comes_back_as_it_was_sent(api):
    leader = uuid4()
    sent = event(
        labels={"color": "red", "prefect.resource.name": "thing"},
        related=[related("b.1", "second", x="1"), related("a.1", "first"), related("a.1", "other")],
        payload={"n": [1, {"deep": None}], "text": "ü"},
        follows=str(leader),
    )
    send(api, sent)
    (found,) = find(api)["events"]
    assert found.model_dump(mode="json", exclude={"received"}) == Event.model_validate(sent).model_dump(mode="json")
    assert found.received > found.occurred


def test_an_event_is_stored_once(api):
    sent = event()
    send(api, sent, sent)
    send(api, {**sent, "event": "other"})
    assert names(find(api)) == ["thing.happened"]


@pytest.mark.parametrize(
    "bad",
    [
        {"resource": {}},
        {"resource": {"prefect.resource.id": ""}},
        {"event": "x" * 1025},
        {"payload": {"x": "y" * 1_500_000}},
        {"related": [{"prefect.resource.id": "a"}]},
        {"related": [related(f"a.{n}", "r") for n in range(101)]},
        {"resource": {"prefect.resource.id": "a", **{str(n): "x" for n in range(500)}}},
    ],
)
def test_one_bad_event_refuses_all(api, bad):
    assert api.refused("POST", "/events", [event(), {**event(), **bad}]).status == 422
    assert find(api)["total"] == 0


# -- finding ---------------------------------------------------------------------------------------------------------

EVENTS = [
    event("a.created", "thing.1", 0, labels={"color": "red", "size": "XL"}, related=[related("flow.1", "flow", n="x")]),
    event("a.deleted", "thing.2", 1, labels={"color": "dark-red"}, related=[related("flow.1", "owner")]),
    event("b.created", "other.1", 2, labels={"color": "blue"}, payload={"note": "needle in 100% hay"}),
    event("A.created", "thing.1", 3, related=[related("flow.2", "flow"), related("tag.x", "tag", n="y")]),
    event("a.b.created", "thing.3", 4, labels={"color": "Red", "odd[x]": "[1]"}),
]
for number, each in enumerate(EVENTS, 1):
    each["id"] = str(UUID(int=number))  # the same in every process that collects these tests
FILTERS = [
    {},
    {"event": {"name": ["a.created", "b.created"]}},
    {"event": {"prefix": ["a."]}},
    {"event": {"prefix": ["a."], "name": ["b.created"]}},
    {"event": {"prefix": ["a."], "exclude_prefix": ["a.b."]}},
    {"event": {"exclude_name": ["a.created", "a.deleted"]}},
    {"event": {"prefix": [], "name": []}},
    {"event": {"prefix": ["a*", "?"]}},
    {"resource": {"id": ["thing.1"]}},
    {"resource": {"id": []}},
    {"resource": {"id_prefix": ["thing."]}},
    {"resource": {"labels": {"color": "red"}}},
    {"resource": {"labels": {"color": ["red", "blue"]}}},
    {"resource": {"labels": {"color": "*red"}}},
    {"resource": {"labels": {"color": "[Rr]ed"}}},
    {"resource": {"labels": {"color": "[!r]ed"}}},
    {"resource": {"labels": {"color": "?ed"}}},
    {"resource": {"labels": {"color": "!red"}}},
    {"resource": {"labels": {"color": ["!red", "red"]}}},
    {"resource": {"labels": {"color": []}}},
    {"resource": {"labels": {"missing": "!x"}}},
    {"resource": {"labels": {"prefect.resource.id": "thing.*", "color": "*"}}},
    {"resource": {"labels": {"odd[x]": "[[]1]"}}},
    {"related": {"id": ["flow.1"]}},
    {"related": {"id": ["flow.1"], "role": ["flow"]}},
    {"related": {"role": ["flow", "owner"]}},
    {"related": {"resources_in_roles": [["flow.1", "owner"], ["flow.2", "flow"]]}},
    {"related": {"labels": {"n": "x"}}},
    {"related": {"labels": {"prefect.resource.id": "flow.*", "prefect.resource.role": "!owner"}}},
    {"related": [{"id": ["flow.2"]}, {"id": ["tag.x"], "labels": {"n": "y"}}]},
    {"related": [{"id": ["flow.2"], "labels": {"n": "y"}}]},
    {"related": {}},
    {"any_resource": {"id": ["thing.2", "tag.x"]}},
    {"any_resource": {"id_prefix": ["flow.", "other."]}},
    {"any_resource": {"labels": {"n": "y"}}},
    {"any_resource": [{"id": ["thing.1"]}, {"id": ["flow.2"]}]},
    {"id": {"id": [EVENTS[0]["id"], EVENTS[3]["id"]]}},
    {"id": {"id": []}},
    {"text": {"query": "needle"}},
    {"text": {"query": "THING.2 owner"}},
    {"text": {"query": '"100% hay" -blue'}},
    {"text": {"query": "+created -thing"}},
    {"occurred": {"since": EVENTS[1]["occurred"], "until": EVENTS[3]["occurred"]}},
    {"event": {"prefix": ["a."]}, "related": {"id": ["flow.1"]}, "resource": {"labels": {"color": "*red"}}},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_stored_events_are_found_as_live_ones_are(api, wanted):
    send(api, *EVENTS)
    wanted = {"occurred": SINCE, **wanted}
    matcher = EventFilter.model_validate(wanted)
    expected = [each["event"] for each in EVENTS if matcher.includes(Event.model_validate(each))]
    page = find(api, **wanted, order="ASC")
    assert names(page) == expected
    assert page["total"] == len(expected)


def test_only_the_newest_event_of_each_resource_is_wanted(api):
    send(api, *EVENTS)
    page = find(api, resource={"distinct": True})
    assert names(page) == ["a.b.created", "A.created", "b.created", "a.deleted"]
    assert page["total"] == 4


def test_unknown_keys_of_a_filter_are_refused(api):
    assert api.refused("POST", "/events/filter", {"filter": {"bogus": 1}}).status == 422
    assert api.refused("POST", "/events/filter", {"limit": 51}).status == 422


@pytest.mark.parametrize(
    "wanted",
    [
        {"event": {"name": ["n"] * 70_000}},
        {"id": {"id": [str(uuid4())] * 40_000}},
        {"resource": {"id_prefix": ["a"] * 12_000}},
        {"related": [{"id": ["a"], "role": ["b"]}] * 6_000},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
def test_a_filter_with_too_long_a_list_is_refused_with_what_to_do(api, wanted):
    body = {"filter": wanted}
    for path, more in (("/events/filter", {}), ("/events/count-by/{countable}", {"countable": "event"})):
        refusal = api.refused("POST", path, body, **more)
        assert refusal.status == 422
        assert "shorter" in str(refusal.detail)


def test_a_list_is_refused_that_only_one_of_the_databases_could_follow(api):
    wanted = {"occurred": SINCE, "resource": {"id_prefix": [f"a{number}" for number in range(5_000)]}}
    if api.store.dialect.name == "postgresql":
        assert find(api, **wanted)["total"] == 0
    else:
        refusal = api.refused("POST", "/events/filter", {"filter": wanted})
        assert refusal.status == 422 and "shorter" in str(refusal.detail)


def test_a_filter_of_runs_with_too_long_a_list_is_no_fault_of_the_server(api):
    wanted = {"flow_runs": {"id": {"any_": [str(uuid4())] * 300_000}}}
    refusal = api.refused("POST", "/flow_runs/filter", wanted)
    assert refusal.status == 422 and "shorter" in str(refusal.detail)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_events_come_in_pages(api, order):
    sent = send(api, *(event(f"e{n}", minutes=n // 3) for n in range(8)))
    caller = Caller(base_url="http://server/api")
    seen, page = (
        [],
        api("POST", "/events/filter", {"filter": {"occurred": SINCE, "order": order}, "limit": 3}, caller=caller).body,
    )
    while True:
        seen += [str(each.id) for each in page["events"]]
        assert page["total"] == 8
        if page["next_page"] is None:
            break
        url = urlsplit(page["next_page"])
        assert f"{url.scheme}://{url.netloc}{url.path}" == "http://server/api/events/filter/next"
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        page = api("GET", "/events/filter/next", query=query, caller=caller).body
    assert sorted(seen) == sorted(each["id"] for each in sent)
    times = [next(each["occurred"] for each in sent if each["id"] == id) for id in seen]
    assert times == sorted(times, reverse=order == "DESC")


def test_pages_may_be_empty_or_forged(api):
    send(api, event())
    assert find(api, limit=0) == {"events": [], "total": 1, "next_page": None}
    for token in ("abc", "e30=", "W10=", "ÿ"):
        assert api.refused("GET", "/events/filter/next", query={"page-token": token}).status == 403
    assert api.refused("GET", "/events/filter/next").status == 422


# -- counting --------------------------------------------------------------------------------------------------------


def count(api, by, wanted=None, **body):
    wanted = {"occurred": SINCE, **(wanted or {})}
    return api("POST", "/events/count-by/{countable}", {"filter": wanted, **body}, countable=by).body


def test_events_are_counted_by_name(api):
    send(api, event("b", minutes=1), event("b", minutes=3), event("c"), event("a"))
    counts = count(api, "event")
    assert [(each["value"], each["label"], each["count"]) for each in counts] == [
        ("b", "b", 2),
        ("a", "a", 1),
        ("c", "c", 1),
    ]
    assert (counts[0]["start_time"], counts[0]["end_time"]) == (
        NOON + timedelta(minutes=1),
        NOON + timedelta(minutes=3),
    )


def test_events_of_a_long_time_are_counted_by_name_once_each(api):
    send(api, *(event("a" if hours % 2 else "b", minutes=60 * hours) for hours in range(0, 17)))
    # The borders of sixteenths of this time fall on events.
    occurred = {"since": NOON.isoformat(), "until": (NOON + timedelta(hours=16)).isoformat()}
    assert [
        (each["value"], each["count"], each["start_time"], each["end_time"])
        for each in count(api, "event", {"occurred": occurred})
    ] == [
        ("b", 9, NOON, NOON + timedelta(hours=16)),
        ("a", 8, NOON + timedelta(hours=1), NOON + timedelta(hours=15)),
    ]


def test_spans_may_begin_within_a_second(api):
    since = datetime(2026, 1, 30, 5, 0, 0, 300_000, tzinfo=timezone.utc)
    one = timedelta(microseconds=1)
    borders = [datetime(2026, 1, 30, 5, 0, 0, tzinfo=timezone.utc) + n * timedelta(seconds=0.5) for n in range(1, 4)]
    send(
        api, *(event(minutes=(at - NOON) / timedelta(minutes=1)) for border in borders for at in (border - one, border))
    )
    occurred = {"since": since.isoformat(), "until": borders[2].isoformat()}
    for more in ({}, {"resource": {"id_prefix": ["thing"]}}):
        spans = count(api, "time", {"occurred": occurred, **more}, time_unit="second", time_interval=0.5)
        assert [each["count"] for each in spans] == [1, 2, 2]


def test_events_are_counted_by_resource(api):
    send(
        api,
        event(about="x", labels={"prefect.resource.name": "Ex"}),
        event(about="y", labels={"prefect.name": "Why"}),
        event(about="y", labels={"prefect.name": "Why"}),
        event(about="z"),
    )
    assert [(each["value"], each["label"], each["count"]) for each in count(api, "resource")] == [
        ("y", "Why", 2),
        ("x", "Ex", 1),
        ("z", "z", 1),
    ]


def test_events_are_counted_by_time_without_gaps(api):
    send(api, event(minutes=0), event(minutes=1), event(minutes=45), event(minutes=59.999))
    occurred = {"since": (NOON - timedelta(minutes=5)).isoformat(), "until": (NOON + timedelta(minutes=60)).isoformat()}
    spans = count(api, "time", {"occurred": occurred}, time_unit="minute", time_interval=20)
    assert [(each["value"], each["label"], each["count"]) for each in spans] == [
        (str(n), (NOON + timedelta(minutes=20 * (n - 1))).isoformat(), total) for n, total in enumerate([0, 2, 0, 2])
    ]
    assert spans[1]["end_time"] == NOON + timedelta(minutes=20) - timedelta(microseconds=1)


def test_days_are_those_of_utc(api):
    send(api, event(minutes=-12 * 60), event(minutes=12 * 60 - 0.001))
    occurred = {"since": "2026-01-30T05:00:00Z", "until": "2026-01-31T23:59:59.999999Z"}
    spans = count(api, "day", {"occurred": occurred}, time_unit="second")
    assert [(each["start_time"].day, each["count"]) for each in spans] == [(30, 0), (31, 2)]


def test_there_are_no_spans_in_the_future(api):
    now = datetime.now(timezone.utc)
    occurred = {"since": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(days=300)).isoformat()}
    spans = count(api, "time", {"occurred": occurred}, time_unit="hour")
    assert len(spans) == 2


def test_too_many_spans_are_refused(api):
    refusal = api.refused(
        "POST", "/events/count-by/{countable}", {"filter": {}, "time_unit": "second"}, countable="time"
    )
    assert refusal.status == 422
    assert "1000" in refusal.body["detail"]
    assert api.refused("POST", "/events/count-by/{countable}", {"filter": {}}, countable="moon").status == 422


# -- what the server itself tells ------------------------------------------------------------------------------------


def test_each_state_of_a_flow_run_is_an_event(api):
    flow = api.flow("a", tags=["flow-tag", "both"])
    run = api.flow_run(flow.id, name="brave", tags=["run-tag", "both"], state={"type": "PENDING", "message": "hi"})
    running = api.set_state("flow_run", run.id, "RUNNING").state
    paused = api.set_state("flow_run", run.id, "PAUSED").state

    page = api("POST", "/events/filter", {"filter": {"event": {"prefix": ["prefect.flow-run."]}, "order": "ASC"}}).body
    first, second, third = page["events"]

    assert [each.event for each in page["events"]] == [
        f"prefect.flow-run.{name}" for name in ("Pending", "Running", "Paused")
    ]
    assert [each.id for each in page["events"]] == [run.state.id, running.id, paused.id]
    assert [each.follows for each in page["events"]] == [None, run.state.id, running.id]
    assert [each.occurred for each in page["events"]] == [run.state.timestamp, running.timestamp, paused.timestamp]
    assert second.resource.root == {
        "prefect.resource.id": f"prefect.flow-run.{run.id}",
        "prefect.resource.name": "brave",
        "prefect.run-count": "1",
        "prefect.state-message": "",
        "prefect.state-name": "Running",
        "prefect.state-timestamp": running.timestamp.isoformat(),
        "prefect.state-type": "RUNNING",
    }
    assert [each.root for each in second.related] == [
        {
            "prefect.resource.id": f"prefect.flow.{flow.id}",
            "prefect.resource.role": "flow",
            "prefect.resource.name": "a",
        },
        *(related(f"prefect.tag.{tag}", "tag") for tag in ("both", "flow-tag", "run-tag")),
    ]
    assert first.payload == {
        "intended": {"from": None, "to": "PENDING"},
        "initial_state": None,
        "validated_state": {"type": "PENDING", "name": "Pending", "message": "hi"},
    }
    assert third.payload["validated_state"] == {"type": "PAUSED", "name": "Paused", "pause_reschedule": "false"}


def test_a_state_that_replaces_another_tells_what_was_intended(api):
    run = api.flow_run(empirical_policy={"retries": 1})
    api.set_state("flow_run", run.id, "RUNNING")
    waiting = api.set_state("flow_run", run.id, "FAILED").state
    (told,) = api("POST", "/events/filter", {"filter": {"id": {"id": [str(waiting.id)]}}}).body["events"]
    assert told.event == "prefect.flow-run.AwaitingRetry"
    assert told.payload["intended"] == {"from": "RUNNING", "to": "FAILED"}


def test_a_subflow_run_and_a_deployed_one_name_what_they_belong_to(api):
    tracking = api.task_run(api.flow_run(state="RUNNING").id, "tracking", tags=["task-tag"])
    deployment_id = uuid4()
    run = api.flow_run(parent_task_run_id=tracking.id, deployment_id=str(deployment_id))
    (told,) = api("POST", "/events/filter", {"filter": {"id": {"id": [str(run.state.id)]}}}).body["events"]
    ids = [each.id for each in told.related[1:]]
    assert ids == [
        f"prefect.deployment.{deployment_id}",
        f"prefect.task-run.{tracking.id}",
        "prefect.tag.task-tag",
    ]


def test_a_long_message_is_cut(api):
    run = api.flow_run(state={"type": "PENDING", "message": "x" * 100_001})
    (told,) = api("POST", "/events/filter", {"filter": {"id": {"id": [str(run.state.id)]}}}).body["events"]
    assert len(told.resource.root["prefect.state-message"]) == 100_000


# -- what task runs tell ---------------------------------------------------------------------------------------------


def transition(run_id, flow_run_id, state_type, *, minutes=0.0, before=None, **task_run):
    name = state_type.capitalize()
    return event(
        f"prefect.task-run.{name}",
        f"prefect.task-run.{run_id}",
        minutes,
        labels={
            "prefect.resource.name": "t-0",
            "prefect.run-count": str(task_run.get("run_count", 0)),
            "prefect.state-message": "",
            "prefect.state-name": name,
            "prefect.state-timestamp": (NOON + timedelta(minutes=minutes)).isoformat(),
            "prefect.state-type": state_type,
            "prefect.orchestration": "client",
        },
        related=[related(f"prefect.flow-run.{flow_run_id}", "flow-run"), related("prefect.tag.x", "tag")],
        payload={
            "intended": {"from": None if before is None else "PENDING", "to": state_type},
            "initial_state": None
            if before is None
            else {"type": "PENDING", "name": "Pending", "message": "", "state_details": {}},
            "validated_state": {
                "type": state_type,
                "name": name,
                "message": "",
                "state_details": {"cache_key": "c"} if before else {},
                "data": None,
            },
            "task_run": {
                "name": "t-0",
                "task_key": "t-abc",
                "dynamic_key": "0",
                "empirical_policy": {"retries": 1, "retry_delay": 0},
                "tags": ["x"],
                "labels": {},
                "task_inputs": {"x": []},
                "run_count": 0,
                "flow_run_run_count": 1,
                "expected_start_time": NOON.isoformat(),
                "total_run_time": 0.0,
                **task_run,
            },
        },
        follows=None if before is None else before["id"],
    )


def test_an_event_of_a_task_runs_transition_makes_the_task_run(api):
    run_id, flow_run = uuid4(), api.flow_run(state="RUNNING")
    pending = transition(run_id, flow_run.id, "PENDING")
    running = transition(
        run_id,
        flow_run.id,
        "RUNNING",
        minutes=1,
        before=pending,
        run_count=1,
        start_time=(NOON + timedelta(minutes=1)).isoformat(),
    )
    send(api, pending, running)

    run = api.read("task_run", run_id)
    assert (run.name, run.flow_run_id, run.task_key, run.dynamic_key) == ("t-0", flow_run.id, "t-abc", "0")
    assert (run.state_id, run.state_name, run.run_count) == (UUID(running["id"]), "Running", 1)
    assert (run.empirical_policy.retries, run.tags, run.start_time) == (1, ["x"], NOON + timedelta(minutes=1))
    history = api("GET", "/task_run_states/", query={"task_run_id": run_id}).body
    assert [(state.id, state.timestamp) for state in history] == [
        (UUID(pending["id"]), NOON),
        (UUID(running["id"]), NOON + timedelta(minutes=1)),
    ]
    assert history[1].state_details.cache_key == "c"
    assert history[1].state_details.flow_run_id == flow_run.id


def test_an_event_of_a_task_runs_transition_comes_back_as_it_was_sent(api):
    run_id, flow_run = uuid4(), api.flow_run(state="RUNNING")
    pending = transition(run_id, flow_run.id, "PENDING")
    running = transition(run_id, flow_run.id, "RUNNING", minutes=1, before=pending, run_count=1)
    send(api, pending, running)
    first, second = find(api, event={"prefix": ["prefect.task-run."]}, order="ASC")["events"]
    for told, sent in ((first, pending), (second, running)):
        expected = Event.model_validate(sent)
        assert told.resource == expected.resource
        assert (told.related, told.follows, told.id) == (expected.related, expected.follows, expected.id)
        for part in ("intended", "initial_state", "validated_state"):
            assert told.payload[part] == expected.payload[part]
    task_run = second.payload["task_run"]
    assert (task_run["name"], task_run["run_count"], task_run["task_inputs"]) == ("t-0", 1, {"x": []})
    assert not {"id", "created", "updated", "flow_run_id", "state_id", "state_type", "cache_key"} & set(task_run)


def test_an_older_transition_does_not_take_a_task_run_back(api):
    run_id, flow_run = uuid4(), api.flow_run(state="RUNNING")
    pending = transition(run_id, flow_run.id, "PENDING")
    send(api, transition(run_id, flow_run.id, "RUNNING", minutes=1, before=pending))
    send(api, pending)
    assert api.read("task_run", run_id).state_name == "Running"
    assert len(api("GET", "/task_run_states/", query={"task_run_id": run_id}).body) == 2


def test_a_transition_of_a_run_that_is_known_by_its_keys_belongs_to_that_run(api):
    flow_run = api.flow_run(state="RUNNING")
    known = api.task_run(flow_run.id, "t-abc")
    late = transition(uuid4(), flow_run.id, "RUNNING", minutes=60 * 24 * 3650)
    send(api, late)
    assert api.read("task_run", known.id).state_name == "Running"
    assert api("POST", "/task_runs/count", {}).body == 1


@pytest.mark.parametrize(
    "labels, total",
    [
        ({"prefect.resource.name": "t-*"}, 2),
        ({"prefect.state-type": "RUNNING"}, 1),
        ({"prefect.state-name": "!Running"}, 1),
        ({"prefect.run-count": "1"}, 1),
        ({"prefect.orchestration": "client"}, 2),
        ({"prefect.state-message": ""}, 2),
        ({"other": "*"}, 0),
    ],
)
def test_the_labels_of_task_runs_are_found_though_they_are_not_stored(api, labels, total):
    run_id, flow_run = uuid4(), api.flow_run(state="RUNNING")
    pending = transition(run_id, flow_run.id, "PENDING")
    send(api, pending, transition(run_id, flow_run.id, "RUNNING", minutes=1, before=pending, run_count=1))
    wanted = {"resource": {"labels": labels}, "event": {"prefix": ["prefect.task-run."]}}
    assert find(api, **wanted)["total"] == total
    assert find(api, text={"query": "t-0"})["total"] == 2
    assert count(api, "resource", {"event": {"prefix": ["prefect.task-run."]}})[0]["label"] == "t-0"


def test_the_events_of_a_deleted_task_run_stay(api):
    run_id, flow_run = uuid4(), api.flow_run(state="RUNNING")
    send(api, transition(run_id, flow_run.id, "PENDING"))
    api("DELETE", "/task_runs/{id}", id=run_id)
    (told,) = find(api, resource={"id": [f"prefect.task-run.{run_id}"]})["events"]
    assert (told.event, told.resource.id) == ("prefect.task-run.Pending", f"prefect.task-run.{run_id}")


def test_an_event_that_only_looks_like_a_transition_is_an_event(api):
    odd = event(
        "prefect.task-run.Odd",
        "prefect.task-run.x",
        labels={"prefect.orchestration": "client"},
        payload={"task_run": {}, "validated_state": {}},
    )
    send(api, odd)
    (told,) = find(api)["events"]
    assert (told.event, told.payload) == ("prefect.task-run.Odd", odd["payload"])
    assert api("POST", "/task_runs/count", {}).body == 0
