"""Puts the values of secrets into dumps of blocks, where they were asked for."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

_COLLECTIONS = (list, tuple, set, frozenset)


def revealed(value: Any, dumped: Any, *, as_json: bool, is_dumped: type[BaseModel]) -> Any:
    """A dump with the secrets of what was dumped in it.

    Args:
        value: What was dumped.
        dumped: What pydantic made of it, with masks in the place of secrets.
        as_json: Give JSON values only.
        is_dumped: Models of this class, below the first, have their secrets in their dumps already.
    """
    if hasattr(value, "get_secret_value"):
        secret = value.get_secret_value()
        return to_jsonable_python(secret) if as_json else secret
    if isinstance(value, BaseModel):
        return dumped if isinstance(value, is_dumped) else revealed_fields(value, dumped, as_json, is_dumped)
    if isinstance(value, dict) and isinstance(dumped, dict) and len(value) == len(dumped):
        items = zip(dumped.items(), value.values(), strict=True)
        return {key: revealed(each, shown, as_json=as_json, is_dumped=is_dumped) for (key, shown), each in items}
    if isinstance(value, _COLLECTIONS) and isinstance(dumped, _COLLECTIONS) and len(value) == len(dumped):
        pairs = zip(value, dumped, strict=True)
        return type(dumped)([revealed(each, shown, as_json=as_json, is_dumped=is_dumped) for each, shown in pairs])
    return dumped


def revealed_fields(model: BaseModel, dumped: Any, as_json: bool, is_dumped: type[BaseModel]) -> Any:
    """The dump of a model with the secrets of its fields in it."""
    if not isinstance(dumped, dict):  # a model may say itself what is made of it
        return dumped
    shown = dict(dumped)
    names = {name: field.alias or name for name, field in type(model).model_fields.items()}
    names.update({name: name for name in model.model_extra or ()})
    for name, alias in names.items():
        key = name if name in shown else alias
        if key in shown:
            shown[key] = revealed(getattr(model, name), shown[key], as_json=as_json, is_dumped=is_dumped)
    return shown
