"""Records which task of a flow needs which, and draws that as a graph."""

from __future__ import annotations

import shutil
import subprocess
import webbrowser
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

__all__ = [
    "FlowVisualizationError",
    "GraphvizExecutableNotFoundError",
    "GraphvizImportError",
    "TaskVizTracker",
    "TaskVizTrackerState",
    "VisualizationUnsupportedError",
    "VizTask",
    "build_mermaid_dependencies",
    "build_task_dependencies",
    "get_task_viz_tracker",
    "track_viz_task",
    "visualize_task_dependencies",
]


class FlowVisualizationError(Exception):
    """A flow could not be drawn."""


class VisualizationUnsupportedError(Exception):
    """A flow that is being drawn makes a call that has no place in a drawing."""


class GraphvizImportError(Exception):
    """The Python package for Graphviz is missing. This release draws without it; the name is kept for old code."""


class GraphvizExecutableNotFoundError(Exception):
    """The program `dot` of Graphviz is missing."""


# --- recording --------------------------------------------------------------------------------------------------------


class VizTask:
    """A call of a task, which stands for the result of the call as well.

    Attributes:
        name: The task's name; with a number behind it once it is tracked.
        upstream_tasks: The calls whose results it was given.
    """

    def __init__(self, name: str, upstream_tasks: list[VizTask] | None = None) -> None:
        self.name = name
        self.upstream_tasks: list[VizTask] = upstream_tasks or []


class TaskVizTracker:
    """Collects the calls that are made while it is entered."""

    def __init__(self) -> None:
        self.tasks: list[VizTask] = []
        self.dynamic_task_counter: dict[str, int] = {}
        self.object_id_to_task: dict[int, VizTask] = {}
        # What is known by its id has to live as long as the id is known.
        self._linked: list[Any] = []

    def add_task(self, task: VizTask) -> None:
        """Record a call, and number it among those of the same name."""
        number = self.dynamic_task_counter.get(task.name, -1) + 1
        self.dynamic_task_counter[task.name] = number
        task.name = f"{task.name}-{number}"
        self.tasks.append(task)

    def link_viz_return_value_to_viz_task(self, viz_return_value: Any, viz_task: VizTask) -> None:
        """Remember that an object is the result of a call.

        Objects that Python shares, such as small numbers and None, are not remembered: they would link everything.
        """
        if viz_return_value is None or isinstance(viz_return_value, (bool, type(...))):
            return
        if isinstance(viz_return_value, int) and -5 <= viz_return_value <= 256:
            return
        self.object_id_to_task[id(viz_return_value)] = viz_task
        self._linked.append(viz_return_value)

    def __enter__(self) -> Self:
        TaskVizTrackerState.current = self
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        TaskVizTrackerState.current = None


class TaskVizTrackerState:
    """Holds the tracker that is entered, if one is."""

    current: TaskVizTracker | None = None


def get_task_viz_tracker() -> TaskVizTracker | None:
    """Return the tracker that is entered, if one is."""
    return TaskVizTrackerState.current


def track_viz_task(
    is_async: bool, task_name: str, parameters: dict[str, Any], viz_return_value: Any | None = None
) -> Coroutine[Any, Any, Any] | Any:
    """Record a call with the tracker that is entered.

    Args:
        is_async: Return a coroutine, as an async task would.
        viz_return_value: What stands for the result; the record of the call unless given.

    Returns:
        What stands for the result, or None without a tracker.
    """
    result = _track(task_name, parameters, viz_return_value)
    return _awaitable(result) if is_async else result


async def _awaitable(value: Any) -> Any:
    return value


def _track(task_name: str, parameters: dict[str, Any], viz_return_value: Any | None) -> Any:
    tracker = get_task_viz_tracker()
    if tracker is None:
        return None
    known = tracker.object_id_to_task
    upstream = [value if isinstance(value, VizTask) else known.get(id(value)) for value in parameters.values()]
    task = VizTask(task_name, [found for found in upstream if found is not None])
    tracker.add_task(task)
    if not viz_return_value:
        return task
    tracker.link_viz_return_value_to_viz_task(viz_return_value, task)
    return viz_return_value


# --- drawing ----------------------------------------------------------------------------------------------------------


def build_mermaid_dependencies(task_run_tracker: TaskVizTracker) -> str:
    """Return the recorded calls as a Mermaid flowchart: nodes in the order of the calls, then edges."""
    tasks = task_run_tracker.tasks
    nodes = [f'    {_mermaid_id(task)}["{task.name}"]' for task in tasks]
    edges = [f"    {_mermaid_id(above)} --> {_mermaid_id(task)}" for task in tasks for above in task.upstream_tasks]
    return "\n".join(["flowchart TD", *nodes, *edges])


def _mermaid_id(task: VizTask) -> str:
    return task.name.replace("-", "_").replace(" ", "_")


class Digraph:
    """A graph in Graphviz's language.

    Attributes:
        source: The graph as text.
    """

    def __init__(self, lines: list[str]) -> None:
        self.source = "\n".join(["digraph {", *(f"\t{line}" for line in lines), "}", ""])

    def render(self, filename: str, *, view: bool = False, format: str = "png") -> str:
        """Draw the graph into `<filename>.<format>` with the program `dot`.

        Args:
            view: Show the picture.

        Returns:
            The path of the picture.

        Raises:
            GraphvizExecutableNotFoundError: There is no such program.
            FlowVisualizationError: The program failed.
        """
        dot = shutil.which("dot")
        if dot is None:
            raise GraphvizExecutableNotFoundError(
                "It appears you do not have Graphviz installed, or it is not on your PATH: there is no program 'dot'. "
                "Install it from https://graphviz.org/download/, or use `generate_mermaid_graph()`, which needs nothing."
            )
        path = Path(f"{filename}.{format}")
        command = [dot, f"-T{format}", "-o", str(path)]
        drawn = subprocess.run(command, input=self.source, text=True, capture_output=True, check=False)
        if drawn.returncode:
            raise FlowVisualizationError(f"Graphviz could not draw {str(path)!r}: {drawn.stderr.strip()}")
        if view:
            webbrowser.open(path.resolve().as_uri())
        return str(path)


def build_task_dependencies(task_run_tracker: TaskVizTracker) -> Digraph:
    """Return the recorded calls as a graph for Graphviz."""
    lines: list[str] = []
    for task in task_run_tracker.tasks:
        lines.append(_dot_text(task.name))
        lines.extend(f"{_dot_text(above.name)} -> {_dot_text(task.name)}" for above in task.upstream_tasks)
    return Digraph(lines)


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def visualize_task_dependencies(graph: Digraph, flow_run_name: str) -> None:
    """Draw a graph into `<flow_run_name>.png` and show it.

    Raises:
        GraphvizExecutableNotFoundError: The program `dot` is missing.
        FlowVisualizationError: The program failed.
    """
    graph.render(flow_run_name, view=True, format="png")
