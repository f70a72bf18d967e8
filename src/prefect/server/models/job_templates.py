"""Checks the templates from which work pools make the jobs of their runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models.errors import Invalid, NotFound
from prefect.utilities.schema_tools import CircularSchemaRefError, ValidationError, is_valid_schema, validate


def require_valid_template(tx: Transaction, template: dict[str, Any]) -> None:
    """Check the variables of a base job template, whose form is known to be right.

    Raises:
        Invalid: They are no JSON schema, or a default does not fit it.
        NotFound: A default is a block that does not exist.
    """
    schema = template.get("variables")
    if not schema:
        return
    if not isinstance(schema, dict):
        raise Invalid(f"The `variables` of a base job template are a JSON schema, got {schema!r}.")
    try:
        is_valid_schema(schema)
    except ValueError as error:
        raise Invalid(f"The `variables` of the base job template are no valid JSON schema: {error}") from error
    try:
        validate(_defaults(tx, schema), schema, raise_on_error=True, ignore_required=True, allow_none_with_default=True)
    except (ValidationError, CircularSchemaRefError) as error:
        raise Invalid(f"A default of the base job template's variables does not fit: {error}") from error


def _defaults(tx: Transaction, schema: dict[str, Any]) -> dict[str, Any]:
    """The defaults that have to fit. A block fits when it exists: what it holds may change at any time."""
    defaults: dict[str, Any] = {}
    for name, variable in (schema.get("properties") or {}).items():
        default: Any = variable.get("default") if isinstance(variable, dict) else None
        if default is None:
            continue
        block_id = _block_id(default)
        if block_id is None:
            defaults[name] = default
        elif not _block_exists(tx, block_id):
            raise NotFound(
                f"Block not found: the default of {name!r} in the base job template is the block {block_id!r}. "
                "Save the block first, or name another one."
            )
    return defaults


def _block_id(default: Any) -> str | None:
    reference: Any = default.get("$ref") if isinstance(default, dict) else None
    id: Any = reference.get("block_document_id") if isinstance(reference, dict) else None
    return None if id is None else str(id)


def _block_exists(tx: Transaction, id: str) -> bool:
    try:
        wanted = UUID(id)
    except ValueError:
        return False
    return tx.fetch_one("SELECT 1 FROM block_document WHERE id = ?", (wanted,)) is not None
