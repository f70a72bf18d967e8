"""The statements that every table needs alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.server.database.store import Transaction

Statement = tuple[str, tuple[Any, ...]]
"""A statement with `?` placeholders and its values, for `Transaction.execute_all`."""


def update_row(tx: Transaction, table: str, id: UUID, values: Mapping[str, Any]) -> bool:
    """Set columns of one row, and the instant of its last change.

    Args:
        table: The table's name.
        id: The row's id.
        values: The new values by column. The names stand in the statement: they come from code, never from a request.

    Returns:
        Whether there is such a row.
    """
    columns = "".join(f"{column} = ?, " for column in values)
    return tx.execute(f"UPDATE {table} SET {columns}updated = ? WHERE id = ?", (*values.values(), tx.now, id)) == 1


def update_changed(
    now: datetime, table: str, id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Statement:
    """The statement that sets those of a row's columns that differ, and the instant of its last change.

    An index over a column is written anew whenever a statement names the column, whatever its value.
    """
    changed = {name: value for name, value in after.items() if value != before[name]}
    columns = "".join(f"{column} = ?, " for column in changed)
    return f"UPDATE {table} SET {columns}updated = ? WHERE id = ?", (*changed.values(), now, id)


def delete_row(tx: Transaction, table: str, id: UUID) -> bool:
    """Delete one row.

    Returns:
        Whether there was such a row.
    """
    return tx.execute(f"DELETE FROM {table} WHERE id = ?", (id,)) == 1


def count_rows(tx: Transaction, source: str, params: Sequence[Any]) -> int:
    """How many rows there are.

    Args:
        source: What stands after FROM.
        params: The values of its parameters.
    """
    row = tx.fetch_one(f"SELECT COUNT(*) AS total FROM {source}", params)
    assert row is not None
    return row["total"]
