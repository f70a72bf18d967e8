"""Results: whether, where and how they are stored, and how they are read again (SDK section 6)."""

from __future__ import annotations

import base64
import json
import pickle
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cloudpickle
import pytest
from tests.sdk._reading import flow_run_of, logs_of, task_runs_of

from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.exceptions import MissingResult, SerializationError
from prefect.filesystems import LocalFileSystem
from prefect.results import (
    ResultRecord,
    ResultRecordMetadata,
    ResultStore,
    get_default_result_storage,
    get_result_store,
)
from prefect.serializers import JSONSerializer, PickleSerializer
from prefect.settings import (
    PREFECT_DEFAULT_RESULT_STORAGE_BLOCK,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_DEFAULT_SERIALIZER,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_TASKS_DEFAULT_PERSIST_RESULT,
    temporary_settings,
)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


@pytest.fixture
def storage(tmp_path: Path) -> LocalFileSystem:
    return LocalFileSystem(basepath=str(tmp_path / "results"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


def metadata_of(state) -> dict:
    """What the API keeps of a stored result."""
    return state.model_dump(mode="json")["data"]


def stored_state(state):
    """The state of a flow run as the API has it."""
    return flow_run_of(state).state


# -- whether -----------------------------------------------------------------------------------------------------------


def test_by_default_nothing_is_stored(home, storage):
    @task
    def one():
        return 1

    @flow
    def plain():
        one()
        return 2

    state = plain(return_state=True)
    assert state.result() == 2
    assert files_in(home / "storage") == []
    assert stored_state(state).data is None


@pytest.mark.parametrize("value", [None, True, False, [], {}, ""])
def test_empty_values_are_stored_like_any_other(folder, value):
    @flow(persist_result=True, result_storage=folder)
    def empty():
        return value

    state = empty(return_state=True)
    assert len(files_in(folder)) == 1
    assert stored_state(state).result() == value


def test_a_task_asks_itself_then_its_setting_then_the_run_around_it(home):
    decided = {}

    @task
    def undecided(name):
        from prefect.context import TaskRunContext

        decided[name] = TaskRunContext.get().persist_result

    @task
    def outer(name):
        undecided(name)

    @flow(persist_result=True)
    def storing():
        undecided("in a storing flow")
        undecided.with_options(persist_result=False)("says no itself")
        outer.with_options(persist_result=False)("in a task that says no")
        with temporary_settings({PREFECT_TASKS_DEFAULT_PERSIST_RESULT: False}):
            undecided("the setting says no")

    @flow
    def plain():
        undecided("in a plain flow")
        undecided.with_options(persist_result=True)("says yes itself")
        with temporary_settings({PREFECT_TASKS_DEFAULT_PERSIST_RESULT: True}):
            undecided("the setting says yes")

    storing()
    plain()
    with temporary_settings({PREFECT_RESULTS_PERSIST_BY_DEFAULT: True}):
        undecided("by default")
        plain()
        decided["plain flow, by default"] = decided["in a plain flow"]
    assert decided == {
        "in a storing flow": True,
        "says no itself": False,
        "in a task that says no": False,
        "the setting says no": False,
        "in a plain flow": True,
        "says yes itself": True,
        "the setting says yes": True,
        "by default": True,
        "plain flow, by default": True,
    }


def test_a_nested_flow_decides_as_the_flow_around_it(home):
    @flow
    def child():
        return 1

    @flow(persist_result=True)
    def parent():
        return child(return_state=True), child.with_options(persist_result=False)(return_state=True)

    storing, not_storing = parent()
    assert stored_state(storing).data is not None
    assert stored_state(not_storing).data is None


def test_a_default_storage_block_switches_storing_on(home, tmp_path):
    LocalFileSystem(basepath=str(tmp_path / "elsewhere")).save("everywhere", overwrite=True)

    @task
    def one():
        return 1

    @flow
    def plain():
        return one(return_state=True)

    with temporary_settings({PREFECT_DEFAULT_RESULT_STORAGE_BLOCK: "local-file-system/everywhere"}):
        state = plain(return_state=True)
        assert len(files_in(tmp_path / "elsewhere")) == 2
        assert one.with_options(persist_result=False)() == 1
    assert len(files_in(tmp_path / "elsewhere")) == 2
    (run,) = task_runs_of(state.state_details.flow_run_id)
    assert metadata_of(run.state)["storage_block_id"] is not None
    assert run.state.result() == 1


def until_default_is_local():
    deadline = time.monotonic() + 30
    while get_default_result_storage(_sync=True)._block_document_id is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def default_of_the_api(home, tmp_path):
    block = LocalFileSystem(basepath=str(tmp_path / "of-the-api"))
    id = block.save("of-the-api", overwrite=True)
    with get_client(sync_client=True) as client:
        client.update_server_default_result_storage(id)
        deadline = time.monotonic() + 30
        while get_default_result_storage(_sync=True)._block_document_id != id:  # what was asked before is remembered
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield block
        client.clear_server_default_result_storage()


def test_a_default_storage_of_the_api_switches_storing_on(default_of_the_api, tmp_path):
    @task
    def one():
        return 1

    @flow
    def plain():
        return one(return_state=True)

    @flow(persist_result=False)
    def decided():
        return 2

    state = plain(return_state=True)
    decided()
    one()
    assert len(files_in(tmp_path / "of-the-api")) == 3
    (run,) = task_runs_of(state.state_details.flow_run_id)
    assert run.state.data.storage_block_id == default_of_the_api._block_document_id
    with get_client(sync_client=True) as client:
        client.clear_server_default_result_storage()
    until_default_is_local()
    assert plain(return_state=True).result().data.metadata.storage_block_id is None
    assert len(files_in(tmp_path / "of-the-api")) == 3


def test_a_state_of_the_api_tells_where_its_result_is(home):
    @flow(persist_result=True)
    def value():
        return {"a": 1}

    data = stored_state(value(return_state=True)).data
    assert isinstance(data.serializer, PickleSerializer)
    assert (data.expiration, data.storage_block_id) == (None, None)
    assert Path(data.storage_key).is_file()
    assert ResultRecordMetadata.model_validate(data) == ResultRecordMetadata.load_bytes(data.dump_bytes())
    with pytest.raises(AttributeError, match="no_such_field"):
        data.no_such_field


# -- where and how -----------------------------------------------------------------------------------------------------


def test_a_result_file_holds_metadata_and_value_in_one_document(folder):
    @flow(persist_result=True, result_storage=folder, result_serializer="json")
    def answering():
        return {"answer": 42}

    state = answering(return_state=True)
    (path,) = files_in(folder)
    document = json.loads(path.read_text())
    assert set(document) == {"metadata", "result"}
    assert set(document["metadata"]) == {
        "storage_key",
        "expiration",
        "serializer",
        "prefect_version",
        "storage_block_id",
    }
    assert document["metadata"]["storage_key"] == str(path)
    assert document["metadata"]["serializer"]["type"] == "json"
    assert document["metadata"]["expiration"] is None
    assert json.loads(document["result"]) == {"answer": 42}
    assert metadata_of(stored_state(state))["storage_key"] == str(path)


def test_local_results_are_under_the_home_by_default(home, tmp_path, storage):
    @flow(persist_result=True)
    def one():
        return 1

    one()
    assert len(files_in(home / "storage")) == 1
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: tmp_path / "other"}):
        one()
    assert len(files_in(tmp_path / "other")) == 1
    assert len(files_in(home / "storage")) == 1


