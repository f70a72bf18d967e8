"""Finds out which types the annotations of a function stand for, as far as that can be told."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any


def signature_with_types(fn: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function with textual annotations evaluated.

    Each is looked up where the function is defined. One that cannot be found there, such as a type that is imported for
    type checkers only, becomes `Any`.
    """
    signature = inspect.signature(fn)
    if not any(isinstance(parameter.annotation, str) for parameter in signature.parameters.values()):
        return signature
    scope, enclosed = _namespaces(fn)
    parameters = []
    for parameter in signature.parameters.values():
        if isinstance(parameter.annotation, str):
            parameter = parameter.replace(annotation=_evaluate(parameter.annotation, scope, enclosed))
        parameters.append(parameter)
    return signature.replace(parameters=parameters)


def _namespaces(fn: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    while True:
        fn = inspect.unwrap(fn)
        inner = getattr(fn, "func", None) or getattr(fn, "__func__", None)
        if inner is None:
            break
        fn = inner
    if not inspect.isroutine(fn) and not hasattr(fn, "__globals__"):
        fn = type(fn).__call__
    function: Any = fn
    enclosed: dict[str, Any] = {}
    code = getattr(function, "__code__", None)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True) if code is not None else ():
        try:
            enclosed[name] = cell.cell_contents
        except ValueError:
            # The enclosing function has not come to the assignment yet.
            continue
    return getattr(fn, "__globals__", {}), enclosed


def _evaluate(annotation: str, scope: dict[str, Any], enclosed: dict[str, Any]) -> Any:
    try:
        return eval(annotation, scope, enclosed)
    except Exception:  # noqa: BLE001 - an annotation may hold any code, and must not keep the function from running
        return Any


def has_v1_type(annotation: Any) -> bool:
    """Say whether a type is a model of pydantic 1, or is made of one."""
    v1 = sys.modules.get("pydantic.v1")
    if v1 is None:
        return False
    if isinstance(annotation, type):
        return issubclass(annotation, v1.BaseModel)
    return any(has_v1_type(part) for part in getattr(annotation, "__args__", ()))
