"""Signals that ask a process to end, and several who want to know of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from prefect.utilities._asked_to_end import asked_to_end

TERM = [signal.SIGTERM]


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """What was heard; what nobody takes is heard by the handler that was there before."""
    heard: list[Any] = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("before"))
    yield heard
    signal.signal(signal.SIGTERM, before)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_all_are_told_and_those_who_have_left_are_not(heard: list[Any]):
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(asked_to_end(lambda number: heard.append(("first", number)), TERM))
        second.enter_context(asked_to_end(lambda number: heard.append(("second", number)), TERM))
        terminate()
        assert heard == [("first", signal.SIGTERM), ("second", signal.SIGTERM)]
        first.close()
        terminate()
        assert heard[2:] == [("second", signal.SIGTERM)]
    terminate()
    assert heard[3:] == ["before"]


def test_a_handler_that_comes_between_and_stays_longer_may_put_back_what_it_has_found(heard: list[Any]):
    with asked_to_end(heard.append, TERM):
        found = signal.signal(signal.SIGTERM, lambda *_: heard.append("between"))
        terminate()
    terminate()
    signal.signal(signal.SIGTERM, found)
    terminate()
    assert heard == ["between", "between", "before"]


def test_a_signal_that_is_ignored_stays_ignored(heard: list[Any]):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with asked_to_end(heard.append, TERM):
        terminate()
    assert heard == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
