"""States of runs in tables and in filters."""

import math
import shutil
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from prefect.cli import _output, _times
from prefect.cli._api import read_pages
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort

RunT = TypeVar("RunT", FlowRun, TaskRun)

KNOWN_NAMES = (
    "Scheduled", "Late", "AwaitingRetry", "AwaitingConcurrencySlot", "Resuming", "Pending", "Submitting",
    "InfrastructurePending", "NotReady", "Running", "Retrying", "Rerunning", "Paused", "Suspended", "Completed", "Cached",
    "RolledBack", "Failed", "TimedOut", "Crashed", "Cancelling", "Cancelled",
)  # fmt: skip
"""Names that the orchestration gives to states; users may give others."""

_COLOURS = {
    StateType.SCHEDULED: "yellow",
    StateType.PENDING: "bright_black",
    StateType.RUNNING: "blue",
    StateType.COMPLETED: "green",
    StateType.FAILED: "red",
    StateType.CRASHED: "dark_orange3",
    StateType.CANCELLED: "bright_black",
    StateType.CANCELLING: "bright_black",
    StateType.PAUSED: "magenta",
}
_NARROW = 100
_TOO_NARROW = 60


def id_column(heading: str = "ID") -> tuple[str, dict[str, Any]]:
    """A column of ids, kept in one piece for copying wherever the terminal is not too narrow for that."""
    return heading, {"style": "cyan", "no_wrap": _columns() >= _TOO_NARROW}


def state_column() -> tuple[str, dict[str, Any]]:
    """A column of states, whose words are kept in one piece, too."""
    return "State", {"no_wrap": _columns() >= _TOO_NARROW}


def state_cell(state: State | None) -> Any:
    """The type of a state, and its name if that says more."""
    # Imported here because JSON output needs nothing of rich.
    from rich.text import Text  # noqa: PLC0415

    if state is None:
        return "-"
    kind = state.type.value
    if state.name is None or state.name.upper() == kind:
        return Text(kind, _COLOURS[state.type])
    space = " " if _columns() >= _NARROW else "\n"
    return Text(f"{kind}{space}({state.name})", _COLOURS[state.type])


def when(state: State | None) -> str:
    """When a run came into its state, or when it is going to start."""
    if state is None:
        return "-"
    return _times.relative((state.is_scheduled() and state.state_details.scheduled_time) or state.timestamp)


def state_conditions(names: Iterable[str], types: Iterable[str]) -> dict[str, Any]:
    """The part of a filter that chooses runs by their states, as it is sent to the API. Empty if nothing was chosen.

    Args:
        names: Names of states in any case; there is a warning for those that the orchestration does not give.
        types: Types of states in any case. The command ends if one does not exist.
    """
    chosen = {"name": [_known_name(name) for name in names], "type": [_known_type(name) for name in types]}
    conditions = {field: {"any_": values} for field, values in chosen.items() if values}
    return {"state": conditions} if conditions else {}


def read_newest(
    read: Callable[..., list[RunT]], limit: int, order: type[FlowRunSort] | type[TaskRunSort], **filters: Any
) -> list[RunT]:
    """The runs that were created last, the newest first.

    Args:
        read: A method of the client that takes `sort`, `limit` and `offset`.
        order: The orders that it knows.
        filters: Its other arguments.
    """
    runs = list(read_pages(read, limit, sort=order.ID_DESC, **filters))
    if any(run.id.version != 7 for run in runs):
        # Other servers give ids at random; only ids of version 7 follow the order of creation.
        runs = list(read_pages(read, limit, sort=order.EXPECTED_START_TIME_DESC, **filters))
    return sorted(runs, key=lambda run: run.created.timestamp() if run.created else math.inf, reverse=True)


def _columns() -> int:
    return shutil.get_terminal_size((_output.WIDTH_WITHOUT_TERMINAL, 0)).columns


def _known_name(name: str) -> str:
    for known in KNOWN_NAMES:
        if name.lower() == known.lower():
            return known
    _output.error_aside(f"Warning: {name!r} is not one of the usual names of states: {', '.join(KNOWN_NAMES)}.")
    return name


def _known_type(name: str) -> str:
    if name.upper() not in StateType.__members__:
        _output.fail(f"Invalid state type {name!r}. Options are {', '.join(StateType.__members__)}.")
    return name.upper()
