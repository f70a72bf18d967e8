"""Calls between sync and async code, and between threads."""

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar
from functools import partial, wraps

import pytest

from prefect.utilities.asyncutils import (
    BACKGROUND_TASKS,
    GatherIncomplete,
    LazySemaphore,
    add_event_loop_shutdown_callback,
    asyncnullcontext,
    create_gather_task_group,
    create_task,
    from_sync,
    gather,
    get_run_sync_loop,
    in_async_main_thread,
    in_async_worker_thread,
    in_run_sync_loop,
    is_async_fn,
    is_async_gen_fn,
    run_async_from_worker_thread,
    run_async_in_new_loop,
    run_coro_as_sync,
    run_sync_in_worker_thread,
    sync,
    sync_compatible,
)
from prefect.utilities.timeout import timeout

colour: ContextVar[str] = ContextVar("colour", default="none")


async def double(x):
    await asyncio.sleep(0)
    return x * 2


async def see_colour():
    return colour.get()


def test_importing_the_module_imports_neither_asyncio_nor_anyio():
    code = (
        "import sys, prefect.utilities.asyncutils\n"
        "assert not {'anyio', 'asyncio'} & set(sys.modules), sorted({'anyio', 'asyncio'} & set(sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_async_functions_are_told_from_others():
    @wraps(double)
    def wrapped(*args):
        return double(*args)

    async def generate():
        yield

    assert is_async_fn(double)
    assert is_async_fn(wrapped)
    assert is_async_fn(partial(double, 1))
    assert not is_async_fn(len)
    assert is_async_gen_fn(generate)
    assert not is_async_gen_fn(double)


# --- coroutines from sync code ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("force_new_thread", [False, True])
def test_a_coroutine_runs_to_its_end_from_sync_code(force_new_thread):
    assert run_coro_as_sync(double(2), force_new_thread=force_new_thread) == 4


@pytest.mark.parametrize("force_new_thread", [False, True])
def test_a_coroutine_sees_the_callers_context_variables(force_new_thread):
    token = colour.set("red")
    try:
        assert run_coro_as_sync(see_colour(), force_new_thread=force_new_thread) == "red"
    finally:
        colour.reset(token)


@pytest.mark.parametrize("force_new_thread", [False, True])
def test_an_error_of_a_coroutine_reaches_the_caller(force_new_thread):
    async def fail():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_coro_as_sync(fail(), force_new_thread=force_new_thread)


async def test_a_coroutine_runs_below_a_running_loop():
    assert run_coro_as_sync(double(2)) == 4


def test_coroutines_may_wait_for_coroutines_in_this_way():
    async def middle():
        assert in_run_sync_loop()
        return run_coro_as_sync(double(3))

    assert run_coro_as_sync(middle()) == 6
    assert not in_run_sync_loop()


def test_coroutines_of_many_threads_share_one_loop():
    async def which_loop():
        return id(asyncio.get_running_loop())

    found = []
    threads = [threading.Thread(target=lambda: found.append(run_coro_as_sync(which_loop()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(found) == {id(get_run_sync_loop().loop)}


def test_a_result_need_not_be_waited_for():
    ended = threading.Event()

    async def work():
        ended.set()

    assert run_coro_as_sync(work(), wait_for_result=False) is None
    assert ended.wait(10)


def test_a_coroutine_is_cancelled_when_the_wait_is_interrupted():
    cancelled = threading.Event()

    async def endless():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimeoutError), timeout(0.05):
        run_coro_as_sync(endless())

    assert cancelled.wait(10)


def test_a_coroutine_that_cancels_itself_is_cancelled_for_the_caller():
    async def give_up():
        raise asyncio.CancelledError

    with pytest.raises(BaseException) as caught:
        run_coro_as_sync(give_up())
    assert "Cancelled" in type(caught.value).__name__


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_gets_a_loop_of_its_own():
    code = (
        "import os\n"
        "from prefect.utilities.asyncutils import run_coro_as_sync\n"
        "async def one(): return 1\n"
        "assert run_coro_as_sync(one()) == 1\n"
        "pid = os.fork()\n"
        "assert run_coro_as_sync(one()) == 1\n"
        "if pid: assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        "else: os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_process_ends_quietly_with_coroutines_under_way():
    code = (
        "import asyncio\n"
        "from prefect.utilities.asyncutils import run_coro_as_sync\n"
        "async def endless(): await asyncio.Event().wait()\n"
        "run_coro_as_sync(endless(), wait_for_result=False)\n"
        "run_coro_as_sync(asyncio.sleep(0))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
    assert ended.stderr == ""


def test_a_function_can_be_called_in_a_loop_of_its_own():
    assert run_async_in_new_loop(double, x=2) == 4
    assert sync(double, 2) == 4


# --- functions of both kinds ------------------------------------------------------------------------------------------


@sync_compatible
async def compatible(x):
    return await also_compatible(x)


@sync_compatible
async def also_compatible(x):
    return x * 2


def test_a_compatible_function_runs_to_its_end_in_sync_code():
    assert compatible(2) == 4


async def test_a_compatible_function_is_awaited_in_async_code():
    assert await compatible(2) == 4
    assert await compatible.aio(2) == 4


async def test_the_caller_may_choose():
    assert compatible(2, _sync=True) == 4


def test_the_caller_may_choose_in_sync_code_too():
    assert run_coro_as_sync(compatible(2, _sync=False)) == 4


def test_only_async_functions_are_made_compatible():
    with pytest.raises(TypeError, match="async def"):
        sync_compatible(len)


# --- threads from async code ------------------------------------------------------------------------------------------


async def test_a_sync_function_runs_in_a_worker_thread():
    token = colour.set("blue")
    here = threading.get_ident()

    def work(x, *, y):
        return threading.get_ident() != here, colour.get(), x + y, in_async_worker_thread()

    assert await run_sync_in_worker_thread(work, 1, y=2) == (True, "blue", 3, True)
    assert in_async_main_thread() and not in_async_worker_thread()
    colour.reset(token)


async def test_a_worker_thread_can_call_back_into_its_loop():
    here = asyncio.get_running_loop()

    async def which_loop():
        return asyncio.get_running_loop()

    def work():
        return run_async_from_worker_thread(which_loop), sync(which_loop)

    assert await run_sync_in_worker_thread(work) == (here, here)


def test_a_sync_thread_is_no_worker_thread():
    assert not in_async_worker_thread()
    assert not in_async_main_thread()


# --- inside a loop ----------------------------------------------------------------------------------------------------


async def test_results_are_gathered_in_order():
    assert await gather(partial(double, 1), partial(double, 2)) == [2, 4]


async def test_results_are_there_when_the_group_has_been_left():
    async with create_gather_task_group() as group:
        key = group.start_soon(double, 3)
        with pytest.raises(GatherIncomplete):
            group.get_result(key)
    assert group.get_result(key) == 6


async def test_a_background_task_is_kept_alive_until_it_ends():
    release = asyncio.Event()
    task = create_task(release.wait())
    assert task in BACKGROUND_TASKS
    release.set()
    await task
    await asyncio.sleep(0)
    assert task not in BACKGROUND_TASKS


def test_a_callback_is_called_when_the_loop_shuts_down():
    called = []

    async def callback():
        called.append(asyncio.get_running_loop())

    async def main():
        await add_event_loop_shutdown_callback(callback)
        assert not called

    asyncio.run(main())
    assert len(called) == 1


async def test_a_semaphore_asks_for_its_size_when_it_is_entered():
    asked = []
    semaphore = LazySemaphore(lambda: asked.append(1) or 1)
    assert not asked
    async with semaphore as inner:
        assert inner.locked()
    assert not inner.locked()
    async with semaphore:
        pass
    assert asked == [1]


async def test_a_null_context_gives_what_it_was_given():
    async with asyncnullcontext(3) as value:
        assert value == 3


# --- calls in other threads -------------------------------------------------------------------------------------------


def test_calls_run_in_other_threads():
    here = threading.get_ident()

    def where():
        return threading.get_ident() != here

    async def where_async():
        return threading.get_ident() != here

    for run in (from_sync.call_in_new_thread, from_sync.call_in_loop_thread, from_sync.wait_for_call_in_loop_thread):
        assert run(where_async) is True
    assert from_sync.call_in_new_thread(where) is True
    assert from_sync.wait_for_call_in_new_thread(where) is True
    assert from_sync.call_soon_in_loop_thread(where_async).result() is True
    assert from_sync.call_soon_in_new_thread(where).result(timeout=10) is True


def test_a_call_that_takes_too_long_is_given_up():
    cancelled = threading.Event()

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        from_sync.call_in_loop_thread(endless, timeout=0.02)
    assert cancelled.wait(10)


def test_a_call_goes_on_when_somebody_is_tired_of_waiting():
    go_on = threading.Event()

    async def patient():
        while not go_on.is_set():
            await asyncio.sleep(0.001)
        return "done"

    call = from_sync.call_soon_in_loop_thread(patient)
    with pytest.raises(TimeoutError):
        call.result(timeout=0.01)
    go_on.set()
    assert call.result(timeout=10) == "done"


def test_callbacks_are_called_where_the_call_was_waited_for():
    from prefect._internal.concurrency.api import create_call

    seen = []
    here = threading.get_ident()
    done = create_call(lambda: seen.append(threading.get_ident()))
    assert from_sync.wait_for_call_in_loop_thread(partial(double, 2), done_callbacks=[done]) == 4
    assert seen == [here]


def test_an_error_of_a_call_reaches_who_waits():
    def fail():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        from_sync.call_in_new_thread(fail)
