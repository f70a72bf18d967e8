"""What only PostgreSQL does: connections that end at the other side, and several stores on one database."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from tests.postgres import SERVER_URL, new_database

from prefect.server.database.errors import DatabaseUnavailable, StorageError, ValueRefused
from prefect.server.database.store import forget_store, open_store

pytestmark = pytest.mark.postgres


def test_a_store_goes_on_when_the_server_has_closed_its_connections():
    with new_database() as url:
        store = open_store(url)
        name = url.rpartition("/")[2]
        for _ in range(3):
            with psycopg.connect(SERVER_URL, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            assert store.read(lambda tx: tx.fetch_one("SELECT 1 AS one"))["one"] == 1
        forget_store(url)


def test_statements_that_go_together_fail_together():
    with new_database() as url:
        store = open_store(url)
        insert = "INSERT INTO flow (id, created, updated, name, tags, labels) VALUES (?, ?, ?, ?, '[]', '{}')"

        def store_two(tx, first, second):
            tx.execute_all(
                [
                    (insert, (f"00000000-0000-0000-0000-00000000000{id}", tx.now, tx.now, name))
                    for id, name in (first, second)
                ]
            )

        store.write(lambda tx: store_two(tx, (1, "a"), (2, "b")))
        with pytest.raises(psycopg.IntegrityError):
            store.write(lambda tx: store_two(tx, (3, "c"), (4, "a")))
        names = store.read(lambda tx: [row["name"] for row in tx.fetch_all("SELECT name FROM flow ORDER BY name")])
        assert names == ["a", "b"]
        forget_store(url)


def test_a_server_that_is_not_there_is_named_with_the_reason():
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/nowhere.*[Cc]onnection refused"):
        open_store("postgresql://nobody@127.0.0.1:1/nowhere")


def test_answers_are_those_to_the_last_statement():
    with new_database() as url:
        store = open_store(url)
        columns = "id, created, updated, name, tags, labels"

        def unit(tx):
            rows = [
                (f"00000000-0000-0000-0000-00000000000{id}", tx.now, tx.now, f"n{id}", "[]", "{}") for id in (1, 2, 3)
            ]
            tx.insert_many("flow", columns, rows)
            names = tx.fetch_all("SELECT name FROM flow ORDER BY name")
            tx.execute_all([("UPDATE flow SET name = ? WHERE name = ?", ("m1", "n1"))])
            changed = tx.execute("UPDATE flow SET name = 'm2' WHERE name IN ('n2', 'n3') AND name <> 'n3'")
            return [row["name"] for row in names], changed, tx.fetch_one("SELECT count(*) AS many FROM flow")["many"]

        assert store.write(unit) == (["n1", "n2", "n3"], 1, 3)
        forget_store(url)


@pytest.fixture
def store():
    with new_database() as url:
        yield open_store(url)
        forget_store(url)


INSERT = "INSERT INTO flow (id, created, updated, name, tags, labels) VALUES (?, ?, ?, ?, '[]', '{}')"


def insert(tx, number, name):
    tx.execute(INSERT, (f"00000000-0000-0000-0000-{number:012}", tx.now, tx.now, name))


def names(store):
    return store.read(lambda tx: [row["name"] for row in tx.fetch_all("SELECT name FROM flow ORDER BY name")])


def test_a_connection_goes_on_after_failures_of_every_kind(store):
    def fails_in_between(tx):
        insert(tx, 1, "a")
        tx.fetch_all("SELECT no_such_column FROM flow")

    def fails_unasked(tx):
        tx.execute_all([(INSERT, ("no id", tx.now, tx.now, "b"))])

    def raises(tx):
        insert(tx, 3, "c")
        tx.execute_all([(INSERT, ("00000000-0000-0000-0000-000000000004", tx.now, tx.now, "d"))])
        raise KeyError("c")

    # More often than a statement is sent before it is prepared: by then it has failed as a prepared one too.
    for _ in range(8):
        with pytest.raises(StorageError, match="no_such_column"):
            store.write(fails_in_between)
        with pytest.raises(ValueRefused):
            store.write(fails_unasked)
        with pytest.raises(KeyError):
            store.write(raises)
    assert names(store) == []
    store.write(lambda tx: insert(tx, 1, "a"))
    assert names(store) == ["a"]


def test_a_statement_that_fails_while_it_is_prepared_can_be_sent_again(store):
    store.write(lambda tx: insert(tx, 1, "a"))
    for number in range(2, 12):
        with pytest.raises(psycopg.IntegrityError):
            store.write(lambda tx, number=number: insert(tx, number, "a"))
    store.write(lambda tx: insert(tx, 12, "b"))
    assert names(store) == ["a", "b"]


def test_many_rows_travel_together(store):
    many = 20_000
    rows = [(str(UUID(int=number)), "{}", f"n{number:05}" * 20) for number in range(many)]
    store.write(
        lambda tx: tx.execute_many(
            f"INSERT INTO flow (id, created, updated, name, tags, labels) VALUES (?, '{tx.now}', '{tx.now}', "
            "right(?::text || ?, 90), '[]', '{}') RETURNING *, repeat(name, 20)",
            rows,
        )
    )
    assert len(names(store)) == many


def test_placeholders_by_name_may_stand_twice_and_look_like_others_in_text(store):
    asked = "SELECT :a::text || ':a ? ''%s' || :b AS text, (:a)::text = 'x' AS same"
    row = store.read(lambda tx: tx.fetch_one(asked, {"b": "y", "a": "x", "c": "unused"}))
    assert row == {"text": "x:a ? '%sy", "same": True}