def test_the_settings_name_the_serializer(home, storage):
    @flow(persist_result=True)
    def one():
        return 1

    with temporary_settings({PREFECT_RESULTS_DEFAULT_SERIALIZER: "json"}):
        one()
    (path,) = files_in(home / "storage")
    assert json.loads(path.read_text())["metadata"]["serializer"]["type"] == "json"


def test_tasks_take_storage_and_serializer_from_the_flow_unless_they_have_their_own(folder, tmp_path):
    @task(persist_result=True)
    def heir():
        return 1

    @task(persist_result=True, result_storage=tmp_path / "own", result_serializer="pickle")
    def owner():
        return 2

    @flow(result_storage=folder, result_serializer="json", persist_result=False)
    def parent():
        heir()
        owner()

    parent()
    (inherited,) = files_in(folder)
    (own,) = files_in(tmp_path / "own")
    assert json.loads(inherited.read_text())["metadata"]["serializer"]["type"] == "json"
    assert json.loads(own.read_text())["metadata"]["serializer"]["type"] == "pickle"


def test_in_a_saved_block_the_key_is_bare(tmp_path):
    block = LocalFileSystem(basepath=str(tmp_path / "block"))
    id = block.save("results-of-a-test", overwrite=True)

    @flow(persist_result=True, result_storage="local-file-system/results-of-a-test")
    def one():
        return 1

    state = stored_state(one(return_state=True))
    metadata = metadata_of(state)
    assert "/" not in metadata["storage_key"]
    assert metadata["storage_block_id"] == str(id)
    assert (tmp_path / "block" / metadata["storage_key"]).exists()
    assert state.result() == 1


