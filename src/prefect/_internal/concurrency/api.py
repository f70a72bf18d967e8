"""The import path that integration packages use to run calls in other threads."""

from prefect.utilities._calls import Call, cast_to_call, create_call, from_sync

__all__ = ["Call", "cast_to_call", "create_call", "from_sync"]
