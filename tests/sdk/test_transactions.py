"""Transactions: groups that commit or roll back together, with their hooks (SDK section 7)."""

from __future__ import annotations

import logging
import threading

import pytest
from tests.sdk._reading import logs_of, task_run_states

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.exceptions import ConfigurationError
from prefect.filesystems import LocalFileSystem
from prefect.locking.memory import MemoryLockManager
from prefect.results import ResultStore
from prefect.states import Failed
from prefect.transactions import (
    CommitMode,
    IsolationLevel,
    atransaction,
    get_transaction,
    transaction,
)


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(result_storage=LocalFileSystem(basepath=str(tmp_path / "results")))


@pytest.fixture
def said() -> list[str]:
    return []


def last_state(task_run_id):
    with get_client(sync_client=True) as client:
        return client.read_task_run(task_run_id).state


def hooks(said: list[str], name: str) -> dict:
    return {
        "on_commit_hooks": [lambda txn: said.append(f"commit {name}")],
        "on_rollback_hooks": [lambda txn: said.append(f"rollback {name}")],
    }


def hooked(said: list[str], name: str, **options):
    """A task that tells what becomes of it."""

    @task(name=name, **options)
    def step(fails=False):
        if fails:
            raise ValueError(name)
        return name

    step.on_commit(lambda txn: said.append(f"commit {name}"))
    step.on_rollback(lambda txn: said.append(f"rollback {name}"))
    return step


# -- alone -------------------------------------------------------------------------------------------------------------


def test_a_transaction_writes_what_was_staged_when_it_ends(store):
    with transaction(key="k", store=store) as txn:
        assert txn.is_active()
        assert get_transaction() is txn
        txn.stage({"a": 1})
        assert txn.is_staged()
        assert not store.exists("k")
    assert txn.is_committed()
    assert txn.read().result == {"a": 1}
    assert get_transaction() is None


def test_nothing_is_written_without_a_key_and_none_without_a_value(store):
    with transaction(store=store) as txn:
        txn.stage(1)
    assert txn.is_committed()
    with transaction(key="k", store=store):
        pass
    assert store.read("k").result is None
    with transaction(key="unwritten", store=store, write_on_commit=False) as txn:
        txn.stage(1)
    assert not store.exists("unwritten")


def test_an_existing_record_commits_it_from_the_start_and_the_body_runs_all_the_same(store):
    ran = []
    for _ in range(2):
        with transaction(key="k", store=store) as txn:
            ran.append(txn.is_committed())
            txn.stage(len(ran))
    assert ran == [False, True]
    assert store.read("k").result == 1
    with transaction(key="k", store=store, overwrite=True) as txn:
        assert not txn.is_committed()
        txn.stage("new")
    assert store.read("k").result == "new"


def test_hooks_run_in_order_on_commit_and_in_reverse_on_rollback(store, said):
    with transaction(key="k", store=store) as txn:
        txn.stage(1, **hooks(said, "a"))
        txn.stage(1, **hooks(said, "b"))
    assert said == ["commit a", "commit b"]
    said.clear()
    with pytest.raises(ValueError, match="stop"), transaction(key="other", store=store) as txn:
        txn.stage(1, **hooks(said, "a"))
        txn.stage(1, **hooks(said, "b"))
        raise ValueError("stop")
    assert said == ["rollback b", "rollback a"]
    assert txn.is_rolled_back()
    assert not store.exists("other")


def test_hooks_run_before_the_record_is_written(store):
    found = []
    with transaction(key="k", store=store) as txn:
        txn.stage(1, on_commit_hooks=[lambda txn: found.append(store.exists("k"))])
    assert found == [False]
    assert store.exists("k")


def test_a_failing_commit_hook_takes_the_commit_back_without_raising(store, said, caplog):
    def broken(txn):
        raise ValueError("broken hook")

    with transaction(key="k", store=store, logger=logging.getLogger("of-the-test")) as txn:
        txn.stage(1, on_commit_hooks=[broken], on_rollback_hooks=[lambda txn: said.append("rollback")])
    assert txn.is_rolled_back()
    assert said == ["rollback"]
    assert not store.exists("k")
    assert "broken hook" in caplog.text


def test_a_failing_rollback_hook_stops_the_others(store, said, caplog):
    def broken(txn):
        raise ValueError("broken hook")

    with (
        pytest.raises(KeyError),
        transaction(key="k", store=store, logger=logging.getLogger("of-the-test")) as txn,
    ):
        txn.stage(1, on_rollback_hooks=[lambda txn: said.append("first"), broken, lambda txn: said.append("last")])
        raise KeyError
    assert said == ["last"]
    assert txn.is_rolled_back()
    assert "broken hook" in caplog.text


