"""Inputs of flow runs, and resuming with them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"], "additionalProperties": False}
KEYSET = {"schema": "the-schema", "response": "the-response", "description": "the-description"}


def send(api, run, key, value="v", **fields):
    return api("POST", "/flow_runs/{id}/input", {"key": key, "value": value, **fields}, id=run.id)


def test_an_input_is_read_as_it_was_sent(api):
    run = api.flow_run()
    assert send(api, run, "k", '{"a": 1}').status == 201
    reply = api("GET", "/flow_runs/{id}/input/{key}", id=run.id, key="k")
    assert (reply.body, reply.media_type) == ('{"a": 1}', "text/plain")


def test_a_key_is_used_once(api):
    run = api.flow_run()
    send(api, run, "k")
    assert api.refused("POST", "/flow_runs/{id}/input", {"key": "k", "value": "w"}, id=run.id).status == 409
    assert send(api, api.flow_run(), "k").status == 201


def test_inputs_need_a_run(api):
    assert api.refused("POST", "/flow_runs/{id}/input", {"key": "k", "value": "w"}, id=uuid4()).status == 404


def test_inputs_are_found_by_prefix_oldest_first(api):
    run = api.flow_run()
    for key in ("a-2", "a-1", "b-1", "a-3"):
        send(api, run, key, sender="me")

    def found(**body):
        return [each.key for each in api("POST", "/flow_runs/{id}/input/filter", body, id=run.id).body]

    assert found(prefix="a-") == ["a-2"]
    assert found(prefix="a-", limit=10) == ["a-2", "a-1", "a-3"]
    assert found(prefix="a-", limit=10, exclude_keys=["a-2"]) == ["a-1", "a-3"]
    assert found(prefix="", limit=10) == ["a-2", "a-1", "b-1", "a-3"]
    assert found(prefix="A") == []


def test_an_input_is_deleted(api):
    run = api.flow_run()
    send(api, run, "k")
    assert api("DELETE", "/flow_runs/{id}/input/{key}", id=run.id, key="k").status == 204
    assert api.refused("DELETE", "/flow_runs/{id}/input/{key}", id=run.id, key="k").status == 404
    assert api.refused("GET", "/flow_runs/{id}/input/{key}", id=run.id, key="k").status == 404


# -- resuming --------------------------------------------------------------------------------------------------------


def resume(api, run, **body):
    return api("POST", "/flow_runs/{id}/resume", body, id=run.id)


def paused(api, **details):
    run = api.flow_run(state="RUNNING", deployment_id=api.deployment().id)
    api.set_state("flow_run", run.id, "PAUSED", state_details=details)
    return run


def test_a_paused_run_goes_on_running(api):
    reply = resume(api, paused(api))
    assert (reply.status, reply.body.status.value, reply.body.state.name) == (201, "ACCEPT", "Running")


def test_a_suspended_run_is_scheduled(api):
    reply = resume(api, paused(api, pause_reschedule=True))
    assert (reply.body.state.type.value, reply.body.state.name) == ("SCHEDULED", "Resuming")


def test_a_run_that_is_not_paused_cannot_be_resumed(api):
    reply = resume(api, api.flow_run())
    assert (reply.status, reply.body.status.value, reply.body.state) == (200, "ABORT", None)


def test_a_run_without_the_schema_of_its_input_stays_paused(api):
    reply = resume(api, paused(api, run_input_keyset=KEYSET), run_input={"x": 1})
    assert (reply.body.status.value, reply.body.state.name, reply.body.details.type) == (
        "REJECT",
        "Paused",
        "abort_details",
    )


@pytest.mark.parametrize("run_input", [None, {}, {"x": "one"}, {"x": 1, "y": 2}])
def test_input_that_does_not_fit_leaves_a_run_paused(api, run_input):
    run = paused(api, run_input_keyset=KEYSET)
    send(api, run, KEYSET["schema"], json.dumps(SCHEMA))
    reply = resume(api, run, run_input=run_input)
    assert (reply.status, reply.body.status.value, reply.body.state.name) == (200, "REJECT", "Paused")
    assert reply.body.details.reason
    assert api.read("flow_run", run.id).state_name == "Paused"


def test_input_that_fits_is_stored_for_the_run(api):
    run = paused(api, run_input_keyset=KEYSET)
    send(api, run, KEYSET["schema"], json.dumps(SCHEMA))
    assert resume(api, run, run_input={"x": 1}).body.state.name == "Running"
    stored = api("GET", "/flow_runs/{id}/input/{key}", id=run.id, key=KEYSET["response"]).body
    assert json.loads(stored) == {"x": 1}
