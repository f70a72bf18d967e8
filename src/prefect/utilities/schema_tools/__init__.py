"""Fills in and validates data that JSON schemas describe."""

from prefect.utilities.schema_tools.hydration import HydrationContext, HydrationError, hydrate
from prefect.utilities.schema_tools.validation import CircularSchemaRefError, ValidationError, is_valid_schema, validate

__all__ = [
    "CircularSchemaRefError",
    "HydrationContext",
    "HydrationError",
    "ValidationError",
    "hydrate",
    "is_valid_schema",
    "validate",
]
