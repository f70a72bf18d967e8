"""What only PostgreSQL does: connections that end at the other side, and several stores on one database."""

from __future__ import annotations

import psycopg
import pytest
from tests.postgres import SERVER_URL, new_database

from prefect.server.database.errors import DatabaseUnavailable
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


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/nowhere"):
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
