"""Limits on the time that a block takes, in the main thread, in other threads and in coroutines."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect.utilities.timeout import fail_if_not_timeout_error, timeout, timeout_async

LONG = 30
SHORT = 0.02


class Outer(TimeoutError): ...


class Inner(TimeoutError): ...


def busy(seconds=LONG):
    """Work that can be interrupted at any instruction, in any thread."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def in_main_thread(fn):
    return fn()


def in_other_thread(fn):
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(fn).result()


everywhere = pytest.mark.parametrize("run", [in_main_thread, in_other_thread])


@pytest.fixture(autouse=True)
def alarm_is_left_alone():
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@everywhere
def test_a_block_that_takes_too_long_is_interrupted(run):
    def work():
        with timeout(SHORT, Inner):
            busy()

    with pytest.raises(Inner, match=rf"{SHORT} second") as caught:
        run(work)
    assert type(caught.value) is Inner


@everywhere
def test_a_block_that_is_done_in_time_is_not_interrupted(run):
    def work():
        with timeout(LONG, Inner):
            return "done"

    assert run(work) == "done"


@everywhere
def test_without_a_limit_there_is_none(run):
    def work():
        with timeout(None, Inner):
            return "done"

    assert run(work) == "done"


def test_a_blocking_call_in_the_main_thread_is_cut_short():
    with pytest.raises(Inner), timeout(SHORT, Inner):
        time.sleep(LONG)


@everywhere
def test_of_two_limits_the_inner_may_expire_first(run):
    def work():
        with timeout(LONG, Outer):
            try:
                with timeout(SHORT, Inner):
                    busy()
            except Inner:
                return "inner"

    assert run(work) == "inner"


@everywhere
def test_of_two_limits_the_outer_may_expire_first(run):
    def work():
        with timeout(SHORT, Outer):
            with timeout(LONG, Inner):
                busy()

    with pytest.raises(Outer):
        run(work)


@everywhere
def test_the_outer_limit_goes_on_when_the_inner_block_is_left(run):
    def work():
        with timeout(SHORT * 3, Outer):
            with timeout(SHORT, Inner):
                pass
            busy()

    with pytest.raises(Outer):
        run(work)


@everywhere
def test_both_limits_may_expire_one_after_the_other(run):
    def work():
        with timeout(SHORT * 3, Outer):
            try:
                with timeout(SHORT, Inner):
                    busy()
            except Inner:
                busy()

    with pytest.raises(Outer):
        run(work)


@everywhere
def test_limits_of_one_moment_lead_out_of_both_blocks(run):
    def work():
        with timeout(SHORT, Outer):
            with timeout(SHORT, Inner):
                busy()
            busy()

    with pytest.raises((Outer, Inner)):
        run(work)


@everywhere
def test_an_error_of_the_block_is_passed_on(run):
    def work():
        with timeout(LONG, Inner):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(work)


@everywhere
def test_no_interruption_comes_after_the_block_was_left(run):
    def work():
        late = 0
        for attempt in range(300):
            try:
                with timeout(0.0005, Inner):
                    # Ends around the moment when the time is up.
                    busy(0.0004 + (attempt % 20) * 0.00001)
            except Inner:
                pass
            try:
                for _ in range(100):
                    pass
            except Inner:
                late += 1
        return late

    assert run(work) == 0


def test_threads_are_interrupted_each_for_itself():
    ready = threading.Barrier(4)

    def work(seconds):
        ready.wait()
        try:
            with timeout(seconds, Inner):
                busy(SHORT * 10)
        except Inner:
            return "interrupted"
        return "done"

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(work, [SHORT, LONG, SHORT, LONG]))

    assert results == ["interrupted", "done", "interrupted", "done"]


def test_an_alarm_that_somebody_else_has_set_rings_for_them():
    rang = threading.Event()
    signal.signal(signal.SIGALRM, lambda *_: rang.set())
    signal.setitimer(signal.ITIMER_REAL, SHORT)
    try:
        with timeout(LONG, Outer):
            assert rang.wait(LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_an_alarm_that_is_still_to_ring_does_so_behind_the_block():
    rang = threading.Event()
    signal.signal(signal.SIGALRM, lambda *_: rang.set())
    signal.setitimer(signal.ITIMER_REAL, SHORT * 3)
    try:
        with pytest.raises(Inner), timeout(SHORT, Inner):
            busy()
        assert not rang.is_set()
        assert rang.wait(LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.mark.parametrize("make", [timeout, timeout_async])
def test_only_timeout_errors_may_be_raised(make):
    with pytest.raises(ValueError, match="subclass of TimeoutError"):
        make(1, ValueError)
    with pytest.raises(ValueError, match="subclass of TimeoutError"):
        fail_if_not_timeout_error(KeyError)


# --- coroutines -------------------------------------------------------------------------------------------------------


async def test_a_coroutine_that_takes_too_long_is_interrupted():
    with pytest.raises(Inner, match=rf"{SHORT} second"), timeout_async(SHORT, Inner):
        await asyncio.sleep(LONG)


async def test_a_coroutine_that_is_done_in_time_is_not_interrupted():
    with timeout_async(LONG, Inner):
        await asyncio.sleep(0)
    with timeout_async(None, Inner):
        await asyncio.sleep(0)


async def test_limits_of_coroutines_nest():
    with pytest.raises(Outer), timeout_async(SHORT, Outer), timeout_async(LONG, Inner):
        await asyncio.sleep(LONG)
    with timeout_async(LONG, Outer):
        with pytest.raises(Inner), timeout_async(SHORT, Inner):
            await asyncio.sleep(LONG)
        await asyncio.sleep(0)


async def test_a_cancellation_from_outside_is_no_timeout():
    entered = asyncio.Event()

    async def work():
        with timeout_async(LONG, Inner):
            entered.set()
            await asyncio.sleep(LONG)

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_coroutine_goes_on_undisturbed_behind_an_expired_limit():
    with pytest.raises(Inner), timeout_async(SHORT, Inner):
        await asyncio.sleep(LONG)
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    if hasattr(task, "cancelling"):
        assert task.cancelling() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs alarms")
def test_leaving_a_block_at_the_last_moment_does_not_leave_an_alarm_behind():
    # A stray alarm would end the process, so it is another one.
    code = (
        "import signal, time\n"
        "from prefect.utilities.timeout import timeout\n"
        "for attempt in range(400):\n"
        "    end = time.perf_counter() + 0.0009 + (attempt % 40) * 0.00001\n"
        "    try:\n"
        "        with timeout(0.001):\n"
        "            while time.perf_counter() < end: pass\n"
        "    except TimeoutError: pass\n"
        "    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)\n"
        "assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
