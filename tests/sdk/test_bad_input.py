"""Bad input, and homes that cannot be used: each error says what is wrong and what to do, and nothing is half-recorded."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.sdk._reading import flow_runs_named, task_runs_of

from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.exceptions import (
    MappingLengthMismatch,
    MappingMissingIterable,
    MissingResult,
    ParameterBindError,
    ParameterTypeError,
    SerializationError,
)
from prefect.settings import temporary_settings

# -- parameters --------------------------------------------------------------------------------------------------------


@flow
def typed(count: int, name: str = "a"):
    return count


@task
def plain(x, y=1):
    return x


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, ["missing", "'count'", "'typed'"]),
        ((1,), {"nmae": "b"}, ["unexpected", "'nmae'", "count: 'int', name: 'str' = 'a'"]),
        ((1, "b", 3), {}, ["3 were given"]),
    ],
)
@pytest.mark.parametrize("return_state", [False, True])
def test_arguments_that_do_not_fit_the_signature_start_no_run(home: Path, args, kwargs, words, return_state):
    with pytest.raises(ParameterBindError) as caught:
        typed(*args, **kwargs, return_state=return_state)
    assert all(word in str(caught.value) for word in words), caught.value
    assert flow_runs_named("typed") == []


def test_arguments_of_wrong_types_are_all_named_and_fail_the_run_before_it_runs(home: Path):
    with pytest.raises(ParameterTypeError) as caught:
        typed("many", name=object())
    assert "count: Input should be a valid integer" in str(caught.value)
    assert "name: Input should be a valid string" in str(caught.value)
    [run] = flow_runs_named("typed")
    assert (run.state_name, run.run_count) == ("Failed", 0)
    assert "count: Input should be a valid integer" in run.state.message


@pytest.mark.parametrize("call", [plain, plain.submit])
def test_arguments_that_do_not_fit_a_task_start_no_task_run(home: Path, call):
    @flow
    def calls():
        with pytest.raises(ParameterBindError, match="missing 1 required positional argument: 'x'"):
            call()
        with pytest.raises(ParameterBindError, match="unexpected keyword argument 'z'"):
            call(1, z=2)

    state = calls(return_state=True)
    assert state.is_completed()
    assert task_runs_of(state.state_details.flow_run_id) == []


def test_mapping_over_nothing_or_over_unequal_lengths_names_the_arguments(home: Path):
    @flow
    def maps():
        with pytest.raises(MappingMissingIterable, match=r"\{'x': 'int'\}.*list"):
            plain.map(3)
        with pytest.raises(MappingLengthMismatch, match=r"\{'x': 2, 'y': 3\}.*unmapped"):
            plain.map([1, 2], [1, 2, 3])

    state = maps(return_state=True)
    assert state.is_completed()
    assert task_runs_of(state.state_details.flow_run_id) == []


def test_an_unknown_setting_is_named():
    with pytest.raises(ValueError, match=r"Unknown setting: 'nonsense.thing'. Expected a path such as"):
        with temporary_settings({"nonsense.thing": 1}):
            pass


# -- results -----------------------------------------------------------------------------------------------------------


def test_inputs_that_cannot_be_hashed_are_warned_of_and_not_cached(home: Path, caplog):
    calls = []

    @task(cache_policy=INPUTS, persist_result=True)
    def takes(lock):
        calls.append(lock)
        return len(calls)

    @flow
    def twice():
        lock = threading.Lock()
        return takes(lock), takes(lock)

    assert twice() == (1, 2)
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert len(warnings) == 1, "once a task, not once a call"
    assert any("lock" in warning and "cache" in warning for warning in warnings), warnings


@pytest.mark.parametrize("kind", [flow, task])
def test_a_result_that_cannot_be_pickled_is_given_and_warned_of(home: Path, kind, caplog):
    @kind(persist_result=True)
    def locks():
        return threading.Lock()

    state = locks(return_state=True)
    assert state.is_completed()
    assert not state.result().locked()
    problems = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert any("pickle" in problem for problem in problems), problems
    storage = home / "storage"
    assert not storage.exists() or list(storage.iterdir()) == [], "no half a result"


@pytest.fixture
def stored(home: Path):
    """The id of a finished flow run, and the file of its result."""

    @flow(persist_result=True)
    def keeps():
        return {"answer": 42}

    run_id = keeps(return_state=True).state_details.flow_run_id
    [path] = (home / "storage").iterdir()
    return run_id, path


def read_result(run_id):
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).state.result(retry_result_failure=False)


def test_a_result_that_is_there_is_read(stored):
    assert read_result(stored[0]) == {"answer": 42}


def test_a_result_file_that_is_gone_is_named(stored):
    run_id, path = stored
    path.unlink()
    with pytest.raises(MissingResult) as caught:
        read_result(run_id)
    assert str(path) in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.parametrize("damage", ["cut short", "garbage", "empty", "other pickle"])
def test_a_damaged_result_file_is_named(stored, damage):
    run_id, path = stored
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut short": content[: len(content) // 2],
            "garbage": b"\x00\xff garbage",
            "empty": b"",
            "other pickle": content.replace(b'"result":"', b'"result":"AAAA'),
        }[damage]
    )
    with pytest.raises(SerializationError) as caught:
        read_result(run_id)
    assert str(path) in str(caught.value)
    assert "damaged" in str(caught.value)
    assert "refresh_cache=True" in str(caught.value)


def test_a_task_whose_cached_result_is_damaged_runs_again_and_mends_it(home: Path):
    @task(cache_policy=INPUTS, persist_result=True, cache_result_in_memory=False)
    def cached(x):
        return x

    @flow
    def once():
        return cached(1, return_state=True).name

    assert (once(), once()) == ("Completed", "Cached")
    [path] = [each for each in (home / "storage").iterdir() if each.is_file()]
    path.write_bytes(path.read_bytes()[:20])
    assert (once(), once()) == ("Completed", "Cached")


# -- homes that cannot be used -----------------------------------------------------------------------------------------

HELLO = """
from prefect import flow, task

