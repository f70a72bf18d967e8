"""A PostgreSQL database for the tests that are marked `postgres`; PREFECT_TEST_POSTGRES_URL says on which server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from prefect.server.database.store import Store, Transaction
from prefect.server.models.recording import forget_known_sets

SERVER_URL = os.environ.get("PREFECT_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@contextmanager
def new_database() -> Iterator[str]:
    """A new, empty database, which is dropped at the end; gives its URL."""
    name = f"prefect_test_{uuid4().hex[:12]}"
    with psycopg.connect(SERVER_URL, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(SERVER_URL)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(SERVER_URL, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(store: Store) -> None:
    """Take everything out of a database but its schema."""
    rows = store.read(
        lambda tx: tx.fetch_all(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
            "AND table_name <> 'prefect_schema'"
        )
    )
    # Deleting a few rows is much quicker than truncating; without the triggers the order of the tables is no matter.
    statements = ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {row['table_name']}" for row in rows)]

    def run_all(tx: Transaction) -> None:
        for statement in statements:
            tx.execute(statement)

    store.write(run_all)
    forget_known_sets()
