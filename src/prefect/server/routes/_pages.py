"""Limits and pages of the routes that answer with lists."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from prefect.server.database.values import encode_json
from prefect.server.models.errors import Invalid, InvalidRequest
from prefect.settings import get_current_settings


def checked_limit(limit: int | None) -> int:
    """The number of rows to answer with; `server.api.default_limit` when the request names none, and at most.

    Raises:
        Invalid: It is negative, or larger than what is allowed.
    """
    most = get_current_settings().server.api.default_limit
    if limit is None:
        return most
    if not 0 <= limit <= most:
        raise Invalid(f"Invalid limit: must be between 0 and {most}, got {limit}.")
    return limit


def page(results: list[Any], count: int, limit: int, page: int) -> dict[str, Any]:
    """One page of an answer, with what is needed to ask for the others."""
    return {
        "results": results,
        "count": count,
        "limit": limit,
        "pages": ceil(count / limit) if limit else 0,
        "page": page,
    }


def checked_interval(seconds: timedelta) -> timedelta:
    """The length of the slices that a history is cut into.

    Raises:
        Invalid: It is shorter than a second.
    """
    if seconds < timedelta(seconds=1):
        raise Invalid("A history's interval must not be less than 1 second.")
    return seconds


def check_parameter_size(parameters: dict[str, Any]) -> None:
    """Refuse parameters that are larger than `server.api.max_parameter_size`.

    Raises:
        InvalidRequest: They are.
    """
    most = get_current_settings().server.api.max_parameter_size
    if most <= 0 or not parameters:
        return
    size = len(encode_json(parameters).encode())
    if size > most:
        message = f"Parameters must be smaller than {most:,} bytes as JSON; these have {size:,}."
        problem = {"type": "value_error", "loc": ["body", "parameters"], "msg": message, "input": None}
        raise InvalidRequest([problem], None)