@task
def greet(name):
    return "Hello, " + name

@flow
def hello(name="world"):
    return greet(name)

try:
    print(hello())
except Exception as error:
    print(type(error).__name__, error)
"""


class Place:
    """A home that other processes use."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = home / "prefect.db"

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return subprocess.run(
            [sys.executable, *command],
            env=clean | {"PREFECT_HOME": str(self.home), "COLUMNS": "1000"} | environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def hello(self) -> str:
        """What a first program prints."""
        done = self.run("-c", HELLO, PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def complaints(self) -> list[str]:
        """What a program, a command that reads and one that writes say, where all of them fail."""
        said = [self.hello()]
        assert "Hello" not in said[0]
        for command in (["flow-run", "ls"], ["variable", "set", "name", "value"]):
            done = self.run("-m", "prefect", *command)
            assert done.returncode == 1, done.stdout
            assert "Traceback" not in done.stdout + done.stderr
            said.append(done.stdout + done.stderr)
        return said


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "home").mkdir()
    return Place(tmp_path / "home")


@pytest.fixture
def used(place: Place) -> Place:
    assert place.hello() == "Hello, world\n"
    return place


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def overwrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(position * 31 % 256 for position in range(len(content) - 4096))
    path.write_bytes(content)


DAMAGES = {
    "overwritten": overwrite,
    "no database at all": lambda path: path.write_bytes(b"this is not a database\n" * 500),
    "cut short": lambda path: os.truncate(path, 9000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_named_and_left_alone(used: Place, damage: str):
    DAMAGES[damage](used.database)
    before = digest(used.database)
    for said in used.complaints():
        assert str(used.database) in said
        assert "is damaged" in said
        assert "Restore a backup" in said
    assert digest(used.database) == before


def test_a_newer_database_is_left_alone(used: Place):
    with closing(sqlite3.connect(used.database)) as connection, connection:
        connection.execute("PRAGMA user_version=999")
    before = digest(used.database)
    for said in used.complaints():
        assert f"{str(used.database)!r} has schema version 999, but this release knows versions up to" in said
        assert "Upgrade prefect" in said
    assert digest(used.database) == before


def test_the_database_of_another_program_is_left_alone(place: Place):
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE flow (id TEXT, name TEXT)")
    before = digest(place.database)
    for said in place.complaints():
        assert f"{str(place.database)!r} was made by another program (it has the table 'alembic_version')" in said
        assert "PREFECT_HOME somewhere else" in said
    assert digest(place.database) == before
    assert sorted(path.name for path in place.home.iterdir()) == ["prefect.db"]


def test_a_file_in_the_place_of_the_home(tmp_path: Path):
    (tmp_path / "home").write_text("a file")
    place = Place(tmp_path / "home")
    for said in place.complaints():
        assert str(place.home) in said
        assert "set PREFECT_HOME" in said
    assert (tmp_path / "home").read_text() == "a file"


def test_a_folder_in_the_place_of_the_database(place: Place):
    place.database.mkdir()
    for said in place.complaints():
        assert f"Cannot open the database {str(place.database)!r}" in said


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder that the test mounts something on."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.fail("these tests mount small file systems: run them as root, in a container that allows it")
    folder = tmp_path / "mounted"
    folder.mkdir()
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def test_a_read_only_home(used: Place, mounted: Path):
    mount("--bind", str(used.home), str(mounted))
    mount("-o", "remount,ro,bind", str(mounted))
    before = digest(used.database)
    for said in Place(mounted).complaints():
        assert str(mounted / "prefect.db") in said
        assert "writable" in said
    assert digest(used.database) == before


def test_a_full_disk_and_one_that_has_room_again(mounted: Path):
    mount("-t", "tmpfs", "-o", "size=4m", "none", str(mounted))
    place = Place(mounted)
    assert place.hello() == "Hello, world\n"
    filler = mounted / "filler"
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)
    for said in place.complaints():
        assert str(place.database) in said
        assert "full" in said
    filler.unlink()
    assert place.hello() == "Hello, world\n"
    with closing(sqlite3.connect(place.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT state_type FROM flow_run").fetchall() == [("COMPLETED",)] * 2


FILLS_UP = """
import os, resource
from prefect import flow, task

def limit(size):
    "Let no file of this process grow beyond so many bytes, as on a disk that has filled up."
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

@task
def double(x):
    return 2 * x

@flow
def work(count, fills_up):
    double(0)
    if fills_up:
        limit(os.path.getsize(os.path.join(os.environ["PREFECT_HOME"], "prefect.db-wal")))
    return sum(double.map(range(count)).result())

assert work(3, False) == 6
try:
    print(work(50, True))
except Exception as error:
    print(type(error).__name__, error)
limit(resource.RLIM_INFINITY)
assert work(3, False) == 6
"""


@pytest.mark.slow
def test_a_disk_that_fills_up_while_a_flow_runs_loses_nothing_that_was_recorded(place: Place):
    done = place.run("-c", FILLS_UP, PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DatabaseUnavailable Cannot use the database")
    assert "full" in done.stdout
    assert "recording is delayed" in done.stderr
    with closing(sqlite3.connect(place.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        states = connection.execute("SELECT state_type, count(*) FROM flow_run GROUP BY 1 ORDER BY 1").fetchall()
        # The flow run's own end could not be stored; its lease ends it as crashed.
        assert states == [("COMPLETED", 2), ("RUNNING", 1)]
        assert connection.execute("SELECT state_type, count(*) FROM task_run GROUP BY 1").fetchall() == [
            ("COMPLETED", 59)
        ]


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["config", "set", "PREFECT_NONSENSE=1"], ["PREFECT_NONSENSE"]),
        (["config", "set", "PREFECT_API_REQUEST_TIMEOUT=soon"], ["PREFECT_API_REQUEST_TIMEOUT", "'soon'", "number"]),
        (["flow-run", "inspect", "not-an-id"], ["not-an-id"]),
        (["flow-run", "ls", "--limit", "many"], ["many"]),
        (["flow-run", "ls", "--nonsense"], ["--nonsense"]),
        (["flow-ruin", "ls"], ["flow-ruin"]),
    ],
)
def test_a_command_names_what_it_cannot_use(place: Place, command: list[str], words: list[str]):
    done = place.run("-m", "prefect", *command)
    said = done.stdout + done.stderr
    assert done.returncode in (1, 2), said
    assert "Traceback" not in said
    assert all(word in said for word in words), said


def test_a_variable_of_the_environment_that_makes_no_sense_is_named(place: Place):
    done = place.run("-m", "prefect", "flow-run", "ls", PREFECT_API_REQUEST_TIMEOUT="soon")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "PREFECT_API_REQUEST_TIMEOUT='soon' is not valid" in done.stdout + done.stderr
    done = place.run("-c", HELLO, PREFECT_API_REQUEST_TIMEOUT="soon")
    assert "PREFECT_API_REQUEST_TIMEOUT" in done.stdout + done.stderr
    assert "soon" in done.stdout + done.stderr
