"""One suite for all lock managers, and what is special about each."""

import asyncio
import json
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from prefect.locking.filesystem import FileSystemLockManager
from prefect.locking.memory import MemoryLockManager
from prefect.locking.protocol import LockManager

SHORT = 0.03
LONG = 30


@pytest.fixture(params=["memory", "filesystem"])
def locks(request, tmp_path):
    return MemoryLockManager() if request.param == "memory" else FileSystemLockManager(tmp_path / "locks")


@pytest.fixture
def key(request):
    return f"key-of-{request.node.name}"


@pytest.fixture
def on_disk(tmp_path):
    return FileSystemLockManager(tmp_path)


def test_managers_do_what_the_protocol_says(locks):
    assert isinstance(locks, LockManager)


def test_a_lock_has_one_holder(locks, key):
    assert not locks.is_locked(key)
    assert locks.acquire_lock(key, "me")
    assert locks.is_locked(key)
    assert locks.is_lock_holder(key, "me")
    assert not locks.is_lock_holder(key, "you")
    assert not locks.acquire_lock(key, "you", acquire_timeout=0)
    locks.release_lock(key, "me")
    assert not locks.is_locked(key)
    assert locks.acquire_lock(key, "you", acquire_timeout=0)


def test_locks_of_different_keys_are_independent(locks, key):
    assert locks.acquire_lock(key, "me")
    assert locks.acquire_lock(f"{key}/below", "you", acquire_timeout=0)


def test_a_holder_may_acquire_its_lock_again_and_releases_it_once(locks, key):
    assert locks.acquire_lock(key, "me")
    assert locks.acquire_lock(key, "me", acquire_timeout=0)
    locks.release_lock(key, "me")
    assert not locks.is_locked(key)


def test_only_the_holder_releases(locks, key):
    with pytest.raises(ValueError, match="No lock"):
        locks.release_lock(key, "me")
    locks.acquire_lock(key, "me")
    with pytest.raises(ValueError, match="No lock held by you"):
        locks.release_lock(key, "you")
    assert locks.is_lock_holder(key, "me")


def test_a_lock_that_is_held_too_long_becomes_free(locks, key):
    assert locks.acquire_lock(key, "me", hold_timeout=SHORT)
    assert locks.wait_for_lock(key, timeout=LONG)
    assert not locks.is_lock_holder(key, "me")
    assert locks.acquire_lock(key, "you", acquire_timeout=LONG)
    with pytest.raises(ValueError, match="No lock"):
        locks.release_lock(key, "me")


def test_who_waits_gets_an_expired_lock(locks, key):
    locks.acquire_lock(key, "me", hold_timeout=SHORT)
    assert locks.acquire_lock(key, "you", acquire_timeout=LONG)


def test_acquiring_again_may_lengthen_the_time(locks, key):
    locks.acquire_lock(key, "me", hold_timeout=SHORT)
    locks.acquire_lock(key, "me", hold_timeout=LONG)
    assert not locks.wait_for_lock(key, timeout=SHORT * 2)
    assert locks.is_lock_holder(key, "me")


def test_acquiring_again_without_a_time_keeps_the_time(locks, key):
    locks.acquire_lock(key, "me", hold_timeout=SHORT)
    locks.acquire_lock(key, "me")
    assert locks.wait_for_lock(key, timeout=LONG)


def test_who_waits_for_a_lock_gets_it_when_it_is_released(locks, key):
    locks.acquire_lock(key, "me")
    with ThreadPoolExecutor(2) as threads:
        acquiring = threads.submit(locks.acquire_lock, key, "you", acquire_timeout=LONG)
        waiting = threads.submit(locks.wait_for_lock, key, timeout=LONG)
        assert not acquiring.done()
        locks.release_lock(key, "me")
        assert acquiring.result(LONG)
        # The lock may have passed on before the other saw it free.
        locks.release_lock(key, "you")
        assert waiting.result(LONG)


def test_a_wait_ends_in_time(locks, key):
    assert locks.wait_for_lock(key)
    locks.acquire_lock(key, "me")
    assert not locks.wait_for_lock(key, timeout=SHORT)
    assert not locks.acquire_lock(key, "you", acquire_timeout=SHORT)


async def test_async_code_acquires_and_waits_too(locks, key):
    assert await locks.await_for_lock(key, timeout=LONG)
    assert await locks.aacquire_lock(key, "me")
    assert not await locks.aacquire_lock(key, "you", acquire_timeout=SHORT)
    assert not await locks.await_for_lock(key, timeout=SHORT)

    acquiring = asyncio.create_task(locks.aacquire_lock(key, "you", acquire_timeout=LONG))
    await asyncio.sleep(0)
    locks.release_lock(key, "me")
    assert await acquiring
    assert locks.is_lock_holder(key, "you")


