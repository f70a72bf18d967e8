"""Ids sort by the time of their creation, and differ between threads and processes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from time import time_ns

import pytest

from prefect.types._ids import uuid7


def test_ids_of_one_process_are_strictly_increasing():
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_say_when_they_were_made():
    before = time_ns() // 1_000_000
    made = uuid7().int >> 80
    assert before <= made <= time_ns() // 1_000_000 + 1


def test_ids_are_of_version_7():
    id = uuid7()
    assert id.version == 7
    assert id.variant == "specified in RFC 4122"
    assert type(id)(str(id)) == id


def test_threads_do_not_share_ids():
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({id for batch in batches for id in batch}) == 16_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_makes_other_ids_than_its_parent():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"".join(uuid7().bytes for _ in range(100)))
        os._exit(0)
    ours = {uuid7().bytes for _ in range(100)}
    os.waitpid(child, 0)
    theirs = os.read(reader, 1600)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 1600
    assert not ours & {theirs[start : start + 16] for start in range(0, 1600, 16)}
