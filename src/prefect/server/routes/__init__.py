"""The routes of the API as a table, free of any web framework."""

from __future__ import annotations

from prefect.server.models.errors import ApiError, Conflict, Forbidden, Invalid, InvalidRequest, NotFound
from prefect.server.routes._table import LOCAL, Caller, Reply, Route, all_routes, dispatch, find_route

__all__ = [
    "LOCAL",
    "ApiError",
    "Caller",
    "Conflict",
    "Forbidden",
    "Invalid",
    "InvalidRequest",
    "NotFound",
    "Reply",
    "Route",
    "all_routes",
    "dispatch",
    "find_route",
]
