"""Types for fields of blocks."""

from prefect.types import SecretDict

__all__ = ["SecretDict"]
