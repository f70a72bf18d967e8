"""Reads what the source of a flow says of it, without executing the file."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

from prefect.utilities._source_signature import Definition, definition_from_entrypoint
from prefect.utilities.importtools import safe_load_namespace

_READABLE = frozenset(
    {
        "name",
        "version",
        "retries",
        "retry_delay_seconds",
        "description",
        "timeout_seconds",
        "validate_parameters",
        "persist_result",
        "cache_result_in_memory",
        "log_prints",
    }
)
"""The options of the decorator that are plain values."""


def load_flow_arguments_from_entrypoint(
    entrypoint: str, arguments: list[str] | set[str] | None = None
) -> dict[str, Any]:
    """The options that a flow's decorator is given, read from its source. The file is not executed.

    Args:
        entrypoint: `path/to/file.py:function` or `package.module.function`.
        arguments: Which options to read. Default: every option that is a plain value, from `name` to `log_prints`.

    Returns:
        The options that are given and can be evaluated. The name is always there: that of the function by default.

    Raises:
        ValueError: The source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    return read_arguments(definition_from_entrypoint(entrypoint), _READABLE if arguments is None else arguments)


def read_arguments(definition: Definition, wanted: Collection[str]) -> dict[str, Any]:
    """The wanted options of the decorator of a definition."""
    found: dict[str, Any] = {}
    namespace: dict[str, Any] | None = None
    for keyword in _flow_keywords(definition.node):
        if keyword.arg is None or keyword.arg not in wanted:
            continue
        if isinstance(keyword.value, ast.Constant):
            found[keyword.arg] = keyword.value.value
            continue
        if namespace is None:
            namespace = safe_load_namespace(definition.source, filepath=str(definition.file))
        try:
            found[keyword.arg] = eval(compile(ast.Expression(keyword.value), "<flow options>", "eval"), namespace)
        except Exception:  # noqa: BLE001 - it may be any code, whose needs may be missing here
            continue
    if "name" in wanted and not found.get("name"):
        found["name"] = definition.node.name.replace("_", "-")
    return found


def _flow_keywords(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.keyword]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            called = decorator.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if name == "flow":
                return decorator.keywords
    return []


def is_entrypoint_async(entrypoint: str) -> bool:
    """Whether an entrypoint names an async function, read from its source.

    Raises:
        ValueError: The source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    return isinstance(definition_from_entrypoint(entrypoint).node, ast.AsyncFunctionDef)
