"""Words of the tests about work pools: their routes, by short names."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

POOL = "/work_pools/{name}"
QUEUES = "/work_pools/{work_pool_name}/queues"
WORKERS = "/work_pools/{work_pool_name}/workers"


def pool(api, name="p", **fields):
    """A new work pool."""
    return api("POST", "/work_pools/", {"name": name, "type": "process", **fields}).body


def read_pool(api, name="p"):
    return api("GET", POOL, name=name).body


def queue(api, name, pool_name="p", **fields):
    """A new queue of a work pool."""
    return api("POST", QUEUES, {"name": name, **fields}, work_pool_name=pool_name).body


def read_queue(api, name, pool_name="p"):
    return api("GET", QUEUES + "/{name}", work_pool_name=pool_name, name=name).body


def priorities(api, pool_name="p"):
    """The queues of a pool in the order in which they are served, with their priorities."""
    found = api("POST", QUEUES + "/filter", {}, work_pool_name=pool_name).body
    return [(each.name, each.priority) for each in found]


def heartbeat(api, name="w", pool_name="p", **fields):
    return api("POST", WORKERS + "/heartbeat", {"name": name, **fields}, work_pool_name=pool_name)


def poll(api, pool_name="p", **fields):
    """The ids of the runs that a worker of a pool is told of."""
    answer = api("POST", POOL + "/get_scheduled_flow_runs", fields, name=pool_name).body
    return [each.flow_run.id for each in answer]


def run_of(api, deployment, *, minutes_ago=0.0, **fields):
    """A scheduled run of a deployment; negative minutes lie ahead."""
    due = datetime.now(timezone.utc) - timedelta(minutes=minutes_ago)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
    return api("POST", "/deployments/{id}/create_flow_run", {"state": state, **fields}, id=deployment.id).body


def events_of(api, kind, id):
    """The names of the events about a pool or a queue, the oldest first, without their prefix."""
    chosen = {"resource": {"id": [f"prefect.{kind}.{id}"]}, "order": "ASC"}
    found = api("POST", "/events/filter", {"filter": chosen}).body["events"]
    return [each.event.removeprefix(f"prefect.{kind}.") for each in found]
