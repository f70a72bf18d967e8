"""Task runs that are told of by events alone, as published clients do: any order, any number of times, any content."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.server.conftest import Api

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


class Told:
    """One task run, and the events that tell of its states."""

    def __init__(self, flow_run_id: UUID | None = None, key: str = "t", dynamic_key: str = "0") -> None:
        self.id, self._flow_run_id = uuid4(), flow_run_id
        self._keys = {"task_key": key, "dynamic_key": dynamic_key}

    def event(self, state: str, seconds: float, *, run: Any = None, told: Any = None, **fields: Any) -> dict[str, Any]:
        """The event of a state, so many seconds after noon."""
        related = []
        if self._flow_run_id is not None:
            id = f"prefect.flow-run.{self._flow_run_id}"
            related = [{"prefect.resource.id": id, "prefect.resource.role": "flow-run"}]
        return {
            "id": str(uuid4()),
            "occurred": (NOON + timedelta(seconds=seconds)).isoformat(),
            "event": f"prefect.task-run.{state.title()}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{self.id}",
                "prefect.resource.name": "told",
                "prefect.orchestration": "client",
            },
            "related": related,
            "payload": {
                "intended": {"from": None, "to": state},
                "initial_state": None,
                "validated_state": {"type": state, "name": state.title(), "message": "", "state_details": {}}
                | (told or {}),
                "task_run": {**self._keys, "name": "told", "tags": ["a"], "run_count": 1} | (run or {}),
            },
            **fields,
        }


def send(api: Api, *events: dict[str, Any]) -> None:
    assert api("POST", "/events", list(events)).status == 204


def states(api: Api, id: UUID) -> list[str]:
    return [state.name for state in api("GET", "/task_run_states/", query={"task_run_id": str(id)}).body]


def stored_events(api: Api) -> int:
    wanted = {"occurred": {"since": "2026-01-01T00:00:00Z"}, "event": {"prefix": ["prefect.task-run."]}}
    return api("POST", "/events/filter", {"filter": wanted}).body["total"]


def test_a_run_is_made_from_its_events(api: Api):
    told = Told(api.flow_run().id)
    send(api, told.event("PENDING", 0), told.event("RUNNING", 1, run={"start_time": NOON.isoformat()}))
    end = (NOON + timedelta(seconds=5)).isoformat()
    run = {"start_time": NOON.isoformat(), "end_time": end, "total_run_time": 5.0, "run_count": 1}
    send(api, told.event("COMPLETED", 5, run=run, told={"message": "done", "data": {"k": 1}}))
    found = api.read("task_run", told.id)
    assert (found.name, found.tags, found.run_count) == ("told", ["a"], 1)
    assert (found.state.name, found.state.message, found.state.data) == ("Completed", "done", {"k": 1})
    assert (found.start_time, found.total_run_time) == (NOON, timedelta(seconds=5))
    assert states(api, told.id) == ["Pending", "Running", "Completed"]
    assert stored_events(api) == 3


@pytest.mark.parametrize("together", [True, False])
def test_the_order_of_arrival_does_not_matter(api: Api, together: bool):
    told = Told(api.flow_run().id)
    events = [told.event(state, at) for state, at in [("COMPLETED", 5), ("PENDING", 0), ("RUNNING", 1)]]
    for batch in [events] if together else [[event] for event in events]:
        send(api, *batch)
    assert api.read("task_run", told.id).state.name == "Completed"
    assert states(api, told.id) == ["Pending", "Running", "Completed"]


def test_what_comes_twice_is_stored_once(api: Api):
    told = Told()
    event = told.event("RUNNING", 1)
    send(api, event, event)
    send(api, event)
    assert states(api, told.id) == ["Running"]
    assert stored_events(api) == 1


def test_a_run_that_is_known_by_its_keys_keeps_its_id(api: Api):
    flow_run = api.flow_run().id
    known = api.task_run(flow_run, "t")
    told = Told(flow_run)
    send(api, told.event("RUNNING", 60 * 60 * 24 * 365 * 50))
    assert api.read("task_run", known.id).state.name == "Running"
    assert api.refused("GET", "/task_runs/{id}", id=told.id).status == 404


def test_many_runs_of_one_batch_are_stored(api: Api):
    flow_run = api.flow_run().id
    runs = [Told(flow_run, dynamic_key=str(number)) for number in range(150)]
    send(api, *(run.event(state, at) for run in runs for state, at in [("PENDING", 0), ("COMPLETED", 1)]))
    counts = api("POST", "/ui/task_runs/count", {}).body
    assert counts.COMPLETED == 150


@pytest.mark.parametrize(
    "fields",
    [
        {"told": {"type": "NONSENSE"}},
        {"told": {"type": 5}},
        {"told": {"name": None}},
        {"told": {"state_details": {"scheduled_time": "never"}}},
        {"run": {"task_key": 5}},
        {"run": {"dynamic_key": None}},
        {"run": {"tags": "a"}},
        {"run": {"tags": [{}]}},
        {"run": {"run_count": 2**40}},
        {"run": {"run_count": -1}},
        {"run": {"start_time": "yesterday"}},
        {"run": {"end_time": "0001-01-01T00:00:00+14:00"}},
        {"run": {"total_run_time": "NaN"}},
        {"run": {"task_inputs": {"x": "y"}}},
        {"run": {"empirical_policy": []}},
        {"run": {"labels": 5}},
        {"resource": {"prefect.resource.id": "prefect.task-run.no-uuid", "prefect.orchestration": "client"}},
        {"payload": {"validated_state": [], "task_run": {}}},
        {"payload": {"validated_state": {"type": "RUNNING", "name": "x"}, "task_run": "text"}},
        {"payload": {}},
        {"related": [{"prefect.resource.id": "prefect.flow-run.no-uuid", "prefect.resource.role": "flow-run"}]},
    ],
)
def test_what_only_looks_like_a_transition_is_an_event_and_no_more(api: Api, fields: dict[str, Any]):
    good, bad = Told(dynamic_key="good"), Told(dynamic_key="bad")
    send(api, bad.event("RUNNING", 1, **fields), good.event("RUNNING", 1))
    assert api.refused("GET", "/task_runs/{id}", id=bad.id).status == 404
    assert api.read("task_run", good.id).state.name == "Running"
    assert stored_events(api) == 2


def test_a_run_is_recorded_whatever_its_texts_hold(api: Api):
    told = Told()
    labels = {
        "prefect.resource.id": f"prefect.task-run.{told.id}",
        "prefect.orchestration": "client",
        "prefect.state-message": "boom\0",
    }
    run = {"name": "a\0b", "tags": ["x\0"], "cache_key": "\0k", "labels": {"l": "\0"}, "task_version": "\0"}
    details = {"type": "FAILED", "name": "Fail\0ed", "message": "boom\0", "data": {"big": 2**70, "nul": "\0"}}
    send(api, told.event("FAILED", 1, run=run, told=details, resource=labels))
    found = api.read("task_run", told.id)
    assert (found.name, found.tags, found.cache_key, found.labels) == ("ab", ["x"], "k", {"l": "\0"})
    assert (found.state.name, found.state.message) == ("Failed", "boom")
    assert found.state.data == {"big": 2**70, "nul": "\0"}
