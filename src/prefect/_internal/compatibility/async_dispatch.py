"""The import path that integration packages use for `async_dispatch`."""

from prefect._compat.dispatch import async_dispatch, is_in_async_context

__all__ = ["async_dispatch", "is_in_async_context"]
