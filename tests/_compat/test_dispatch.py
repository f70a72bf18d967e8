"""Functions that are sync or async by where they are called."""

import asyncio
import gc
import warnings

import pytest

from prefect import task
from prefect._compat.dispatch import async_dispatch, is_in_async_context, set_run_context_probe
from prefect.utilities import _async_context
from prefect.utilities.asyncutils import run_coro_as_sync


async def aread(name="x"):
    return f"async {name}"


@async_dispatch(aread)
def read(name="x"):
    """Read it."""
    return f"sync {name}"


class Thing:
    @classmethod
    async def aload(cls, name):
        return cls, name

    @classmethod
    @async_dispatch(aload)
    def load(cls, name):
        return cls, name

    async def asave(self):
        return self

    @async_dispatch(asave)
    def save(self):
        return self


@pytest.fixture
def in_run():
    """Say what the current run is."""
    before = _async_context._run_context_probe
    yield lambda is_async: set_run_context_probe(lambda: is_async)
    _async_context._run_context_probe = before


def test_sync_code_gets_the_result():
    assert read("y") == "sync y"
    assert Thing.load("y") == (Thing, "y")
    thing = Thing()
    assert thing.save() is thing


async def test_async_code_gets_a_coroutine():
    assert await read("y") == "async y"
    assert await Thing.load("y") == (Thing, "y")
    thing = Thing()
    assert await thing.save() is thing


async def test_the_caller_may_choose_in_async_code():
    assert read(_sync=True) == "sync x"


def test_the_caller_may_choose_in_sync_code():
    assert asyncio.run(read(_sync=False)) == "async x"


def test_the_async_form_is_at_hand():
    assert read.aio is aread
    assert asyncio.run(Thing.load.aio(Thing, "y")) == (Thing, "y")


def test_the_function_keeps_its_face():
    assert read.__name__ == "read"
    assert read.__doc__ == "Read it."


async def test_a_sync_run_in_an_event_loop_is_sync(in_run):
    in_run(False)
    assert read() == "sync x"


def test_an_async_run_is_async_even_where_no_loop_runs(in_run):
    in_run(True)
    assert asyncio.run(read()) == "async x"


async def test_outside_of_runs_the_event_loop_decides(in_run):
    in_run(None)
    assert is_in_async_context()
    assert await read() == "async x"


def test_a_coroutine_that_a_sync_run_waits_for_is_async(in_run):
    in_run(False)

    async def work():
        return await read()

    assert run_coro_as_sync(work()) == "async x"


def test_only_async_functions_can_be_the_async_form():
    with pytest.raises(TypeError, match="async def"):
        async_dispatch(len)


async def test_a_coroutine_that_is_dropped_explains_itself():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read()
        gc.collect()
    assert any("read (in async code it must be awaited" in str(warning.message) for warning in caught)


async def test_an_async_task_may_be_the_async_form(home):
    @task
    async def adouble(x):
        return 2 * x

    @async_dispatch(adouble)
    def double(x):
        return 2 * x + 0.5

    assert double(2, _sync=True) == 4.5
    assert await double(2) == 4
