"""`prefect task`: serve background tasks."""

from __future__ import annotations

from typing import Any

from prefect.cli import _output, _params
from prefect.cli._commands import command_group

task = command_group("task", "Serve background tasks.")


@task.command("serve")
@_params.argument(
    "entrypoints", "--entrypoints", "Tasks, as path/to/file.py:task or module.task.", required=False, many=True
)
@_params.repeatable("--module", "-m", help="Serve every task of this module. May be given several times.")
@_params.option("--limit", type=int, default=10, show_default=True, help="Run at most so many tasks at a time.")
def serve(entrypoints: tuple[str, ...], module: tuple[str, ...], limit: int) -> None:
    """Run background runs of tasks, until Ctrl-C or SIGTERM."""
    if not entrypoints and not module:
        _output.fail("Name the tasks to serve: as path/to/file.py:task, or all of a module with --module.")
    tasks = [_load_task(entrypoint) for entrypoint in entrypoints]
    for name in module:
        tasks += _tasks_of(name)
    from prefect.task_worker import serve as serve_tasks  # noqa: PLC0415 - a misspelt name is told without the engine

    try:
        serve_tasks(*tasks, limit=limit)
    except ValueError as error:
        _output.fail(str(error))


def _load_task(entrypoint: str) -> Any:
    from prefect.exceptions import ScriptError  # noqa: PLC0415 - as above
    from prefect.tasks import Task  # noqa: PLC0415
    from prefect.utilities.importtools import import_object  # noqa: PLC0415

    try:
        found = import_object(entrypoint)
    except (ScriptError, ImportError, AttributeError, ValueError) as error:
        _output.fail(f"Cannot load a task from {entrypoint!r}: {error}")
    if not isinstance(found, Task):
        _output.fail(f"{entrypoint!r} is not a task: decorate the function with '@task'.")
    return found


def _tasks_of(name: str) -> list[Any]:
    from prefect.tasks import Task  # noqa: PLC0415 - as above
    from prefect.utilities.importtools import load_module  # noqa: PLC0415

    try:
        found = [value for value in vars(load_module(name)).values() if isinstance(value, Task)]
    except ImportError as error:
        _output.fail(f"Cannot import the module {name!r}: {error}")
    if not found:
        _output.fail(f"The module {name!r} has no tasks.")
    return found
