"""Requests about what integration packages offer."""

from __future__ import annotations

from typing import Any

from prefect.client._calls._call import Call


def read_worker_metadata() -> Call[dict[str, Any]]:
    """Read the worker types that integration packages offer, by package and type."""
    return Call("GET", "/collections/views/{view}", {"view": "aggregate-worker-metadata"})