def test_what_cannot_be_serialised_takes_the_commit_back(store, caplog):
    with transaction(key="k", store=store, logger=logging.getLogger("of-the-test")) as txn:
        txn.stage(threading.Lock())
    assert txn.is_rolled_back()
    assert [record.levelname for record in caplog.records if "'k'" in record.getMessage()] == ["WARNING"]


def test_commit_and_rollback_by_hand(store):
    with transaction(key="k", store=store) as txn:
        txn.stage(1)
        assert txn.commit()
        assert store.exists("k")
        assert not txn.commit()
        assert not txn.rollback()
    assert txn.is_committed()
    with transaction(key="other", store=store) as txn:
        txn.stage(1)
        assert txn.rollback()
    assert txn.is_rolled_back()
    assert not store.exists("other")


def test_a_transaction_can_be_entered_once(store):
    with transaction(store=store) as txn:
        pass
    with pytest.raises(RuntimeError, match="entered"):
        txn.__enter__()


# -- groups ------------------------------------------------------------------------------------------------------------


def test_lazy_transactions_wait_for_the_outermost(store, said):
    with transaction(key="outer", store=store) as outer:
        outer.stage(0, **hooks(said, "outer"))
        with transaction(key="a", store=store) as a:
            a.stage(1, **hooks(said, "a"))
        with transaction(key="b", store=store) as b:
            b.stage(2, **hooks(said, "b"))
        assert said == []
        assert not store.exists("a")
        assert a.get_parent() is outer
        assert outer.children == [a, b]
    assert said == ["commit a", "commit b", "commit outer"]
    assert all(store.exists(key) for key in ("a", "b", "outer"))


def test_eager_transactions_commit_at_their_own_end_and_stay_committed(store, said):
    with pytest.raises(KeyError), transaction(key="outer", store=store) as outer:
        outer.stage(0, **hooks(said, "outer"))
        with transaction(key="eager", store=store, commit_mode=CommitMode.EAGER) as eager:
            eager.stage(1, **hooks(said, "eager"))
        assert store.exists("eager")
        with transaction(key="lazy", store=store) as lazy:
            lazy.stage(1, **hooks(said, "lazy"))
        raise KeyError
    assert said == ["commit eager", "rollback outer", "rollback lazy"]
    assert eager.is_committed()
    assert store.exists("eager")
    assert not store.exists("lazy")


def test_the_commit_mode_is_inherited(store):
    with transaction(key="outer", store=store, commit_mode=CommitMode.EAGER):
        with transaction(key="inner", store=store) as inner:
            assert inner.commit_mode is CommitMode.EAGER
        assert store.exists("inner")


def test_off_rolls_back_unless_told_to_commit(store):
    with transaction(key="k", store=store, commit_mode=CommitMode.OFF) as txn:
        txn.stage(1)
    assert txn.is_rolled_back()
    assert not store.exists("k")
    with transaction(key="k", store=store, commit_mode=CommitMode.OFF) as txn:
        txn.stage(1)
        txn.commit()
    assert txn.is_committed()
    assert store.exists("k")


def test_a_failure_inside_rolls_the_group_back_even_if_it_is_caught(store, said):
    with transaction(key="outer", store=store) as outer:
        outer.stage(0, **hooks(said, "outer"))
        with transaction(key="a", store=store) as a:
            a.stage(1, **hooks(said, "a"))
        try:
            with transaction(key="b", store=store) as b:
                b.stage(1, **hooks(said, "b"))
                raise KeyError
        except KeyError:
            said.append("caught")
        assert outer.is_rolled_back()
    assert said == ["rollback b", "rollback outer", "rollback a", "caught"]
    assert not any(store.exists(key) for key in ("a", "b", "outer"))


def test_values_are_found_outwards_and_copied():
    with transaction() as outer:
        outer.set("shared", [1])
        with transaction() as inner:
            assert inner.get("shared") == [1]
            inner.get("shared").append(2)
            inner.set("shared", "own")
            assert inner.get("shared") == "own"
            assert inner.get("unknown", None) is None
            with pytest.raises(ValueError, match="unknown"):
                inner.get("unknown")
            outer.set("later", 1)
            assert inner.get("later") == 1
        assert outer.get("shared") == [1]


# -- isolation ---------------------------------------------------------------------------------------------------------


def test_serializable_needs_a_lock_manager(store):
    with (
        pytest.raises(ConfigurationError, match="lock manager"),
        transaction(key="k", store=store, isolation_level=IsolationLevel.SERIALIZABLE),
    ):
        pass
    with transaction(store=store, isolation_level=IsolationLevel.SERIALIZABLE) as txn:
        assert txn.is_active()  # without a key there is nothing to lock


