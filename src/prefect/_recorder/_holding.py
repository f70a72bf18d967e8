"""Keeps the leases on task runs outside of flows, which this process takes by telling of them."""

from __future__ import annotations

from typing import Any

from prefect import _upcalls
from prefect._outside_flows import OutsideFlows


class Holding:
    """Has the API told that this process is alive while runs outside of flows are under way here."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._under_way: set[int] = set()

    def follow(self, outside: OutsideFlows) -> None:
        """Note what a batch has told the API of."""
        had = bool(self._under_way)
        self._under_way.difference_update(outside.over)
        self._under_way.update(outside.under_way)
        if self._under_way and not had:
            try:
                _upcalls.resolve("hold_runs")(self, self._settings)
            except RuntimeError:  # no thread begins any more: this process is ending, or has too many
                self._under_way.clear()
        elif had and not self._under_way:
            _upcalls.resolve("let_go_of_runs")(self)

    def end(self) -> None:
        """This process tells the API of no more runs."""
        if self._under_way:
            self._under_way.clear()
            _upcalls.resolve("let_go_of_runs")(self)
