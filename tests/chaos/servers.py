"""Servers that are killed and come back on the same port and database, and clients that do not mind."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.chaos.processes import wait_until
from tests.postgres import new_database

from prefect.server.database.store import forget_store, open_store

TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


class Server:
    """`prefect server start` on one port and one database, as often as it is started."""

    def __init__(self, home: Path, database: str, **environment: str) -> None:
        self.home, self.database, self.port = home, database, _quiet_port()
        self.process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self._environment = kept | {
            "PREFECT_HOME": str(home),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
            **environment,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text()

    def start(self) -> None:
        """Start the process; it answers some time later."""
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(self.port)]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until it answers."""
        assert self.process is not None
        process = self.process
        wait_until(lambda: process.poll() is not None or self._answers(), "the server answers", 60)
        assert process.poll() is None, self.log

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End it without a chance to do anything."""
        assert self.process is not None
        self.process.kill()
        assert self.process.wait(30) == -signal.SIGKILL, self.log

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; gives its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @contextmanager
    def rows(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Ask the database itself."""
        store = open_store(self.database)

        def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
            found = store.read(lambda tx: tx.fetch_all(sql, params))
            return [tuple(str(value) for value in dict(row).values()) for row in found]

        try:
            yield ask
        finally:
            forget_store(self.database)


def _quiet_port() -> int:
    """A port that the system gives to nobody else while the server is away."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@contextmanager
def servers(home: Path, dialect: str, count: int = 1, **environment: str) -> Iterator[list[Server]]:
    """Servers on one new database, none of them started; they are stopped in the end."""
    with _database(home, dialect) as url:
        made = [Server(home / f"server-{number}", url, **environment) for number in range(count)]
        try:
            yield made
        finally:
            for each in made:
                if each.process is not None and each.process.poll() is None:
                    each.process.kill()
                    each.process.wait(30)


@contextmanager
def _database(home: Path, dialect: str) -> Iterator[str]:
    if dialect == "sqlite":
        yield f"sqlite:///{home / 'prefect.db'}"
    else:
        with new_database() as url:
            yield url


# -- clients ---------------------------------------------------------------------------------------------------------


class Asker:
    """Asks one of several servers, and another one, or the same again, until one answers."""

    def __init__(self, servers: Sequence[Server], patience_seconds: float = 60) -> None:
        self._ports = [server.port for server in servers]
        self._at = random.randrange(len(self._ports))
        self._patience = patience_seconds
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                status, answer = self.once(method, path, body)
            except (OSError, http.client.HTTPException):
                status, answer = 503, b""
            if status != 503:
                return self.read(status, answer)
            assert time.monotonic() < deadline, f"{method} {path}: nobody has answered"
            self.close()
            self._at = (self._at + 1) % len(self._ports)
            time.sleep(0.05)

    def read(self, status: int, answer: bytes) -> Any:
        """What an answer holds, which must be no failure."""
        assert status < 300, f"{status} {answer!r}"
        return json.loads(answer) if answer else None

    def once(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Ask once.

        Raises:
            OSError, http.client.HTTPException: There is no answer.
        """
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._ports[self._at], timeout=20)
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, f"/api{path}", json.dumps(body) if body is not None else None, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Told:
    """What clients have been told by servers."""

    accepted: list[tuple[str, str, str]] = field(default_factory=list)
    """(flow run, id of the state, its type) of every transition that was answered ACCEPT."""
    created: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Runs that their client has taken to COMPLETED."""

    def propose(self, ask: Asker, run_id: str, **state: Any) -> bool:
        """Propose a state, as often as it takes until there is an answer; gives whether it was accepted."""
        # By its id a proposal is known again whose first answer was lost.
        transition_id = str(uuid4())
        details = {"transition_id": transition_id}
        answer = ask("POST", f"/flow_runs/{run_id}/set_state", {"state": {"state_details": details, **state}})
        entered = answer["state"] or {}
        is_own = entered.get("type") == state["type"] and entered["state_details"]["transition_id"] == transition_id
        if answer["status"] == "ACCEPT" or is_own:
            self.accepted.append((run_id, entered["id"], entered["type"]))
        return answer["status"] == "ACCEPT" or is_own


class Load:
    """Clients that create runs and take them to COMPLETED, each in a thread, until they are told to stop."""

    def __init__(self, servers: Sequence[Server], clients: int) -> None:
        self.told = Told()
        self.failures: list[BaseException] = []
        self._servers = servers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
        if self.failures:
            raise self.failures[0]

    def _run(self) -> None:
        try:
            ask = Asker(self._servers)
            flow_id = ask("POST", "/flows/", {"name": "driven"})["id"]
            while not self._stopping.is_set():
                self._drive(ask, flow_id)
            ask.close()
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.failures.append(error)

    def _drive(self, ask: Asker, flow_id: str) -> None:
        new = {"flow_id": flow_id, "idempotency_key": str(uuid4()), "state": {"type": "PENDING"}}
        run_id = ask("POST", "/flow_runs/", new)["id"]
        self.told.created.append(run_id)
        assert self.told.propose(ask, run_id, type="RUNNING")
        assert self.told.propose(ask, run_id, type="COMPLETED", data={"run": run_id})
        self.told.ended.append(run_id)


# -- what has to hold afterwards -------------------------------------------------------------------------------------


def check_told(server: Server, told: Told) -> None:
    """What was answered is stored, and ends stayed ends. To be asked when no server runs."""
    with server.rows() as ask:
        stored = {row[0]: row[1:] for row in ask("SELECT id, flow_run_id, type FROM flow_run_state")}
        runs = dict(ask("SELECT id, state_type FROM flow_run"))
        history: dict[str, list[str]] = {}
        for run_id, kind in ask("SELECT flow_run_id, type FROM flow_run_state ORDER BY timestamp, id"):
            history.setdefault(run_id, []).append(kind)
        [[driven]] = ask(
            "SELECT count(*) AS n FROM flow_run WHERE flow_id = (SELECT id FROM flow WHERE name = 'driven')"
        )
        if server.database.startswith("sqlite"):
            assert ask("PRAGMA integrity_check") == [("ok",)]
            assert ask("PRAGMA foreign_key_check") == []
    lost = [each for each in told.accepted if stored.get(each[1]) != (each[0], each[2])]
    assert not lost, f"{len(lost)} of {len(told.accepted)} accepted transitions are lost: {lost[:3]}"
    assert {runs.get(run_id) for run_id in told.ended} == {"COMPLETED"}
    assert set(told.created) <= runs.keys()
    assert int(driven) == len(set(told.created)), "runs that nobody was told of"
    for run_id, kinds in history.items():
        assert not set(kinds[:-1]) & set(TERMINAL), f"{run_id} went on after its end: {kinds}"


def check_logs(server: Server) -> None:
    """Servers have neither failed nor complained."""
    for word in ("Traceback", "ERROR", "CRITICAL"):
        assert word not in server.log, server.log[-6000:]
