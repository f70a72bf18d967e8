"""Walks nested values and rebuilds what changed; public as `prefect.utilities.collections.visit_collection`."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from prefect.utilities.annotations import BaseAnnotation

SCALARS: frozenset[type] = frozenset({str, int, float, bool, type(None), bytes, complex})
"""Types that hold nothing inside."""

_MISSING = object()


class StopVisiting(BaseException):
    """Raised by a callback of `visit_collection` to keep the walk out of the current value."""


def holds_only_scalars(expr: Any) -> bool:
    """Say whether a value is a plain scalar, or a list, tuple, set or dictionary of nothing but those.

    It costs a fraction of a walk, so ask it before walking for things that no scalar is.
    """
    kind = type(expr)
    if kind in SCALARS:
        return True
    if kind is dict:
        return SCALARS.issuperset(map(type, expr)) and SCALARS.issuperset(map(type, expr.values()))
    return (kind is list or kind is tuple or kind is set) and SCALARS.issuperset(map(type, expr))


def visit_collection(
    expr: Any,
    visit_fn: Callable[[Any, dict[str, Any]], Any] | Callable[[Any], Any],
    *,
    return_data: bool = False,
    max_depth: int = -1,
    context: dict[str, Any] | None = None,
    remove_annotations: bool = False,
    _seen: dict[int, Any] | None = None,
) -> Any | None:
    """Call a function for a value and for everything inside it, outermost first.

    The walk goes into lists, tuples, sets, dictionaries (keys too), dataclasses, pydantic models and annotations, and
    into nothing else: generators are not consumed, objects not opened. What was seen already is not entered again, so
    cycles end.

    Args:
        visit_fn: Gets each value, and with `context` the context as well. Its return value replaces the value if
            `return_data` is set; the walk then goes on into the replacement. It may raise `StopVisiting` to leave a
            value alone.
        return_data: Return the value with its replacements. Containers are rebuilt only where something changed, and
            without running initialisers or validators; unchanged ones come back as they are.
        max_depth: How many levels to go down; -1 means all of them.
        context: Handed to `visit_fn` as a copy, which the values inside inherit with the callback's changes. Below an
            annotation, the innermost one stands under the key "annotation".
        remove_annotations: Take annotations off the returned data.

    Returns:
        The value with its replacements, or None without `return_data`.
    """
    visitor = _Visitor(visit_fn, return_data, remove_annotations, {} if _seen is None else _seen)
    result = visitor.visit(expr, max_depth, context)
    return result if return_data else None


class _Visitor:
    """One walk. Entered values are kept in `_seen`, so that their ids stay theirs for as long as the walk lasts."""

    __slots__ = ("_fn", "_remove_annotations", "_return_data", "_seen")

    def __init__(
        self, fn: Callable[..., Any], return_data: bool, remove_annotations: bool, seen: dict[int, Any]
    ) -> None:
        self._fn = fn
        self._return_data = return_data
        self._remove_annotations = remove_annotations
        self._seen = seen

    def visit(self, expr: Any, depth: int, context: dict[str, Any] | None) -> Any:
        try:
            if context is None:
                result = self._fn(expr)
            else:
                context = context.copy()
                result = self._fn(expr, context)
        except StopVisiting:
            return expr
        if self._return_data:
            expr = result
        # The type itself is asked, never `isinstance`, which mocks answer with what they imitate.
        kind = type(expr)
        if depth == 0 or kind in SCALARS:
            return expr
        enter = _way_into(kind)
        if enter is None:
            return expr
        known = self._seen.get(id(expr))
        if known is not None:
            return known[1]
        self._seen[id(expr)] = (expr, expr)
        rebuilt = enter(self, expr, depth - 1, context)
        self._seen[id(expr)] = (expr, rebuilt)
        return rebuilt

    def each(self, values: Iterable[Any], depth: int, context: dict[str, Any] | None) -> list[Any] | None:
        """Visit some values; return their replacements, or None where nothing changed."""
        changed = False
        results: list[Any] = []
        visit = self.visit
        for value in values:
            result = visit(value, depth, context)
            results.append(result)
            if result is not value:
                changed = True
        return results if changed else None

    # Each of these walks into one kind of container and returns it, rebuilt if anything in it changed.

    def _items(self, expr: Any, depth: int, context: dict[str, Any] | None) -> Any:
        results = self.each(expr, depth, context)
        if results is None:
            return expr
        make = getattr(expr, "_make", None)
        return type(expr)(results) if make is None else make(results)

    def _mapping(self, expr: dict[Any, Any], depth: int, context: dict[str, Any] | None) -> Any:
        flat = [part for item in expr.items() for part in item]
        results = self.each(flat, depth, context)
        if results is None:
            return expr
        pairs = zip(results[::2], results[1::2], strict=True)
        if type(expr) is dict:
            return dict(pairs)
        # A copy keeps what a subclass holds besides its items, such as a default factory.
        rebuilt = copy.copy(expr)
        rebuilt.clear()
        rebuilt.update(pairs)
        return rebuilt

    def _dataclass(self, expr: Any, depth: int, context: dict[str, Any] | None) -> Any:
        names = [
            field.name for field in dataclasses.fields(expr) if getattr(expr, field.name, _MISSING) is not _MISSING
        ]
        results = self.each([getattr(expr, name) for name in names], depth, context)
        if results is None:
            return expr
        rebuilt = _duplicate(expr)
        for name, result in zip(names, results, strict=True):
            object.__setattr__(rebuilt, name, result)
        return rebuilt

    def _model(self, expr: Any, depth: int, context: dict[str, Any] | None) -> Any:
        # Beside the fields, the dictionary may hold properties that were computed from them.
        fields = {name: expr.__dict__[name] for name in type(expr).__pydantic_fields__ if name in expr.__dict__}
        extra = expr.__pydantic_extra__ or {}
        results = self.each([*fields.values(), *extra.values()], depth, context)
        if results is None:
            return expr
        rebuilt = expr.model_copy()
        rebuilt.__dict__.update(zip(fields, results, strict=False))
        if extra:
            rebuilt.__pydantic_extra__.update(zip(extra, results[len(fields) :], strict=True))
        return rebuilt

    def _annotation(self, expr: BaseAnnotation[Any], depth: int, context: dict[str, Any] | None) -> Any:
        if context is not None:
            context["annotation"] = expr
        inner = expr.unwrap()
        result = self.visit(inner, depth, context)
        if self._remove_annotations:
            return result
        return expr if result is inner else expr.rewrap(result)


def _duplicate(instance: Any) -> Any:
    """Copy the attributes of a dataclass's instance into a new one, past its initialisers and even if it is frozen."""
    try:
        duplicate = object.__new__(type(instance))
    except TypeError:
        # It derives from a built-in type, and has more than attributes.
        return copy.copy(instance)
    slots = [name for cls in type(instance).__mro__ for name in cls.__dict__.get("__slots__", ())]
    for name in [*getattr(instance, "__dict__", ()), *slots]:
        if name not in ("__dict__", "__weakref__") and hasattr(instance, name):
            object.__setattr__(duplicate, name, getattr(instance, name))
    return duplicate


_Way = Callable[[_Visitor, Any, int, "dict[str, Any] | None"], Any]

_WAYS: dict[type, _Way] = {
    list: _Visitor._items,
    tuple: _Visitor._items,
    set: _Visitor._items,
    dict: _Visitor._mapping,
}


def _way_into(kind: type) -> _Way | None:
    way = _WAYS.get(kind)
    if way is not None:
        return way
    if issubclass(kind, BaseAnnotation):
        return _Visitor._annotation
    if issubclass(kind, (list, tuple, set)):
        return _Visitor._items
    if issubclass(kind, dict):
        return _Visitor._mapping
    # Neither pydantic nor its metaclass has to be asked: both kinds of class carry a name of their own.
    if hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_copy"):
        return _Visitor._model
    if hasattr(kind, "__dataclass_fields__"):
        return _Visitor._dataclass
    return None
