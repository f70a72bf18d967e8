"""Handles many runs in one transaction, so that one that cannot be handled is not in the way of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from prefect.logging import get_logger
from prefect.server.database.store import Transaction

T = TypeVar("T")

logger = get_logger("server.services")


def handle_each(tx: Transaction, items: Iterable[T], handle: Callable[[T], bool]) -> int:
    """Handle items one by one; returns for how many `handle` was true.

    What one of them has changed is taken back when it fails; that is logged, and it is met again in the next round.
    """
    done = 0
    for item in items:
        tx.execute("SAVEPOINT item")
        try:
            done += handle(item)
        except Exception as error:
            if _is_of_the_database(error):
                raise  # a deadlock or a lost connection: the whole round begins anew
            tx.execute("ROLLBACK TO SAVEPOINT item")
            logger.exception("%s could not be handled", item)
        tx.execute("RELEASE SAVEPOINT item")
    return done


def _is_of_the_database(error: Exception) -> bool:
    # Every driver has its own class of this name (PEP 249), and none may be imported here.
    return any(each.__name__ in ("OperationalError", "InterfaceError") for each in type(error).__mro__)


def is_still_in(tx: Transaction, flow_run_id: UUID, state_id: UUID) -> bool:
    """Lock a flow run; whether it is still in the state in which it was found."""
    row = tx.fetch_one(
        "SELECT 1 FROM flow_run WHERE id = ? AND state_id = ?" + tx.dialect.for_update(), (flow_run_id, state_id)
    )
    return row is not None
