"""Renders arguments as JSON, for people and the API to look at; the function gets the objects themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

_SCALARS = frozenset({str, int, float, bool, type(None)})


def as_json(value: Any) -> Any:
    """The JSON form of one argument; `<TypeName>` for futures, states and what has none."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, (PrefectFuture, State)):
        return f"<{type(value).__name__}>"
    document_id = getattr(value, "_block_document_id", None)
    if document_id is not None:
        return {"$ref": {"block_document_id": str(document_id)}}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) and not _is_plain(value.values()):
        return (
            {key: as_json(item) for key, item in value.items()}
            if not _is_cyclic(value)
            else f"<{type(value).__name__}>"
        )
    if isinstance(value, (list, tuple, set, frozenset)) and not _is_plain(value):
        return [as_json(item) for item in value] if not _is_cyclic(value) else f"<{type(value).__name__}>"
    try:
        return to_jsonable_python(value, serialize_unknown=False, inf_nan_mode="strings")
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        return f"<{type(value).__name__}>"


def _is_plain(items: Any) -> bool:
    return _SCALARS.issuperset(map(type, items))


def _is_cyclic(value: Any, above: tuple[int, ...] = ()) -> bool:
    if type(value) in _SCALARS or isinstance(value, (BaseModel, str, bytes)) or dataclasses.is_dataclass(value):
        return False
    if id(value) in above:
        return True
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple, set)) else ()
    return any(_is_cyclic(item, (*above, id(value))) for item in items)
