"""The schedules of deployments through the API, and what becomes of the runs that they have made."""

from __future__ import annotations

from uuid import uuid4

import pytest

HOURLY = {"interval": 3600}


def schedules_of(api, id):
    return {each.slug: each for each in api("GET", "/deployments/{id}/schedules", id=id).body}


def run_names(api, id):
    """The schedules that have made the scheduled runs of a deployment, and how many each."""
    runs = api("POST", "/flow_runs/filter", {"flow_runs": {"deployment_id": {"any_": [str(id)]}}}).body
    names = [run.created_by.display_value for run in runs if run.auto_scheduled]
    return {name: names.count(name) for name in names}


@pytest.fixture
def scheduled(api):
    """A deployment with the schedules a and b, whose runs are made."""
    slugs = [{"schedule": HOURLY, "slug": "a"}, {"schedule": HOURLY, "slug": "b"}]
    deployment = api.deployment(schedules=slugs)
    api("POST", "/deployments/{id}/schedule", {}, id=deployment.id)
    assert run_names(api, deployment.id) == {"a": 3, "b": 3}
    return deployment


def test_schedules_are_added_and_listed(api):
    id = api.deployment(schedules=[{"schedule": HOURLY, "slug": "first"}]).id
    wanted = [
        {"schedule": {"cron": "0 9 * * *", "timezone": "America/New_York"}, "slug": "cron", "active": False},
        {"schedule": {"rrule": "FREQ=DAILY;COUNT=3"}, "slug": "rrule", "parameters": {"x": 1}, "max_scheduled_runs": 5},
    ]
    answer = api("POST", "/deployments/{id}/schedules", wanted, id=id)
    assert (answer.status, [each.slug for each in answer.body]) == (201, ["cron", "rrule"])
    listed = schedules_of(api, id)
    assert sorted(listed) == ["cron", "first", "rrule"]
    assert (listed["cron"].schedule.cron, listed["cron"].schedule.timezone) == ("0 9 * * *", "America/New_York")
    assert not listed["cron"].active
    assert (listed["rrule"].parameters, listed["rrule"].max_scheduled_runs) == ({"x": 1}, 5)
    assert "DTSTART" in listed["rrule"].schedule.rrule
    assert {each.slug for each in api.read("deployment", id).schedules} == set(listed)


def test_a_slug_is_unique_in_its_deployment(api):
    first, other = api.deployment("one"), api.deployment("two")
    body = [{"schedule": HOURLY, "slug": "a"}]
    api("POST", "/deployments/{id}/schedules", body, id=first.id)
    api("POST", "/deployments/{id}/schedules", body, id=other.id)
    assert api.refused("POST", "/deployments/{id}/schedules", body, id=first.id).status == 409
    added = [{"schedule": HOURLY, "slug": "b"}, {"schedule": HOURLY, "slug": "a"}]
    assert api.refused("POST", "/deployments/{id}/schedules", added, id=first.id).status == 409
    assert list(schedules_of(api, first.id)) == ["a"]


def test_a_schedule_is_changed_and_its_runs_are_dropped(api, scheduled):
    a = schedules_of(api, scheduled.id)["a"]
    path = "/deployments/{id}/schedules/{schedule_id}"
    body = {"active": False, "slug": None, "parameters": {"x": 1}}
    assert api("PATCH", path, body, id=scheduled.id, schedule_id=a.id).status == 204
    changed = schedules_of(api, scheduled.id)["a"]
    assert (changed.active, changed.parameters, changed.schedule) == (False, {"x": 1}, a.schedule)
    assert run_names(api, scheduled.id) == {}
    api("POST", "/deployments/{id}/schedule", {}, id=scheduled.id)
    assert run_names(api, scheduled.id) == {"b": 3}


def test_a_schedule_cannot_take_the_slug_of_another(api, scheduled):
    a = schedules_of(api, scheduled.id)["a"]
    path = "/deployments/{id}/schedules/{schedule_id}"
    assert api.refused("PATCH", path, {"slug": "b"}, id=scheduled.id, schedule_id=a.id).status == 409
    assert run_names(api, scheduled.id) == {"a": 3, "b": 3}


def test_a_deleted_schedule_takes_the_runs_of_all_along(api, scheduled):
    a = schedules_of(api, scheduled.id)["a"]
    assert api("DELETE", "/deployments/{id}/schedules/{schedule_id}", id=scheduled.id, schedule_id=a.id).status == 204
    assert list(schedules_of(api, scheduled.id)) == ["b"]
    assert run_names(api, scheduled.id) == {}


def test_unknown_schedules_are_not_found(api, scheduled):
    path = "/deployments/{id}/schedules/{schedule_id}"
    a = schedules_of(api, scheduled.id)["a"]
    for method, body in (("PATCH", {}), ("DELETE", None)):
        assert api.refused(method, path, body, id=scheduled.id, schedule_id=uuid4()).status == 404
        assert api.refused(method, path, body, id=uuid4(), schedule_id=a.id).status == 404
        assert api.refused(method, path, body, id=api.deployment("other").id, schedule_id=a.id).status == 404
    assert api("POST", "/deployments/{id}/schedule", {}, id=uuid4()).status == 200


