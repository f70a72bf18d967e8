"""The types of workers that integration packages offer, as far as a server without these packages can tell."""

from __future__ import annotations

from importlib import resources
from typing import Any

from prefect.server.models._rows import loads


def worker_types() -> dict[str, dict[str, Any]]:
    """The known types of workers, by package and type: their names and the templates of their jobs."""
    return loads(resources.files(__package__ or "").joinpath("worker_types.json").read_bytes())
