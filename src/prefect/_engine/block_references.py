"""Puts blocks in the place of references to them, `{"$ref": {"block_document_id": …}}`, in the arguments of flows."""

from __future__ import annotations

from typing import Any

from prefect._plans import Pair, Plan
from prefect.exceptions import ParameterTypeError

_SCALARS = frozenset({str, int, float, bool, type(None), bytes})


def has_references(value: Any) -> bool:
    """Whether there is a reference in a value, at any depth of plain dictionaries and lists."""
    try:
        return _has_references(value)
    except RecursionError:
        return False  # it holds itself: no such value came as JSON, as references do


def _has_references(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return _is_reference(value) or any(_has_references(item) for item in value.values())
    if kind is list or kind is tuple:
        return not _SCALARS.issuperset(map(type, value)) and any(_has_references(item) for item in value)
    return False


def _is_reference(value: dict[Any, Any]) -> bool:
    return "$ref" in value and len(value) == 1


def plan_with_blocks(value: Any) -> Plan[Any]:
    """The same value with blocks in the place of references.

    Raises:
        ParameterTypeError: A block cannot be loaded.
    """
    kind = type(value)
    if kind is dict:
        if _is_reference(value):
            return (yield from _plan_block(value["$ref"]))
        made = {}
        for key, item in value.items():
            made[key] = yield from plan_with_blocks(item)
        return made
    if kind is list or kind is tuple:
        items = []
        for item in value:
            items.append((yield from plan_with_blocks(item)))
        return kind(items)
    return value


def _plan_block(reference: Any) -> Plan[Any]:
    try:
        return (yield Pair(_load, _aload, reference))
    except Exception as error:
        raise ParameterTypeError(f"The block that {reference!r} refers to could not be loaded: {error}") from error


def _load(reference: Any) -> Any:
    from prefect.blocks.core import Block  # noqa: PLC0415 - few flows are given blocks

    return Block.load_from_ref(reference, _sync=True)  # type: ignore[call-arg]


async def _aload(reference: Any) -> Any:
    from prefect.blocks.core import Block  # noqa: PLC0415 - few flows are given blocks

    return await Block.aload_from_ref(reference)


__all__ = ["has_references", "plan_with_blocks"]