def test_an_unknown_block_fails_the_run_at_its_start():
    called = []

    @flow(persist_result=True, result_storage="local-file-system/nobody-saved-this")
    def lost():
        called.append(True)

    state = lost(return_state=True)
    assert state.is_failed()
    assert called == []
    assert "nobody-saved-this" in state.message


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_storage_key_is_a_template_of_runtime_and_parameters(folder):
    @task(result_storage_key="{flow_run.flow_name}/{task_run.task_name}-{parameters[name]}.bin")
    def greet(name):
        return f"Hello, {name}"

    @flow(name="templated", result_storage=folder, persist_result=False)
    def parent():
        return greet("Ada"), greet("Bob")

    parent()
    assert [str(path.relative_to(folder)) for path in files_in(folder)] == [
        "templated/greet-Ada.bin",
        "templated/greet-Bob.bin",
    ]


def test_an_existing_file_under_a_storage_key_means_do_not_run(folder):
    calls = []

    @task(result_storage_key="fixed", result_storage=folder)
    def once():
        calls.append(True)
        return len(calls)

    assert [once(), once()] == [1, 1]
    assert once.with_options(refresh_cache=True)() == 2
    assert once() == 2


def test_a_storage_key_that_cannot_be_filled_in_fails_the_run(folder):
    @task(result_storage_key="{parameters[missing]}", result_storage=folder)
    def lost():
        return 1

    state = lost(return_state=True)
    assert state.is_failed()
    assert "missing" in state.message


def test_a_cache_key_is_the_storage_key_and_flow_results_have_random_ones(folder):
    @task(cache_key_fn=lambda context, parameters: "my-key")
    def one():
        return 1

    @flow(persist_result=True, result_storage=folder)
    def parent():
        return one()

    parent()
    parent()
    names = [path.name for path in files_in(folder)]
    assert "my-key" in names
    assert len(names) == 3


def test_metadata_stand_apart_with_a_key_storage(folder, tmp_path):
    @task(cache_policy=INPUTS.configure(key_storage=tmp_path / "keys"), result_storage=folder, result_serializer="json")
    def double(x):
        calls.append(x)
        return 2 * x

    calls = []
    assert double(4) == 8
    (value_file,) = files_in(folder)
    (key_file,) = files_in(tmp_path / "keys")
    assert json.loads(value_file.read_text()) == 8
    metadata = json.loads(key_file.read_text())
    assert metadata["storage_key"] == str(value_file)
    assert metadata["serializer"]["type"] == "json"
    assert key_file.name == value_file.name
    assert double(4) == 8
    assert calls == [4]
    assert double.with_options()(4) == 8
    assert calls == [4]


# -- what cannot be stored ---------------------------------------------------------------------------------------------


def test_a_task_result_that_cannot_be_pickled_stays_in_memory(folder):
    @task(persist_result=True, result_storage=folder)
    def locked():
        return threading.Lock()

    @flow
    def parent():
        state = locked(return_state=True)
        return state.is_completed(), type(state.result()).__name__

    state = parent(return_state=True)
    assert state.result() == (True, "lock")
    assert files_in(folder) == []
    run_id = state.state_details.flow_run_id
    (warning,) = [line for line in logs_of(run_id) if "serialis" in line]
    assert "lock" in warning


def test_a_flow_result_that_cannot_be_pickled_stays_in_memory(folder):
    @flow(persist_result=True, result_storage=folder)
    def locked():
        return threading.Lock()

    state = locked(return_state=True)
    assert state.is_completed()
    assert type(state.result()).__name__ == "lock"
    assert files_in(folder) == []
    assert any("lock" in line for line in logs_of(state.state_details.flow_run_id))


def test_a_value_that_json_cannot_hold_is_named(storage):
    store = ResultStore(result_storage=storage, serializer=JSONSerializer())
    with pytest.raises(SerializationError, match=r"'object'.*JSON.*result_serializer"):
        store.write(object(), "key")


# -- reading -----------------------------------------------------------------------------------------------------------


def test_missing_results_say_what_stores_them(home):
    @flow
    def plain():
        return 1

    state = stored_state(plain(return_state=True))
    with pytest.raises(MissingResult, match="persist_result"):
        state.result()


def test_a_deleted_file_is_a_missing_result(folder):
    @flow(persist_result=True, result_storage=folder)
    def one():
        return 1

    state = stored_state(one(return_state=True))
    (path,) = files_in(folder)
    path.unlink()
    with pytest.raises(MissingResult, match=path.name):
        state.result(retry_result_failure=False)


async def test_results_are_read_in_async_code(folder):
    @flow(persist_result=True, result_storage=folder)
    async def one():
        return 1

    state = await one(return_state=True)
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
    assert await run.state.aresult() == 1