def test_serializable_transactions_on_one_key_take_turns(tmp_path):
    locks = MemoryLockManager()
    store = ResultStore(result_storage=LocalFileSystem(basepath=str(tmp_path)), lock_manager=locks)
    written, started = [], threading.Barrier(8)

    def work(n):
        started.wait()
        with transaction(key="turn", store=store, isolation_level=IsolationLevel.SERIALIZABLE) as txn:
            if not txn.is_committed():
                written.append(n)
                txn.stage(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert store.read("turn").result == written[0]
    assert not locks.is_locked("turn")


def test_the_lock_is_freed_by_a_rollback_and_by_a_record_that_exists(tmp_path):
    store = ResultStore(
        result_storage=LocalFileSystem(basepath=str(tmp_path)), lock_manager=MemoryLockManager(), serializer=None
    )
    with pytest.raises(KeyError), transaction(key="freed", store=store, isolation_level="SERIALIZABLE") as txn:
        assert store.is_locked("freed")
        raise KeyError
    assert txn.is_rolled_back()
    assert not store.is_locked("freed")
    for _ in range(2):
        with transaction(key="freed", store=store, isolation_level=IsolationLevel.SERIALIZABLE) as txn:
            txn.stage(1)
        assert not store.is_locked("freed")


# -- async -------------------------------------------------------------------------------------------------------------


async def test_async_transactions_take_hooks_of_both_kinds(store, said):
    threads = []

    async def later(txn):
        said.append("async")

    def sooner(txn):
        threads.append(threading.current_thread())
        said.append("sync")

    async with atransaction(key="k", store=store) as txn:
        async with atransaction(key="inner", store=store) as inner:
            inner.stage(1, on_commit_hooks=[later, sooner])
        txn.stage(1)
        assert said == []
    assert said == ["async", "sync"]
    assert threads[0] is not threading.main_thread()
    assert (await txn.read()).result == 1
    with pytest.raises(ValueError, match="stop"):
        async with atransaction(key="other", store=store) as txn:
            txn.stage(1, on_rollback_hooks=[sooner, later])
            raise ValueError("stop")
    assert said == ["async", "sync", "async", "sync"]


async def test_an_async_transaction_refuses_a_plain_with(store):
    with pytest.raises(TypeError), atransaction(key="k", store=store):
        pass


def test_async_hooks_of_sync_transactions_are_awaited(store, said):
    async def later(txn):
        said.append("async")

    with transaction(key="k", store=store) as txn:
        txn.stage(1, on_commit_hooks=[later])
    assert said == ["async"]


# -- tasks in transactions ---------------------------------------------------------------------------------------------


def test_tasks_of_a_group_commit_with_it(said):
    a, b = hooked(said, "a"), hooked(said, "b")

    @flow
    def group():
        with transaction():
            a()
            b()
            said.append("end of block")

    group()
    assert said == ["end of block", "commit a", "commit b"]


def test_children_commit_in_the_order_in_which_they_complete(said):
    begun, may_end = threading.Event(), threading.Event()

    def takes_its_time():
        begun.set()
        assert may_end.wait(30)

    slow = task(takes_its_time)
    slow.on_commit(lambda txn: said.append("commit slow"))
    quick = hooked(said, "quick")

    @flow
    def group():
        with transaction():
            future = slow.submit()
            assert begun.wait(30)
            quick()
            may_end.set()
            future.wait()

    group()
    assert said == ["commit quick", "commit slow"]


def test_a_task_outside_of_groups_commits_at_its_own_end(said):
    hooked(said, "a")()
    assert said == ["commit a"]


def test_a_failed_task_rolls_its_group_back_and_the_runs_show_it(said):
    a, b, c = hooked(said, "a"), hooked(said, "b"), hooked(said, "c")
    ids = {}

    @flow
    def group():
        with transaction() as txn:
            for step in (a, b):
                ids[step.name] = step(return_state=True).state_details.task_run_id
            state = c(fails=True, return_state=True)
            assert state.is_failed()
            assert txn.is_rolled_back()
            ids["c"] = state.state_details.task_run_id

    group()
    assert said == ["rollback b", "rollback a"]
    assert task_run_states(ids["a"]) == ["Pending", "Running", "Completed", "RolledBack"]
    assert task_run_states(ids["b"])[-1] == "RolledBack"
    assert task_run_states(ids["c"])[-1] == "Failed"


def test_a_failed_first_attempt_that_is_retried_does_not_roll_the_group_back(said):
    attempts = []
    before = hooked(said, "before")

    @task(retries=1)
    def flaky():
        attempts.append(True)
        get_transaction().stage(None, on_rollback_hooks=[lambda txn: said.append("attempt rolled back")])
        if len(attempts) == 1:
            raise ValueError("first")

    flaky.on_commit(lambda txn: said.append("commit flaky"))

    @flow
    def group():
        with transaction() as txn:
            before()
            flaky()
            assert not txn.is_rolled_back()
        assert txn.is_committed()

    group()
    assert said == ["attempt rolled back", "commit before", "commit flaky"]


def test_a_returned_failed_state_that_is_retried_does_not_roll_the_group_back(said):
    attempts = []
    before = hooked(said, "before")

    @task(retries=1)
    def flaky():
        attempts.append(True)
        return Failed() if len(attempts) == 1 else 1

    @flow
    def group():
        with transaction():
            before()
            flaky()

    group()
    assert said == ["commit before"]


def test_the_last_failed_attempt_rolls_the_group_back(said):
    before = hooked(said, "before")
    flaky = hooked(said, "flaky", retries=1)

    @flow
    def group():
        with transaction():
            before()
            flaky(fails=True, return_state=True)

    group()
    assert said == ["rollback before"]


def test_submitted_tasks_join_the_group(said):
    a, b = hooked(said, "a"), hooked(said, "b")

    @flow
    def group():
        with transaction():
            a.submit().wait()
            b.submit().wait()
            said.append("end of block")

    group()
    assert said == ["end of block", "commit a", "commit b"]


def test_an_error_in_the_block_rolls_tasks_back_in_reverse(said):
    a, b = hooked(said, "a"), hooked(said, "b")

    @flow
    def group():
        with pytest.raises(KeyError), transaction():
            a()
            b()
            raise KeyError

    group()
    assert said == ["rollback b", "rollback a"]


def test_hooks_get_the_transaction_with_the_values_of_the_task(said):
    @task
    def writing():
        get_transaction().set("path", "/tmp/x")

    @writing.on_rollback
    def clean(txn):
        said.append(txn.get("path"))

    @flow
    def group():
        with pytest.raises(KeyError), transaction():
            writing()
            raise KeyError

    group()
    assert said == ["/tmp/x"]


def test_a_commit_hook_that_fails_leaves_the_task_completed_and_unstored(tmp_path):
    @task(persist_result=True, result_storage=tmp_path / "results")
    def one():
        return 1

    @one.on_commit
    def broken(txn):
        raise ValueError("broken hook")

    states = []

    @flow
    def parent():
        states.append(one(return_state=True))

    parent()
    (state,) = states
    assert state.name == "Completed"
    assert state.result() == 1
    assert not list((tmp_path / "results").glob("*"))
    assert any("committing transaction" in line for line in logs_of(state.state_details.flow_run_id))
    assert "broken hook" in last_state(state.state_details.task_run_id).message


def test_a_task_that_fails_to_commit_takes_its_group_with_it(said):
    a, b = hooked(said, "a"), hooked(said, "b")

    @task
    def one(): ...

    @one.on_commit
    def broken(txn):
        raise ValueError("broken hook")

    @flow
    def group():
        with transaction() as txn:
            txn.stage(None, **hooks(said, "group"))
            a()
            one()
            b()
        assert txn.is_rolled_back()

    group()
    assert said == ["commit a", "rollback group", "rollback b"]


def test_hooks_are_logged_with_the_run():
    @task
    def one():
        return 1

    @one.on_commit
    def telling(txn): ...

    @flow
    def parent():
        one()

    messages = logs_of(parent(return_state=True).state_details.flow_run_id)
    assert any("commit hook 'telling'" in message for message in messages)
    assert any("finished" in message and "telling" in message for message in messages)


def test_results_of_a_rolled_back_group_are_not_stored(tmp_path):
    ran = []

    @task(persist_result=True, result_storage=tmp_path / "results")
    def one():
        ran.append(True)
        return 1

    @flow
    def group():
        with pytest.raises(KeyError), transaction():
            one()
            raise KeyError
        one()

    group()
    assert len(ran) == 2


def test_async_tasks_join_an_async_group(said):
    @task
    async def one():
        return 1

    one.on_commit(lambda txn: said.append("commit"))

    @flow
    async def group():
        async with atransaction():
            await one()
            said.append("end of block")

    import asyncio

    asyncio.run(group())
    assert said == ["end of block", "commit"]


def test_a_cache_hit_runs_no_commit_hooks(tmp_path, said):
    one = hooked(said, "one", result_storage=tmp_path / "results", result_storage_key="fixed")
    one()
    assert one(return_state=True).name == "Cached"
    assert said == ["commit one"]
