"""Odd requests about deployments: each gets an answer that says whose fault it is, and stops nothing else."""

from __future__ import annotations

import pytest

from prefect.server.routes import ApiError
from prefect.server.services.scheduler import scheduler

HOURLY = {"interval": 3600}
ODD_TEXTS = ["", " ", "\x00", "a\x00b", "é" * 300, "'; DROP TABLE deployment; --", "%", "{{ x }}", "💥" * 50, "\ud800"]
ODD_VALUES = [
    None, 0, -1, 10**30, 1e300, True, [], {}, [None], {"a": {"b": [1, {"c": None}]}}, "\x00", "\ud800",
    {"\x00": 1}, {"": ""}, {"__prefect_kind": 5}, {"__prefect_kind": "jinja"}, {"__prefect_kind": "jinja", "template": 3},
    {"__prefect_kind": "workspace_variable", "variable_name": []}, {"$ref": "#/nowhere"},
]  # fmt: skip


def answer(api, *args, **kwargs):
    """The status of the answer; anything but an answer raises."""
    try:
        return api(*args, **kwargs).status
    except ApiError as refusal:
        return refusal.status


def store_is_fine(api, store):
    """Whether a sound deployment still gets its runs after whatever came before."""
    sound = api.deployment("sound", schedules=[{"schedule": HOURLY}])
    store.write(lambda tx: scheduler.run_once(tx, tx.now))
    found = api("POST", "/flow_runs/count", {"deployments": {"id": {"any_": [str(sound.id)]}}}).body
    return found == 3 and len(api("POST", "/deployments/filter", {}).body) == api("POST", "/deployments/count", {}).body


@pytest.mark.parametrize("field", ["name", "version", "description", "path", "entrypoint", "work_queue_name"])
def test_odd_texts_are_stored_or_refused(api, store, field):
    flow_id = api.flow().id
    for text in ODD_TEXTS:
        body = {"name": "d", "flow_id": flow_id, field: text, "schedules": [{"schedule": HOURLY}]}
        assert answer(api, "POST", "/deployments/", body) in (200, 201, 404, 422)
    assert store_is_fine(api, store)


@pytest.mark.parametrize(
    "field",
    ["parameters", "tags", "labels", "job_variables", "pull_steps", "parameter_openapi_schema", "concurrency_options"],
)
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"x": value}, lambda value: [value]])
def test_odd_values_are_stored_or_refused(api, store, field, wrap):
    flow_id = api.flow().id
    odd = api.deployment("patched")
    for number, value in enumerate(ODD_VALUES):
        body = {field: wrap(value)}
        new = {"name": f"d{number}", "flow_id": flow_id, "schedules": [{"schedule": HOURLY}], **body}
        assert answer(api, "POST", "/deployments/", new) in (200, 201, 409, 422)
        assert answer(api, "PATCH", "/deployments/{id}", body, id=odd.id) in (204, 400, 409, 422)
    assert store_is_fine(api, store)


def test_odd_parameters_of_runs_and_schedules_are_stored_or_refused(api, store):
    deployment = api.deployment()
    for value in ODD_VALUES:
        for body in ({"parameters": {"x": value}}, {"context": {"x": value}}, {"job_variables": {"x": value}}):
            assert answer(api, "POST", "/deployments/{id}/create_flow_run", body, id=deployment.id) in (
                201,
                400,
                409,
                422,
            )
        wanted = [{"schedule": HOURLY, "parameters": {"x": value}, "slug": repr(value)}]
        assert answer(api, "POST", "/deployments/{id}/schedules", wanted, id=deployment.id) in (201, 422)
    for text in ODD_TEXTS:
        wanted = [{"schedule": HOURLY, "slug": text}]
        assert answer(api, "POST", "/deployments/{id}/schedules", wanted, id=deployment.id) in (201, 409, 422)
    assert store_is_fine(api, store)


@pytest.mark.parametrize(
    "body",
    [
        {"start_time": "9999-12-31T23:59:59Z"},
        {"start_time": "0001-01-01T00:00:00Z", "min_runs": 2},
        {"end_time": "0001-01-01T00:00:00Z"},
        {"min_time": 10**30},
        {"min_time": -5},
        {"min_runs": 10**30},
        {"min_runs": -1, "max_runs": -1},
        {"max_runs": 10**9, "min_runs": 10**9},
        {"max_runs": 0},
        {"min_runs": "many"},
    ],
    ids=str,
)
def test_odd_horizons_are_followed_or_refused(api, store, body):
    deployment = api.deployment(schedules=[{"schedule": HOURLY}, {"schedule": {"cron": "0 9 * * *"}}])
    assert answer(api, "POST", "/deployments/{id}/schedule", body, id=deployment.id) in (200, 422)
    assert api("POST", "/flow_runs/count", {}).body <= 2000
    assert store_is_fine(api, store)
