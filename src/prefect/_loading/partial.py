"""Recovers flows from files that do not load: as much of them as can be evaluated, or a stand-in that says why."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import Any

from prefect._loading.source import _READABLE, read_arguments
from prefect.flows import Flow
from prefect.utilities._source_signature import (
    Definition,
    can_evaluate,
    definition_from_entrypoint,
)
from prefect.utilities.callables import parameter_schema_from_entrypoint
from prefect.utilities.importtools import safe_load_namespace


def safe_load_flow_from_entrypoint(entrypoint: str) -> Flow[..., Any] | None:
    """Load a flow from a file that may not load as a whole, for instance because a package is missing.

    Imports, definitions and assignments of the file are executed one by one; annotations and defaults of the flow that
    cannot be evaluated are left out.

    Returns:
        The flow, or None if even its decorator cannot be evaluated.

    Raises:
        ValueError: The source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    definition = definition_from_entrypoint(entrypoint)
    namespace = safe_load_namespace(definition.source, filepath=str(definition.file))
    found = _named(namespace, definition.name)
    if found is None and "." not in definition.name:
        found = _evaluate_alone(definition, namespace)
    return found if isinstance(found, Flow) else None


def _named(namespace: dict[str, Any], name: str) -> Any:
    first, *rest = name.split(".")
    found = namespace.get(first)
    for attribute in rest:
        found = getattr(found, attribute, None)
    return found


def _evaluate_alone(definition: Definition, namespace: dict[str, Any]) -> Any:
    node = deepcopy(definition.node)
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for argument in every:
        if (
            argument is not None
            and argument.annotation is not None
            and not can_evaluate(argument.annotation, namespace)
        ):
            argument.annotation = None
    if node.returns is not None and not can_evaluate(node.returns, namespace):
        node.returns = None
    # A default that is missing here is still one: the parameter stays optional.
    arguments.defaults = [_or_none(default, namespace) for default in arguments.defaults]
    arguments.kw_defaults = [
        None if default is None else _or_none(default, namespace) for default in arguments.kw_defaults
    ]
    try:
        module = ast.fix_missing_locations(ast.Module(body=[node], type_ignores=[]))
        exec(compile(module, str(definition.file), "exec"), namespace)
    except Exception:  # noqa: BLE001 - the decorator may need anything; then there is no flow to recover
        return None
    return namespace.get(node.name)


def _or_none(default: ast.expr, namespace: dict[str, Any]) -> ast.expr:
    return default if can_evaluate(default, namespace) else ast.Constant(value=None)


def load_placeholder_flow(entrypoint: str, raises: Exception) -> Flow[..., Any]:
    """A stand-in for a flow that cannot be loaded: it has the plain options of the decorator, and raises when it is run.

    Args:
        entrypoint: Where the flow is.
        raises: What running it raises.

    Raises:
        ValueError: The source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    definition = definition_from_entrypoint(entrypoint)

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        raise raises

    async def async_stand_in(*args: Any, **kwargs: Any) -> Any:
        raise raises

    fn: Any = async_stand_in if isinstance(definition.node, ast.AsyncFunctionDef) else stand_in
    fn.__name__ = fn.__qualname__ = definition.node.name
    fn.__doc__ = ast.get_docstring(definition.node)
    made: Flow[..., Any] = Flow(fn, **read_arguments(definition, _READABLE))
    # What is asked of callers is what the source asks; the stand-in itself takes anything, and raises.
    made.parameters = parameter_schema_from_entrypoint(entrypoint)
    made._entrypoint = entrypoint
    return made
