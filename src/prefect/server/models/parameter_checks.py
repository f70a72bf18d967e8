"""Fills in the parameters of deployments and their runs, and checks them against the schema of the flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.models._rows import loads
from prefect.server.models.errors import ApiError, Conflict, Invalid
from prefect.utilities.schema_tools import (
    CircularSchemaRefError,
    HydrationContext,
    HydrationError,
    ValidationError,
    hydrate,
    is_valid_schema,
    validate,
)
from prefect.utilities.schema_tools.validation import build_error_obj

_CIRCULAR = "Invalid schema: it refers to itself without an end. Give one of its definitions a type of its own."


def hydrated_parameters(tx: Transaction, parameters: dict[str, Any], what: str) -> dict[str, Any]:
    """Parameters with the objects replaced that stand for other values, such as a variable.

    Args:
        what: What they are parameters of, for messages.

    Raises:
        ApiError: 400; a value cannot be had.
    """
    if not _has_kinds(parameters):
        return parameters
    context = HydrationContext(
        workspace_variables=_variables(tx),
        render_workspace_variables=True,
        raise_on_error=True,
        render_jinja=True,
    )
    try:
        return hydrate(parameters, context)
    except HydrationError as error:
        raise ApiError(400, f"The parameters of the {what} could not be filled in: {error}") from error


def _variables(tx: Transaction) -> dict[str, Any]:
    return {row["name"]: loads(row["value"]) for row in tx.fetch_all("SELECT name, value FROM variable")}


def checked_values(tx: Transaction, values: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Whether values fit a JSON schema, as nested objects for a form to show: `valid`, and `errors` by their place.

    Raises:
        Invalid: The schema is none, or refers to itself without an end.
    """
    try:
        is_valid_schema(schema)
    except ValueError as error:
        raise Invalid(str(error)) from error
    variables = _variables(tx) if _has_kinds(values) else {}
    hydrated = hydrate(values, HydrationContext(workspace_variables=variables, render_workspace_variables=True))
    try:
        return build_error_obj(validate(hydrated, schema))
    except CircularSchemaRefError as error:
        raise Invalid(_CIRCULAR) from error
    except ValidationError as error:
        raise Invalid(f"Invalid schema: {error}") from error


def _has_kinds(value: Any) -> bool:
    if isinstance(value, dict):
        return "__prefect_kind" in value or any(map(_has_kinds, value.values()))
    return isinstance(value, list) and any(map(_has_kinds, value))


def require_valid_parameters(
    parameters: dict[str, Any], schema: Mapping[str, Any] | None, what: str, *, ignore_required: bool = False
) -> None:
    """Check parameters against the schema of their flow.

    Args:
        what: What they are parameters of, for messages.
        ignore_required: Whether parameters may be missing, because runs add them.

    Raises:
        Conflict: They do not fit, or there is no schema that says what fits.
        Invalid: The schema refers to itself without an end.
    """
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise Conflict(
            f"The parameters of the {what} cannot be checked: the deployment has no valid parameter schema, and "
            "enforces it. Give it a `parameter_openapi_schema` of type object, or set `enforce_parameter_schema` to "
            "false."
        )
    try:
        validate(parameters, schema, raise_on_error=True, ignore_required=ignore_required)
    except ValidationError as error:
        raise Conflict(f"The parameters of the {what} do not fit their schema: {error}") from error
    except CircularSchemaRefError as error:
        raise Invalid(_CIRCULAR) from error


def require_valid_schema(schema: Mapping[str, Any] | None) -> None:
    """Check that a parameter schema is a JSON schema.

    Raises:
        Invalid: It is none.
    """
    try:
        is_valid_schema(schema or {})
    except ValueError as error:
        raise Invalid(f"`parameter_openapi_schema` is not a valid JSON schema: {error}") from error


def require_valid_job_variables(
    variables: dict[str, Any], schema: Mapping[str, Any] | None, *, ignore_required: bool, status: int = 422
) -> None:
    """Check job variables against those of a work pool.

    Args:
        schema: The pool's variables; None when it does not say.
        ignore_required: Whether variables may be missing, because runs add them.
        status: The status of the refusal.

    Raises:
        ApiError: They do not fit.
    """
    if not schema:
        return
    try:
        validate(variables, schema, raise_on_error=True, ignore_required=ignore_required, allow_none_with_default=True)
    except (ValidationError, CircularSchemaRefError) as error:
        raise ApiError(status, f"The job variables do not fit those of the work pool: {error}") from error
