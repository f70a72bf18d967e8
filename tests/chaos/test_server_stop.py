"""Ctrl-C and `kill` of a server under load: it ends soon and quietly, and what it has done it has also answered."""

from __future__ import annotations

import http.client
import signal
import threading
from pathlib import Path

import pytest
from tests.chaos.processes import wait_until
from tests.chaos.servers import Asker, Server, Told, check_logs, check_told, servers
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
CLIENTS = 6


class OneTry(Asker):
    """Asks once; whoever gets no answer gives up."""

    def __call__(self, method, path, body=None):
        status, answer = self.once(method, path, body)
        if status == 503:
            raise ConnectionRefusedError
        return self.read(status, answer)


def drive(server: Server, flow_id: str, told: Told, failures: list[BaseException]) -> None:
    ask = OneTry([server])
    try:
        while True:
            run_id = ask("POST", "/flow_runs/", {"flow_id": flow_id, "state": {"type": "PENDING"}})["id"]
            told.created.append(run_id)
            told.propose(ask, run_id, type="RUNNING")
            told.propose(ask, run_id, type="COMPLETED")
            told.ended.append(run_id)
    except (OSError, http.client.HTTPException):
        pass  # the server is gone
    except BaseException as error:  # noqa: BLE001 - the test raises it
        failures.append(error)
    finally:
        ask.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("dialect", DATABASES)
def test_a_server_that_is_told_to_end_answers_what_it_has_begun(tmp_path: Path, dialect: str, number: signal.Signals):
    told, failures = Told(), []
    with servers(tmp_path, dialect) as [server]:
        server.start()
        server.wait()
        flow_id = Asker([server])("POST", "/flows/", {"name": "driven"})["id"]
        clients = [
            threading.Thread(target=drive, args=(server, flow_id, told, failures), daemon=True) for _ in range(CLIENTS)
        ]
        with connect(f"ws://127.0.0.1:{server.port}/api/events/in") as socket:  # somebody who never goes by himself
            for client in clients:
                client.start()
            wait_until(lambda: bool(failures) or len(told.ended) > 20, "runs end")
            assert server.stop(number) == 0, server.log
            with pytest.raises(ConnectionClosed):
                socket.recv(10)
        for client in clients:
            client.join(30)
            assert not client.is_alive()
        assert failures == []
        assert "Server stopped!" in server.log
        check_logs(server)
        check_told(server, told)
        with server.rows() as ask:
            done = {row[0] for row in ask("SELECT id FROM flow_run_state WHERE type <> 'PENDING'")}
            runs = {row[0] for row in ask("SELECT id FROM flow_run")}
    unanswered = len(done - {state_id for _, state_id, _ in told.accepted}), len(runs - set(told.created))
    assert unanswered == (0, 0), "transitions and runs that were stored, and that nobody was told of"
