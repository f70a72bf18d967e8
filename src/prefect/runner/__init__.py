"""Runners: take the due runs of deployments, and execute each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.utilities._lazy import lazy_names

if TYPE_CHECKING:
    from prefect.runner.runner import Runner

# Storage classes live beside the runner, and who needs only those does not load it.
__getattr__ = lazy_names(__name__, {"Runner": "prefect.runner.runner"})

__all__ = ["Runner"]
