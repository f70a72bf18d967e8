"""Works on nested collections: merging, flattening, picking values by path."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Sequence, Set
from enum import Enum, auto
from itertools import islice
from typing import Any, TypeVar, Union

from prefect.utilities._walk import StopVisiting, holds_only_scalars, visit_collection

__all__ = [
    "AutoEnum",
    "NestedDict",
    "StopVisiting",
    "batched_iterable",
    "deep_merge",
    "deep_merge_dicts",
    "dict_to_flatdict",
    "distinct",
    "ensure_iterable",
    "extract_instances",
    "flatdict_to_dict",
    "get_from_dict",
    "holds_only_scalars",
    "isiterable",
    "listrepr",
    "remove_nested_keys",
    "set_in_dict",
    "visit_collection",
]

T = TypeVar("T")
R = TypeVar("R")
KT = TypeVar("KT")
VT = TypeVar("VT")

NestedDict = dict[KT, Union[VT, "NestedDict[KT, VT]"]]


class AutoEnum(str, Enum):
    """An enumeration of strings whose values are the names of its members.

    ::

        class Colour(AutoEnum):
            RED = AutoEnum.auto()

        Colour.RED == "RED"
    """

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name

    @staticmethod
    def auto() -> Any:
        """Return the marker that becomes the member's name."""
        return auto()

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    __repr__ = __str__


# --- iterables --------------------------------------------------------------------------------------------------------


def isiterable(obj: Any) -> bool:
    """Say whether an object can be iterated over and is meant to be: strings, bytes and open files are not."""
    if isinstance(obj, (str, bytes, io.IOBase)):
        return False
    try:
        iter(obj)
    except TypeError:
        return False
    return True


def ensure_iterable(obj: T | Iterable[T]) -> Collection[T]:
    """Return sequences and sets as they are, and anything else as the only item of a list."""
    return obj if isinstance(obj, (Sequence, Set)) else [obj]  # type: ignore[return-value]


def listrepr(objs: Iterable[Any], sep: str = " ") -> str:
    """Join the representations of some objects."""
    return sep.join(repr(obj) for obj in objs)


def extract_instances(
    objects: Iterable[Any], types: type[T] | tuple[type[T], ...] = object
) -> list[T] | dict[type[T], list[T]]:
    """Pick the objects of one type, or of several.

    Returns:
        A list for one type; for a tuple of types a dictionary with a list for each type that occurs.
    """
    if not isinstance(types, tuple):
        return [obj for obj in objects if isinstance(obj, types)]
    found: dict[type[T], list[T]] = {}
    for obj in objects:
        for type_ in types:
            if isinstance(obj, type_):
                found.setdefault(type_, []).append(obj)
    return found


def batched_iterable(iterable: Iterable[T], size: int) -> Generator[tuple[T, ...], None, None]:
    """Yield the items in tuples of `size`, of which the last may be shorter.

    Raises:
        ValueError: `size` is below one.
    """
    if size < 1:
        raise ValueError(f"Batches need at least one item each, not size={size!r}.")
    items = iter(iterable)
    while batch := tuple(islice(items, size)):
        yield batch


def distinct(iterable: Iterable[T], key: Callable[[T], Hashable] | None = None) -> Iterator[T]:
    """Yield the first item of each key, in order; the key of an item is the item unless a function is given."""
    seen: set[Any] = set()
    for item in iterable:
        identity = item if key is None else key(item)
        if identity not in seen:
            seen.add(identity)
            yield item


# --- nested dictionaries ----------------------------------------------------------------------------------------------


def dict_to_flatdict(dct: dict[Any, Any]) -> dict[tuple[Any, ...], Any]:
    """Turn a nested dictionary into a flat one whose keys are paths; an empty dictionary inside is a value."""
    return dict(_leaves(dct, ()))


def _leaves(dct: dict[Any, Any], path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for key, value in dct.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def flatdict_to_dict(dct: dict[tuple[Any, ...], Any]) -> dict[Any, Any]:
    """Turn a dictionary whose keys are paths into a nested one."""
    result: dict[Any, Any] = {}
    for path, value in dct.items():
        current = result
        for key in path[:-1]:
            current = current.setdefault(key, {})
        current[path[-1]] = value
    return result


def deep_merge(dct: dict[str, Any], merge: dict[str, Any]) -> dict[str, Any]:
    """Return a new dictionary with `merge` laid over `dct`; dictionaries on both sides are merged in turn."""
    result = dict(dct)
    for key, value in merge.items():
        present = result.get(key)
        result[key] = deep_merge(present, value) if isinstance(present, dict) and isinstance(value, dict) else value
    return result


def deep_merge_dicts(*dicts: dict[str, Any]) -> dict[str, Any]:
    """Return a new dictionary with each of `dicts` laid over those before it."""
    result: dict[str, Any] = {}
    for dct in dicts:
        result = deep_merge(result, dct)
    return result


def remove_nested_keys(keys_to_remove: list[Any], obj: Any) -> Any:
    """Return a dictionary without some keys, at any depth of dictionaries; anything else comes back as it is."""
    if not isinstance(obj, dict):
        return obj
    return {key: remove_nested_keys(keys_to_remove, value) for key, value in obj.items() if key not in keys_to_remove}


def _path(keys: str | list[Any]) -> list[Any]:
    if not isinstance(keys, str):
        return list(keys)
    parts: list[Any] = []
    for part in re.sub(r"\[(-?\d+)\]", r".\1", keys).split("."):
        parts.append(int(part) if re.fullmatch(r"-?\d+", part) else part)
    return parts


def get_from_dict(dct: dict[str, Any], keys: str | list[Any], default: R | None = None) -> Any | R | None:
    """Pick a value out of nested dictionaries and lists.

    Args:
        keys: The path as a list, or as text such as `"a.b[0].c"`.
        default: What to return where the path leads nowhere.
    """
    current: Any = dct
    for key in _path(keys):
        try:
            current = current[key]
        except (KeyError, IndexError, TypeError):
            # `a.0` may mean the key "0" of a dictionary as well as the first item of a list.
            if isinstance(key, int) and isinstance(current, dict) and str(key) in current:
                current = current[str(key)]
            else:
                return default
    return current


def set_in_dict(dct: dict[str, Any], keys: str | list[str], value: Any) -> None:
    """Put a value into nested dictionaries, making those that are missing.

    Args:
        keys: The path as a list, or as text such as `"a.b.c"`.

    Raises:
        TypeError: The path leads through something that is not a dictionary.
    """
    path = keys.split(".") if isinstance(keys, str) else list(keys)
    current: Any = dct
    for key in path[:-1]:
        current = current.setdefault(key, {})
        if not isinstance(current, dict):
            raise TypeError(f"Cannot set {path!r}: the value at {key!r} is {current!r}, which is not a dictionary.")
    current[path[-1]] = value
