"""Concurrency limits, the slots of them, and the leases on these; the older limits on tags are a view of them."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import orjson
import pytest

from prefect.server.database.store import Store
from prefect.server.models.concurrency_leases import run_once
from prefect.server.models.concurrency_limits_v2 import acquire_slots, release_slots

V2 = "/v2/concurrency_limits"
V1 = "/concurrency_limits"


class ClockedStore:
    """A store whose transactions happen at an instant that the test chooses."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.now = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def write(self, unit):
        return self._store.write(lambda tx: unit(self._at(tx)))

    def read(self, unit):
        return self._store.read(lambda tx: unit(self._at(tx)))

    def _at(self, tx):
        tx.now = self.now
        return tx


@pytest.fixture
def store(store):
    return ClockedStore(store)


def make(api, name="one", limit=1, **fields):
    return api("POST", f"{V2}/", {"name": name, "limit": limit, **fields}).body


def increment(api, *names, slots=1, **fields):
    return [each.name for each in api("POST", f"{V2}/increment", {"names": names, "slots": slots, **fields}).body]


def refusal(api, *names, slots=1, **fields):
    return api.refused("POST", f"{V2}/increment", {"names": names, "slots": slots, **fields})


def lease(api, *names, slots=1, **fields):
    return api("POST", f"{V2}/increment-with-lease", {"names": names, "slots": slots, **fields}).body


def active(api, name="one"):
    return api("GET", f"{V2}/{{id_or_name}}", id_or_name=name).body.active_slots


def denied(api, name="one"):
    return api.store.read(
        lambda tx: tx.fetch_one("SELECT denied_slots FROM concurrency_limit WHERE name = ?", (name,))["denied_slots"]
    )


def occupancy(api, name="one"):
    return api.store.read(
        lambda tx: tx.fetch_one("SELECT avg_slot_occupancy_seconds AS s FROM concurrency_limit WHERE name = ?", (name,))
    )["s"]


def event_log(api):
    rows = api.store.read(lambda tx: tx.fetch_all("SELECT event, payload FROM event ORDER BY id"))
    return [(row["event"].rpartition(".")[2], orjson.loads(row["payload"])) for row in rows]


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_limit_is_made_read_changed_and_deleted(api):
    made = api("POST", f"{V2}/", {"name": "one", "limit": 2, "slot_decay_per_second": 0.5, "active_slots": 1})

    assert made.status == 201
    assert (made.body.avg_slot_occupancy_seconds, made.body.denied_slots) == (2.0, 0)
    by_id = api("GET", f"{V2}/{{id_or_name}}", id_or_name=made.body.id).body
    assert by_id == api("GET", f"{V2}/{{id_or_name}}", id_or_name="one").body
    assert (by_id.limit, by_id.active, by_id.active_slots, by_id.slot_decay_per_second) == (2, True, 1, 0.5)

    assert api("PATCH", f"{V2}/{{id_or_name}}", {"limit": 5, "name": "two"}, id_or_name="one").status == 204
    assert api("GET", f"{V2}/{{id_or_name}}", id_or_name=str(made.body.id)).body.limit == 5
    assert api("DELETE", f"{V2}/{{id_or_name}}", id_or_name="two").status == 204
    assert api.refused("DELETE", f"{V2}/{{id_or_name}}", id_or_name="two").status == 404
    payload = {"name": "two", "limit": 5, "active": True, "slot_decay_per_second": 0.5}
    assert event_log(api)[1:] == [("updated", payload), ("deleted", payload)]


def test_what_is_no_limit_is_refused(api):
    make(api), make(api, "two")

    assert api.refused("POST", f"{V2}/", {"name": "one", "limit": 1}).status == 409
    assert api.refused("POST", f"{V2}/", {"name": "a/b", "limit": 1}).status == 422
    assert api.refused("POST", f"{V2}/", {"name": "x", "limit": -1}).status == 422
    assert api.refused("PATCH", f"{V2}/{{id_or_name}}", {"name": "two"}, id_or_name="one").status == 409
    assert api.refused("PATCH", f"{V2}/{{id_or_name}}", {"limit": None}, id_or_name="one").status == 422
    assert api.refused("PATCH", f"{V2}/{{id_or_name}}", {"limit": 1}, id_or_name="three").status == 404
    huge = {"limit": 10**30}
    assert api.refused("POST", f"{V2}/", huge | {"name": "x"}).status == 422
    assert api.refused("PATCH", f"{V2}/{{id_or_name}}", huge, id_or_name="one").status == 422
    assert api.refused("POST", f"{V1}/", {"tag": "x", "concurrency_limit": 10**30}).status == 422
    assert refusal(api, "one", slots=10**30).status == 422
    assert [each.name for each in api("POST", f"{V2}/filter", {"limit": 5}).body] == ["one", "two"]