def test_exceptions_are_stored_where_results_are(folder):
    @flow(persist_result=True, result_storage=folder)
    def failing():
        raise ValueError("of old")

    state = stored_state(failing(return_state=True))
    assert len(files_in(folder)) == 1
    with pytest.raises(ValueError, match="of old"):
        state.result()


def test_failures_write_no_file_unless_asked(home, storage):
    @flow
    def failing():
        raise ValueError("no")

    failing(return_state=True)
    assert files_in(home / "storage") == []


def test_older_layouts_are_read(storage, folder):
    folder.mkdir()
    pickled = base64.encodebytes(cloudpickle.dumps([1, 2])).decode()
    (folder / "old").write_text(
        json.dumps({"serializer": {"type": "pickle"}, "data": pickled, "prefect_version": "2.14.0"})
    )
    gone = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
    (folder / "expired").write_text(json.dumps({"serializer": {"type": "json"}, "data": "3", "expiration": gone}))
    (folder / "bare").write_text(pickled)
    store = ResultStore(result_storage=storage)
    assert store.read("old").result == [1, 2]
    assert store.read("bare").result == [1, 2]
    assert store.exists("old")
    assert not store.exists("expired")
    assert store.read("expired").result == 3


def test_an_unknown_serializer_shows_only_when_it_is_used():
    metadata = ResultRecordMetadata.load_bytes(b'{"storage_key": "k", "serializer": {"type": "of-another-package"}}')
    assert metadata.serializer.type == "of-another-package"
    with pytest.raises(RuntimeError, match="of-another-package"):
        metadata.serializer.loads(b"1")


def test_a_record_survives_its_own_form():
    record = ResultRecord(
        ResultRecordMetadata(storage_key="k", serializer=JSONSerializer(), expiration=datetime.now(timezone.utc)),
        {"a": [1]},
    )
    assert ResultRecord.deserialize(record.serialize()) == record


# -- the store ---------------------------------------------------------------------------------------------------------


def test_a_store_writes_reads_and_forgets_what_expired(storage):
    store = ResultStore(result_storage=storage, serializer=PickleSerializer())
    store.write({"a": 1}, "key")
    assert store.exists("key")
    assert not store.exists("other")
    assert store.read("key").result == {"a": 1}
    now = datetime.now(timezone.utc)
    store.write(1, "gone", expiration=now - timedelta(seconds=1))
    store.write(2, "coming", expiration=now + timedelta(hours=1))
    assert not store.exists("gone")
    assert store.exists("coming")
    assert store.read("gone").result == 1
    with pytest.raises(MissingResult, match="other"):
        store.read("other")


async def test_a_store_in_async_code(storage):
    store = ResultStore(result_storage=storage)
    await store.awrite(1, "key")
    assert await store.aexists("key")
    assert (await store.aread("key")).result == 1


def test_another_store_sees_the_files_and_memory_is_optional(storage, folder):
    remembering = ResultStore(result_storage=storage)
    forgetting = ResultStore(result_storage=storage, cache_result_in_memory=False)
    value = [1]
    remembering.write(value, "key")
    forgetting.write(value, "other")
    assert remembering.read("key").result is value
    assert forgetting.read("other").result is not value
    assert forgetting.read("key").result == value
    (folder / "other").unlink()
    assert not forgetting.exists("other")


def test_a_result_that_is_not_kept_in_memory_still_reaches_the_caller(folder):
    made = [1]

    @task(persist_result=True, cache_result_in_memory=False, result_storage=folder)
    def one():
        return made

    @flow
    def parent():
        return one() is made

    assert parent() is True
    assert len(files_in(folder)) == 1


def test_the_current_store_is_that_of_the_run(storage, folder):
    @task(result_storage=folder)
    def inside():
        store = get_result_store()
        store.write("mine", "named-by-hand")
        return store.result_storage.basepath

    assert inside() == storage.basepath
    assert ResultStore(result_storage=storage).read("named-by-hand").result == "mine"
    assert get_result_store().result_storage.basepath != storage.basepath


def test_states_with_results_are_recorded_by_their_metadata(folder):
    @task(persist_result=True, result_storage=folder)
    def one():
        return pickle.dumps

    @flow
    def parent():
        state = one(return_state=True)
        assert state.data.result is pickle.dumps
        return state.data.metadata.storage_key

    state = parent(return_state=True)
    (run,) = task_runs_of(state.state_details.flow_run_id)
    assert metadata_of(run.state)["storage_key"] == state.result()
    assert run.state.result() is pickle.dumps
