"""Finds the flows of a project by reading its files, without executing them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

_OTHERS_CODE = {"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"}
_MOST_FILES = 2000


def find_flows(folder: Path) -> list[str]:
    """The entrypoints of the flows below a folder, relative to it, sorted; hidden folders and environments are left out."""
    return sorted(entrypoint for file in _files(folder) for entrypoint in _flows_in(file, folder))


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for where, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in _OTHERS_CODE]
        for file in files:
            if file.endswith(".py"):
                yield Path(where, file)
                seen += 1
                if seen == _MOST_FILES:
                    return


def _flows_in(file: Path, folder: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8")
        body = ast.parse(text).body if "flow" in text else []
    except (OSError, ValueError, SyntaxError):
        return
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(map(_is_flow, node.decorator_list)):
            yield f"{file.relative_to(folder).as_posix()}:{node.name}"


def _is_flow(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(target, ast.Attribute):
        return target.attr == "flow" and isinstance(target.value, ast.Name) and target.value.id == "prefect"
    return isinstance(target, ast.Name) and target.id == "flow"
