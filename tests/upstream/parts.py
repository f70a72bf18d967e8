"""What the scripted sessions share: how they look at runs, and how they tell what they saw.

Names, states, counts and values are reported; ids, instants and generated names are not, because no two runs share them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect import exceptions, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

MARK = os.environ["SESSION_MARK"]
"""Sets this session's things apart from those of others on the same API; the processes it starts share it."""
PATIENCE_SECONDS = 120.0


def eventually(read: Callable[[], Any], is_there: Callable[[Any], bool] = bool) -> Any:
    """What `read` gives once it is there: an API may take its time to store what it has accepted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = read()
        if is_there(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def flow_run(id: Any) -> dict[str, Any]:
    """What is worth comparing of a run. Whether it was late is not: that depends on how busy the machine is."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(id)
        states = client.read_flow_run_states(id)
    return {
        "state": f"{run.state.type.value}/{run.state.name}",
        "history": [state.name for state in sorted(states, key=lambda state: state.timestamp) if state.name != "Late"],
        "run_count": run.run_count,
        "tags": sorted(run.tags),
        "parameters": run.parameters,
    }


def task_runs(flow_run_id: Any, count: int) -> list[dict[str, Any]]:
    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))

    def read() -> list[Any]:
        with get_client(sync_client=True) as client:
            return client.read_task_runs(flow_run_filter=chosen)

    runs = eventually(read, lambda runs: len(runs) >= count and all(run.state and run.state.is_final() for run in runs))
    return sorted(
        (
            {
                "key": run.task_key.split("-")[0].split(".")[-1],
                "state": f"{run.state_type.value}/{run.state_name}",
                "run_count": run.run_count,
                "tags": sorted(run.tags),
                # Upstream takes a task that the flow itself submits, once in a while, for the child of another.
                "inputs": {name: len(inputs) for name, inputs in run.task_inputs.items() if name != "__parents__"},
            }
            for run in runs
        ),
        key=lambda run: json.dumps(run, sort_keys=True),
    )


def asked(flow_run_id: Any, prefix: str) -> None:
    """Wait for the question of a paused run, which may be stored after its state."""

    def read() -> bool:
        with get_client(sync_client=True) as client:
            found = client.filter_flow_run_input(flow_run_id, key_prefix=prefix, limit=10, exclude_keys=set())
        return any(each.key.endswith("-schema") for each in found)

    eventually(read)


def failure(action: Any, *arguments: Any, **options: Any) -> str:
    """The kind of the error that something raises, as callers may catch it."""
    try:
        action(*arguments, **options)
        return "no error"
    except Exception as error:
        names = [each.__name__ for each in type(error).__mro__]
        return next((name for name in names if hasattr(exceptions, name)), names[0])


def run_id(state: Any) -> Any:
    return state.state_details.flow_run_id


def tell(parts: Sequence[Callable[[], Any]]) -> None:
    """Do the parts, or those that the command line names, and print what they saw."""
    wanted = set(sys.argv[1:])
    seen: dict[str, Any] = {}
    for part in parts:
        if not wanted or part.__name__ in wanted:
            try:
                seen[part.__name__] = part()
            except Exception as error:  # a part that breaks is a part that differs
                seen[part.__name__] = f"{type(error).__name__}: {error}"
    print("SUMMARY " + json.dumps(seen, default=str).replace(str(Path.cwd()), "FOLDER").replace(MARK, "MARK"))
