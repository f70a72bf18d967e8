"""What an answer tells a process that holds runs."""

from __future__ import annotations

from datetime import timedelta


def lease_header(span: timedelta | None) -> dict[str, str]:
    """Tells a holder for how long it is believed to live; without it, it need not tell that it does."""
    return {} if span is None else {"X-Prefect-Run-Lease": f"{span.total_seconds():g}"}
