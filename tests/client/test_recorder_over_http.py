"""Records on their way to a server that is away, comes back, loses answers, or refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
from tests.client.core_api import CoreAPI
from tests.client.http_api import Answer, Request

from prefect import get_client
from prefect._recorder._recorder import forget_recorder, get_recorder
from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import Log
from prefect.events.schemas import events
from prefect.server.database.store import forget_store
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

PATIENCE = 60.0


def eventually(condition, what: str):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {PATIENCE} seconds")


@pytest.fixture
def api(tmp_path: Path):
    with CoreAPI(tmp_path / "server.db") as api:
        yield api
    forget_store(api.database_url)


@pytest.fixture
def recorder(api: CoreAPI, tmp_path: Path):
    """The recorder of this process for that API, with a folder of its own."""
    with temporary_settings({"api.url": api.url, "home": tmp_path / "home"}):
        yield get_recorder()
        forget_recorder(api.url, timeout=0.5)  # what a test leaves undelivered, it leaves on purpose


def log(recorder, message: str, flow_run_id: UUID) -> None:
    recorder.log("test", 20, message, time.time(), flow_run_id)


def stored_messages(api: CoreAPI, flow_run_id: UUID | None = None) -> list[str]:
    found: list[Log] = []
    with temporary_settings({"api.url": api.url}), get_client(sync_client=True) as client:
        while page := client.read_logs(limit=200, offset=len(found)):
            found += page
    return [log.message for log in found if flow_run_id is None or log.flow_run_id == flow_run_id]


def spilled(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "home" / "recorder").glob("*/*.spill"))


def waiting_lines(tmp_path: Path) -> int:
    """How many records wait; the first line of a file names its process."""
    return sum(line[:1] in (b"E", b"L") for path in spilled(tmp_path) for line in path.read_bytes().splitlines())


def event(name: str, payload: dict | None = None) -> events.Event:
    return events.Event(
        event=name,
        resource=events.Resource.model_validate({"prefect.resource.id": "test.thing"}),
        payload=payload or {},
    )


# -- away, and back ----------------------------------------------------------------------------------------------------


def test_records_wait_on_disk_while_the_server_is_away_and_arrive_once(api, recorder, tmp_path, caplog):
    run = uuid4()
    api.stop()
    for number in range(50):
        log(recorder, f"line {number}", run)
        recorder.event(event(f"test.{number}"))
    assert not recorder.flush(0.5)
    assert waiting_lines(tmp_path) == 100

    api.start()
    log(recorder, "afterwards", run)
    assert recorder.flush(PATIENCE)
    assert stored_messages(api, run) == [*(f"line {number}" for number in range(50)), "afterwards"]
    assert spilled(tmp_path) == []
    told = [record.getMessage() for record in caplog.records if record.name == "prefect.recorder"]
    assert len(told) == 2
    assert "wait in" in told[0] and "answers again" in told[1]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_a_server_that_cannot_take_them_now_gets_them_later(api, recorder, tmp_path, status):
    api.refuse_with = status
    run = uuid4()
    log(recorder, "here", run)
    assert not recorder.flush(0.3)
    api.refuse_with = None
    assert recorder.flush(PATIENCE)
    assert stored_messages(api, run) == ["here"]


def test_what_was_kept_is_delivered_without_anybody_asking(api, recorder, tmp_path):
    run = uuid4()
    api.stop()
    log(recorder, "here", run)
    eventually(lambda: spilled(tmp_path), "the spill")
    api.start()
    eventually(lambda: stored_messages(api, run) == ["here"], "the delivery")
    eventually(lambda: not spilled(tmp_path), "the end of the file")


def test_memory_is_bounded_and_writers_are_not_held_up(api, recorder, tmp_path):
    run = uuid4()
    api.stop()
    for number in range(60_000):
        log(recorder, f"line {number}", run)
    eventually(lambda: waiting_lines(tmp_path) >= 40_000, "the spill")
    assert not recorder.flush(0.1)


def test_the_embedded_core_does_not_wait_for_an_api_that_is_used_besides(api, recorder, tmp_path):
    asked, read, was_read_meanwhile = Event(), Event(), []

    def answer_after_the_read(request: Request) -> Answer:
        asked.set()
        was_read_meanwhile.append(read.wait(5))
        return api._ask_core(request)

    api.otherwise = answer_after_the_read
    log(recorder, "here", uuid4())
    assert asked.wait(PATIENCE)
    with temporary_settings({"home": tmp_path / "embedded"}, restore_defaults=[PREFECT_API_URL]):
        with get_client(sync_client=True) as client:
            assert client.read_logs() == []
        read.set()
        forget_store(get_current_settings().server.database.connection_url.get_secret_value())
    assert recorder.flush(PATIENCE)
    assert all(was_read_meanwhile), "the core waited for the API"


def test_a_file_is_only_for_its_owner(api, recorder, tmp_path):
    api.stop()
    log(recorder, "private", uuid4())
    (path,) = eventually(lambda: spilled(tmp_path), "the spill")
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


# -- stored once -------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_does_not_store_records_twice(api, recorder):
    lost = Counter()

    def lose_first_answers(request: Request) -> Answer:
        answer = api._ask_core(request)
        is_record = request.path in ("/api/logs/", "/api/events")
        lost[request.path] += is_record
        return Answer(hang_up=True) if is_record and lost[request.path] <= 2 else answer

    api.otherwise = lose_first_answers
    run = uuid4()
    for number in range(10):
        log(recorder, f"line {number}", run)
    sent = event("test.once")
    recorder.event(sent)
    assert recorder.flush(PATIENCE)
    assert lost["/api/logs/"] >= 3
    assert stored_messages(api, run) == [f"line {number}" for number in range(10)]
    with get_client(sync_client=True) as client:
        assert [each.id for each in client.read_events().events] == [sent.id]


def test_the_server_stores_a_log_line_once_by_its_id(home):
    line = {"id": str(uuid4()), "name": "test", "level": 20, "message": "once", "timestamp": "2026-01-01T00:00:00Z"}
    with get_client(sync_client=True) as client:
        for _ in range(2):
            client.request("POST", "/logs/", json=[line])
            client.create_logs([LogCreate.model_validate({**line, "id": line["id"].upper()})])
        assert [str(log.id) for log in client.read_logs()] == [line["id"]]


def test_a_server_that_knows_no_ids_of_logs_gets_none(api, recorder):
    def refuse_ids(request: Request) -> Answer:
        if request.path == "/api/logs/" and any("id" in line for line in request.json()):
            return Answer(422, {"exception_message": "Invalid request received."})
        return api._ask_core(request)

    api.otherwise = refuse_ids
    run = uuid4()
    for message in ("first", "second"):
        log(recorder, message, run)
        assert recorder.flush(PATIENCE)
    assert stored_messages(api, run) == ["first", "second"]
    assert api.paths().count("POST /logs/") == 3


# -- what is refused or too large --------------------------------------------------------------------------------------


def test_a_record_that_is_refused_does_not_hold_up_the_others(api, recorder, tmp_path, caplog):
    def refuse_one(request: Request) -> Answer:
        if request.path == "/api/logs/" and any(line["message"] == "bad" for line in request.json()):
            return Answer(413, {"detail": "too much"})
        return api._ask_core(request)

    api.otherwise = refuse_one
    run = uuid4()
    for message in ("one", "two", "bad", "three"):
        log(recorder, message, run)
    assert recorder.flush(PATIENCE)
    assert stored_messages(api, run) == ["one", "two", "three"]
    (kept,) = (tmp_path / "home" / "recorder").glob("*/refused.jsonl")
    assert json.loads(kept.read_text())["message"] == "bad"
    assert any(str(kept) in record.getMessage() for record in caplog.records)


def test_an_event_that_is_too_large_loses_its_largest_parts_and_says_so(api, recorder):
    recorder.event(
        event("test.large", {"small": "kept", "large": "x" * 2_000_000, "many": {"a": "y" * 900_000, "b": 1}})
    )
    assert recorder.flush(PATIENCE)
    with get_client(sync_client=True) as client:
        (found,) = client.read_events().events
    assert found.payload["small"] == "kept" and found.payload["many"]["b"] == 1
    assert "may have 1500000" in found.payload["large"] and "'large' was left out" in found.payload["prefect.note"]


def test_many_large_lines_go_in_several_requests(api, recorder):
    run = uuid4()
    for number in range(12):
        log(recorder, f"{number}" + "x" * 900_000, run)
    assert recorder.flush(PATIENCE)
    sizes = [len(request.body) for request in api.requests if request.path == "/api/logs/"]
    assert len(sizes) >= 3 and max(sizes) < 4_100_000


# -- processes ---------------------------------------------------------------------------------------------------------

RECORDING = """
import sys, time
from uuid import UUID
from prefect._recorder import get_recorder
recorder = get_recorder()
for number in range(20):
    recorder.log("test", 20, f"line {number}", time.time(), UUID(sys.argv[1]))
