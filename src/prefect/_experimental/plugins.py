"""`prefect.plugins` under its earlier name."""

from prefect.plugins import register_hook

__all__ = ["register_hook"]
