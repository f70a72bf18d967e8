"""What was stored since a position, in the order in which it was stored: events and logs, for those who follow them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id

Kind = Literal["event", "log"]

Position = str
"""How far a reader has come; what it looks like is the database's business."""

MOST_AT_ONCE = 10_000
"""When more was stored than this, only the newest are read."""

_INSTANTS = {"event": ("received", "occurred"), "log": ("created", "timestamp")}
_NEVER_OLDER = timedelta(minutes=15)
"""Rows that a backup of another PostgreSQL has brought carry that one's transaction numbers. They must not look new."""


def read_position(tx: Transaction, kind: Kind) -> Position:
    """The position behind everything that is stored now."""
    row = tx.fetch_one(tx.dialect.feed_position(kind, _INSTANTS[kind][0]))
    return (row and row["position"]) or ""


def read_since(tx: Transaction, kind: Kind, position: Position) -> tuple[Position, list[UUID]]:
    """The ids of what was stored behind a position, in the order in which it was stored, and the new position.

    What one transaction has stored is in the order in which it happened. At most the newest `MOST_AT_ONCE` are given.
    """
    instant, happened = _INSTANTS[kind]
    order = f"{tx.dialect.stored_order(instant)} {{0}}, {happened} {{0}}, id {{0}}"
    params: dict[str, Any] = {"position": position, "oldest": tx.now - _NEVER_OLDER, "most": MOST_AT_ONCE}
    rows = tx.fetch_all(
        f"SELECT id FROM {kind} WHERE {tx.dialect.stored_since(instant)} AND {instant} > :oldest "
        f"ORDER BY {order.format('DESC')} LIMIT :most",
        params,
    )
    ids = [decode_id(row["id"]) for row in reversed(rows)]
    return read_position(tx, kind), [id for id in ids if id is not None]
