import threading

from prefect._plans import run_plan, run_plan_async
from prefect.concurrency._tags import acquire_tag_slots, release_tag_slots
from prefect.types._ids import uuid7


def test_a_task_run_holds_one_slot_of_each_limit_on_its_tags(limit, events, caplog):
    limit.create("tag:db", 2)
    limit.create("tag:slow", 2)
    held = run_plan(acquire_tag_slots(frozenset({"db", "slow", "free"}), uuid7()))
    assert (limit.taken("tag:db"), limit.taken("tag:slow")) == (1, 1)
    run_plan(release_tag_slots(held))
    assert (limit.taken("tag:db"), limit.taken("tag:slow")) == (0, 0)
    assert events == [] and caplog.text == ""


async def test_tags_without_limits_hold_nothing():
    assert await run_plan_async(acquire_tag_slots(frozenset({"free"}), uuid7())) is None
    await run_plan_async(release_tag_slots(None))


def test_a_task_run_waits_for_its_slot(limit):
    limit.create("tag:db", 1)
    first = run_plan(acquire_tag_slots(frozenset({"db"}), uuid7()))
    got = []
    waiting = threading.Thread(target=lambda: got.append(run_plan(acquire_tag_slots(frozenset({"db"}), uuid7()))))
    waiting.start()
    run_plan(release_tag_slots(first))
    waiting.join(30)
    assert len(got) == 1 and limit.taken("tag:db") == 1
    run_plan(release_tag_slots(got[0]))