# -- slots -----------------------------------------------------------------------------------------------------------


def test_slots_of_several_limits_are_taken_together_or_not_at_all(api):
    make(api, "one", 1), make(api, "two", 2)

    assert increment(api, "two", "one", "unknown") == ["one", "two"]
    locked = refusal(api, "one", "two")

    assert locked.status == 423
    assert float(locked.headers["Retry-After"]) > 0
    assert (active(api, "one"), active(api, "two")) == (1, 1)
    assert increment(api, "two") == ["two"]


def test_denied_demand_is_remembered_and_lengthens_the_wait(api, store):
    make(api, limit=1)
    increment(api, "one")

    first = [float(refusal(api, "one").headers["Retry-After"]) for _ in range(3)]
    assert denied(api) == 3
    for _ in range(200):
        refusal(api, "one")
    last = float(refusal(api, "one").headers["Retry-After"])

    assert max(first) < 10 < last <= 60  # twice the longest wait: the draw goes around it
    store.pass_time(1000)
    refusal(api, "one")
    assert denied(api) == 1


def test_inactive_limits_impose_nothing(api):
    make(api, "off", 1, active=False)

    assert increment(api, "off", slots=5) == ["off"]
    assert active(api, "off") == 0


def test_more_than_the_limit_can_never_be_had(api):
    make(api, "one", 1), make(api, "zero", 0)

    assert refusal(api, "one", slots=2).status == 422
    assert refusal(api, "zero").status == 422
    assert refusal(api, "one", slots=0).status == 422
    assert active(api) == 0


def test_slots_that_are_given_back_are_never_less_than_none(api):
    make(api, limit=3)
    increment(api, "one", slots=2)

    body = {"names": ["one", "unknown"], "slots": 5, "occupancy_seconds": 8.0}
    assert [each.name for each in api("POST", f"{V2}/decrement", body).body] == ["one"]

    assert active(api) == 0
    assert occupancy(api) == pytest.approx(2.0 + (8.0 - 2.0) / 6)


def test_slots_with_decay_come_free_one_by_one(api, store):
    make(api, limit=2, slot_decay_per_second=0.1)
    increment(api, "one", slots=2, mode="rate_limit")

    store.pass_time(9)
    wait = float(refusal(api, "one", mode="rate_limit").headers["Retry-After"])
    assert 0 < wait < 3, "one second is left until the next slot"
    store.pass_time(1)
    assert active(api) == 1
    increment(api, "one", mode="rate_limit")
    assert active(api) == 2
    store.pass_time(25)
    assert active(api) == 0


def test_being_asked_often_does_not_hold_decay_up(api, store):
    make(api, limit=1, slot_decay_per_second=0.1)
    increment(api, "one")

    for _ in range(9):
        store.pass_time(1)
        assert refusal(api, "one").status == 423
    store.pass_time(1.001)

    assert increment(api, "one") == ["one"]


def test_only_limits_with_decay_limit_a_rate(api):
    make(api, "rate", 1, slot_decay_per_second=1), make(api, "one", 1)

    refused = refusal(api, "rate", "one", mode="rate_limit")

    assert refused.status == 422 and "'one'" in refused.detail and "'rate'" not in refused.detail


def test_many_threads_never_take_more_than_there_is(api):
    make(api, limit=5)
    taken = []

    def take():
        for _ in range(20):
            if api.store.write(lambda tx: acquire_slots(tx, ["one"], 1)).retry_after_seconds is None:
                taken.append(active(api))
                api.store.write(lambda tx: release_slots(tx, ["one"], 1))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert taken and max(taken) <= 5
    assert active(api) == 0


# -- leases ----------------------------------------------------------------------------------------------------------


