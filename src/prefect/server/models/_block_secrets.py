"""Hides the secret fields of a block's data, and puts back what comes again hidden.

A path such as `credentials.token` or `headers.*` names a secret field; `*` stands for every key of an object. Lists on
the way are walked through: a path goes on in each of their items.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MASK = "********"
"""What stands in the place of a secret, whatever its length or type."""

Path = tuple[str, ...]


def secret_paths(fields: dict[str, Any]) -> list[Path]:
    """The paths of the secret fields that a block schema lists."""
    return [tuple(path.split(".")) for path in fields.get("secret_fields") or ()]


def masked(data: Any, paths: Iterable[Path]) -> Any:
    """A copy of the data in which every secret is the mask; null stays null."""
    for path in paths:
        data = _masked(data, path)
    return data


def _masked(value: Any, path: Path) -> Any:
    if value is None:
        return None
    if not path:
        return MASK
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        items = [_masked(item, path) for item in value]
        return [_masked(item, rest) for item in items] if head == "*" else items
    if not isinstance(value, dict):
        return MASK if head == "*" else value
    if head == "*":
        return {key: _masked(item, rest) for key, item in value.items()}
    return value | {head: _masked(value[head], rest)} if head in value else value


def unmasked(data: Any, stored: Any, paths: Iterable[Path]) -> Any:
    """A copy of the data in which every mask that stands for a secret is that secret, as it is stored.

    Args:
        data: What a client sends, perhaps after it has read it with masks.
        stored: The data in clear as it is now.
        paths: Where secrets are.
    """
    for path in paths:
        data = _unmasked(data, stored, path)
    return data


def _unmasked(value: Any, stored: Any, path: Path) -> Any:
    if value == MASK and (not path or path[0] == "*"):
        return value if stored is None else stored
    if not path or stored is None:
        return value
    head, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(stored, list):
        pairs = list(zip(value, _counterparts(value, stored, path), strict=True))
        items = [_unmasked(item, old, path) for item, old in pairs]
        if head != "*":
            return items
        return [_unmasked(item, old, rest) for item, (_, old) in zip(items, pairs, strict=True)]
    if not isinstance(value, dict) or not isinstance(stored, dict):
        return value
    keys = list(value) if head == "*" else [head] if head in value else []
    return value | {key: _unmasked(value[key], stored.get(key), rest) for key in keys}


def _counterparts(items: list[Any], stored: list[Any], path: Path) -> list[Any]:
    """The stored item that each of the given ones was read as; None for new ones."""
    if len(items) == len(stored):
        return stored
    # Items have no names: after some came or went, those that are left are told by what is not hidden in them.
    hidden = _masked(stored, path)
    return [next((old for old, shown in zip(stored, hidden, strict=True) if shown == item), None) for item in items]
