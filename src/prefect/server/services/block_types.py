"""Responsible for registering the block types that belong to the product, as this version describes them.

They are there from the start, so that people find them in the catalogue, and protected, so that nobody deletes them.
"""

from __future__ import annotations

from datetime import datetime

from prefect._upcalls import resolve
from prefect.server.database.store import Transaction
from prefect.server.models.block_types import install_protected_types


def run_once(tx: Transaction, now: datetime) -> int:
    """Register what is missing, and bring the rest up to date; returns 0, because nothing is left for another round."""
    install_protected_types(tx, resolve("describe_system_blocks")())
    return 0
