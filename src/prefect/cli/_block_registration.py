"""Finds classes of blocks in code of the user."""

from pathlib import Path
from types import ModuleType
from typing import NoReturn

from prefect.blocks.core import Block
from prefect.cli._output import fail
from prefect.exceptions import ScriptError
from prefect.utilities.importtools import load_module, load_script_as_module


def load_blocks(module: str | None, file: str | None) -> list[type[Block]]:
    """The classes of blocks that a module or a file holds, by name. Ends the command if there are none."""
    source = f"module {module!r}" if module is not None else f"file {file!r}"
    loaded = _load_module(module) if module is not None else _load_file(file or "")
    classes = (item for item in vars(loaded).values() if isinstance(item, type) and item is not Block)
    found = {item for item in classes if issubclass(item, Block)}
    if not found:
        fail(f"No blocks found in {source}. Classes of blocks derive from prefect.blocks.core.Block.")
    return sorted(found, key=lambda item: item.__name__)


def _load_module(name: str) -> ModuleType:
    try:
        return load_module(name)
    except ModuleNotFoundError as error:
        fail(f"Cannot import module {name!r}: {error}. Is it installed in this environment?")
    except Exception as error:  # noqa: BLE001 - code of the user may raise anything
        _failed_in_code(f"module {name!r}", error)


def _load_file(path: str) -> ModuleType:
    if not path.endswith(".py"):
        fail(f"{path!r} is no Python file: its name must end in .py.")
    if not Path(path).is_file():
        fail(f"There is no file {path!r}.")
    try:
        return load_script_as_module(path)
    except ScriptError as error:
        _failed_in_code(f"file {path!r}", error.user_exc)


def _failed_in_code(source: str, error: BaseException) -> NoReturn:
    fail(f"Cannot load {source}: it raised {type(error).__name__}: {error}")
