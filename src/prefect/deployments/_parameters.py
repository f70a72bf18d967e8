"""Makes of the parameters that a deployment is given what can be stored: values, references to blocks, and a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from prefect.blocks.core import Block, BlockNotSavedError
from prefect.utilities.annotations import freeze
from prefect.utilities.callables import ParameterSchema


def apply_frozen(parameters: Mapping[str, Any], schema: ParameterSchema) -> tuple[dict[str, Any], ParameterSchema]:
    """Take `freeze(…)` off the parameters; the schema allows those only one value.

    Raises:
        ValueError: There is no such parameter.
    """
    frozen = {name: value.unfreeze() for name, value in parameters.items() if isinstance(value, freeze)}
    unknown = [name for name in frozen if name not in schema.properties]
    if unknown:
        raise ValueError(
            f"Cannot freeze {', '.join(map(repr, unknown))}: the flow has no such parameter. It has"
            f" {', '.join(map(repr, schema.properties)) or 'none'}."
        )
    fixed = {name: {**schema.properties[name], "readOnly": True, "enum": [value]} for name, value in frozen.items()}
    # A copy: the schema is also that of the flow.
    schema = schema.model_copy(update={"properties": {**schema.properties, **fixed}})
    return {**parameters, **frozen}, schema


def as_stored(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as JSON values. Blocks become references to what is stored of them.

    Raises:
        BlockNotSavedError: A block among them was never saved.
        ValueError: A value has no form in JSON.
    """
    return {name: _value(name, value) for name, value in parameters.items()}


def _value(name: str, value: Any) -> Any:
    try:
        # Blocks are models: they must be found before they are rendered as such.
        return to_jsonable_python(_with_references(name, value))
    except PydanticSerializationError as error:
        raise ValueError(
            f"The parameter {name!r} cannot be stored: {error}. Give it a value that JSON can express, a"
            " pydantic model, or a saved block."
        ) from error


def _with_references(name: str, value: Any) -> Any:
    if isinstance(value, Block):
        if value._block_document_id is None:
            raise BlockNotSavedError(
                f"The parameter {name!r} is a block of type {type(value).__name__!r} that was not saved."
                " Save it with its `.save()` first."
            )
        return {"$ref": {"block_document_id": str(value._block_document_id)}}
    if isinstance(value, Mapping):
        return {key: _with_references(name, item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_with_references(name, item) for item in value]
    return value
