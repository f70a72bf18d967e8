"""The loop of the services: on time, one at a time, by itself again after a failure, and once however many servers there are."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect.server.services import table
from prefect.server.services.runner import ServiceRunner, lock_key
from prefect.server.services.table import SERVICES, ServiceEntry, enabled_services
from prefect.settings import get_current_settings, temporary_settings

PATIENCE_SECONDS = 20.0


class Recorded:
    """A service that remembers its rounds; `fails` says what a round raises, `done` how much it reports."""

    def __init__(self) -> None:
        self.rounds = 0
        self.within = 0
        self.most_within = 0
        self.fails: Exception | None = None
        self.done = [0]
        self._lock = threading.Lock()

    def run_once(self, tx, now):
        with self._lock:
            self.rounds += 1
            self.within += 1
            self.most_within = max(self.most_within, self.within)
            number = self.rounds
        try:
            assert now.utcoffset() is not None
            if self.fails is not None:
                raise self.fails
            return self.done[min(number, len(self.done)) - 1]
        finally:
            with self._lock:
                self.within -= 1


def until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch):
    """Replaces all services by one; yields what makes its entry and the service."""
    recorded = Recorded()
    monkeypatch.setattr(ServiceEntry, "load", lambda _: recorded)

    def enter(interval=0.05, **more):
        entry = ServiceEntry("only", "", "", None, lambda _: True, lambda _: interval, **more)
        monkeypatch.setattr(table, "SERVICES", (entry,))
        return recorded

    return enter


@pytest.fixture
def started():
    runners = []

    def start(store, only=None):
        runner = ServiceRunner(store, only)
        runners.append(runner)
        runner.start()
        return runner

    yield start
    for runner in runners:
        assert runner.stop()


def test_rounds_are_repeated_until_the_runner_stops(store, service, started):
    recorded = service()
    runner = started(store)
    until(lambda: recorded.rounds >= 3)
    assert runner.stop()
    rounds = recorded.rounds
    assert not [thread for thread in threading.enumerate() if thread in runner._threads]
    assert recorded.rounds == rounds


def test_a_full_round_is_followed_by_another_one_at_once(store, service, started):
    recorded = service(interval=3600, full_round=10)
    recorded.done = [10, 10, 10, 9, 0]
    started(store)
    until(lambda: recorded.rounds == 4)


def test_a_failing_service_goes_on_and_says_so_once(store, service, started, caplog):
    recorded = service(interval=0.02)
    recorded.fails = ValueError("no good")
    with caplog.at_level(logging.INFO, "prefect.server.services"):
        runner = started(store)
        until(lambda: recorded.rounds >= 4)
        recorded.fails = None
        until(lambda: any("works again" in record.getMessage() for record in caplog.records))
        runner.stop()
    assert sum(record.levelname == "ERROR" for record in caplog.records) == 1


def test_failures_are_tried_again_later_and_later(store, service, started, monkeypatch):
    recorded = service(interval=0.02)
    recorded.fails = ValueError("no good")
    runner = ServiceRunner(store)
    each = runner._services["only"]
    pauses = [runner._failed(each, recorded.fails) for _ in range(14)]
    assert pauses[0] < pauses[3] < pauses[6] < pauses[9] < 60 * 1.2
    assert all(pause < 60 * 1.2 for pause in pauses)


def test_a_change_brings_the_next_round_forward(store, service, started):
    recorded = service(interval=3600, is_woken_by=("deployments",))
    runner = started(store)
    until(lambda: recorded.rounds == 1)
    runner.wake_for("flows")
    runner.wake_for("deployments")
    until(lambda: recorded.rounds == 2)


def test_no_service_makes_two_rounds_at_once(store, service, started):
    recorded = service(interval=0.05)
    with ThreadPoolExecutor(8) as pool:
        runner = started(store)
        list(pool.map(lambda _: runner.wake("only"), range(500)))
        until(lambda: recorded.rounds >= 3)
    assert recorded.most_within == 1


def test_while_one_server_makes_a_round_another_one_leaves_it_out(store, service):
    if store.dialect.name == "sqlite":
        # There a round is a writing transaction, and those take turns.
        assert store.write(lambda tx: tx.fetch_one(tx.dialect.try_lock("?"), (1,)))["taken"]
        return
    recorded = service()
    runner = ServiceRunner(store)

    def within(tx):
        assert tx.fetch_one(tx.dialect.try_lock("?"), (lock_key("only"),))["taken"]
        assert runner._go_round(runner._services["only"]) > 0
        assert recorded.rounds == 0

    store.write(within)
    runner._go_round(runner._services["only"])
    assert recorded.rounds == 1


def test_a_service_that_judges_by_silence_waits_when_it_was_away_itself(store, service, monkeypatch):
    recorded = service(interval=5, settles_seconds=lambda _: 60)
    runner = ServiceRunner(store)
    each = runner._services["only"]
    now = [1000.0]
    monkeypatch.setattr("prefect.server.services.runner.time.monotonic", lambda: now[0])
    runner._go_round(each)
    now[0] += 5
    assert runner._go_round(each) < 6
    now[0] += 300  # the machine slept
    assert runner._go_round(each) == 60
    now[0] += 60
    runner._go_round(each)
    assert recorded.rounds == 3


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_service_can_be_loaded_and_makes_a_round_on_an_empty_database(store):
    for entry in SERVICES:
        assert store.write(lambda tx, entry=entry: entry.load().run_once(tx, tx.now)) == 0, entry.name


def test_names_and_locks_are_unique():
    assert max(Counter(entry.name for entry in SERVICES).values()) == 1
    assert len({lock_key(entry.name) for entry in SERVICES}) == len(SERVICES)
    assert all(-(2**63) <= lock_key(entry.name) < 2**63 for entry in SERVICES)


@pytest.mark.parametrize("entry", [entry for entry in SERVICES if entry.setting], ids=lambda entry: entry.name)
def test_each_service_can_be_switched_off(entry):
    kept = {"event_vacuum": {"flow_runs"}}.get(entry.name, False)
    with temporary_settings({entry.setting: kept}):
        assert entry.name not in {each.name for each in enabled_services(get_current_settings())}


def test_only_some_services_can_be_chosen(store):
    assert ServiceRunner(store, {"late_runs", "repossessor"}).names == ["late_runs", "repossessor"]
    with pytest.raises(ValueError, match="'nonsense'"):
        ServiceRunner(store, {"nonsense"})
