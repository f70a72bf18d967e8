"""The services that delete what is old: events, flow runs, and what they have left behind."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

from prefect.server.models.audit import record_audit_entries
from prefect.server.schemas.access import AuditEntry
from prefect.server.services import event_vacuum, flow_run_vacuum, orphan_vacuum

DAY = timedelta(days=1)


def now():
    return datetime.now(timezone.utc)


def settle(store, service, at):
    """Rounds until there is nothing left to do, as the runner makes them; how much was done."""
    done, total = 1, 0
    while done:
        done = store.write(lambda tx: service.run_once(tx, at))
        total += done
    return total


def count(store, table):
    return store.read(lambda tx: tx.fetch_one(f"SELECT COUNT(*) AS total FROM {table}"))["total"]


def emit(api, name, occurred, number=1):
    body = [
        {
            "id": str(uuid4()),
            "event": name,
            "occurred": occurred.isoformat(),
            "resource": {"prefect.resource.id": "a.b"},
        }
        for _ in range(number)
    ]
    api("POST", "/events", body)


def test_old_events_are_deleted_and_young_ones_are_kept(api, store):
    start = now()
    emit(api, "old", start - 8 * DAY, 450)
    emit(api, "prefect.flow-run.heartbeat", start - 8 * DAY)
    emit(api, "young", start - 6 * DAY)
    assert store.write(lambda tx: event_vacuum.run_once(tx, start)) == 200
    assert settle(store, event_vacuum, start) == 251
    assert count(store, "event") == 1


def test_old_entries_of_the_audit_trail_are_deleted_and_young_ones_are_kept(store):
    start = now()
    plain = {
        "actor": "me",
        "api_key_id": None,
        "method": "GET",
        "route": "/",
        "path": "/",
        "status": 200,
        "client": None,
    }
    ages = [91 * DAY] * 250 + [89 * DAY]
    entries = [AuditEntry.model_validate({"id": uuid4(), "occurred": start - age, **plain}) for age in ages]
    store.write(lambda tx: record_audit_entries(tx, entries))
    assert store.write(lambda tx: event_vacuum.run_once(tx, start)) == 200
    assert settle(store, event_vacuum, start) == 50
    assert count(store, "audit_entry") == 1


def ended(api, **fields):
    run = api.flow_run(state="RUNNING", **fields)
    api.set_state("flow_run", run.id, "COMPLETED")
    return run


def test_old_runs_are_deleted_with_all_that_belongs_to_them(api, store):
    run = ended(api)
    task = api.task_run(run.id, state="RUNNING")
    log = {"name": "x", "level": 20, "message": "m", "timestamp": now().isoformat(), "flow_run_id": str(run.id)}
    api("POST", "/logs/", [log])
    child = ended(api, parent_task_run_id=task.id)
    assert settle(store, flow_run_vacuum, now() + 89 * DAY) == 0
    # The subflow run goes when its parent has gone.
    assert settle(store, flow_run_vacuum, now() + 91 * DAY) == 2
    assert [count(store, table) for table in ("flow_run", "task_run", "log", "flow_run_state")] == [0] * 4
    assert api.refused("GET", "/flow_runs/{id}", id=child.id).status == 404


def test_runs_that_go_on_are_never_deleted(api, store):
    for state in ("PENDING", "RUNNING", "SCHEDULED"):
        api.flow_run(state=state)
    assert settle(store, flow_run_vacuum, now() + 1000 * DAY) == 0


def test_records_without_a_run_are_deleted_after_a_day(api, store):
    run = ended(api)
    for flow_run_id in (run.id, uuid4(), None):
        log = {"name": "x", "level": 20, "message": "m", "timestamp": now().isoformat()}
        api("POST", "/logs/", [{**log, "flow_run_id": flow_run_id and str(flow_run_id)}])
        api("POST", "/artifacts/", {"key": "k", "data": 1, "flow_run_id": flow_run_id and str(flow_run_id)})
    assert settle(store, orphan_vacuum, now()) == 0
    assert settle(store, orphan_vacuum, now() + 2 * DAY) == 2
    assert (count(store, "log"), count(store, "artifact"), count(store, "artifact_collection")) == (2, 2, 1)
