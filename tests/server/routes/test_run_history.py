"""Histories and lateness of runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

START = datetime(2030, 1, 1, tzinfo=timezone.utc)


def scheduled(api, at, flow_id, **fields):
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}
    return api.flow_run(flow_id, state, **fields)


def history(api, kind="flow_runs", **body):
    return api("POST", f"/{kind}/history", {"history_start": START.isoformat(), **body}).body


def test_runs_are_counted_in_the_slice_in_which_they_are_expected(api):
    flow = api.flow()
    for minutes in (0, 9.9, 10, 25):
        scheduled(api, START + timedelta(minutes=minutes), flow.id)
    scheduled(api, START - timedelta(minutes=1), flow.id)
    late = scheduled(api, START + timedelta(minutes=1), flow.id)
    api.set_state("flow_run", late.id, "CANCELLED")

    slices = history(api, history_end=(START + timedelta(minutes=30)).isoformat(), history_interval_seconds=600)

    assert [(each.interval_start - START, each.interval_end - START) for each in slices] == [
        (timedelta(minutes=n), timedelta(minutes=n + 10)) for n in (0, 10, 20)
    ]
    assert [[(state.state_name, state.count_runs) for state in each.states] for each in slices] == [
        [("Cancelled", 1), ("Scheduled", 2)],
        [("Scheduled", 1)],
        [("Scheduled", 1)],
    ]
    assert slices[0].states[1].sum_estimated_lateness == timedelta(0)


def test_run_time_and_lateness_are_summed(api):
    run = scheduled(api, datetime(2020, 1, 1, tzinfo=timezone.utc), api.flow().id)
    api.set_state("flow_run", run.id, "RUNNING")
    body = {"history_start": "2020-01-01T00:00:00Z", "history_end": "2020-01-02T00:00:00Z"}
    (slice,) = api("POST", "/flow_runs/history", {**body, "history_interval_seconds": 86400}).body
    assert slice.states[0].sum_estimated_lateness > timedelta(days=365)
    assert slice.states[0].sum_estimated_run_time > timedelta(0)


def test_a_history_has_a_finest_and_a_longest_form(api):
    end = (START + timedelta(days=2)).isoformat()
    assert api.refused(
        "POST",
        "/flow_runs/history",
        {"history_start": START.isoformat(), "history_end": end, "history_interval_seconds": 0.5},
    ).body["detail"]
    assert len(history(api, history_end=end, history_interval_seconds=60)) == 500


def test_task_runs_have_a_history_too(api):
    now = datetime.now(timezone.utc)
    api.task_run(None)
    body = {
        "history_start": (now - timedelta(hours=1)).isoformat(),
        "history_end": (now + timedelta(hours=1)).isoformat(),
        "history_interval_seconds": 7200,
    }
    (slice,) = api("POST", "/task_runs/history", body).body
    assert [(state.state_name, state.count_runs) for state in slice.states] == [("Pending", 1)]


def test_lateness_is_an_average(api):
    flow = api.flow()
    assert api("POST", "/flow_runs/lateness", {}).body is None
    scheduled(api, START, flow.id)
    assert api("POST", "/flow_runs/lateness", {}).body == 0
    hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    scheduled(api, hour_ago, flow.id)
    started = scheduled(api, hour_ago, flow.id)
    api.set_state("flow_run", started.id, "RUNNING")
    ended = scheduled(api, hour_ago, flow.id)
    api.set_state("flow_run", ended.id, "CANCELLED")
    # A run that ended without having started counts as started when it ended.
    assert api("POST", "/flow_runs/lateness", {}).body == pytest.approx(3600 * 3 / 4, abs=30)


@pytest.mark.parametrize("filtered", [False, True], ids=["all runs", "filtered"])
@pytest.mark.parametrize("state", ["COMPLETED", "SCHEDULED"])
def test_slices_may_begin_within_a_minute(api, state, filtered):
    flow, start = api.flow(), START + timedelta(seconds=7.000003)
    step = timedelta(seconds=13.7)
    for at in (start, start + step - timedelta(microseconds=1), start + step, start + 3 * step, start + 4 * step):
        run = scheduled(api, at, flow.id)
        if state == "COMPLETED":
            api.set_state("flow_run", run.id, "COMPLETED")
    body = {
        "history_start": start.isoformat(),
        "history_end": (start + 4 * step).isoformat(),
        "history_interval_seconds": step.total_seconds(),
        **({"flows": {"id": {"any_": [str(flow.id)]}}} if filtered else {}),
    }
    slices = api("POST", "/flow_runs/history", body).body
    assert [[(each.state_type.value, each.count_runs) for each in slice.states] for slice in slices] == [
        [(state, 2)], [(state, 1)], [], [(state, 1)]
    ]  # fmt: skip