async def test_a_lock_can_be_released_by_a_thread_for_a_coroutine(locks, key):
    locks.acquire_lock(key, "me")
    waiting = asyncio.create_task(locks.await_for_lock(key, timeout=LONG))
    await asyncio.sleep(0)
    await asyncio.get_running_loop().run_in_executor(None, locks.release_lock, key, "me")
    assert await waiting


def test_of_many_threads_one_at_a_time_holds_a_lock(locks, key):
    inside = []
    most = []

    def work(holder):
        assert locks.acquire_lock(key, holder, acquire_timeout=LONG)
        inside.append(holder)
        most.append(len(inside))
        inside.remove(holder)
        locks.release_lock(key, holder)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, map(str, range(4))))

    assert most == [1, 1, 1, 1]


# --- memory -----------------------------------------------------------------------------------------------------------


def test_there_is_one_memory_manager():
    MemoryLockManager().acquire_lock("shared", "me")
    assert MemoryLockManager() is MemoryLockManager()
    assert MemoryLockManager().is_lock_holder("shared", "me")
    MemoryLockManager().release_lock("shared", "me")


def test_pickling_a_memory_manager_warns():
    with pytest.warns(UserWarning, match="FileSystemLockManager"):
        data = pickle.dumps(MemoryLockManager())
    assert isinstance(pickle.loads(data), MemoryLockManager)


def test_no_waiting_coroutine_is_left_behind(key):
    locks = MemoryLockManager()
    locks.acquire_lock(key, "me")
    asyncio.run(locks.await_for_lock(key, timeout=SHORT))
    assert not locks._async_waiters


# --- filesystem -------------------------------------------------------------------------------------------------------


def test_a_lock_is_a_file_that_says_who_holds_it(on_disk, tmp_path):
    on_disk.acquire_lock("plain", "me")
    on_disk.acquire_lock("timed", "me", hold_timeout=60)
    assert json.loads((tmp_path / "plain.lock").read_text()) == {"holder": "me", "expiration": None}
    expiration = datetime.fromisoformat(json.loads((tmp_path / "timed.lock").read_text())["expiration"])
    assert timedelta(0) < expiration - datetime.now(timezone.utc) <= timedelta(seconds=60)
    on_disk.release_lock("plain", "me")
    assert not (tmp_path / "plain.lock").exists()


def test_managers_of_one_directory_see_each_others_locks(on_disk):
    other = pickle.loads(pickle.dumps(on_disk))
    on_disk.acquire_lock("k", "me")
    assert other.is_locked("k")
    assert not other.acquire_lock("k", "you", acquire_timeout=0)


def test_what_was_last_seen_can_be_asked_for(on_disk, tmp_path):
    on_disk.acquire_lock("k", "me")
    (tmp_path / "k.lock").unlink()
    assert on_disk.is_locked("k", use_cache=True)
    assert not on_disk.is_locked("k")


def test_a_file_that_is_half_written_is_no_lock(on_disk, tmp_path):
    (tmp_path / "k.lock").write_text('{"holder": ')
    assert not on_disk.is_locked("k")
    assert on_disk.acquire_lock("k", "me", acquire_timeout=0)


COUNTING = """
import pathlib, sys
from prefect.locking.filesystem import FileSystemLockManager
directory, holder = sys.argv[1:]
locks = FileSystemLockManager(pathlib.Path(directory) / "locks")
counter = pathlib.Path(directory) / "counter"
for _ in range(3):
    assert locks.acquire_lock("k", holder, acquire_timeout=30, hold_timeout=30)
    count = int(counter.read_text())
    counter.write_text(str(count + 1))
    locks.release_lock("k", holder)
"""


def test_processes_take_turns(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNTING, str(tmp_path)]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait(LONG * 2) for process in processes] == [0, 0, 0]
    assert counter.read_text() == "9"


def test_an_expired_lock_passes_to_one_holder_only(tmp_path):
    for attempt in range(10):
        key = f"k{attempt}"
        FileSystemLockManager(tmp_path).acquire_lock(key, "gone", hold_timeout=0)
        start = threading.Barrier(4)

        def take(holder, key=key, start=start):
            locks = FileSystemLockManager(tmp_path)
            start.wait()
            return locks.acquire_lock(key, holder, acquire_timeout=0)

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(take, "abcd")) == 1
