"""Validates lists of models, one item after another."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import SchemaValidator, core_schema

__all__ = ["ListValidator", "validate_list"]

T = TypeVar("T", bound=BaseModel)

ListValidator = SchemaValidator(
    core_schema.list_schema(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))
)


def validate_list(model: type[T], input: Any) -> list[T]:
    """Return a list of dictionaries as a list of models.

    Raises:
        pydantic.ValidationError: The input is not such a list, or an item does not fit the model.
    """
    return [model.model_validate(item) for item in ListValidator.validate_python(input)]
