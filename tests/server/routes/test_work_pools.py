"""Work pools through the API: made, read, changed, paused, deleted, and the workers that serve them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.server.routes.work import (
    POOL,
    WORKERS,
    events_of,
    heartbeat,
    pool,
    priorities,
    queue,
    read_pool,
    read_queue,
    run_of,
)


def template(properties, configuration=None):
    variables = {"type": "object", "properties": properties}
    return {"job_configuration": configuration or {"a": 1}, "variables": variables}


# -- making ----------------------------------------------------------------------------------------------------------


def test_a_new_pool_is_not_ready_and_has_a_default_queue(api):
    made = api("POST", "/work_pools/", {"name": "p", "type": "process", "description": "d"})
    assert made.status == 201
    assert made.body == read_pool(api)
    assert (made.body.status.value, made.body.description, made.body.active_slots) == ("NOT_READY", "d", None)
    default = read_queue(api, "default")
    assert (default.id, default.priority, default.work_pool_name) == (made.body.default_queue_id, 1, "p")
    assert default.status.value == "NOT_READY"
    assert events_of(api, "work-pool", made.body.id) == ["created", "not-ready"]
    assert events_of(api, "work-queue", default.id) == ["created"]


def test_a_pool_of_agents_shows_no_status(api):
    assert api("POST", "/work_pools/", {"name": "a"}).body.status is None


def test_a_pool_can_start_out_paused(api):
    assert pool(api, is_paused=True).status.value == "PAUSED"


def test_the_names_of_pools_are_unique(api):
    pool(api)
    refused = api.refused("POST", "/work_pools/", {"name": "p", "type": "docker"})
    assert (refused.status, "'p'" in refused.detail) == (409, True)


@pytest.mark.parametrize("name", ["prefect-x", "Prefect"])
def test_reserved_names_are_refused(api, name):
    assert api.refused("POST", "/work_pools/", {"name": name, "type": "process"}).status == 403
    assert api.refused("DELETE", POOL, name=name).status == 403
    assert api.refused("PATCH", POOL, {"description": "mine"}, name=name).status == 403


@pytest.mark.parametrize(
    "body", [{"name": "''"}, {"name": "a/b"}, {"name": ""}, {"name": "p", "concurrency_limit": -1}]
)
def test_what_cannot_be_is_refused(api, body):
    assert api.refused("POST", "/work_pools/", {"type": "process", **body}).status == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"job_configuration": {"a": "{{ b }}"}},
        template({}, {"a": "{{ b }}"}),
        template({"b": {"type": "integer", "default": "no"}}),
        template({"b": {"type": "bogus"}}),
        {"job_configuration": {"a": 1}, "variables": [1]},
        {"job_configuration": {"a": 1}, "variables": {"properties": [1]}},
    ],
)
def test_a_wrong_template_is_refused(api, wrong):
    assert api.refused("POST", "/work_pools/", {"name": "p", "type": "x", "base_job_template": wrong}).status == 422
    pool(api)
    assert api.refused("PATCH", POOL, {"base_job_template": wrong}, name="p").status == 422
    assert read_pool(api).base_job_template == {}


def test_a_default_that_is_an_unknown_block_is_refused(api):
    reference = {"$ref": {"block_document_id": str(uuid4())}}
    wrong = template({"b": {"type": "object", "default": reference}})
    assert api.refused("POST", "/work_pools/", {"name": "p", "type": "x", "base_job_template": wrong}).status == 404


def test_a_right_template_is_stored(api):
    right = template(
        {"b": {"type": "integer", "default": None}, "c": {"type": "string", "default": "x"}}, {"a": "{{ b }}"}
    )
    assert pool(api, base_job_template=right).base_job_template == right


# -- reading ---------------------------------------------------------------------------------------------------------


def test_pools_are_found_by_filters(api):
    pool(api, "b")
    pool(api, "a", type="docker")

    def found(**wanted):
        return [each.name for each in api("POST", "/work_pools/filter", {"work_pools": wanted}).body]

    assert [each.name for each in api("POST", "/work_pools/filter", {}).body] == ["a", "b"]
    assert found(type={"any_": ["docker"]}) == ["a"]
    assert found(name={"any_": ["b"]}, type={"any_": ["docker"]}) == []
    assert found(name={"any_": ["b"]}, type={"any_": ["docker"]}, operator="or_") == ["a", "b"]
    assert found(id={"any_": [str(read_pool(api, "b").id)]}) == ["b"]
    assert api("POST", "/work_pools/count", {"work_pools": {"type": {"any_": ["docker"]}}}).body == 1
    assert [each.name for each in api("POST", "/work_pools/filter", {"limit": 1, "offset": 1}).body] == ["b"]


def test_what_is_not_there_is_not_found(api):
    for method in ("GET", "DELETE"):
        assert api.refused(method, POOL, name="nope").status == 404
    assert api.refused("PATCH", POOL, {"is_paused": True}, name="nope").status == 404
    assert api.refused("POST", POOL + "/concurrency_status", {}, name="nope").status == 404
    assert api.refused("POST", WORKERS + "/heartbeat", {"name": "w"}, work_pool_name="nope").status == 404
    assert api.refused("POST", WORKERS + "/filter", {}, work_pool_name="nope").status == 404


# -- changing --------------------------------------------------------------------------------------------------------


def test_only_what_is_sent_changes_and_an_event_tells_of_it(api):
    made = pool(api, description="old", concurrency_limit=2)
    changed = api("PATCH", POOL, {"description": "new", "concurrency_limit": None}, name="p")
    assert changed.status == 204
    after = read_pool(api)
    assert (after.description, after.concurrency_limit, after.type) == ("new", None, "process")
    chosen = {"resource": {"id": [f"prefect.work-pool.{made.id}"]}, "event": {"name": ["prefect.work-pool.updated"]}}
    (event,) = api("POST", "/events/filter", {"filter": chosen}).body["events"]
    assert event.payload["updates"] == {
        "description": {"from": "old", "to": "new"},
        "concurrency_limit": {"from": 2, "to": None},
    }


def test_a_change_that_changes_nothing_tells_nothing(api):
    made = pool(api, description="same")
    api("PATCH", POOL, {"description": "same"}, name="p")
    assert "updated" not in events_of(api, "work-pool", made.id)


@pytest.mark.parametrize("name", ["is_paused", "base_job_template", "storage_configuration"])
def test_what_a_pool_must_have_cannot_be_taken_away(api, name):
    pool(api)
    assert api.refused("PATCH", POOL, {name: None}, name="p").status == 422


def test_pausing_and_resuming_follow_the_workers(api):
    made = pool(api)
    api("PATCH", POOL, {"is_paused": True}, name="p")
    assert read_pool(api).status.value == "PAUSED"
    heartbeat(api)
    assert read_pool(api).status.value == "PAUSED"
    api("PATCH", POOL, {"is_paused": False}, name="p")
    assert read_pool(api).status.value == "READY"
    assert events_of(api, "work-pool", made.id) == ["created", "not-ready", "paused", "ready"]


def test_a_pool_resumes_not_ready_without_a_worker(api):
    pool(api, is_paused=True)
    api("PATCH", POOL, {"is_paused": False}, name="p")
    assert read_pool(api).status.value == "NOT_READY"


def test_events_of_the_status_follow_each_other(api):
    made = pool(api)
    heartbeat(api)
    chosen = {"resource": {"id": [f"prefect.work-pool.{made.id}"]}, "order": "ASC"}
    _, first, second = api("POST", "/events/filter", {"filter": chosen}).body["events"]
    assert (first.event, second.event) == ("prefect.work-pool.not-ready", "prefect.work-pool.ready")
    assert second.follows == first.id


# -- deleting --------------------------------------------------------------------------------------------------------


def test_runs_and_deployments_outlive_their_pool(api):
    pool(api)
    heartbeat(api)
    deployment = api.deployment(work_pool_name="p")
    run = run_of(api, deployment)
    assert api("DELETE", POOL, name="p").status == 204
    after = api.read("flow_run", run.id)
    assert (after.work_queue_id, after.work_queue_name, after.work_pool_id, after.work_pool_name) == (None,) * 4
    assert api.read("deployment", deployment.id).work_queue_id is None
    assert api.set_state("flow_run", run.id, "PENDING").status.value == "ACCEPT"
    missing = {"flow_runs": {"work_queue_name": {"is_null_": True}}}
    assert [each.id for each in api("POST", "/flow_runs/filter", missing).body] == [run.id]
    pool(api)
    assert api("POST", WORKERS + "/filter", {}, work_pool_name="p").body == []
    assert priorities(api) == [("default", 1)]


def test_a_deleted_pool_and_its_queues_tell_of_it(api):
    made = pool(api)
    api("DELETE", POOL, name="p")
    assert events_of(api, "work-pool", made.id)[-1] == "deleted"
    assert events_of(api, "work-queue", made.default_queue_id)[-1] == "deleted"


# -- workers ---------------------------------------------------------------------------------------------------------


def test_a_heartbeat_makes_a_worker_online_and_its_pool_ready(api):
    pool(api)
    assert heartbeat(api, "w", heartbeat_interval_seconds=7).status == 204
    heartbeat(api, "w")
    (worker,) = api("POST", WORKERS + "/filter", {}, work_pool_name="p").body
    assert (worker.name, worker.status.value, worker.heartbeat_interval_seconds) == ("w", "ONLINE", 7)
    assert worker.work_pool_id == read_pool(api).id
    assert read_pool(api).status.value == "READY"


def test_a_silent_worker_is_offline(api, store):
    pool(api)
    heartbeat(api, "quick", heartbeat_interval_seconds=1)
    heartbeat(api, "slow")
    store.write(
        lambda tx: tx.execute("UPDATE worker SET last_heartbeat_time = ?", (tx.now.replace(year=tx.now.year - 1),))
    )
    heartbeat(api, "slow")

    def found(**wanted):
        workers = api("POST", WORKERS + "/filter", {"workers": wanted}, work_pool_name="p").body
        return [(each.name, each.status.value) for each in workers]

    assert found() == [("slow", "ONLINE"), ("quick", "OFFLINE")]
    assert found(status={"any_": ["ONLINE"]}) == [("slow", "ONLINE")]
    assert found(status={"not_any_": ["ONLINE"]}) == [("quick", "OFFLINE")]
    assert found(last_heartbeat_time={"before_": "2020-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize("interval", [0, -1, 2**40])
def test_an_impossible_interval_is_refused(api, interval):
    pool(api)
    body = {"name": "w", "heartbeat_interval_seconds": interval}
    assert api.refused("POST", WORKERS + "/heartbeat", body, work_pool_name="p").status == 422


def test_a_worker_can_be_forgotten(api):
    pool(api)
    heartbeat(api)
    assert api("DELETE", WORKERS + "/{name}", work_pool_name="p", name="w").status == 204
    assert api.refused("DELETE", WORKERS + "/{name}", work_pool_name="p", name="w").status == 404


# -- slots -----------------------------------------------------------------------------------------------------------


def test_the_holders_of_slots_are_shown(api):
    made = pool(api, concurrency_limit=3)
    urgent = queue(api, "urgent", priority=1, concurrency_limit=2)
    deployment = api.deployment(work_pool_name="p", work_queue_name="urgent")
    runs = [run_of(api, deployment) for _ in range(3)]
    for run in runs[:2]:
        api.set_state("flow_run", run.id, "PENDING")
    api.set_state("flow_run", runs[1].id, "RUNNING")
    assert read_pool(api).active_slots == 2
    assert read_queue(api, "urgent").active_slots == 2
    assert read_queue(api, "default").active_slots is None
    status = api("POST", POOL + "/concurrency_status", {"flow_run_limit": 1}, name="p").body
    assert (status.active_slots, status.concurrency_limit, status.count, status.pages) == (2, 3, 2, 1)
    assert [(each.queue_name, each.active_slots, len(each.flow_runs)) for each in status.queues] == [
        ("urgent", 2, 1),
        ("default", 0, 0),
    ]
    api.set_state("flow_run", runs[1].id, "CANCELLING")
    assert read_pool(api).active_slots == 1
    shown = api("POST", "/work_queues/{id}/concurrency_status", {"limit": 1, "page": 2}, id=urgent.id).body
    assert (shown.active_slots, shown.count, shown.pages, len(shown.flow_runs)) == (2, 2, 2, 1)
    assert shown.flow_runs[0].time_in_current_state is not None
    assert made.concurrency_limit == 3


# -- where pools show ------------------------------------------------------------------------------------------------


def test_runs_and_deployments_carry_their_queue_and_pool(api):
    made = pool(api)
    queue(api, "q")
    deployment = api.deployment(work_pool_name="p", work_queue_name="q")
    assert (deployment.work_pool_name, deployment.work_queue_name) == ("p", "q")
    run = run_of(api, deployment)
    assert (run.work_pool_id, run.work_pool_name, run.work_queue_name) == (made.id, "p", "q")
    assert api.read("flow_run", run.id) == run
    (event,) = api("POST", "/events/filter", {"filter": {"id": {"id": [str(run.state_id)]}}}).body["events"]
    roles = {each.root["prefect.resource.role"]: each.root for each in event.related}
    assert roles["work-pool"]["prefect.work-pool.type"] == "process"
    assert roles["work-queue"]["prefect.resource.name"] == "q"


def test_a_deployment_makes_the_queue_that_it_names(api):
    pool(api)
    api.deployment(work_pool_name="p", work_queue_name="new")
    assert priorities(api) == [("default", 1), ("new", 2)]


def test_a_deployment_with_only_a_queue_goes_to_the_pool_of_the_agents(api):
    assert api.deployment(work_queue_name="q").work_pool_name == "default-agent-pool"
    assert api("GET", "/work_queues/name/{name}", name="q").body.work_pool_name == "default-agent-pool"


def test_a_run_without_a_deployment_can_name_its_queue(api):
    pool(api)
    queue(api, "q")
    flow = api.flow()
    run = api("POST", "/flow_runs/", {"flow_id": flow.id, "work_pool_name": "p"}).body
    assert (run.state.name, run.work_pool_name, run.work_queue_name) == ("Pending", "p", "default")
    run = api("POST", "/flow_runs/", {"flow_id": flow.id, "work_pool_name": "p", "work_queue_name": "q"}).body
    assert (run.work_pool_name, run.work_queue_name) == ("p", "q")
    body = {"flow_id": flow.id, "work_pool_name": "p", "work_queue_name": "nope"}
    assert api.refused("POST", "/flow_runs/", body).status == 404
    assert api.refused("POST", "/flow_runs/", {"flow_id": flow.id, "work_pool_name": "nope"}).status == 404


def test_job_variables_have_to_fit_the_pool(api):
    pool(api, base_job_template=template({"cpu": {"type": "integer"}}))
    flow = api.flow()
    body = {"name": "d", "flow_id": flow.id, "work_pool_name": "p", "job_variables": {"cpu": "many"}}
    assert api.refused("POST", "/deployments/", body).status == 422
    deployment = api.deployment(work_pool_name="p", job_variables={"cpu": 1})
    body = {"job_variables": {"cpu": "many"}}
    assert api.refused("POST", "/deployments/{id}/create_flow_run", body, id=deployment.id).status == 422


def test_a_variable_with_a_default_is_not_required(api):
    variables = {"cpu": {"type": "integer", "default": 1}, "image": {"type": "string"}, "any": True}
    wanted = template(variables)
    wanted["variables"]["required"] = ["cpu", "image"]
    pool(api, base_job_template=wanted)
    deployment = api.deployment(work_pool_name="p")
    assert api.refused("POST", "/deployments/{id}/create_flow_run", {}, id=deployment.id).status == 422
    assert run_of(api, deployment, job_variables={"image": "i"}).work_pool_name == "p"


def test_filters_by_pool_and_queue_reach_everything(api):
    pool(api)
    pool(api, "other")
    queue(api, "q")
    in_q = api.deployment("in-q", work_pool_name="p", work_queue_name="q")
    elsewhere = api.deployment("elsewhere", api.flow("elsewhere").id, work_pool_name="other")
    api.deployment("nowhere", api.flow("nowhere").id)
    run, _ = run_of(api, in_q), run_of(api, elsewhere)
    task = api.task_run(run.id)
    for wanted in (
        {"work_pools": {"name": {"any_": ["p"]}}},
        {"work_pool_queues": {"name": {"any_": ["q"]}}},
        {"work_pools": {"type": {"any_": ["process"]}}, "work_pool_queues": {"name": {"startswith_": ["Q"]}}},
    ):
        assert [each.id for each in api("POST", "/flow_runs/filter", wanted).body] == [run.id], wanted
        assert [each.name for each in api("POST", "/deployments/filter", wanted).body] == ["in-q"], wanted
    wanted = {"work_pools": {"name": {"any_": ["p"]}}}
    assert [each.name for each in api("POST", "/flows/filter", wanted).body] == ["flow"]
    by_name = {"work_queue_name": {"any_": ["q"]}}
    assert [each.id for each in api("POST", "/flow_runs/filter", {"flow_runs": by_name}).body] == [run.id]
    assert [each.name for each in api("POST", "/deployments/filter", {"deployments": by_name}).body] == ["in-q"]
    assert api("POST", "/task_runs/filter", {"flow_runs": by_name}).body[0].id == task.id


def test_a_renamed_queue_is_renamed_everywhere(api):
    pool(api)
    queue(api, "q")
    run = run_of(api, api.deployment(work_pool_name="p", work_queue_name="q"))
    api("PATCH", "/work_pools/{work_pool_name}/queues/{name}", {"name": "r"}, work_pool_name="p", name="q")
    assert api.read("flow_run", run.id).work_queue_name == "r"
    for name, count in (("q", 0), ("r", 1)):
        wanted = {"flow_runs": {"work_queue_name": {"any_": [name]}}}
        assert api("POST", "/flow_runs/count", wanted).body == count


def test_the_types_of_workers_are_known(api):
    view = api("GET", "/collections/views/{view}", view="aggregate-worker-metadata").body
    assert "working_dir" in view["prefect"]["process"]["default_base_job_configuration"]["job_configuration"]
    assert view["prefect-kubernetes"]["kubernetes"]["install_command"] == "pip install prefect-kubernetes"
    for types in view.values():
        for kind, about in types.items():
            pool(api, f"of-{kind}", type=kind, base_job_template=about["default_base_job_configuration"])
    assert api.refused("GET", "/collections/views/{view}", view="nope").status == 404
