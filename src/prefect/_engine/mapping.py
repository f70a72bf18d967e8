"""Spreads one call with iterable arguments over many."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator, Mapping
from typing import Any

from prefect._engine.inputs import resolve_value
from prefect.client.schemas.objects import State
from prefect.exceptions import MappingLengthMismatch, MappingMissingIterable
from prefect.futures import PrefectFuture
from prefect.utilities.annotations import BaseAnnotation, allow_failure, quote, unmapped


def mapped_calls(task: Any, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of each child of `task.map`.

    `unmapped` values, strings, bytes, files, defaults and what cannot be iterated are constants; futures and states given
    directly are waited for; `quote` and `allow_failure` are looked through and put around each item.

    Raises:
        MappingMissingIterable: Nothing can be iterated.
        MappingLengthMismatch: The iterables differ in length.
    """
    flat, variadic = _spread_variadic(task, parameters)
    constants: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {}
    for name, value in flat.items():
        items = _items(value)
        if items is None:
            constants[name] = value.unwrap() if isinstance(value, unmapped) else value
        else:
            columns[name] = items
    if not columns:
        raise MappingMissingIterable(
            f"No argument of {task.name}.map() can be iterated, so there is nothing to map over: "
            f"{ {name: type(value).__name__ for name, value in parameters.items()} }. Pass a list, or call .submit() instead."
        )
    lengths = {name: len(items) for name, items in columns.items()}
    if len(set(lengths.values())) > 1:
        raise MappingLengthMismatch(
            f"The iterables given to {task.name}.map() differ in length: {lengths}. Wrap constants in unmapped(...)."
        )
    return _children(constants, columns, next(iter(lengths.values())), variadic)


def _children(
    constants: dict[str, Any], columns: dict[str, list[Any]], length: int, variadic: str | None
) -> Iterator[dict[str, Any]]:
    names = list(columns)
    for row in zip(*columns.values(), strict=True) if length else ():
        call = {**constants, **dict(zip(names, row, strict=True))}
        if variadic is not None:
            prefix = f"{variadic}."
            rest = {name.removeprefix(prefix): call.pop(name) for name in list(call) if name.startswith(prefix)}
            call[variadic] = rest
        yield call


def _spread_variadic(task: Any, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Each entry of **kwargs is mapped by itself; defaults are never mapped."""
    flat: dict[str, Any] = {}
    variadic = None
    signature = inspect.signature(task.fn)
    for name, value in parameters.items():
        parameter = signature.parameters.get(name)
        if parameter is not None and parameter.kind is inspect.Parameter.VAR_KEYWORD:
            variadic = name
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            flat[name] = value
    for name, parameter in signature.parameters.items():
        if name not in parameters and parameter.default is not inspect.Parameter.empty:
            flat[name] = unmapped(parameter.default)
    return flat, variadic


def _items(value: Any) -> list[Any] | None:
    """The items that a mapped argument gives to the children, or None for a constant."""
    if isinstance(value, unmapped):
        return None
    if isinstance(value, (allow_failure, quote)):
        items = _items(value.unwrap())
        return None if items is None else [value.rewrap(item) for item in items]
    if isinstance(value, BaseAnnotation):
        return None
    if isinstance(value, (PrefectFuture, State)):
        value = resolve_value(value)
    if isinstance(value, (str, bytes, io.IOBase)):
        return None
    try:
        return list(value)
    except TypeError:
        return None
