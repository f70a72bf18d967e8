"""`prefect._internal.launchers` under its earlier name."""

from prefect._internal.launchers import get_launcher_for_side, resolve_bundle_step_with_launcher

__all__ = ["get_launcher_for_side", "resolve_bundle_step_with_launcher"]