def test_a_lease_is_given_back_once(api):
    make(api, "one", 1), make(api, "two", 3)
    held = lease(api, "one", "two", "unknown")

    assert [each.name for each in held.limits] == ["one", "two"]
    assert (active(api, "one"), active(api, "two")) == (1, 1)
    increment(api, "two")
    for _ in range(2):
        assert api("POST", f"{V2}/decrement-with-lease", {"lease_id": held.lease_id}).status == 204
    assert (active(api, "one"), active(api, "two")) == (0, 1)


def test_no_lease_is_given_for_slots_that_are_not_free(api):
    make(api)
    lease(api, "one")

    assert api.refused("POST", f"{V2}/increment-with-lease", {"names": ["one"], "slots": 1}).status == 423
    assert denied(api) == 1
    assert lease(api, "unknown").limits == []


@pytest.mark.parametrize("duration", [59, 86401, "soon"])
def test_leases_have_bounds(api, duration):
    body = {"names": ["one"], "slots": 1, "lease_duration": duration}

    assert api.refused("POST", f"{V2}/increment-with-lease", body).status == 422


def test_a_lease_lasts_as_long_as_it_is_renewed(api, store):
    make(api)
    held = lease(api, "one", lease_duration=60)

    for _ in range(3):
        store.pass_time(50)
        assert (
            api("POST", f"{V2}/leases/{{lease_id}}/renew", {"lease_duration": 60}, lease_id=held.lease_id).status == 204
        )
        assert refusal(api, "one").status == 423
    store.pass_time(61)

    assert api.refused("POST", f"{V2}/leases/{{lease_id}}/renew", lease_id=held.lease_id).status == 410
    assert api.refused("POST", f"{V2}/leases/{{lease_id}}/renew", lease_id=uuid4()).status == 410


def test_slots_of_expired_leases_are_free_though_nobody_reclaimed_them(api, store):
    make(api, "one", 1), make(api, "two", 1)
    lost = lease(api, "one", "two", lease_duration=60)
    store.pass_time(61)

    assert (active(api, "one"), active(api, "two")) == (0, 0)
    held = lease(api, "one")
    assert active(api, "one") == 1

    # What is left of the lost lease is reclaimed, and neither slot is given back twice.
    assert store.write(lambda tx: run_once(tx, store.now)) == 1
    api("POST", f"{V2}/decrement-with-lease", {"lease_id": lost.lease_id})
    assert (active(api, "one"), active(api, "two")) == (1, 0)
    increment(api, "two")
    api("POST", f"{V2}/decrement-with-lease", {"lease_id": held.lease_id})
    assert (active(api, "one"), active(api, "two")) == (0, 1)


def test_the_repossessor_takes_back_what_has_expired(api, store):
    make(api, limit=200)
    for _ in range(105):
        lease(api, "one", lease_duration=60)
    kept = lease(api, "one", slots=2, lease_duration=600)

    assert store.write(lambda tx: run_once(tx, store.now)) == 0
    store.pass_time(100)
    assert store.write(lambda tx: run_once(tx, store.now)) == 100
    assert store.write(lambda tx: run_once(tx, store.now)) == 5

    assert active(api) == 2
    assert occupancy(api) > 2.0, "the time that the slots were held counts"
    assert api("POST", f"{V2}/leases/{{lease_id}}/renew", lease_id=kept.lease_id).status == 204


def test_a_lease_outlives_its_limit(api):
    make(api)
    held = lease(api, "one")
    api("DELETE", f"{V2}/{{id_or_name}}", id_or_name="one")

    assert api("POST", f"{V2}/leases/{{lease_id}}/renew", lease_id=held.lease_id).status == 204
    assert api("POST", f"{V2}/decrement-with-lease", {"lease_id": held.lease_id}).status == 204


# -- limits on tags --------------------------------------------------------------------------------------------------


def tag_limit(api, tag="big"):
    return api("GET", f"{V1}/tag/{{tag}}", tag=tag).body


def take_tags(api, task_run_id, *tags):
    return [x.name for x in api("POST", f"{V1}/increment", {"names": tags, "task_run_id": task_run_id}).body]


def give_tags(api, task_run_id, *tags):
    return [x.name for x in api("POST", f"{V1}/decrement", {"names": tags, "task_run_id": task_run_id}).body]