print(recorder.flush(0.5), flush=True)
time.sleep(600) if sys.argv[2] == "stay" else None
"""


def environment(api: CoreAPI, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": api.url}


def test_what_a_killed_process_had_flushed_is_delivered_by_the_next(api, tmp_path):
    run, started = uuid4(), environment(api, tmp_path)
    api.stop()
    arguments = [sys.executable, "-c", RECORDING, str(run), "stay"]
    with subprocess.Popen(arguments, env=started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "False\n"
        process.send_signal(signal.SIGKILL)
    (left,) = spilled(tmp_path)
    with left.open("ab") as file:
        file.write(b'L {"id": "half a li')  # what a process leaves that is killed while it writes

    api.start()
    other = uuid4()
    subprocess.run([sys.executable, "-c", RECORDING, str(other), "go"], env=started, check=True, timeout=60)
    assert stored_messages(api, run) == stored_messages(api, other) == [f"line {number}" for number in range(20)]
    assert spilled(tmp_path) == []


def test_a_process_that_ends_says_where_its_records_wait(api, tmp_path):
    api.stop()
    arguments = [sys.executable, "-c", RECORDING, str(uuid4()), "go"]
    ended = subprocess.run(
        arguments, env=environment(api, tmp_path), capture_output=True, text=True, timeout=60, check=True
    )
    assert "could not be delivered" in ended.stderr and str(tmp_path / "home" / "recorder") in ended.stderr
    assert waiting_lines(tmp_path) == 20


def test_nobody_waits_for_a_recorder_that_has_been_stopped(api, recorder):
    api.stop()
    log(recorder, "waits for the next process", uuid4())
    assert recorder.stop(0.1) is False
    # The handlers of logs flush once more when the process ends.
    flushed = Event()
    Thread(target=lambda: (recorder.flush(), flushed.set()), daemon=True).start()
    assert flushed.wait(PATIENCE)


def test_the_file_of_a_process_that_lives_is_left_alone(api, recorder, tmp_path):
    run, started = uuid4(), environment(api, tmp_path)
    api.stop()
    arguments = [sys.executable, "-c", RECORDING, str(run), "stay"]
    with subprocess.Popen(arguments, env=started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "False\n"
        before = spilled(tmp_path)
        api.start()
        log(recorder, "mine", uuid4())
        assert recorder.flush(PATIENCE)
        eventually(lambda: len(stored_messages(api, run)) == 20, "delivery by the process itself")
        assert len(before) == 1
        process.kill()
