import asyncio
import threading
import time

import pytest

from prefect.concurrency import asyncio as aslots
from prefect.concurrency import sync as slots
from prefect.concurrency._errors import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
from prefect.concurrency.context import ConcurrencyContext
from prefect.concurrency.v1 import asyncio as aslots_v1
from prefect.concurrency.v1 import sync as slots_v1
from prefect.settings import temporary_settings
from prefect.types._ids import uuid7


def use(*args, **kwargs) -> str:
    """Hold slots for a moment, in sync code."""
    with slots.concurrency(*args, **kwargs):
        return "used"


def ause(*args, **kwargs) -> str:
    """Hold slots for a moment, in async code."""

    async def run():
        async with aslots.concurrency(*args, **kwargs):
            return "used"

    return asyncio.run(run())


def arate(*args, **kwargs) -> None:
    asyncio.run(aslots.rate_limit(*args, **kwargs))


both = pytest.mark.parametrize("use", [use, ause], ids=["sync", "async"])
both_rates = pytest.mark.parametrize("rate_limit", [slots.rate_limit, arate], ids=["sync", "async"])


def test_slots_are_held_inside_the_block_only(limit):
    limit.create("oven", 3)
    with slots.concurrency("oven", occupy=2):
        assert limit.taken("oven") == 2
    assert limit.taken("oven") == 0


async def test_slots_are_held_inside_the_async_block_only(limit):
    limit.create("oven", 3)
    async with aslots.concurrency(["oven"], occupy=2):
        assert limit.taken("oven") == 2
    assert limit.taken("oven") == 0


@both
def test_slots_are_given_back_when_the_block_fails(limit, use):
    limit.create("oven", 1)
    with pytest.raises(ZeroDivisionError), slots.concurrency("oven"):
        1 / 0  # noqa: B018
    assert use("oven") == "used"


@both
def test_slots_of_all_limits_are_taken_or_of_none(limit, use):
    limit.create("oven", 1)
    limit.create("tray", 5)
    with slots.concurrency("oven"):
        with pytest.raises(ConcurrencySlotAcquisitionError, match="423"):
            use(["tray", "oven"], max_retries=0)
        assert limit.taken("tray") == 0
    assert use(["tray", "oven", "tray"]) == "used"


@both
def test_waiting_ends_with_the_time_or_with_the_attempts(limit, use):
    limit.create("oven", 1)
    with slots.concurrency("oven"):
        for seconds in (0, 0.02):
            with pytest.raises(AcquireConcurrencySlotTimeoutError, match="timed out after") as caught:
                use("oven", timeout_seconds=seconds)
            assert isinstance(caught.value, TimeoutError)
        with pytest.raises(ConcurrencySlotAcquisitionError, match=r"\['oven'\]: 423 Locked"):
            use("oven", max_retries=0)
    assert limit.taken("oven") == 0


@both
def test_a_waiting_block_goes_on_when_slots_become_free(limit, use):
    limit.create("oven", 1)
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with slots.concurrency("oven"):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    threading.Timer(0.05, leave.set).start()
    assert use("oven", timeout_seconds=30) == "used"
    holder.join()


@both
def test_slots_given_back_in_this_process_are_taken_at_once_though_the_api_advises_to_wait(limit, use):
    limit.create("oven", 1)
    with temporary_settings({"server.concurrency.maximum_concurrency_slot_wait_seconds": 3600}):
        entered = threading.Barrier(6, timeout=10)

        def hold():
            entered.wait()
            for _ in range(3):
                use("oven", timeout_seconds=60)

        holders = [threading.Thread(target=hold) for _ in range(5)]
        for holder in holders:
            holder.start()
        entered.wait()
        for holder in holders:
            holder.join(60)
    assert not any(holder.is_alive() for holder in holders)
    assert limit.taken("oven") == 0


@both
def test_missing_limits_are_skipped_with_a_warning(limit, use, caplog):
    assert use("nothing") == "used"
    assert "['nothing'] do not exist" in caplog.text
    limit.create("oven", 1)
    assert use(["oven", "nothing"]) == "used"
    assert limit.taken("oven") == 0


@both
def test_missing_limits_are_an_error_in_strict_mode_and_nothing_stays_taken(limit, use):
    limit.create("oven", 1)
    for names in ("nothing", ["oven", "nothing"]):
        with pytest.raises(ConcurrencySlotAcquisitionError, match="'nothing'.* must be created before"):
            use(names, strict=True)
    assert limit.taken("oven") == 0
    assert use("oven", strict=True) == "used"


@both
def test_no_names_do_nothing(use):
    assert use([]) == "used"
    assert use([], strict=True) == "used"


