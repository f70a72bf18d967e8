"""What is between requests and the database: keys that are looked up in memory, and a trail that is stored in batches."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from tests.server.conftest import Api

from prefect.server.api._audit import AuditTrail
from prefect.server.api._auth import ANYBODY, Gate, Identity, KeyRing
from prefect.server.database.store import Store
from prefect.server.schemas.access import Role


class Watched:
    """A store that counts its readers, and whose writers fail while it is told to."""

    def __init__(self, store: Store) -> None:
        self.store, self.reads, self.is_failing = store, 0, False

    def read(self, unit: Any) -> Any:
        self.reads += 1
        return self.store.read(unit)

    def write(self, unit: Any) -> Any:
        if self.is_failing:
            raise ConnectionError("gone")
        return self.store.write(unit)


def stored(api: Api) -> list[Any]:
    return api("POST", "/audit/filter", {"limit": 200}).body


def test_a_thousand_requests_do_not_ask_the_database_a_thousand_times(api: Api, store: Store):
    key = api("POST", "/api_keys/", {"name": "root", "role": "admin"}).body.key
    watched: Any = Watched(store)
    gate = Gate(None, KeyRing(watched))

    async def ask() -> set[Identity | None]:
        found = set()
        for _ in range(1000):
            await gate.freshen()
            found.add(gate.identify(f"Bearer {key}".encode()))
        return found

    began = time.monotonic()
    assert {each.name for each in asyncio.run(ask()) if each is not None} == {"root"}
    assert 1 <= watched.reads <= 2 + (time.monotonic() - began)


def test_many_requests_at_once_look_once(api: Api, store: Store):
    watched: Any = Watched(store)
    gate = Gate(None, KeyRing(watched))

    async def ask() -> None:
        await asyncio.gather(*(gate.freshen() for _ in range(100)))

    asyncio.run(ask())
    assert watched.reads == 1


def test_what_this_process_changes_it_knows_at_once(api: Api, store: Store):
    gate = Gate(None, KeyRing(store))

    async def known(header: str) -> Identity | None:
        await gate.freshen()
        return gate.identify(header.encode())

    async def follow() -> None:
        assert await known("") is ANYBODY
        key = api("POST", "/api_keys/", {"name": "root", "role": "admin"}).body.key
        gate.forget()
        found = await known(f"Bearer {key}")
        assert found is not None and found.role is Role.ADMIN
        assert not gate.still_admits(ANYBODY) and gate.still_admits(found)
        api("DELETE", "/api_keys/name/{name}", name="root")
        gate.forget()
        assert await known(f"Bearer {key}") is None
        assert not gate.still_admits(found)

    asyncio.run(follow())


def test_the_trail_waits_for_a_database_that_is_away(api: Api, store: Store):
    watched: Any = Watched(store)
    trail = AuditTrail(watched)
    watched.is_failing = True
    key = Identity("me", Role.OPERATOR, False, uuid4())
    for status in (200, 201):
        trail.note(key, "POST", "/flows/", "/flows/", status, "::1")
    for _ in range(2):
        try:
            trail.flush()
        except ConnectionError:
            continue
        raise AssertionError("the failure is not told")
    watched.is_failing = False
    trail.note(key, "POST", "/flows/", "/flows/", 202, "::1")
    trail.flush()
    trail.flush()
    assert [each.status for each in stored(api)] == [202, 201, 200]


def test_what_was_noted_is_stored_when_the_server_stops(api: Api, store: Store):
    trail = AuditTrail(store)
    trail.start()
    trail.note(None, "GET", None, "/a\0\ud800" + "b" * 1000, 401, None)
    trail.stop()
    (entry,) = stored(api)
    assert (entry.actor, entry.route, entry.path[:4], len(entry.path)) == (None, None, "/a\ufffd?", 500)


def test_strangers_cannot_fill_the_database(api: Api, store: Store):
    trail = AuditTrail(store)
    me = Identity("me", Role.OPERATOR, False, uuid4())
    for _ in range(5000):
        trail.note(None, "GET", None, "/", 401, "::1")
    trail.note(me, "POST", "/flows/", "/flows/", 201, "::1")
    trail.flush()
    assert [each.actor for each in stored(api)] == ["me"] + [None] * 100
