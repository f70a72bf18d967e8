"""The scheduler: rounds with a chosen clock, repeated, side by side, and while schedules change."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from prefect.server.services.scheduler import recent_deployments_scheduler, scheduler
from prefect.settings import temporary_settings

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOURLY = {"interval": 3600, "anchor_date": "2026-01-01T00:00:00Z"}


def now():
    return datetime.now(timezone.utc)


def go_round(store, service=scheduler, at=None):
    at = at or now()
    return store.write(lambda tx: service.run_once(tx, at))


def runs(api, deployment=None, **filters):
    """The scheduled runs, the earliest first."""
    if deployment is not None:
        filters["deployment_id"] = {"any_": [str(deployment.id)]}
    body = {"flow_runs": filters, "sort": "EXPECTED_START_TIME_ASC"}
    return api("POST", "/flow_runs/filter", body).body


def times(api, deployment=None):
    return [run.expected_start_time for run in runs(api, deployment)]


def test_a_round_makes_the_runs_that_are_missing(api, store):
    flow = api.flow(labels={"team": "blue"})
    schedule = {"schedule": HOURLY, "slug": "hourly", "parameters": {"x": 2}}
    deployment = api.deployment(
        "d",
        flow.id,
        version="1",
        tags=["t"],
        parameters={"x": 1, "y": 1},
        job_variables={"cpu": 1},
        schedules=[schedule],
    )
    start = now()
    assert go_round(store) == 3
    made = runs(api, deployment)
    first = made[0]
    hour = start.replace(minute=0, second=0, microsecond=0)
    assert [run.expected_start_time for run in made] == [hour + n * HOUR for n in (1, 2, 3)]
    assert (first.flow_id, first.deployment_version, first.tags) == (flow.id, "1", ["auto-scheduled", "t"])
    assert (first.parameters, first.job_variables, first.auto_scheduled) == ({"x": 2, "y": 1}, {}, True)
    assert first.labels == {
        "team": "blue",
        "prefect.flow.id": str(flow.id),
        "prefect.deployment.id": str(deployment.id),
    }
    [stored] = deployment.schedules
    assert (first.created_by.type, first.created_by.id, first.created_by.display_value) == (
        "SCHEDULE",
        stored.id,
        "hourly",
    )
    assert first.idempotency_key == f"scheduled {deployment.id} {stored.id} {first.expected_start_time}"
    assert (first.state.type.value, first.state.name) == ("SCHEDULED", "Scheduled")
    assert first.state.state_details.scheduled_time == first.next_scheduled_start_time == first.expected_start_time
    assert first.state.state_details.flow_run_id == first.id
    assert api("GET", "/flow_run_states/", query={"flow_run_id": first.id}).body == [first.state]


def test_a_repeated_round_makes_nothing(api, store):
    api.deployment(schedules=[{"schedule": HOURLY}, {"schedule": {"cron": "*/5 * * * *"}}])
    at = now()
    made = go_round(store, at=at)
    assert made > 3
    assert go_round(store, at=at) == 0
    assert len(runs(api)) == made


def test_rounds_follow_the_clock_without_gaps_or_doubles(api, store):
    api.deployment(schedules=[{"schedule": {"interval": 60, "anchor_date": "2026-01-01T00:00:00Z"}}])
    start = now()
    for minutes in range(0, 90, 7):
        go_round(store, at=start + minutes * MINUTE)
    made = times(api)
    assert all(later - earlier == MINUTE for earlier, later in zip(made, made[1:], strict=False))
    assert made[-1] >= start + 84 * MINUTE + HOUR


def test_times_that_have_passed_are_not_made_up_for(api, store):
    api.deployment(schedules=[{"schedule": HOURLY}])
    later = now() + 24 * HOUR
    go_round(store, at=later)
    assert min(times(api)) >= later


def test_paused_deployments_and_inactive_schedules_get_no_runs(api, store):
    api.deployment("paused", paused=True, schedules=[{"schedule": HOURLY}])
    api.deployment("inactive", schedules=[{"schedule": HOURLY, "active": False}])
    api.deployment("without")
    assert go_round(store) == go_round(store, recent_deployments_scheduler) == 0


def test_each_schedule_gets_its_own_runs(api, store):
    both = [{"schedule": HOURLY, "slug": "a"}, {"schedule": HOURLY, "slug": "b"}]
    deployment = api.deployment(schedules=both)
    go_round(store)
    [a] = [each for each in api.read("deployment", deployment.id).schedules if each.slug == "a"]
    body = {"schedule": {**HOURLY, "interval": 1800}}
    api("PATCH", "/deployments/{id}/schedules/{schedule_id}", body, id=deployment.id, schedule_id=a.id)
    go_round(store)
    assert Counter(run.created_by.display_value for run in runs(api)) == {"a": 3, "b": 3}


def test_the_recent_scheduler_serves_what_has_just_changed(api, store):
    deployment = api.deployment(schedules=[{"schedule": HOURLY}])
    assert go_round(store, recent_deployments_scheduler) == 3
    api("PATCH", "/deployments/{id}", {"tags": ["new"]}, id=deployment.id)
    assert runs(api) == []
    assert go_round(store, recent_deployments_scheduler) == 3
    assert runs(api)[0].tags == ["auto-scheduled", "new"]
    api("POST", "/deployments/{id}/pause_deployment", id=deployment.id)
    assert go_round(store, recent_deployments_scheduler) == 0
    api("POST", "/deployments/{id}/resume_deployment", id=deployment.id)
    assert go_round(store, recent_deployments_scheduler) == 3


def test_the_recent_scheduler_leaves_the_others_alone(api, store):
    api.deployment(schedules=[{"schedule": HOURLY}])
    assert go_round(store, recent_deployments_scheduler, at=now() + MINUTE) == 0


def test_a_started_run_is_not_made_again(api, store):
    api.deployment(schedules=[{"schedule": HOURLY}])
    at = now()
    go_round(store, at=at)
    first = runs(api)[0]
    api.set_state("flow_run", first.id, "PENDING")
    assert go_round(store, at=at) == 0
    go_round(store, at=first.expected_start_time + MINUTE)
    assert times(api) == [first.expected_start_time + n * HOUR for n in range(4)]


def test_one_schedule_that_cannot_be_read_keeps_no_other_from_its_runs(api, store):
    broken = api.deployment("broken", schedules=[{"schedule": {"cron": "0 * * * *"}}])
    fine = api.deployment("fine", schedules=[{"schedule": HOURLY}])
    # Such as a time zone that the operating system does not know any more.
    damaged = '{"cron": "0 * * * *", "timezone": "Atlantis/Capital", "day_or": true}'
    store.write(
        lambda tx: tx.execute(
            "UPDATE deployment_schedule SET schedule = ? WHERE deployment_id = ?", (damaged, broken.id)
        )
    )
    go_round(store)
    assert (len(runs(api, broken)), len(runs(api, fine))) == (0, 3)


def test_batches_cover_all_deployments(api, store):
    for number in range(7):
        api.deployment(f"d{number}", schedules=[{"schedule": HOURLY}])
    with temporary_settings(
        {"server.services.scheduler.deployment_batch_size": 2, "server.services.scheduler.insert_batch_size": 4}
    ):
        assert go_round(store) == 21


# -- side by side ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["one process", "another one"])
def stores(request, store):
    """Two schedulers: on one store, or each on a store of its own on the same database, as in two processes."""
    if request.param == "one process":
        yield [store, store]
    else:
        other = type(store)(store.url)
        yield [store, other]
        other.close()


def test_two_schedulers_at_once_make_each_run_once(api, stores):
    deployments = [
        api.deployment(f"d{number}", schedules=[{"schedule": {"interval": 60, "anchor_date": "2026-01-01T00:00:00Z"}}])
        for number in range(6)
    ]
    start = now()
    together = threading.Barrier(4)

    def rounds(store):
        together.wait()
        return sum(go_round(store, at=start + minutes * MINUTE) for minutes in range(0, 20, 5))

    with ThreadPoolExecutor(4) as pool:
        made = sum(pool.map(rounds, [*stores, *stores]))
    expected = [times(api, deployment) for deployment in deployments]
    for each in expected:
        assert all(later - earlier == MINUTE for earlier, later in zip(each, each[1:], strict=False))
        assert each[-1] >= start + 15 * MINUTE + HOUR
    assert made == sum(map(len, expected))


def test_no_run_of_a_former_schedule_survives_its_change(api, stores):
    def schedule(minute):
        return {"schedule": {"cron": f"{minute} * * * *"}, "slug": "s"}

    deployment = api.deployment(schedules=[schedule(0)])
    [stored] = deployment.schedules
    is_over = threading.Event()

    def keep_scheduling(store):
        while not is_over.is_set():
            go_round(store, recent_deployments_scheduler)
            go_round(store)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(keep_scheduling, store) for store in stores]
        path = "/deployments/{id}/schedules/{schedule_id}"
        for minute in range(1, 30):
            api("PATCH", path, {"schedule": {"cron": f"{minute} * * * *"}}, id=deployment.id, schedule_id=stored.id)
        is_over.set()
        for each in done:
            each.result()
    go_round(stores[0])
    assert [time.minute for time in times(api)] == [29, 29, 29]
