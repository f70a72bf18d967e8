"""Usage statistics: this implementation collects none, whatever is asked of it here."""

from __future__ import annotations

from typing import Any


def is_telemetry_enabled() -> bool:
    """Always False."""
    return False


def emit_integration_event(integration: str, event_name: str, extra_properties: dict[str, Any] | None = None) -> bool:
    """Tell nobody that an integration did something. Returns False: nothing was sent."""
    return False


__all__ = ["emit_integration_event", "is_telemetry_enabled"]
