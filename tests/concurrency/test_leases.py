"""Leases that are about to end: how they are renewed, and what happens when that fails."""

import asyncio
import threading
import time
from uuid import uuid4

import pytest

from prefect.concurrency import _leases
from prefect.concurrency import asyncio as aslots
from prefect.concurrency import sync as slots
from prefect.concurrency._api import LeaseGone
from prefect.concurrency._errors import ConcurrencySlotAcquisitionError
from prefect.concurrency._leases import LeaseKeeper


@pytest.fixture
def renewals(monkeypatch):
    """Renewals that are due soon after a lease is taken, and fail as long as there are `errors`."""

    class Renewals:
        def __init__(self):
            self.errors: list[Exception] = []
            self.seen: list = []
            self.happened = threading.Condition()

        def __call__(self, lease_id, seconds):
            with self.happened:
                self.seen.append((lease_id, seconds))
                self.happened.notify_all()
            if self.errors:
                raise self.errors.pop(0)

        def wait_for(self, count):
            with self.happened:
                assert self.happened.wait_for(lambda: len(self.seen) >= count, timeout=10)

    seen = Renewals()
    monkeypatch.setattr(_leases, "renew_lease", seen)
    monkeypatch.setattr(_leases, "keeper", LeaseKeeper())
    monkeypatch.setattr(_leases, "_PAUSE_SECONDS", 0.001)
    return seen


@pytest.fixture
def soon(monkeypatch):
    """Leases are renewed after a thousandth of a minute."""
    monkeypatch.setattr(_leases, "_RENEW_AFTER", 0.001)


def test_one_thread_renews_all_leases_each_in_its_time(renewals):
    keeper, lost = LeaseKeeper(), []
    slow, fast = uuid4(), uuid4()
    before = threading.active_count()
    keeper.keep(slow, 3600, lost.append)
    keeper.keep(fast, 0.01, lost.append)
    renewals.wait_for(3)
    assert threading.active_count() == before + 1
    assert {lease for lease, _ in renewals.seen} == {fast}
    assert renewals.seen[0] == (fast, 0.01)
    keeper.let_go(fast)
    keeper.let_go(slow)
    assert lost == []


def test_a_failed_renewal_is_tried_again_before_the_lease_counts_as_lost(renewals):
    keeper, lost, id = LeaseKeeper(), [], uuid4()
    renewals.errors = [OSError("one"), OSError("two")]
    keeper.keep(id, 0.01, lost.append)
    renewals.wait_for(4)
    keeper.let_go(id)
    assert lost == []


def test_a_lease_is_lost_after_three_failures_or_when_it_is_gone(renewals):
    keeper, lost = LeaseKeeper(), []
    done = threading.Event()

    def on_lost(error):
        lost.append(str(error))
        done.set()

    renewals.errors = [OSError("one"), OSError("two"), OSError("three")]
    keeper.keep(uuid4(), 0.01, on_lost)
    assert done.wait(10)
    assert lost == ["three"] and len(renewals.seen) == 3

    done.clear()
    renewals.errors = [LeaseGone("gone")]
    keeper.keep(uuid4(), 0.01, on_lost)
    assert done.wait(10)
    assert lost == ["three", "gone"] and len(renewals.seen) == 4


def test_entries_of_leases_let_go_do_not_pile_up(renewals):
    keeper = LeaseKeeper()
    for _ in range(5000):
        id = uuid4()
        keeper.keep(id, 3600, lambda error: None)
        keeper.let_go(id)
    assert len(keeper._due) < 1100


def spin(seconds: float = 10) -> None:
    """Run Python code, so that an exception from another thread can come in."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


def test_a_lost_lease_stops_a_strict_block(limit, renewals, soon):
    limit.create("oven", 1)
    renewals.errors = [LeaseGone("expired")]
    with pytest.raises(ConcurrencySlotAcquisitionError, match=r"slots of \['oven'\] could not be renewed.*expired"):
        with slots.concurrency("oven", lease_duration=60, strict=True):
            try:
                spin()
            except Exception:
                pytest.fail("the block's own handlers must not keep it")
    assert limit.taken("oven") == 0


async def test_a_lost_lease_stops_a_strict_async_block(limit, renewals, soon):
    limit.create("oven", 1)
    renewals.errors = [LeaseGone("expired")]
    with pytest.raises(ConcurrencySlotAcquisitionError, match="expired"):
        async with aslots.concurrency("oven", lease_duration=60, strict=True):
            await asyncio.sleep(10)
    assert limit.taken("oven") == 0
    await asyncio.sleep(0)  # the cancellation has ended with the block


def test_by_default_a_block_goes_on_without_its_lease_and_a_warning_is_logged(limit, renewals, soon, caplog):
    limit.create("oven", 1)
    renewals.errors = [LeaseGone("expired")]
    with slots.concurrency("oven", lease_duration=60):
        renewals.wait_for(1)
        spin(0.05)
    assert "could not be renewed (expired)" in caplog.text


def test_strictness_about_limits_and_about_leases_are_chosen_apart(limit, renewals, soon):
    limit.create("oven", 1)
    renewals.errors = [LeaseGone("expired")]
    with slots.concurrency("oven", lease_duration=60, strict=True, raise_on_lease_renewal_failure=False):
        renewals.wait_for(1)
        spin(0.05)
    renewals.errors = [LeaseGone("expired")]
    with pytest.raises(ConcurrencySlotAcquisitionError, match="expired"):
        with slots.concurrency("oven", lease_duration=60, raise_on_lease_renewal_failure=True):
            spin()


def test_an_error_of_the_block_goes_out_though_the_lease_is_lost_too(limit, renewals, soon):
    limit.create("oven", 1)
    renewals.errors = [LeaseGone("expired")]
    with pytest.raises(ZeroDivisionError):
        with slots.concurrency("oven", lease_duration=60, strict=True):
            try:
                spin()
            finally:
                1 / 0  # noqa: B018
    spin(0.01)  # nothing comes later
