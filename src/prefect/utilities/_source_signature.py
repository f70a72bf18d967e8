"""Reads the signature of a function from its source, for when the module cannot be imported."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, NamedTuple

from prefect.utilities.importtools import safe_load_namespace

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


class Definition(NamedTuple):
    """A function as it stands in a file that was read, not executed."""

    node: FunctionDef
    name: str
    source: str
    file: Path


def definition_from_entrypoint(entrypoint: str) -> Definition:
    """Find the function that an entrypoint names, without executing the file it is in.

    Args:
        entrypoint: `path/to/file.py:function`, `package.module:function` or `package.module.function`; the function may
            be `Class.method`.

    Raises:
        ValueError: The entrypoint has the wrong form, or the source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    path, name = split_entrypoint(entrypoint)
    file = _file_of(path)
    source = file.read_text(encoding="utf-8")
    node = _find(ast.parse(source), name.split("."))
    if node is None:
        raise ValueError(f"Could not find the function {name!r} in {str(file)!r}.")
    return Definition(node, name, source, file)


def split_entrypoint(entrypoint: str) -> tuple[str, str]:
    """The file or module of an entrypoint, and the name of the object in it.

    Raises:
        ValueError: It has neither a colon nor a dot.
    """
    path, _, name = entrypoint.rpartition(":")
    if not path:
        path, _, name = entrypoint.rpartition(".")
    if not path or not name:
        raise ValueError(
            f"Entrypoint {entrypoint!r} is neither of the form 'path/to/file.py:function' nor 'module.function'."
        )
    return path, name


def signature_from_entrypoint(entrypoint: str) -> tuple[Signature, str | None]:
    """Return the signature and the docstring of the function that an entrypoint names.

    Raises:
        ValueError: The entrypoint has the wrong form, or the source holds no such function.
        FileNotFoundError: There is no such file or module.
    """
    path, name = split_entrypoint(entrypoint)
    file = _file_of(path)
    return signature_from_source(file.read_text(encoding="utf-8"), name, str(file))


def _file_of(path: str) -> Path:
    file = Path(path)
    if file.is_file():
        return file
    spec = None
    if not path.endswith(".py") and "/" not in path:
        try:
            spec = find_spec(path)
        except ModuleNotFoundError:
            spec = None
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"There is neither a file nor a module {path!r}.")
    return Path(spec.origin)


def signature_from_source(source: str, name: str, filepath: str | None = None) -> tuple[Signature, str | None]:
    """Return the signature and the docstring of a function in some source.

    Annotations that cannot be evaluated without what is missing become `Any`, and such defaults become None.

    Args:
        name: The function's name, or `Class.method`.
        filepath: Where the source is from, for imports relative to it.

    Raises:
        ValueError: The source holds no such function.
    """
    definition = _find(ast.parse(source), name.split("."))
    if definition is None:
        where = f" of {filepath!r}" if filepath else ""
        raise ValueError(f"Function {name} not found in source code{where}.")
    namespace = safe_load_namespace(source, filepath=filepath)
    return _signature(definition, namespace), ast.get_docstring(definition)


def _find(scope: ast.AST, path: list[str]) -> FunctionDef | None:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and path == [node.name]:
            return node
        if isinstance(node, ast.ClassDef) and path[0] == node.name and len(path) > 1:
            return _find(node, path[1:])
        # Definitions may stand inside `if` and `try`.
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            found = _find(node, path)
            if found is not None:
                return found
    return None


def _signature(definition: FunctionDef, namespace: dict[str, Any]) -> Signature:
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults += arguments.defaults
    kinds = [Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs)
    kinds += [Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)
    parameters = [
        _parameter(argument, kind, default, namespace)
        for argument, kind, default in zip(positional, kinds, defaults, strict=True)
    ]
    if arguments.vararg is not None:
        parameters.append(_parameter(arguments.vararg, Parameter.VAR_POSITIONAL, None, namespace))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(_parameter(argument, Parameter.KEYWORD_ONLY, default, namespace))
    if arguments.kwarg is not None:
        parameters.append(_parameter(arguments.kwarg, Parameter.VAR_KEYWORD, None, namespace))
    return Signature(parameters)


def _parameter(argument: ast.arg, kind: Any, default: ast.expr | None, namespace: dict[str, Any]) -> Parameter:
    annotation: Any = Parameter.empty
    if argument.annotation is not None:
        annotation = _evaluate(argument.annotation, namespace, otherwise=Any)
        if isinstance(annotation, str):
            annotation = _evaluate(ast.parse(annotation, mode="eval").body, namespace, otherwise=Any)
    value = Parameter.empty if default is None else _evaluate(default, namespace, otherwise=None)
    return Parameter(argument.arg, kind, default=value, annotation=annotation)


def can_evaluate(expression: ast.expr, namespace: dict[str, Any]) -> bool:
    """Whether an annotation or default can be evaluated with the names at hand."""
    missing = object()
    return _evaluate(expression, namespace, otherwise=missing) is not missing


def _evaluate(expression: ast.expr, namespace: dict[str, Any], otherwise: Any) -> Any:
    try:
        return eval(compile(ast.Expression(expression), "<signature>", "eval"), namespace)
    except Exception:  # noqa: BLE001 - the expression may hold any code, whose needs may be missing here
        return otherwise
