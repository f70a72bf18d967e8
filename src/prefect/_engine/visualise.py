"""Draws a flow: runs its body with tasks and nested flows replaced by recorders of who calls whom."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from prefect import _current
from prefect.utilities.asyncutils import run_coro_as_sync
from prefect.utilities.callables import get_call_parameters
from prefect.utilities.visualization import (
    FlowVisualizationError,
    TaskVizTracker,
    VisualizationUnsupportedError,
    VizTask,
    build_task_dependencies,
    visualize_task_dependencies,
)


def unsupported(what: str) -> VisualizationUnsupportedError:
    """The error for a call that has no place in a drawing."""
    return VisualizationUnsupportedError(
        f"{what} is not supported while a flow is visualised. Call the task directly there."
    )


def task_call(task: Any, parameters: dict[str, Any]) -> Any:
    """Note the call of a task; gives what stands for its result."""
    return _note(task, parameters, task.viz_return_value)


def flow_call(flow: Any, parameters: dict[str, Any]) -> Any:
    """Note the call of a nested flow; gives what stands for its result."""
    return _note(flow, parameters, None)


def _note(called: Any, parameters: dict[str, Any], stands_for: Any) -> Any:
    tracker: TaskVizTracker = _current.visualising.get()
    upstream: list[VizTask] = []
    for value in parameters.values():
        known = value if isinstance(value, VizTask) else tracker.object_id_to_task.get(id(value))
        if known is not None:
            upstream.append(known)
    noted = VizTask(name=called.name, upstream_tasks=upstream)
    tracker.add_task(noted)
    result = noted
    if stands_for:
        tracker.link_viz_return_value_to_viz_task(stands_for, noted)
        result = stands_for
    return _awaited(result) if called.isasync else result


async def _awaited(value: Any) -> Any:
    return value


@contextmanager
def _tracked() -> Generator[TaskVizTracker, None, None]:
    with TaskVizTracker() as tracker:
        token = _current.visualising.set(tracker)
        try:
            yield tracker
        except (FlowVisualizationError, VisualizationUnsupportedError):
            raise
        except Exception as error:
            hint = (
                "It's possible you are trying to visualise a flow that uses the result of a task. Give the task a "
                "`viz_return_value` to use in place of its result."
            )
            try:
                explained = type(error)(f"{error}\n{hint}")
            except Exception:
                raise error from None
            raise explained from error
        finally:
            _current.visualising.reset(token)


async def _run_body(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaskVizTracker:
    if flow._bound is not None:
        args = (flow._bound, *args)
    get_call_parameters(flow.fn, args, kwargs)
    warnings.warn(
        f"Drawing flow {flow.name!r} executes the code in it that is not decorated with `@task` or `@flow`.",
        stacklevel=3,
    )
    with _tracked() as tracker:
        value = flow.fn(*args, **kwargs)
        if inspect.isawaitable(value):
            await value
    return tracker


def draw(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Draw the graph of a flow into `<flow name>.png` and show it. Needs Graphviz."""
    run_coro_as_sync(adraw(flow, args, kwargs))


async def adraw(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Draw the graph of a flow into `<flow name>.png` and show it. Needs Graphviz."""
    tracker = await _run_body(flow, args, kwargs)
    visualize_task_dependencies(build_task_dependencies(tracker), flow.name)


def mermaid(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The graph of a flow as Mermaid text."""
    return run_coro_as_sync(amermaid(flow, args, kwargs))


async def amermaid(flow: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The graph of a flow as Mermaid text: nodes in the order of the calls, then edges."""
    tracker = await _run_body(flow, args, kwargs)
    nodes = [f'    {_node(task)}["{task.name}"]' for task in tracker.tasks]
    edges = [f"    {_node(above)} --> {_node(task)}" for task in tracker.tasks for above in task.upstream_tasks]
    return "\n".join(["flowchart TD", *nodes, *edges])


def _node(task: VizTask) -> str:
    return task.name.replace("-", "_").replace(" ", "_")