def test_a_tag_limit_is_the_global_limit_of_its_name(api):
    first = api("POST", f"{V1}/", {"tag": "big", "concurrency_limit": 1})
    second = api("POST", f"{V1}/", {"tag": "big", "concurrency_limit": 2})
    make(api, "other")

    assert (first.status, second.status) == (201, 200)
    assert second.body.id == first.body.id
    limit = api("GET", f"{V2}/{{id_or_name}}", id_or_name="tag:big").body
    assert (limit.id, limit.limit) == (first.body.id, 2)
    assert api("GET", f"{V1}/{{id}}", id=limit.id).body == tag_limit(api)
    assert [each.tag for each in api("POST", f"{V1}/filter").body] == ["big"]
    assert [what for what, _ in event_log(api)] == ["created", "updated", "created"]


def test_tag_limits_that_do_not_exist_are_missed(api):
    other = make(api, "other")

    for method, path, arguments in [
        ("GET", "/tag/{tag}", {"tag": "big"}),
        ("DELETE", "/tag/{tag}", {"tag": "big"}),
        ("POST", "/tag/{tag}/reset", {"tag": "big"}),
        ("GET", "/{id}", {"id": other.id}),
        ("DELETE", "/{id}", {"id": other.id}),
    ]:
        assert api.refused(method, V1 + path, **arguments).status == 404
    assert api.refused("POST", f"{V1}/", {"tag": "big", "concurrency_limit": -1}).status == 422


def test_task_runs_take_slots_of_all_their_tags_once(api):
    api("POST", f"{V1}/", {"tag": "big", "concurrency_limit": 1})
    api("POST", f"{V1}/", {"tag": "red/hot", "concurrency_limit": 2})
    first, second = uuid4(), uuid4()

    assert take_tags(api, first, "big", "red/hot", "free") == ["big", "red/hot"]
    assert take_tags(api, first, "big", "red/hot") == ["big", "red/hot"]
    locked = api.refused("POST", f"{V1}/increment", {"names": ["red/hot", "big"], "task_run_id": second})

    assert locked.status == 423 and 0 < float(locked.headers["Retry-After"]) <= 20
    assert tag_limit(api, "big").active_slots == [first]
    assert tag_limit(api, "red/hot").active_slots == [first]
    assert give_tags(api, second, "big") == ["big"]
    assert tag_limit(api, "big").active_slots == [first], "only a holder can give a slot back"
    give_tags(api, first, "big")
    assert take_tags(api, second, "big") == ["big"]
    assert tag_limit(api, "red/hot").active_slots == [first]


def test_a_tag_limit_of_zero_is_a_deadlock(api):
    api("POST", f"{V1}/", {"tag": "never", "concurrency_limit": 0})

    refused = api.refused("POST", f"{V1}/increment", {"names": ["never"], "task_run_id": uuid4()})

    assert refused.status == 423 and "Retry-After" not in refused.headers


def test_a_reset_frees_the_slots_or_hands_them_to_others(api):
    api("POST", f"{V1}/", {"tag": "big", "concurrency_limit": 2})
    holders = [uuid4() for _ in range(2)]
    for holder in holders:
        take_tags(api, holder, "big")

    chosen = uuid4()
    api("POST", f"{V1}/tag/{{tag}}/reset", {"slot_override": [chosen]}, tag="big")
    assert tag_limit(api).active_slots == [chosen]
    assert active(api, "tag:big") == 1
    api("POST", f"{V1}/tag/{{tag}}/reset", tag="big")

    assert tag_limit(api).active_slots == [] and active(api, "tag:big") == 0
    give_tags(api, holders[0], "big")
    assert active(api, "tag:big") == 0


def test_deleting_a_tag_limit_takes_its_leases_along(api):
    api("POST", f"{V1}/", {"tag": "big", "concurrency_limit": 1})
    held = lease(api, "tag:big", holder={"type": "task_run", "id": uuid4()})
    assert len(tag_limit(api).active_slots) == 1

    assert api("DELETE", f"{V1}/tag/{{tag}}", tag="big").status == 200

    assert api.refused("POST", f"{V2}/leases/{{lease_id}}/renew", lease_id=held.lease_id).status == 410
    assert api.refused("GET", f"{V2}/{{id_or_name}}", id_or_name="tag:big").status == 404
