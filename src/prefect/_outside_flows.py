"""Task runs outside of flows, as transitions tell of them: which are under way, and which are over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

_ALWAYS_UNDER_WAY = frozenset({"RUNNING", "CANCELLING"})


def is_under_way(state_type: str | None, state_name: str | None) -> bool:
    """Whether some process must be at work on a task run in such a state."""
    return (
        state_type in _ALWAYS_UNDER_WAY
        or (state_type == "PENDING" and state_name != "NotReady")
        or (state_type == "SCHEDULED" and state_name == "AwaitingRetry")
    )


class OutsideFlows:
    """What a batch of transitions says of task runs outside of flows. Runs go by the number of their id.

    Attributes:
        under_way: Those that somebody runs now.
        over: Those that nobody runs any more.
    """

    __slots__ = ("_new", "over", "under_way")

    def __init__(self) -> None:
        self.under_way: dict[int, UUID] = {}
        self.over: dict[int, UUID] = {}
        self._new: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self.under_way or self.over)

    def note(self, id: UUID, state: Any, previous: Any) -> None:
        """Note one transition of a run; those of one run in their order."""
        number = id.int
        if is_under_way(state.type, state.name):
            if previous is None:
                self._new.add(number)
            self.under_way[number] = id
            self.over.pop(number, None)
        else:
            self.over[number] = id
            self.under_way.pop(number, None)

    @property
    def known_and_over(self) -> list[UUID]:
        """Those that are over, but for those that have begun in this batch: nobody has heard of them before."""
        return [id for number, id in self.over.items() if number not in self._new]