# -- what becomes of runs --------------------------------------------------------------------------------------------


def test_pausing_a_deployment_drops_the_runs_of_its_schedules(api, scheduled):
    asked_for = api("POST", "/deployments/{id}/create_flow_run", {}, id=scheduled.id).body
    api("POST", "/deployments/{id}/pause_deployment", id=scheduled.id)
    assert [run.id for run in api("POST", "/flow_runs/filter", {}).body] == [asked_for.id]
    api("POST", "/deployments/{id}/schedule", {}, id=scheduled.id)
    assert run_names(api, scheduled.id) == {}


@pytest.mark.parametrize("change", [{"tags": ["new"]}, {"paused": True}])
def test_an_update_drops_the_runs_of_the_schedules(api, scheduled, change):
    api("PATCH", "/deployments/{id}", change, id=scheduled.id)
    assert run_names(api, scheduled.id) == {}


def test_runs_that_have_started_or_wait_for_a_slot_are_never_dropped(api, scheduled):
    runs = api("POST", "/flow_runs/filter", {"limit": 2}).body
    api.set_state("flow_run", runs[0].id, "RUNNING", force=True)
    api.set_state("flow_run", runs[0].id, "SCHEDULED", force=True)
    api.set_state("flow_run", runs[1].id, "SCHEDULED", force=True, name="AwaitingConcurrencySlot")
    api("POST", "/deployments/{id}/pause_deployment", id=scheduled.id)
    assert {run.id for run in api("POST", "/flow_runs/filter", {}).body} == {run.id for run in runs}


# -- as parts of an update of the deployment -------------------------------------------------------------------------


def patched(api, existing, wanted):
    """What the schedules of a deployment are after an update: slugs and whether they are active."""
    deployment = api.deployment(schedules=[{"schedule": HOURLY, **each} for each in existing])
    api("PATCH", "/deployments/{id}", {"schedules": wanted}, id=deployment.id)
    return {(each.slug, each.active) for each in api.read("deployment", deployment.id).schedules}


SLUGGED, PLAIN = [{"slug": "a"}, {"slug": "b"}], [{}, {}]


@pytest.mark.parametrize(
    "existing, wanted, expected",
    [
        (SLUGGED, [], {("a", True), ("b", True)}),
        (SLUGGED, [{"slug": "a", "active": False}], {("a", False), ("b", True)}),
        (SLUGGED, [{"slug": "c", "schedule": HOURLY}], {("a", True), ("b", True), ("c", True)}),
        (SLUGGED, [{"slug": "c", "replaces": "a", "active": False}], {("c", False), ("b", True)}),
        (SLUGGED, [{"slug": "c", "replaces": "x", "schedule": HOURLY}], {("a", True), ("b", True), ("c", True)}),
        (PLAIN, [], set()),
        (PLAIN, [{"schedule": HOURLY, "active": False}], {(None, False)}),
        (PLAIN, [{"schedule": HOURLY, "slug": "a"}], {("a", True)}),
        ([], [{"schedule": HOURLY}], {(None, True)}),
        ([{"slug": "a"}, {}], [{"schedule": HOURLY, "slug": "b"}], {("b", True)}),
    ],
)
def test_an_update_merges_schedules_by_their_slugs(api, existing, wanted, expected):
    assert patched(api, existing, wanted) == expected


def test_a_renamed_schedule_keeps_its_id(api, scheduled):
    before = schedules_of(api, scheduled.id)["a"]
    api("PATCH", "/deployments/{id}", {"schedules": [{"slug": "c", "replaces": "a"}]}, id=scheduled.id)
    assert schedules_of(api, scheduled.id)["c"].id == before.id


@pytest.mark.parametrize(
    "existing, wanted, status",
    [
        (SLUGGED, [{"slug": "c"}], 422),
        (SLUGGED, [{"schedule": HOURLY}], 422),
        (SLUGGED, [{"active": False}], 422),
        (SLUGGED, [{"slug": "b", "replaces": "a"}], 422),
        (SLUGGED, [{"slug": "c", "replaces": "x"}], 422),
        (SLUGGED, [{"slug": "c", "replaces": "a"}, {"slug": "d", "replaces": "a"}], 422),
        (SLUGGED, [{"slug": "c", "schedule": HOURLY}, {"slug": "c", "schedule": HOURLY}], 409),
        (PLAIN, [{"slug": "a", "active": False}], 422),
    ],
)
def test_an_unclear_update_of_schedules_is_refused_and_changes_none(api, existing, wanted, status):
    deployment = api.deployment(schedules=[{"schedule": HOURLY, **each} for each in existing])
    assert api.refused("PATCH", "/deployments/{id}", {"schedules": wanted}, id=deployment.id).status == status
    assert api.read("deployment", deployment.id) == deployment
