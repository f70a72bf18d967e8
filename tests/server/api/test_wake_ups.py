"""Several server processes on one database: a websocket of each sees what any of them stores, once and in order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.postgres import SERVER_URL, new_database
from tests.server.api.conftest import RunningServer, server
from tests.server.api.test_sockets import PATIENCE, event, socket, wanting
from tests.server.api.test_worker_channel import Worker
from tests.server.api.test_worker_channel import heard as worker_frame
from tests.server.routes.test_task_run_events import Told
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.slow

LOGS = {
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "true",
    "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED": "true",
}


class Cluster:
    """Addresses of one or more servers on one database; behind each there may be several processes."""

    def __init__(self, servers: list[RunningServer], database: str | None) -> None:
        self.servers, self.database = servers, database

    def post(self, number: int, path: str, body: Any) -> Any:
        # A connection of its own each time, so that any process behind the address may get it.
        running = self.servers[number % len(self.servers)]
        answer = httpx.post(running.url + path, json=body, timeout=30, verify=False).raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture(
    scope="module", params=["two workers on sqlite", pytest.param("two on postgresql", marks=pytest.mark.postgres)]
)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        if request.param == "two workers on sqlite":
            servers = [stack.enter_context(server(home, "--workers", "2", **LOGS))]
            yield Cluster(servers, None)
        else:
            url = stack.enter_context(new_database())
            variables = {**LOGS, "PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
            servers = [stack.enter_context(server(home / str(number), **variables)) for number in range(2)]
            yield Cluster(servers, url)


@contextmanager
def listeners(cluster: Cluster, path: str, wanted: str, count: int = 4) -> Iterator[list[ClientConnection]]:
    with ExitStack() as stack:
        found = []
        for number in range(count):
            found.append(stack.enter_context(socket(cluster.servers[number % len(cluster.servers)], path)))
            found[-1].send(wanted)
        yield found


def until_all_hear(listening: list[ClientConnection], tell: Callable[[], object]) -> None:
    """Tell until everybody has heard it once: from then on they are subscribed."""
    deadline, deaf = time.monotonic() + PATIENCE, list(listening)
    while deaf:
        assert time.monotonic() < deadline, "nobody was told"
        tell()
        for each in list(deaf):
            try:
                each.recv(0.3)
            except TimeoutError:
                continue
            deaf.remove(each)


def heard(listening: ClientConnection, last: str, read: Callable[[Any], str]) -> list[str]:
    """What arrives up to and with the last one."""
    found: list[str] = []
    while not found or found[-1] != last:
        found.append(read(json.loads(listening.recv(PATIENCE))))
    return found


def test_every_socket_sees_every_event_once_and_in_order(cluster: Cluster):
    resource = f"oven.{uuid4()}"
    names = [f"oven.{number}" for number in range(60)]
    with listeners(cluster, "/events/out", wanting(resource)) as listening:
        # One more each than the next, and all wait for the answer: they are stored one after another.
        for number, name in enumerate(names):
            cluster.post(number, "/events", [event(name, resource)])
        for each in listening:
            assert heard(each, names[-1], lambda message: message["event"]["event"]) == names


def test_events_that_are_stored_at_the_same_time_are_all_seen_once(cluster: Cluster):
    resource = f"oven.{uuid4()}"

    def bake(number: int) -> None:
        for turn in range(15):
            cluster.post(number, "/events", [event(f"oven.{number}.{turn}.{part}", resource) for part in range(3)])

    with listeners(cluster, "/events/out", wanting(resource)) as listening:
        bakers = [threading.Thread(target=bake, args=(number,)) for number in range(4)]
        for baker in bakers:
            baker.start()
        for baker in bakers:
            baker.join()
        cluster.post(0, "/events", [event("oven.cold", resource)])
        for each in listening:
            names = heard(each, "oven.cold", lambda message: message["event"]["event"])
            assert len(names) == len(set(names)) == 4 * 15 * 3 + 1
            first = [name for name in names if name.startswith("oven.0.")]
            assert first == [f"oven.0.{turn}.{part}" for turn in range(15) for part in range(3)]


def test_an_event_that_is_sent_again_is_not_seen_again(cluster: Cluster):
    resource, lit = f"oven.{uuid4()}", event("oven.lit", f"oven.{uuid4()}")
    lit["resource"]["prefect.resource.id"] = resource
    with listeners(cluster, "/events/out", wanting(resource)) as listening:
        for number in range(4):
            cluster.post(number, "/events", [lit])
        cluster.post(0, "/events", [event("oven.cold", resource)])
        for each in listening:
            names = heard(each, "oven.cold", lambda message: message["event"]["event"])
            assert names == ["oven.lit", "oven.cold"]


def test_every_socket_sees_every_log_once_and_in_order(cluster: Cluster):
    run = str(uuid4())
    log = {"name": "n", "level": 20, "flow_run_id": run}
    wanted = json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [run]}}})

    def write(number: int, message: str) -> None:
        instant = f"2026-01-01T00:00:{59 - number % 60:02}Z"  # against the order in which they are stored
        cluster.post(number, "/logs/", [{**log, "message": message, "timestamp": instant}])

    with listeners(cluster, "/logs/out", wanted) as listening:
        until_all_hear(listening, lambda: write(0, "is anybody there?"))
        for number in range(30):
            write(number, str(number))
        for each in listening:
            messages = heard(each, "29", lambda message: message["log"]["message"])
            assert [text for text in messages if text.isdigit()] == [str(number) for number in range(30)]


def test_a_task_worker_is_told_of_a_run_that_another_process_has_stored(cluster: Cluster):
    key = f"task-{uuid4()}"
    with socket(cluster.servers[0], "/task_runs/subscriptions/scheduled") as waiting:
        waiting.send(json.dumps({"type": "subscribe", "keys": [key], "client_id": "somebody"}))
        for number in range(6):
            state = {"type": "SCHEDULED", "name": "Scheduled", "state_details": {"deferred": True}}
            body = {"task_key": key, "dynamic_key": str(number), "name": str(number), "state": state}
            made = cluster.post(number + 1, "/task_runs/", body)
            assert json.loads(waiting.recv(PATIENCE))["id"] == made["id"]
            waiting.send('{"type": "ack"}')


@pytest.mark.postgres
def test_what_was_missed_while_a_connection_was_broken_is_read_later(cluster: Cluster):
    if cluster.database is None:
        pytest.skip("SQLite has no connection that could break")
    resource = f"oven.{uuid4()}"
    names = [f"oven.{number}" for number in range(20)]
    with listeners(cluster, "/events/out", wanting(resource)) as listening:
        until_all_hear(listening, lambda: cluster.post(0, "/events", [event("oven.lit", resource)]))
        with psycopg.connect(SERVER_URL, autocommit=True) as connection:
            for number, name in enumerate(names):
                ended = connection.execute(
                    "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE application_name = 'prefect-listener' AND datname = %s",
                    (cluster.database.rpartition("/")[2],),
                ).fetchone()
                assert ended is not None and (number or ended[0] == 2)
                cluster.post(number, "/events", [event(name, resource)])
        for each in listening:
            found = heard(each, names[-1], lambda message: message["event"]["event"])
            assert [name for name in found if name != "oven.lit"] == names


def test_task_runs_that_two_tell_of_at_the_same_time_are_all_stored(cluster: Cluster):
    flow_run_id = uuid4()
    runs = [[Told(flow_run_id, dynamic_key=str(number)) for number in range(60)] for _ in range(4)]

    def tell(number: int) -> None:
        # Each knows the same task runs by other ids: of two that come at once, the database refuses one.
        with socket(cluster.servers[number % len(cluster.servers)], "/events/in") as incoming:
            for place, run in enumerate(runs[number]):
                incoming.send(json.dumps(run.event("RUNNING", place)))

    telling = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for each in telling:
        each.start()
    for each in telling:
        each.join()
    related = [{"id": [f"prefect.flow-run.{flow_run_id}"], "role": ["flow-run"]}]
    wanted = {"filter": {"occurred": {"since": "2026-01-01T00:00:00Z"}, "related": related}}
    deadline, total = time.monotonic() + PATIENCE, 0
    while total < 240:
        assert time.monotonic() < deadline, f"{240 - total} events are missing"
        total = cluster.post(0, "/events/filter", {**wanted, "limit": 0})["total"]
    assert total == 240
    assert cluster.post(0, "/task_runs/count", {"task_runs": {"flow_run_id": {"any_": [str(flow_run_id)]}}}) == 60


def test_a_filter_of_a_socket_with_too_long_a_list_closes_it_with_the_reason(cluster: Cluster):
    wanted = {"type": "filter", "filter": {"event": {"name": ["n"] * 70_000}}}
    with socket(cluster.servers[0], "/events/out") as outgoing:
        outgoing.send(json.dumps(wanted))
        with pytest.raises(ConnectionClosed) as closed:
            outgoing.recv(PATIENCE)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, "70002" in closed.value.rcvd.reason) == (1002, True)


def test_workers_are_told_of_a_pool_that_another_process_has_changed(cluster: Cluster):
    name = f"pool-{uuid4()}"
    with ExitStack() as stack:
        workers = [Worker(cluster.servers[number % len(cluster.servers)], name) for number in range(4)]
        connections = [stack.enter_context(worker.connected()) for worker in workers]
        for connection in connections:
            assert worker_frame(connection)["type"] == "worker.ready.v1"
        httpx.patch(f"{cluster.servers[0].url}/work_pools/{name}", json={"is_paused": True}).raise_for_status()
        for connection in connections:
            said = worker_frame(connection)["payload"]
            assert (said["snapshot_sequence"], said["work_pool"]["is_paused"]) == (2, True)
