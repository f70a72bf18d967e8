"""Knows which run made an object, so that passing the object on records the dependency.

Objects are recognised by identity, and never by a bare id: a recycled address must not give a false edge. Where a weak
reference is possible it is the guard; small immutable values are kept alive; lists and dicts are compared with a
fingerprint of what they were.
"""

from __future__ import annotations

import weakref
from typing import Any

_LIMIT = 20_000
"""So many results are remembered a flow run; the oldest go first."""
_KEPT_ALIVE_BYTES = 4096
_UNTRACKABLE = frozenset({type(None), bool, type(...), type(NotImplemented)})


def is_untrackable(value: object) -> bool:
    """True for the objects that CPython shares, whose identity says nothing."""
    kind = type(value)
    return kind in _UNTRACKABLE or (kind is int and -5 <= value <= 256)  # type: ignore[operator]


class Lineage:
    """The results of one flow run and the runs that made them."""

    __slots__ = ("_links",)

    def __init__(self) -> None:
        self._links: dict[int, tuple[Any, Any]] = {}

    def link(self, value: Any, source: tuple[str, str]) -> None:
        """Remember that `source` (input type, run id) made `value`, and its items one level deep."""
        if is_untrackable(value):
            return
        self._remember(value, source)
        if type(value) in (list, tuple, set, frozenset):
            items: Any = value
        elif type(value) is dict:
            items = value.values()
        else:
            return
        if len(value) <= 100:
            for item in items:
                if not is_untrackable(item):
                    self._remember(item, source)

    def _remember(self, value: Any, source: tuple[str, str]) -> None:
        links = self._links
        links[id(value)] = (source, _guard(value))
        if len(links) > _LIMIT:
            try:
                del links[next(iter(links))]
            except (StopIteration, RuntimeError, KeyError):
                pass  # another thread is tidying at this moment

    def source_of(self, value: Any) -> tuple[str, str] | None:
        """The run that made exactly this object, or None."""
        entry = self._links.get(id(value))
        if entry is None:
            return None
        return entry[0] if _is_same(entry[1], value) else None

    def __len__(self) -> int:
        return len(self._links)


def _guard(value: Any) -> Any:
    kind = type(value)
    if kind is int or kind is float or ((kind is str or kind is bytes) and len(value) <= _KEPT_ALIVE_BYTES):
        return _Kept(value)
    try:
        return weakref.ref(value)
    except TypeError:
        return _fingerprint(value)


class _Kept:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _is_same(guard: Any, value: Any) -> bool:
    if type(guard) is _Kept:
        return guard.value is value
    if isinstance(guard, weakref.ref):
        return guard() is value
    return guard == _fingerprint(value)


def _fingerprint(value: Any) -> tuple[Any, ...]:
    kind = type(value)
    if kind in (list, tuple, dict, set, frozenset):
        first = next(iter(value), None)
        return (kind, len(value), id(first))
    if kind in (str, bytes):
        return (kind, len(value), value[:32], value[-32:])
    return (kind,)