@both
def test_inactive_limits_never_hold_anything_up(limit, use):
    limit.create("resting", 0, active=False)
    assert use("resting", strict=True) == "used"


@both
def test_more_slots_than_there_are_is_an_error_with_the_reason(limit, use):
    limit.create("oven", 1)
    with pytest.raises(ConcurrencySlotAcquisitionError, match=r"\['oven'\]: 422 .*[Ss]lots"):
        use("oven", occupy=2)
    with pytest.raises(ConcurrencySlotAcquisitionError, match="422 .*lease_duration"):
        use("oven", lease_duration=5)


def test_events_tell_of_each_limit_and_of_the_others(limit, events):
    limit.create("oven", 2)
    limit.create("tray", 5)
    use(["oven", "tray"])
    assert [event.event for event in events] == ["prefect.concurrency-limit.acquired"] * 2 + [
        "prefect.concurrency-limit.released"
    ] * 2
    oven, tray = events[:2]
    assert (oven.resource["prefect.resource.name"], oven.resource["slots-acquired"], oven.resource["limit"]) == (
        "oven",
        "1",
        "2",
    )
    assert oven.related == [
        {"prefect.resource.id": tray.resource["prefect.resource.id"], "prefect.resource.role": "concurrency-limit"}
    ]
    assert [event.follows for event in events] == [None, None, oven, tray]


async def test_a_cancelled_wait_takes_nothing(limit):
    limit.create("oven", 1)
    with slots.concurrency("oven"):
        waiting = asyncio.create_task(aslots.concurrency("oven").__aenter__())
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert limit.taken("oven") == 0


async def test_slots_granted_to_a_cancelled_request_are_given_back(limit):
    limit.create("oven", 1)
    asking = asyncio.create_task(aslots.concurrency("oven").__aenter__())
    await asyncio.sleep(0)  # the request is under way
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    deadline = time.monotonic() + 10
    while limit.taken("oven") and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert limit.taken("oven") == 0


async def test_slots_are_given_back_when_the_block_is_cancelled(limit):
    limit.create("oven", 1)
    inside = asyncio.Event()

    async def hold():
        async with aslots.concurrency("oven"):
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hold())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limit.taken("oven") == 0


def test_a_context_gives_back_what_was_left_taken(limit):
    limit.create("oven", 2)
    with ConcurrencyContext() as context:
        left_open = slots.concurrency("oven")
        left_open.__enter__()
        with slots.concurrency("oven"):
            assert len(context.cleanup_lease_ids) == 2
        assert ConcurrencyContext.get() is context
        assert limit.taken("oven") == 1
    assert limit.taken("oven") == 0
    assert ConcurrencyContext.get() is None


# -- rates ------------------------------------------------------------------------------------------------------------


@both_rates
def test_rate_limits_let_pass_what_is_free_and_then_wait(limit, rate_limit):
    limit.create("calls", 2, slot_decay_per_second=0.001)
    rate_limit("calls")
    rate_limit(["calls"], timeout_seconds=0)
    with pytest.raises(AcquireConcurrencySlotTimeoutError):
        rate_limit("calls", timeout_seconds=0.01)
    assert limit.taken("calls") == 2


@both_rates
def test_rates_free_themselves_with_time(limit, rate_limit):
    limit.create("calls", 1, slot_decay_per_second=50)
    for _ in range(3):
        rate_limit("calls", timeout_seconds=30)


@both_rates
def test_a_limit_without_decay_is_no_rate_limit(limit, rate_limit):
    limit.create("oven", 1)
    with pytest.raises(ConcurrencySlotAcquisitionError, match="decay"):
        rate_limit("oven")


@both_rates
def test_missing_rate_limits_are_skipped_or_an_error(rate_limit, caplog):
    assert rate_limit("nothing") is None
    assert "do not exist" in caplog.text
    with pytest.raises(ConcurrencySlotAcquisitionError, match="must be created"):
        rate_limit("nothing", strict=True)


# -- the older form ----------------------------------------------------------------------------------------------------


async def test_tag_limits_are_held_for_a_task_run(limit, events):
    limit.create("tag:db", 1)
    run = uuid7()
    with slots_v1.concurrency("db", run):
        with pytest.raises(AcquireConcurrencySlotTimeoutError):
            async with aslots_v1.concurrency(["db"], uuid7(), timeout_seconds=0):
                pass
    async with aslots_v1.concurrency(["db"], run, timeout_seconds=0):
        pass
    assert [event.event for event in events] == [
        "prefect.concurrency-limit.v1.acquired",
        "prefect.concurrency-limit.v1.released",
    ] * 2
    assert events[0].resource["task_run_id"] == str(run)
